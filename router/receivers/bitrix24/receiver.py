"""Declaration of Bitrix24."""

from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.receiver_kind import own_server
from router.receivers.bitrix24.adapter import Bitrix24
from router.receivers.bitrix24.portal import signed
from router.receivers.declaration import Declaration
from router.receivers.oauth import OAuth

_SERVER = "https://oauth.bitrix.info"


def _portal(connection: Connection) -> str | None:
    """The address without `rest/USER/CODE`, which is a secret."""
    where = own_server(connection)
    return where and f"{where}/".partition("/rest/")[0].rstrip("/")


def _server(connection: Connection) -> str:
    return (connection.options.get("oauth_server") or _SERVER).rstrip("/")


RECEIVER = Declaration(
    name="bitrix24",
    title="Bitrix24",
    adapter=Bitrix24,
    token={"webhook": "USER/CODE of an incoming webhook with the rights 'crm' and 'telephony'"},
    oauth=OAuth(
        token=lambda connection: f"{_server(connection)}/oauth/token/",
        authorize=lambda connection: f"{connection.address}/oauth/authorize/",
        sign=signed,
    ),
    options={
        "field": "user field for the client ID (default: UF_CRM_GA_CLIENT_ID)",
        "category": "ID of the pipeline for new deals (default: 0, the general one)",
        "oauth_server": f"server that issues tokens to apps (default: {_SERVER})",
        "trace": "on: pass the visit to Bitrix24's own analytics as well (default: off)",
    },
    tasks=True,
    call_records=True,
    per_second=2,
    burst=40,
    pages={kind: f"/crm/{kind}/details/{{id}}/" for kind in EntityKind},
    pages_at=_portal,
)
