"""What Salesforce is and needs."""

from router.domain.delivery.connection import Connection
from router.domain.delivery.receiver_kind import own_server
from router.receivers.declaration import Declaration
from router.receivers.oauth import OAuth
from router.receivers.salesforce.adapter import Salesforce
from router.receivers.salesforce.api import OBJECTS


def _pages_at(connection: Connection) -> str | None:
    """People use example.lightning.force.com where programs use example.my.salesforce.com."""
    where = own_server(connection)
    return where and where.replace(".my.salesforce.com", ".lightning.force.com")


RECEIVER = Declaration(
    name="salesforce",
    title="Salesforce",
    adapter=Salesforce,
    token={
        "client_id": "consumer key of a connected app with the client credentials flow",
        "client_secret": "consumer secret of the same app",
    },
    oauth=OAuth(
        token=lambda connection: f"{connection.address}/services/oauth2/token",
        authorize=lambda connection: f"{connection.address}/services/oauth2/authorize",
        scope="api refresh_token",
    ),
    options={
        "field": "API name of the field for the client ID (default: GA_Client_ID__c)",
        "stage": "stage of new opportunities (default: Prospecting)",
        "days": "days from the call to the close date of new opportunities (default: 30)",
    },
    tasks=True,
    call_records=True,
    per_second=10,
    burst=20,
    pages={kind: f"/lightning/r/{name}/{{id}}/view" for kind, name in OBJECTS.items()},
    pages_at=_pages_at,
)
