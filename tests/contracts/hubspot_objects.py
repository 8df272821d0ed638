"""What a HubSpot account holds: objects with typed properties, what the search knows of them, and
associations.

Time is moved by the test. Reading by id and associations follow at once, the search ten seconds
after a creation and a minute after a change.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import phonenumbers

AFTER_CREATE, AFTER_UPDATE = timedelta(seconds=10), timedelta(seconds=60)
TYPES = ("contacts", "companies", "deals", "leads", "notes", "calls", "tasks")
_OWN = (
    "hubspot_owner_id",
    "hs_object_id",
    "hs_object_source",
    "hs_object_source_id",
    "hs_createdate",
)
PROPERTIES = {
    "contacts": ("email", "firstname", "lastname", "phone", "mobilephone", "createdate"),
    "companies": ("name", "domain", "phone", "createdate"),
    "deals": ("dealname", "pipeline", "dealstage", "description", "amount", "createdate"),
    "leads": ("hs_lead_name", "hs_lead_type", "hs_pipeline", "hs_pipeline_stage"),
    "notes": ("hs_timestamp", "hs_note_body"),
    "calls": (
        "hs_timestamp",
        "hs_call_title",
        "hs_call_direction",
        "hs_call_from_number",
        "hs_call_to_number",
        *("hs_call_body", "hs_call_status", "hs_call_duration", "hs_call_recording_url"),
    ),
    "tasks": (
        *("hs_timestamp", "hs_task_subject", "hs_task_body", "hs_task_status", "hs_task_type"),
    ),
}
CALCULATED = {
    "contacts": ("hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number"),
    "deals": ("hs_is_closed",),
    "leads": ("hs_lead_is_open_v2",),
}
REQUIRED = {
    "leads": "hs_lead_name",
    "notes": "hs_timestamp",
    "calls": "hs_timestamp",
    "tasks": "hs_timestamp",
}
STAGES = {"default": ("appointmentscheduled", "contractsent", "closedwon", "closedlost")}
_PAIRS = (  # the association without a label, there and back
    *(
        ("deals", "contacts", 3, 4),
        ("deals", "companies", 341, 342),
        ("contacts", "companies", 279, 280),
    ),
    *(
        ("leads", "contacts", 608, 607),
        ("notes", "contacts", 202, 201),
        ("notes", "companies", 190, 189),
    ),
    *(("notes", "deals", 214, 213), ("notes", "leads", 855, 854), ("calls", "contacts", 194, 193)),
    *(("tasks", "contacts", 204, 203), ("tasks", "deals", 216, 215), ("tasks", "leads", 647, 646)),
    *(("tasks", "companies", 192, 191),),
    *(("calls", "deals", 206, 205), ("calls", "companies", 182, 181), ("calls", "leads", 596, 595)),
)
LINKS = {
    **{(one, other): there for one, other, there, _ in _PAIRS},
    **{(other, one): back for one, other, _, back in _PAIRS},
}
PRIMARY = {("leads", "contacts"): 578, ("contacts", "companies"): 1, ("deals", "companies"): 5}


class Refusal(Exception):
    """An answer that says no."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.body = (
            status,
            {"status": "error", "category": category, "message": message, **more},
        )


@dataclass
class Object:
    """One object, and what the search shows of it from when on."""

    id: str
    created_at: datetime
    updated_at: datetime
    properties: dict[str, str]
    seen: list[tuple[datetime, dict[str, str]]] = field(default_factory=list)


@dataclass
class Account:
    """All objects of one account; `now` is moved by the test."""

    now: datetime
    objects: dict[str, dict[str, Object]] = field(
        default_factory=lambda: {kind: {} for kind in TYPES}
    )
    properties: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in TYPES}
    )
    groups: set[tuple[str, str]] = field(default_factory=set)
    links: set[tuple[str, str, str, str]] = field(default_factory=set)
    owners: dict[str, bool] = field(default_factory=dict)  # id → whether it is archived
    last_id: int = 5000

    def __post_init__(self) -> None:
        for kind in TYPES:
            for name in (*PROPERTIES[kind], *CALCULATED.get(kind, ()), *_OWN):
                read_only = name in CALCULATED.get(kind, ()) or name in _OWN[1:]
                self.properties[kind][name] = {
                    "name": name,
                    "hasUniqueValue": name == "email",
                    "readOnly": read_only,
                }

    def pass_time(self, seconds: float) -> None:
        """Let the index catch up, or a call last."""
        self.now += timedelta(seconds=seconds)

    def create(
        self,
        kind: str,
        values: dict[str, Any],
        app: str,
        links: list[tuple[str, str]] | None = None,
    ) -> Object:
        """A new object, linked to objects of `links`; refused as HubSpot refuses it."""
        self._validate(kind, values)
        if REQUIRED.get(kind, "") and not values.get(REQUIRED[kind]):
            raise Refusal(
                400,
                "VALIDATION_ERROR",
                f"Error creating {kind}. Some required properties were not set.",
            )
        if kind == "leads" and not any(to == "contacts" for to, _ in links or ()):
            raise Refusal(400, "VALIDATION_ERROR", "A lead must be associated with a contact.")
        self.last_id += 1
        made = Object(id=str(self.last_id), created_at=self.now, updated_at=self.now, properties={})
        made.properties |= {
            "hs_object_id": made.id,
            "createdate": written(self.now),
            "hs_createdate": written(self.now),
        }
        made.properties |= {"hs_object_source": "INTEGRATION", "hs_object_source_id": app}
        self.objects[kind][made.id] = made
        self._set(kind, made, values, self.now + AFTER_CREATE)
        for to, other in links or ():
            self.link(kind, made.id, to, other)
        return made

    def change(self, kind: str, changed: Object, values: dict[str, Any]) -> None:
        """Set properties; the search learns of it later than of a creation."""
        self._validate(kind, values, changed)
        changed.updated_at = self.now
        self._set(kind, changed, values, self.now + AFTER_UPDATE)

    def link(self, kind: str, key: str, to: str, other: str) -> None:
        """Associate; once more changes nothing."""
        for of, number in ((kind, key), (to, other)):
            if number not in self.objects[of]:
                raise Refusal(404, "OBJECT_NOT_FOUND", f"The {of} {number} does not exist")
        self.links |= {(kind, key, to, other), (to, other, kind, key)}

    def linked(self, kind: str, key: str, to: str) -> list[str]:
        """Which objects of a type hang on one."""
        return sorted(link[3] for link in self.links if link[:3] == (kind, key, to))

    def find(self, kind: str, key: str, by: str | None) -> Object | None:
        """By its id, or by a unique property: at once."""
        if by is None or by == "hs_object_id":
            return self.objects[kind].get(key)
        known = self.properties[kind].get(by)
        if known is None:
            raise Refusal(400, "VALIDATION_ERROR", f'Property "{by}" does not exist')
        if not known["hasUniqueValue"]:
            raise Refusal(400, "VALIDATION_ERROR", f"{by} is not a unique property of {kind}")
        return next(
            (known for known in self.objects[kind].values() if known.properties.get(by) == key),
            None,
        )

    def indexed(self, kind: str) -> list[tuple[Object, dict[str, str]]]:
        """What the search knows by now."""
        shown = (
            (known, [values for at, values in known.seen if at <= self.now])
            for known in self.objects[kind].values()
        )
        return [(known, versions[-1]) for known, versions in shown if versions]

    def _set(self, kind: str, changed: Object, values: dict[str, Any], seen_at: datetime) -> None:
        changed.properties |= values
        changed.properties = {
            name: value for name, value in changed.properties.items() if value not in (None, "")
        }
        changed.properties |= _calculated(kind, changed.properties)
        changed.seen.append(
            (max([seen_at, *(at for at, _ in changed.seen)]), dict(changed.properties))
        )

    def _validate(self, kind: str, values: dict[str, Any], changed: Object | None = None) -> None:
        for name, value in values.items():
            known = self.properties[kind].get(name)
            if known is None:
                raise Refusal(
                    400,
                    "VALIDATION_ERROR",
                    _invalid(name, "PROPERTY_DOESNT_EXIST", "does not exist"),
                )
            if known.get("readOnly"):
                raise Refusal(
                    400,
                    "VALIDATION_ERROR",
                    _invalid(name, "READ_ONLY_VALUE", "is a read only property"),
                )
            if not isinstance(value, str | None):
                raise Refusal(
                    400, "VALIDATION_ERROR", f"Invalid input JSON: the value of {name} is no text"
                )
            options = [option["value"] for option in known.get("options", ())]
            if value and options and value not in options:
                said = f"{value} was not one of the allowed options"
                raise Refusal(400, "VALIDATION_ERROR", _invalid(name, "INVALID_OPTION", said))
            if name == "hubspot_owner_id" and self.owners.get(str(value)):
                said = _invalid(name, "INVALID_OWNER_ID", "was not a valid owner")
                raise Refusal(400, "VALIDATION_ERROR", said)
            if known["hasUniqueValue"] and value:
                self._unique(kind, name, value, changed)
        if kind == "deals" and ("pipeline" in values or "dealstage" in values):
            stage = values.get("dealstage")
            if stage not in STAGES.get(values.get("pipeline", "default"), ()):
                raise Refusal(
                    400,
                    "VALIDATION_ERROR",
                    _invalid("dealstage", "INVALID_OPTION", f"has no {stage}"),
                )

    def _unique(self, kind: str, name: str, value: str, changed: Object | None) -> None:
        there = self.find(kind, value, name)
        if there is None or there is changed:
            return
        if name == "email":
            raise Refusal(409, "CONFLICT", f"Contact already exists. Existing ID: {there.id}")
        said = _invalid(
            name, "CONFLICTING_UNIQUE_VALUE", f"{value}: {there.id} already has that value"
        )
        raise Refusal(400, "VALIDATION_ERROR", said)


def written(at: datetime) -> str:
    """As HubSpot writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _calculated(kind: str, values: dict[str, str]) -> dict[str, str]:
    if kind == "contacts":
        read = {
            "phone": _national(values.get("phone", "")),
            "mobile": _national(values.get("mobilephone", "")),
        }
        return {
            f"hs_searchable_calculated_{name}_number": number
            for name, number in read.items()
            if number
        }
    if kind == "deals":
        return {"hs_is_closed": str(values.get("dealstage", "").startswith("closed")).lower()}
    if kind == "leads":
        return {
            "hs_lead_is_open_v2": str(
                values.get("hs_pipeline_stage") != "unqualified-stage-id"
            ).lower()
        }
    return {}


def _national(phone: str) -> str:
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(phone, "RU"))
    except phonenumbers.NumberParseException:
        return ""


def _invalid(name: str, code: str, said: str) -> str:
    problem = {"isValid": False, "message": f"{name} {said}", "error": code, "name": name}
    return f"Property values were not valid: {json.dumps([problem])}"


def tokens(text: str) -> list[str]:
    """The words that the search knows a text by."""
    return re.findall(r"\w+", text.lower())
