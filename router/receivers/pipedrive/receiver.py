"""What Pipedrive is and needs."""

from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind
from router.receivers.declaration import Declaration
from router.receivers.oauth import Body, OAuth
from router.receivers.pipedrive.adapter import Pipedrive

_SERVER = "https://oauth.pipedrive.com"


def _server(connection: Connection) -> str:
    return f"{(connection.options.get('oauth_server') or _SERVER).rstrip('/')}/oauth"


RECEIVER = Declaration(
    name="pipedrive",
    title="Pipedrive",
    adapter=Pipedrive,
    token={"token": "API token of a user: Personal preferences, API"},
    oauth=OAuth(
        token=lambda connection: f"{_server(connection)}/token",
        authorize=lambda connection: f"{_server(connection)}/authorize",
        body=Body.BASIC,
    ),
    options={
        "oauth_server": f"address of the OAuth server (default: {_SERVER})",
        "field": "name of the custom field for the client ID (default: GA client ID)",
        "stage": "ID of the stage of new deals (default: the first stage of the main pipeline)",
    },
    per_second=5,
    burst=10,
    pages={
        EntityKind.CONTACT: "/person/{id}",
        EntityKind.COMPANY: "/organization/{id}",
        EntityKind.DEAL: "/deal/{id}",
        EntityKind.LEAD: "/leads/inbox/{id}",
    },
)
