"""What Pipedrive is and needs."""

from router.receivers.crm_tools import by_kind
from router.receivers.declaration import Declaration
from router.receivers.oauth import Body, OAuth, below
from router.receivers.pipedrive.adapter import Pipedrive

_SERVER = "https://oauth.pipedrive.com"

RECEIVER = Declaration(
    name="pipedrive",
    title="Pipedrive",
    adapter=Pipedrive,
    token={"token": "API token of a user: Personal preferences, API"},
    oauth=OAuth(
        token=below("oauth_server", _SERVER, "/oauth/token"),
        authorize=below("oauth_server", _SERVER, "/oauth/authorize"),
        body=Body.BASIC,
    ),
    options={
        "oauth_server": f"address of the OAuth server (default: {_SERVER})",
        "field": "name of the custom field for the client ID (default: GA client ID)",
        "stage": "ID of the stage of new deals (default: the first stage of the main pipeline)",
    },
    tasks=True,
    call_records=True,
    per_second=5,
    burst=10,
    pages=by_kind("/person/{id}", "/organization/{id}", "/leads/inbox/{id}", "/deal/{id}"),
)
