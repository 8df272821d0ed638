"""Parses Tryton's rows and builds its searches.

Rows are hostile until parsed: a value of an unexpected type counts as empty.
"""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import digits, tail
from router.receivers.json_body import mapping, objects

PARTY_FIELDS = (
    "name",
    "create_date",
    "create_uid",
    "contact_mechanisms.value_compact",
    "identifiers.code",
)
OPPORTUNITY_FIELDS = (
    *("description", "reference", "state", "create_date", "create_uid"),
    *("party", "party.contact_mechanisms.value_compact"),
)
# a converted one has an offer that is neither won nor lost
_OPEN = {
    "lead",
    "opportunity",
    "converted",
}
_PREFIX = "ringtrace:"
_NUMBER = re.compile(r"\+?\d[\d\s().-]{5,}\d")
_SHORTEST = 7  # fewer digits do not identify a phone
_TIMES = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def rows_of(body: Any) -> list[dict[str, Any]]:
    """The rows in an answer."""
    return [row for row in objects(body) if _is_number(row.get("id"))]


def marks(call_id: str) -> dict[str, EntityKind]:
    """The marks of this call's entities, each with its kind."""
    return {f"{_PREFIX}{kind}:{call_id}": kind for kind in EntityKind}


def party(row: Mapping[str, Any], field: str, me: int | None) -> Found:
    """A contact, or a company if we created it as one; `me` is the id of our key's user."""
    kinds = (_made(identifier.get("code")) for identifier in rows_of(row.get("identifiers")))
    made = next(filter(None, kinds), None)
    return Found(
        ref=Ref(kind=made or EntityKind.CONTACT, id=str(row["id"])),
        title=_text(row.get("name")),
        phones=_phones(row),
        created_at=_read_moment(row.get("create_date")),
        ours=_is_ours(row, me) or made is not None,
        client_id=_text(row.get(field)) or None,
    )


def opportunity(row: Mapping[str, Any], field: str, me: int | None) -> Found:
    """A deal or, without a party, a lead. Its phones are the party's and those in its
    description.
    """
    made, title = _made(row.get("reference")), _text(row.get("description"))
    kind = EntityKind.LEAD
    if row.get("party"):
        kind = EntityKind.DEAL
    return Found(
        ref=Ref(kind=made or kind, id=str(row["id"])),
        title=title,
        phones=(*_phones(mapping(row.get("party"))), *_NUMBER.findall(title)),
        created_at=_read_moment(row.get("create_date")),
        open=_text(row.get("state")) in _OPEN,
        ours=_is_ours(row, me) or made is not None,
        client_id=_text(row.get(field)) or None,
    )


def phone_pattern(phone: str) -> str | None:
    """A pattern that finds the number in any spelling, and may find more; None for too short a
    number.

    Tryton stores phones in E.164, but only those of the types phone, mobile and fax; others are
    stored as typed.
    """
    if len(digits(phone)) < _SHORTEST:
        return None
    return f"%{'%'.join(tail(phone))}%"


def naming(phone: str) -> list[Any]:
    """A search for leads, which have no party with a phone: their description contains the
    caller's number.
    """
    return [["party", "=", None], ["description", "like", phone_pattern(phone)]]


def packed(value: Any) -> str:
    """A query or a context in the format for an address or a header."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def packed_moment(at: datetime) -> dict[str, Any]:
    """A time in a query: Tryton stores UTC."""
    at = at.astimezone(UTC)
    return {"__class__": "datetime", **{name: getattr(at, name) for name in _TIMES}}


def _read_moment(value: Any) -> datetime | None:
    if not (isinstance(value, dict) and all(_is_number(value.get(name, 0)) for name in _TIMES)):
        return None
    year, month, day, hour, minute, second, microsecond = (
        int(value.get(name, 0)) for name in _TIMES
    )
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def is_marked(mark: Any) -> bool:
    """Whether this reference is a mark of ours."""
    return _made(mark) is not None


def _made(mark: Any) -> EntityKind | None:
    return next((kind for kind in EntityKind if _text(mark).startswith(f"{_PREFIX}{kind}:")), None)


def _phones(row: Mapping[str, Any]) -> tuple[str, ...]:
    mechanisms = rows_of(row.get("contact_mechanisms"))
    phones = (_text(mechanism.get("value_compact")) for mechanism in mechanisms)
    return tuple(filter(None, phones))


def _is_ours(row: Mapping[str, Any], me: int | None) -> bool:
    return me is not None and row.get("create_uid") == me


def _is_number(value: Any) -> bool:
    return type(value) is int


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return ""
