"""What a portal of Bitrix24 keeps, and how it behaves by its documents: items, the index of phones,
its telephony.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.support.builders import Clock

LEAD, DEAL, CONTACT, COMPANY = 1, 2, 3, 4
NAMES = {LEAD: "lead", DEAL: "deal", CONTACT: "contact", COMPANY: "company"}
TYPES = {name: number for number, name in NAMES.items()}
PAGE, MOST_DOUBLES, MOST_VALUES = 50, 20, 20
MOSCOW = timezone(timedelta(hours=3))
_UTM = {"utmSource", "utmMedium", "utmCampaign", "utmTerm", "utmContent"}
_EVERY = {"assignedById", "opened", "originatorId", "originId", "comments", *_UTM}
_PERSON = {"name", "lastName", "sourceId", "fm"}
TAKEN = {
    LEAD: _EVERY | _PERSON | {"title", "stageId", "contactId", "companyId"},
    DEAL: _EVERY
    | {"title", "stageId", "sourceId", "categoryId", "contactId", "companyId", "leadId"},
    CONTACT: _EVERY | _PERSON | {"companyId"},
    COMPANY: _EVERY | {"title", "fm"},
}
SHOWN = {"id", "createdTime", "createdBy", "closed", "stageSemanticId"}
_NUMBERS = {"assignedById", "categoryId", "contactId", "companyId", "leadId"}


class Problem(Exception):
    """What the portal answers instead of a result."""

    def __init__(self, status: int, code: str, text: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.text = status, code, text


class Breach(Problem):
    """A request that no document allows: the test that sent it has to fail."""

    def __init__(self, text: str, status: int = 400, code: str = "BREACH") -> None:
        super().__init__(status, code, text)


@dataclass
class Portal:
    """One portal. What tests turn: rights, modes, limits; what they look at: all the rest."""

    clock: Clock = field(default_factory=Clock)
    user: int = 7
    code: str = "c0de"
    scopes: set[str] = field(default_factory=lambda: {"crm", "telephony"})
    sees_statistics: bool = True
    with_leads: bool = True
    items: dict[int, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in NAMES}
    )
    user_fields: dict[int, set[str]] = field(
        default_factory=lambda: {kind: set() for kind in NAMES}
    )
    # what is special about a field: type, isRequired, items, settings
    described: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
    users: dict[int, bool] = field(
        default_factory=lambda: {7: True, 12: True}
    )  # number → still works there
    categories: dict[int, str] = field(default_factory=lambda: {0: "General"})
    comments: list[dict[str, Any]] = field(default_factory=list)
    traces: list[dict[str, Any]] = field(default_factory=list)
    bindings: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # of activities
    activities: list[dict[str, Any]] = field(default_factory=list)
    todos: list[dict[str, Any]] = field(default_factory=list)
    recordings: dict[str, str] = field(default_factory=dict)  # CALL_ID → address of the audio
    calls_by_apps_alone: bool = False  # incoming webhooks may not add calls
    statistics: list[dict[str, Any]] = field(default_factory=list)
    ringing: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)
    last: int = 100

    def number(self) -> int:
        self.last += 1
        return self.last

    def add(
        self, kind: int, fields: Mapping[str, Any], *, by: int = 1, at: datetime | None = None
    ) -> int:
        """A new item; names of fields that it does not know are passed over."""
        taken = self._taken(kind, fields)
        for (of, name), about in self.described.items():
            if of == kind and about.get("isRequired") and not taken.get(name):
                raise Problem(400, "CRM_FIELD_ERROR_REQUIRED", f"Field {name} is required")
        if self.users.get(taken.get("assignedById", self.user)) is not True:
            raise Problem(400, "INVALID_ARG_VALUE", "The user has left")
        born = {"id": self.number(), "createdTime": shown(at or self.clock()), "createdBy": by}
        default = {
            "assignedById": by,
            "opened": "N",
            "stageSemanticId": "P",
            **({"closed": "N"} if kind == DEAL else {}),
        }
        self.items[kind][born["id"]] = {**default, **taken, **born}
        return int(born["id"])

    def update(self, kind: int, number: int, fields: Mapping[str, Any]) -> None:
        self.get(kind, number).update(self._taken(kind, fields))

    def get(self, kind: int, number: int) -> dict[str, Any]:
        try:
            return self.items[kind][number]
        except KeyError:
            raise Problem(400, "NOT_FOUND", "Element not found") from None

    def _taken(self, kind: int, fields: Mapping[str, Any]) -> dict[str, Any]:
        known = {
            name: value
            for name, value in fields.items()
            if name in TAKEN[kind] | self.user_fields[kind]
        }
        for name, value in known.items():
            if name == "fm":
                _demand_phones(value)
            elif name in _NUMBERS:
                known[name] = whole(value, name)
            elif about := self.described.get((kind, name)):
                _demand_value(name, about, value)
            elif not isinstance(value, str | int):
                raise Problem(
                    400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", f"Invalid value of the field {name}"
                )
        return known

    def knows(self, kind: int, name: str) -> bool:
        """Whether a filter may name it."""
        return name in (TAKEN[kind] | SHOWN | self.user_fields[kind]) - {"fm"}

    def doubles(self, values: Iterable[str], kinds: Iterable[int]) -> dict[str, list[int]]:
        """Items by phone; a kind with twenty hides the kinds after it."""
        wanted, found = {index(value) for value in list(values)[:MOST_VALUES]}, {}
        for kind in kinds:
            numbers = [
                number
                for number, item in self.items[kind].items()
                if wanted & {*map(index, phones(item))}
            ]
            if numbers:
                found[NAMES[kind].upper()] = numbers[:MOST_DOUBLES]
            if len(numbers) >= MOST_DOUBLES:
                break
        return found

    def register(
        self,
        phone: str,
        *,
        user: int = 1,
        create: bool = True,
        at: datetime | None = None,
        external: str = "",
    ) -> dict[str, Any]:
        """A call begins. Within half an hour the same phone, user and external id are the same
        call.
        """
        known = self.ringing.get((phone, user, external))
        if known and self.clock() - known["registered"] < timedelta(minutes=30):
            return known
        kind, number = self._caller(phone, user, create)
        call = {
            "CALL_ID": f"externalCall.{self.number()}",
            "PHONE_NUMBER": phone,
            "registered": self.clock(),
        }
        call |= {"CRM_ENTITY_TYPE": NAMES[kind].upper() if kind else "", "CRM_ENTITY_ID": number}
        self.ringing[phone, user, external] = {
            **call,
            "began": at or self.clock(),
            "user": user,
            "external": external,
            "finished": False,
        }
        return self.ringing[phone, user, external]

    def finish(self, call_id: str, duration: int, *, deals: Iterable[int] = ()) -> dict[str, Any]:
        """It ended: now, and not before, statistics know of it."""
        call = next((call for call in self.ringing.values() if call["CALL_ID"] == call_id), None)
        if call is None or call["finished"]:
            raise Problem(400, "ERROR_CORE", "Call is not found")
        call["finished"] = True
        activity, kind = self.number(), TYPES.get(call["CRM_ENTITY_TYPE"].lower())
        bound = [(kind, call["CRM_ENTITY_ID"])] if kind else []
        self.bindings[activity] = bound + [(DEAL, number) for number in deals]
        record = {
            "ID": self.number(),
            "CALL_ID": call_id,
            "PHONE_NUMBER": call["PHONE_NUMBER"],
            "CALL_TYPE": 2,
            "CALL_DURATION": duration,
            "CALL_START_DATE": shown(call["began"]),
            "CRM_ENTITY_TYPE": call["CRM_ENTITY_TYPE"],
            "CRM_ENTITY_ID": call["CRM_ENTITY_ID"],
            "CRM_ACTIVITY_ID": activity,
            "EXTERNAL_CALL_ID": call["external"],
        }
        self.statistics.append({name: str(value) for name, value in record.items()})
        return self.statistics[-1]

    def log(
        self, at: datetime, *places: tuple[int, int], seconds: int = 50, direction: int = 1
    ) -> None:
        """A telephony writes the call into timelines as an activity, and no record of it."""
        times = {"START_TIME": shown(at), "END_TIME": shown(at + timedelta(seconds=seconds))}
        activity = {"ID": str(self.number()), "TYPE_ID": "2", "DIRECTION": str(direction), **times}
        self.activities.append(activity)
        self.bindings[int(activity["ID"])] = list(places)

    def _caller(self, phone: str, user: int, create: bool) -> tuple[int | None, int]:
        for kind in (CONTACT, COMPANY, LEAD):
            if known := self.doubles([phone], [kind]):
                return kind, next(iter(known.values()))[0]
        if not create:
            return None, 0
        kind = LEAD if self.with_leads else CONTACT
        return kind, self.add(kind, {"title": phone, "name": phone, "fm": as_phone(phone)}, by=user)


def shown(at: datetime) -> str:
    return at.astimezone(MOSCOW).isoformat(timespec="seconds")


def as_phone(*numbers: str) -> list[dict[str, str]]:
    return [{"typeId": "PHONE", "valueType": "WORK", "value": number} for number in numbers]


def phones(item: Mapping[str, Any]) -> Iterator[str]:
    return (field["value"] for field in item.get("fm", ()) if field["typeId"] == "PHONE")


def index(phone: str) -> str:
    """As the index of doubles keeps a phone: 8 becomes 7, but not before 0, 1 and 2; extensions are
    cut off.
    """
    text = re.split(r"[,;#x]", phone, maxsplit=1)[0].strip()
    digits = re.sub(r"\D", "", text)
    if text.startswith("+"):
        return digits
    if re.match(r"8[^012]", digits):
        return f"7{digits[1:]}"
    return re.sub(r"^(00|011|0)", "", digits)


def whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value)):
        raise Breach(f"{name} has to be a number, and is {value!r}")
    return int(value)


def _demand_value(name: str, about: Mapping[str, Any], value: Any) -> None:
    options = {item["ID"] for item in about.get("items", ())}
    longest = about.get("settings", {}).get("MAX_LENGTH", 0)
    if (value and options and str(value) not in options) or 0 < longest < len(str(value)):
        said = f"Invalid value of the field {name}"
        raise Problem(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", said)


def _demand_phones(value: Any) -> None:
    if not isinstance(value, list):
        raise Problem(
            400, "100", f"Expected iterable value for multiple field, but got {type(value)} instead"
        )
    for phone in value:
        if (
            not isinstance(phone, dict)
            or set(phone) != {"typeId", "valueType", "value"}
            or phone["typeId"] != "PHONE"
        ):
            raise Breach(f"a phone is typeId, valueType and value, and not {phone!r}")
