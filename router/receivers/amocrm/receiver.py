"""Declaration of amoCRM."""

from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind
from router.receivers.amocrm.adapter import AmoCrm
from router.receivers.declaration import Declaration
from router.receivers.oauth import Body, OAuth


def _page(connection: Connection) -> str:
    if connection.address.endswith(".amocrm.ru"):
        return "https://www.amocrm.ru/oauth"
    return "https://www.kommo.com/oauth"


RECEIVER = Declaration(
    name="amocrm",
    title="amoCRM (Kommo)",
    adapter=AmoCrm,
    token={"token": "long-lived token of a private integration that an administrator created"},
    oauth=OAuth(
        token=lambda connection: f"{connection.address}/oauth2/access_token",
        authorize=_page,
        asked={"mode": "popup"},
        body=Body.JSON,
    ),
    options={
        "pipeline": "ID of the pipeline for new leads (default: the main pipeline)",
        "status": "ID of their status (default: the first one)",
        "tag": "tag of new leads (default: none)",
        "field": "lead field for the client ID: its ID, code or name "
        "(default: the statistics field GCLIENTID)",
        "contact_field": "the same for contacts and companies (default: GA_CLIENT_ID)",
    },
    tasks=True,
    call_records=True,
    per_second=5,
    burst=5,
    pages={
        EntityKind.CONTACT: "/contacts/detail/{id}",
        EntityKind.COMPANY: "/companies/detail/{id}",
        EntityKind.LEAD: "/leads/detail/{id}",  # deals are called leads there
        EntityKind.DEAL: "/leads/detail/{id}",
    },
)
