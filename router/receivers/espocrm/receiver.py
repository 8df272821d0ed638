"""What EspoCRM is and needs."""

from router.receivers.declaration import Declaration
from router.receivers.espocrm.adapter import EspoCrm
from router.receivers.espocrm.api import OBJECTS

RECEIVER = Declaration(
    name="espocrm",
    title="EspoCRM",
    adapter=EspoCrm,
    token={
        "key": "API key of an API user: Administration, API Users",
        "secret": "optional: secret key of the same user, if it authenticates by HMAC",
    },
    options={
        "field": "name of the field for the client ID (default: cGaClientId)",
        "stage": "stage of new opportunities (default: EspoCRM's own)",
        "days": "days from the call to the close date of new opportunities (default: 30)",
    },
    tasks=True,
    call_records=True,
    per_second=10,
    burst=20,
    pages={kind: f"/#{name}/view/{{id}}" for kind, name in OBJECTS.items()},
)
