"""What BottleCRM is and needs."""

from router.domain.delivery.receiver_kind import origin
from router.receivers import crm_tools
from router.receivers.bottlecrm.adapter import BottleCrm
from router.receivers.declaration import Declaration

RECEIVER = Declaration(
    name="bottlecrm",
    title="BottleCRM",
    adapter=BottleCrm,
    token={"token": "personal access token of an administrator: Settings, API tokens"},
    options={
        "field": "key of the custom field for the client ID (default: ga_client_id)",
        "stage": "code of the stage of new deals in the default pipeline (default: its first one)",
        "web": "address of the web app, for links to records (default: no links)",
    },
    tasks=True,
    call_records=True,
    per_second=10,
    burst=20,
    pages=crm_tools.by_kind("/contacts/{id}", "/accounts/{id}", "/leads/{id}", "/pipeline/{id}"),
    pages_at=lambda connection: origin(connection.options.get("web", "")),
)
