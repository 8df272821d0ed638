"""Declaration of HubSpot."""

from urllib.parse import quote

from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind
from router.receivers.declaration import Declaration
from router.receivers.hubspot.adapter import Hubspot
from router.receivers.hubspot.api import VERSION
from router.receivers.oauth import OAuth

_OBJECTS = ("contacts", "companies", "deals")
_RIGHTS = [
    f"crm.{what}.{name}.{right}"
    for name in _OBJECTS
    for what in ("objects", "schemas")
    for right in ("read", "write")
]


def _pages_at(connection: Connection) -> str:
    """The connection's address is that of the API; pages are elsewhere."""
    portal = quote(connection.options.get("portal") or "", safe="")
    # HubSpot itself puts the account into an address below l/
    if portal:
        return f"https://app.hubspot.com/contacts/{portal}"
    return "https://app.hubspot.com/l/contacts"


RECEIVER = Declaration(
    name="hubspot",
    title="HubSpot",
    adapter=Hubspot,
    token={
        "token": "service key (Development, Keys, Service keys), "
        "or the access token of an older private app"
    },
    oauth=OAuth(
        token=lambda connection: f"{connection.address}/oauth/{VERSION}/token",
        authorize=lambda _: "https://app.hubspot.com/oauth/authorize",
        asked={"optional_scope": "crm.objects.leads.read crm.objects.leads.write"},
        scope=" ".join(["oauth", *_RIGHTS]),
    ),
    options={
        "pipeline": "pipeline for new deals (default: default)",
        "stage": "stage of new deals (default: appointmentscheduled)",
        "field": "property for the client ID (default: ga_client_id)",
        "portal": "Hub ID of the account, for links to its pages "
        "(default: HubSpot asks which account)",
    },
    tasks=True,
    call_records=True,
    per_second=9,
    burst=20,
    address="https://api.hubapi.com",
    pages={
        EntityKind.CONTACT: "/record/0-1/{id}",
        EntityKind.COMPANY: "/record/0-2/{id}",
        EntityKind.DEAL: "/record/0-3/{id}",
        EntityKind.LEAD: "/record/0-136/{id}",
    },
    pages_at=_pages_at,
)
