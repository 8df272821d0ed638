"""Declaration of Tryton."""

from urllib.parse import quote

from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.receiver_kind import own_server
from router.receivers.declaration import Declaration
from router.receivers.tryton.adapter import Tryton


def _client(connection: Connection) -> str | None:
    """The web client, opened on the connection's database."""
    where = own_server(connection)
    return where and f"{where}/#{quote(connection.options.get('database') or 'tryton', safe='')}"


RECEIVER = Declaration(
    name="tryton",
    title="Tryton",
    adapter=Tryton,
    token={"key": "key of a user application 'rest'"},
    options={
        "database": "name of the database (default: tryton)",
        "company": "ID of the company (default: 1)",
        "field": "field for the client ID, which a module of yours adds (default: ga_client_id)",
    },
    per_second=20,
    burst=20,
    pages={
        EntityKind.CONTACT: "/model/party.party/{id}",
        EntityKind.COMPANY: "/model/party.party/{id}",
        EntityKind.LEAD: "/model/sale.opportunity/{id}",
        EntityKind.DEAL: "/model/sale.opportunity/{id}",
    },
    pages_at=_client,
)
