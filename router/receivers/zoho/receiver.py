"""What Zoho CRM is and needs."""

from router.domain.delivery.connection import Connection
from router.domain.delivery.receiver_kind import own_server
from router.receivers.crm_tools import by_kind
from router.receivers.declaration import Declaration
from router.receivers.oauth import OAuth, below, in_header
from router.receivers.zoho.adapter import CLOSED, Zoho

ACCOUNTS = "https://accounts.zoho.com"


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
        token=below("accounts", ACCOUNTS, "/oauth/v2/token"),
        authorize=below("accounts", ACCOUNTS, "/oauth/v2/auth"),
        asked={"access_type": "offline", "prompt": "consent"},
        scope="ZohoCRM.modules.ALL,ZohoCRM.settings.fields.ALL,ZohoCRM.coql.READ,"
        "ZohoCRM.users.READ",
        sign=in_header("Zoho-oauthtoken"),
    ),
    options={
        "accounts": f"address of your data centre's accounts server (default: {ACCOUNTS})",
        "field": "API name of the field for the client ID (default: GA_Client_ID)",
        "stage": "stage of new deals (default: Qualification)",
        "closed": f"names of the stages of closed deals (default: {CLOSED})",
    },
    tasks=True,
    call_records=True,
    per_second=5,
    burst=10,
    pages=by_kind(
        *(f"/crm/tab/{of}/{{id}}" for of in ("Contacts", "Accounts", "Leads", "Potentials"))
    ),
    pages_at=_pages_at,
)
