"""The properties of HubSpot's objects that we read, and their meaning."""

from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers.hubspot.api import Record

UID = "ct_call_uid"
PHONES = ("phone", "mobilephone")
_NAMES = {EntityKind.CONTACT: "firstname", EntityKind.COMPANY: "name", EntityKind.DEAL: "dealname"}


def name_of(kind: EntityKind) -> str:
    """The property that contains the object's name."""
    return _NAMES.get(kind, "hs_lead_name")


def shown(kind: EntityKind, field: str) -> list[str]:
    """The properties from which a `Found` is made."""
    of_kind = {
        EntityKind.CONTACT: ("lastname", *PHONES),
        EntityKind.COMPANY: ("phone",),
        EntityKind.DEAL: ("hs_is_closed",),
        # one of the two, depending on the account's age
        EntityKind.LEAD: (
            "hs_lead_is_open",
            "hs_lead_is_open_v2",
        ),
    }
    return [name_of(kind), *of_kind.get(kind, ()), field, UID]


def found_in(kind: EntityKind, row: Record, field: str, phones: tuple[str, ...] = ()) -> Found:
    """A HubSpot object as a search result."""
    values = row.properties
    over = values.get("hs_is_closed") == "true" or "false" in {
        values.get("hs_lead_is_open"),
        values.get("hs_lead_is_open_v2"),
    }
    names = (values.get(name_of(kind)), values.get("lastname"))
    return Found(
        ref=Ref(kind=kind, id=row.id),
        title=" ".join(name for name in names if name),
        phones=phones or tuple(values[name] for name in PHONES if name in values),
        created_at=row.created_at,
        open=not over,
        ours=UID in values,
        client_id=values.get(field),
    )
