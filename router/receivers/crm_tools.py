"""Shared code of CRM adapters: call marks in notes, phones in searches, own fields."""

import html
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from router.domain.delivery.catalogue import Catalogue, Field, FieldType
from router.domain.delivery.codes import SettingCode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import EntityKind, Found
from router.domain.phone import display, same_phone, tail
from router.receivers.remembered import Remembered
from router.service.delivery.outcomes import Refused
from router.service.delivery.ports import Check

Names = Iterable[tuple[EntityKind, str]]  # fields, each of one kind of entity
AddField = Callable[[EntityKind, str], Awaitable[None]]
# the fields of a kind by their names; read again if asked
FieldsOf = Callable[[EntityKind, bool], Awaitable[Mapping[str, Field]]]


def rows_of(value: Any, *path: str, key: str = "") -> list[Mapping[str, Any]]:
    """The objects of the list at this place of an answer, if there is one; those with `key`."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    rows = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return [one for one in rows if not key or one.get(key)]


def user_number(text: str) -> int:
    """The ID of a user, where it is a number. Raises `Refused`."""
    if not text.isdecimal():
        raise Refused(SettingCode.NOT_A_NUMBER, name="responsible", found=text, system="the CRM")
    return int(text)


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


async def check_fields(names: Names, fields_of: FieldsOf) -> list[Check]:
    """Check that these fields exist."""
    checks = []
    for kind, name in names:
        well = name in await fields_of(kind, True)
        fix = f"run `ringtrace crm connect` again, or add a text field '{name}' to each {kind}"
        checks.append(Check(what=f"{kind} field {name}", well=well, fix=fix))
    return checks


async def add_fields(names: Names, fields_of: FieldsOf, add_field: AddField) -> list[str]:
    """Create missing ones; returns those created."""
    missing = [(kind, name) for kind, name in names if name not in await fields_of(kind, True)]
    for kind, name in missing:
        await add_field(kind, name)
    return [f"{kind} field {name}" for kind, name in missing]


def fields_of(kinds: Iterable[EntityKind], names: Sequence[str]) -> list[tuple[EntityKind, str]]:
    """Each of these fields of each of these kinds, once."""
    return list(dict.fromkeys((kind, name) for kind in kinds for name in names))


def catalogue(kinds: Iterable[EntityKind], fields_of: FieldsOf, ours: Iterable[str]) -> Remembered:
    """The fields of these kinds, without `ours`, which are never cut or left out."""

    async def read(whole: bool) -> Catalogue:
        fields = {}
        for kind in kinds:
            every = {one.name: one for one in (await fields_of(kind, whole)).values()}
            fields[kind] = [one for one in every.values() if not {one.name, one.title} & {*ours}]
        return Catalogue(fields=fields)

    return Remembered(read)


async def field_called(name: str, kind: EntityKind, fields_of: FieldsOf) -> Field:
    """The field of this name, which may be new. Raises `Refused`."""
    for again in (False, True):
        known = (await fields_of(kind, again)).get(name)
        if known is not None:
            return known
    raise Refused(CrmCode.FIELD_MISSING, path=f"{kind}s", field=name)


async def typed_values(
    kind: EntityKind, texts: Mapping[str, str], fields_of: FieldsOf
) -> dict[str, Any]:
    """Texts of fields as JSON, see `typed`. Raises `Refused` for a field that is not there."""
    return {
        name: typed(await field_called(name, kind, fields_of), text) for name, text in texts.items()
    }


def typed(known: Field, text: str) -> Any:
    """A text as JSON: a number where the field holds one, nothing for an empty text. Raises
    `Refused`.
    """
    if known.type is not FieldType.NUMBER or not text:
        return text or None
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except ValueError as error:
        raise Refused(CrmCode.VALUE_NOT_A_NUMBER, found=text) from error
