"""Custom fields of an amoCRM account: found by number, code or name, and created if needed.

A lead's statistics fields (type `tracking_data`) are built in, but their codes differ in case from
account to account; contacts and companies have none. amoCRM refuses or silently drops a value for
an unknown field.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.domain.delivery.crm_codes import CrmCode
from router.receivers.amocrm.account import MOST, Account, Row, number, text
from router.receivers.crm_tools import rows_of
from router.receivers.http import NO_RIGHT
from router.service.delivery.outcomes import ReceiverUnavailable

TRACKING = "GCLIENTID"  # the built-in one of leads
CLIENT_ID, MARK, WORDS = "GA_CLIENT_ID", "RINGTRACE_CALL_ID", "RINGTRACE_CALL"  # our own
_TITLES = {
    CLIENT_ID: ("text", "Google client ID"),
    MARK: ("text", "Ringtrace: ID of the call"),
    WORDS: ("textarea", "Ringtrace: the call"),
}
_FRESH = 300.0  # cache time of a list of fields, in seconds
_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A custom field."""

    id: int
    names: frozenset[str]  # number, code and name, in lower case


class Fields:
    """The fields of leads, contacts and companies, cached for a while."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._known: dict[str, tuple[float, list[Row]]] = {}

    async def find(self, path: str, name: str) -> Field | None:
        """The field by number, code or name; `TRACKING` falls back to our own."""
        known = [field for field in map(_field, await self.rows(path)) if field]
        names = [name]
        if name == TRACKING:
            names.append(CLIENT_ID)
        for wanted in names:
            for field in known:
                if wanted.lower() in field.names:
                    return field
        return None

    async def need(self, path: str, name: str) -> Field:
        """The field. Raises `ReceiverUnavailable` if it is missing: a person can add it."""
        field = await self.find(path, name)
        if field is None:
            self.forget()
            raise ReceiverUnavailable(CrmCode.FIELD_MISSING, pause=NO_RIGHT, path=path, field=name)
        return field

    async def packed(self, path: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """Values in amoCRM's format, empty ones as null; values without a field are left out."""
        packed = []
        for name, value in values.items():
            field = await self.find(path, name)
            if field is None:
                continue
            shown = None
            if value:
                shown = [{"value": value}]
            packed.append({"field_id": field.id, "values": shown})
        return packed

    async def make(self, path: str, code: str) -> str | None:
        """Create one of our own fields, unless it exists; returns what was created."""
        if await self.find(path, code):
            return None
        kind, title = _TITLES[code]
        await self._account.add(
            f"{path}/custom_fields",
            {"type": kind, "name": title, "code": code, "is_api_only": True},
        )
        self.forget()
        return f"{path}: {title}"

    def forget(self) -> None:
        """Clear the cache."""
        self._known.clear()

    async def rows(self, path: str) -> list[Row]:
        """All fields of a kind, as amoCRM lists them."""
        read_at, rows = self._known.get(path, (0.0, []))
        if not rows or time.monotonic() - read_at > _FRESH:
            rows = await self._read(path)
            self._known[path] = (time.monotonic(), rows)
        return rows

    async def _read(self, path: str) -> list[Row]:
        found: list[Row] = []
        for page in range(1, _PAGES + 1):
            rows = await self._account.rows(f"{path}/custom_fields", [("page", str(page))])
            found += rows
            if len(rows) < MOST:
                break
        return found


def value_in(row: Row, field: Field) -> str:
    """The value of an entity's field."""
    values = _values(row, lambda value: number(value.get("field_id")) == field.id)
    return next(iter(values), "")


def phone_field(phone: str) -> dict[str, Any]:
    """The phone of a new contact or company."""
    return {"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}


def phones_in(row: Row) -> tuple[str, ...]:
    """A contact's phones, as they are written there."""
    return tuple(_values(row, lambda value: value.get("field_code") == "PHONE"))


def _values(row: Row, wanted: Any) -> list[str]:
    found: list[str] = []
    for entry in rows_of(row, "custom_fields_values"):
        if wanted(entry):
            found += [text(each.get("value")) for each in rows_of(entry, "values")]
    return list(filter(None, found))


def _field(row: Row) -> Field | None:
    id_ = number(row.get("id"))
    if id_ is None:
        return None
    names = (str(id_), text(row.get("code")), text(row.get("name")))
    return Field(id=id_, names=frozenset(name.lower() for name in names if name))
