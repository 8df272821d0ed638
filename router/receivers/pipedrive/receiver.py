"""What Pipedrive is and needs."""

from router.domain.delivery.entity import EntityKind
from router.receivers.declaration import Declaration
from router.receivers.pipedrive.adapter import Pipedrive

RECEIVER = Declaration(
    name="pipedrive",
    title="Pipedrive",
    adapter=Pipedrive,
    token={"token": "API token of a user: Personal preferences, API"},
    options={
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
