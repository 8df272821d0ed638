"""Shared code of CRM adapters: marks of calls in notes, phones in searches, custom fields."""

import html
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from router.domain.delivery.catalogue import Field, FieldType, Named, Pipeline
from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome
from router.domain.phone import display, same_phone
from router.receivers.json_body import member, objects
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check

_ENDING = 6  # digits at least: fewer are of too many people
Names = Iterable[tuple[EntityKind, str]]  # the kind of entity and the name of each field
AddField = Callable[[EntityKind, str], Awaitable[None]]
# the fields of a kind by their names; read again if asked
FieldsOf = Callable[[EntityKind, bool], Awaitable[Mapping[str, Field]]]
Seen = TypeVar("Seen")


def rows_of(value: Any, *path: str, key: str = "") -> list[Mapping[str, Any]]:
    """The objects of the list at this place in an answer, or none; with `key`, only those that
    have it.
    """
    for name in path:
        value = member(value, name)
    return [row for row in objects(value) if not key or row.get(key)]


def rows_in(value: Any, name: str, system: str, key: str = "") -> list[Mapping[str, Any]]:
    """The objects of a list that must be in the answer: an error is no empty list. Raises
    `ReceiverUnavailable`.
    """
    if not isinstance(value, dict) or not isinstance(value.get(name), list):
        raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system=system)
    return rows_of(value, name, key=key)


def column(rows: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    """This value of each row; None where a row does not have it."""
    return [row.get(name) for row in rows]


def options_of(rows: Iterable[Mapping[str, Any]], shown: str, stored: str) -> list[tuple[Any, Any]]:
    """The options of a field for `a_field`, from the columns of their texts and values."""
    return [(row.get(shown), row.get(stored)) for row in rows]


def unique(found: Iterable[Found]) -> list[Found]:
    """The entities, each once."""
    return list({entity.ref: entity for entity in found}.values())


def ids_of(refs: Iterable[Ref], kind: EntityKind) -> list[str]:
    """The ids of those of this kind."""
    return [ref.id for ref in refs if ref.kind is kind]


def an_object(value: Any, system: str) -> Mapping[str, Any]:
    """The answer, which must be an object. Raises `ReceiverUnavailable`."""
    if not isinstance(value, dict):
        raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system=system)
    return value


def id_of(value: Any, system: str) -> str:
    """The id of the created object. Raises `ReceiverUnavailable`."""
    if not isinstance(value, dict) or not value.get("id"):
        raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system=system, missing="id")
    return str(value["id"])


def texts_of(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """The non-empty fields of a row, as text."""
    texts = {}
    for name in names:
        value = row.get(name)
        if value or (value == 0 and value is not False):
            texts[name] = str(value)
    return texts


async def if_seen(reading: Awaitable[Seen]) -> Seen | None:
    """The value; None if the token has no right to read it."""
    try:
        return await reading
    except (ReceiverUnavailable, Refused):
        return None


def number(text: str, name: str = "responsible") -> int:
    """The id of a user or a stage that must be a number. Raises `Refused`."""
    if not text.isdecimal():
        raise Refused(SettingCode.NOT_A_NUMBER, name=name, found=text[:40], system="the CRM")
    return int(text)


def by_kind(contact: str, company: str, lead: str, deal: str) -> dict[EntityKind, str]:
    """A mapping from each kind of entity to its name in the CRM."""
    return {
        EntityKind.CONTACT: contact,
        EntityKind.COMPANY: company,
        EntityKind.LEAD: lead,
        EntityKind.DEAL: deal,
    }


def mark(call_id: str) -> str:
    """The mark at the end of a call's note."""
    return f"[ringtrace:{call_id}]"


def html_lines(text: str) -> str:
    """The text as HTML."""
    return "<br>".join(html.escape(line) for line in text.splitlines())


def is_noted(notes: Iterable[Any], call_id: str) -> bool:
    """Whether one of these notes has the call's mark."""
    return any(mark(call_id) in html.unescape(str(note)) for note in notes)


def search_endings(phone: str) -> list[str]:
    """Ends of the number as people write it, for a search that compares letters: the last groups
    that are long enough, in the usual spellings.
    """
    groups, ending = display(phone).replace("-", " ").split(), list[str]()
    while groups and len("".join(ending)) < _ENDING:
        ending.insert(0, groups.pop())
    return sorted({"".join(ending), "-".join(ending), " ".join(ending)})


def with_phone(found: Iterable[Found], phone: str) -> list[Found]:
    """The entities that have this phone, in any spelling."""
    return [entity for entity in found if has_phone(entity.phones, phone)]


def has_phone(phones: Iterable[str], phone: str) -> bool:
    """Whether one of these is this phone, in any spelling."""
    return any(same_phone(number, phone) for number in phones)


def moment(value: Any) -> datetime | None:
    """A time in ISO 8601; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if at.tzinfo:
        return at
    return at.replace(tzinfo=UTC)


def field_types(texts: str, numbers: str, lists: str) -> dict[str, FieldType]:
    """Types of fields by the CRM's names for them, which are separated by spaces."""
    return {
        **dict.fromkeys(texts.split(), FieldType.TEXT),
        **dict.fromkeys(numbers.split(), FieldType.NUMBER),
        **dict.fromkeys(lists.split(), FieldType.LIST),
    }


def a_field(
    name: Any,
    title: Any,
    type: FieldType | None,  # noqa: A002 (None: another one)
    options: Iterable[tuple[Any, Any]] = (),
    most: Any = None,
    *,
    required: bool = False,
    writable: bool = True,
    phone: bool = False,
) -> Field:
    """A field from the CRM's description; options are pairs of shown text and stored value."""
    if not isinstance(most, int) or most <= 0:
        most = None
    return Field(
        name=str(name),
        title=str(title or ""),
        type=type or FieldType.OTHER,
        options={str(shown): str(written) for shown, written in options},
        most=most,
        required=required,
        writable=writable,
        phone=phone,
    )


def named(
    rows: Iterable[Mapping[str, Any]], key: str = "id", title: str = "name", active: str = ""
) -> list[Named]:
    """Users or stages; the column `active` says whether they are active."""
    found = []
    for row in rows:
        is_active = not active or row.get(active) is True
        found.append(Named(id=str(row[key]), title=str(row.get(title) or ""), active=is_active))
    return found


def pipelines(stages: Iterable[Mapping[str, Any]], by: str = "") -> list[Pipeline]:
    """The pipelines to which these stages belong; the column `by` names the pipeline."""
    rows = dict[str, list[Mapping[str, Any]]]()
    for stage in stages:
        rows.setdefault(str(stage.get(by) or ""), []).append(stage)
    return [Pipeline(id=key, stages=named(some)) for key, some in rows.items()]


class FieldCache:
    """The fields of objects by name, read when first needed, and again on request."""

    def __init__(self, read: Callable[[str], Awaitable[Mapping[str, Field]]]) -> None:
        self._read, self._known = read, dict[str, Mapping[str, Field]]()

    async def __call__(self, name: str, again: bool = False) -> Mapping[str, Field]:
        """The fields of this object. Raises what reading them raises."""
        if again or name not in self._known:
            self._known[name] = await self._read(name)
        return self._known[name]


async def check_fields(names: Names, fields_of: FieldsOf) -> list[Check]:
    """Check that these fields exist."""
    checks = []
    for kind, name in names:
        well = name in await fields_of(kind, True)
        fix = Outcome.of(FixCode.ADD_FIELD, kind=kind, field=name)
        checks.append(Check.of(CheckCode.FIELD, well, fix, kind=kind, field=name))
    return checks


async def add_fields(names: Names, fields_of: FieldsOf, add_field: AddField) -> list[str]:
    """Create missing fields; returns the created ones."""
    added = []
    for kind, name in names:
        if name not in await fields_of(kind, True):
            await add_field(kind, name)
            added.append(f"{kind}: {name}")
    return added


async def field_called(name: str, kind: EntityKind, fields_of: FieldsOf) -> Field:
    """The field with this name; it may be a new one. Raises `Refused`."""
    for again in (False, True):
        known = (await fields_of(kind, again)).get(name)
        if known is not None:
            return known
    raise Refused(CrmCode.FIELD_MISSING, path=f"{kind}s", field=name)


async def typed_values(
    kind: EntityKind, texts: Mapping[str, str], fields_of: FieldsOf
) -> dict[str, Any]:
    """Texts of fields as JSON, see `typed`. Raises `Refused` for an unknown field."""
    values = {}
    for name, text in texts.items():
        field = await field_called(name, kind, fields_of)
        values[name] = typed(field.type, text)
    return values


def typed(kind: FieldType, text: str) -> Any:
    """A text as JSON: a number if the field holds numbers, None for an empty text. Raises
    `Refused`.
    """
    if kind is not FieldType.NUMBER or not text:
        return text or None
    try:
        if text.lstrip("-").isdecimal():
            return int(text)
        return float(text)
    except ValueError as error:
        raise Refused(CrmCode.VALUE_NOT_A_NUMBER, found=text) from error
