"""What Zoho CRM is and needs."""

from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.receiver_kind import own_server
from router.receivers.declaration import Declaration
from router.receivers.oauth import OAuth, in_header
from router.receivers.zoho.adapter import CLOSED, Zoho

ACCOUNTS = "https://accounts.zoho.com"


def _accounts(connection: Connection) -> str:
    return f"{(connection.options.get('accounts') or ACCOUNTS).rstrip('/')}/oauth/v2"


def _pages_at(connection: Connection) -> str | None:
    """People use crm.zoho.eu where programs use www.zohoapis.eu."""
    where = own_server(connection)
    return where and where.replace("//www.zohoapis.", "//crm.zoho.")


RECEIVER = Declaration(
    name="zoho",
    title="Zoho CRM",
    adapter=Zoho,
    token={
        "client_id": "of a self client of Zoho's API console",
        "client_secret": "of the same client",
        "refresh_token": "with the scopes that the documentation names",
    },
    oauth=OAuth(
        token=lambda connection: f"{_accounts(connection)}/token",
        authorize=lambda connection: f"{_accounts(connection)}/auth",
        asked={"access_type": "offline", "prompt": "consent"},
        scope="ZohoCRM.modules.ALL,ZohoCRM.settings.fields.ALL,ZohoCRM.coql.READ",
        sign=in_header("Zoho-oauthtoken"),
    ),
    options={
        "accounts": f"address of your data centre's accounts server (default: {ACCOUNTS})",
        "field": "API name of the field for the client ID (default: GA_Client_ID)",
        "stage": "stage of new deals (default: Qualification)",
        "closed": f"names of the stages of closed deals (default: {CLOSED})",
    },
    per_second=5,
    burst=10,
    pages={
        EntityKind.CONTACT: "/crm/tab/Contacts/{id}",
        EntityKind.COMPANY: "/crm/tab/Accounts/{id}",
        EntityKind.LEAD: "/crm/tab/Leads/{id}",
        EntityKind.DEAL: "/crm/tab/Potentials/{id}",
    },
    pages_at=_pages_at,
)
