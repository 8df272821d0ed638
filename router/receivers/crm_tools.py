"""Shared code of CRM adapters: call marks in notes, phones in searches, own fields."""

import html
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from router.domain.delivery.entity import EntityKind, Found
from router.domain.phone import display, same_phone, tail
from router.service.delivery.ports import Check

Names = Iterable[tuple[EntityKind, str]]  # fields, each of one kind of entity
HasField = Callable[[EntityKind, str], Awaitable[bool]]
AddField = Callable[[EntityKind, str], Awaitable[None]]


def mark(call_id: str) -> str:
    """The mark at the end of a call's note."""
    return f"[ringtrace:{call_id}]"


def html_note(text: str, call_id: str) -> str:
    """The text with its mark, for a CRM whose notes are HTML."""
    return "<br>".join(html.escape(line) for line in (*text.splitlines(), mark(call_id)))


def is_noted(notes: Iterable[Any], call_id: str) -> bool:
    """Whether one of these notes is this call's."""
    return any(mark(call_id) in html.unescape(str(note)) for note in notes)


def search_endings(phone: str) -> list[str]:
    """Ends of the number as people write it, for a search that compares letters."""
    words = display(phone).replace("-", " ").split()[-3:]
    return sorted({tail(phone), "-".join(words), " ".join(words)})


def with_phone(found: Iterable[Found], phone: str) -> list[Found]:
    """Those with this phone, in any format."""
    return [one for one in found if any(same_phone(number, phone) for number in one.phones)]


def moment(value: Any) -> datetime | None:
    """A time in ISO 8601; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def check_fields(names: Names, has_field: HasField) -> list[Check]:
    """Check that these fields exist."""
    checks = []
    for kind, name in names:
        well = await has_field(kind, name)
        mend = f"run `ringtrace crm connect` again, or add a text field '{name}' to each {kind}"
        checks.append(Check(what=f"{kind} field {name}", well=well, mend=mend))
    return checks


async def add_fields(names: Names, has_field: HasField, add_field: AddField) -> list[str]:
    """Create missing ones; returns those created."""
    missing = [(kind, name) for kind, name in names if not await has_field(kind, name)]
    for kind, name in missing:
        await add_field(kind, name)
    return [f"{kind} field {name}" for kind, name in missing]


def fields_of(kinds: Iterable[EntityKind], names: Sequence[str]) -> list[tuple[EntityKind, str]]:
    """Each of these fields of each of these kinds, once."""
    return list(dict.fromkeys((kind, name) for kind in kinds for name in names))
