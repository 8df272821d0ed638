"""The catalogue of a Tryton database: fields of parties and opportunities, and the employees
that rules name.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from router.domain.delivery.catalogue import Field, FieldType, Named
from router.receivers.json_body import mapping, sequence
from router.receivers.tryton.rows import packed, rows_of

TEXTS = frozenset({"char", "text"})
_TYPES = {
    **dict.fromkeys(TEXTS, FieldType.TEXT),
    "selection": FieldType.LIST,
}
# filled by us, or by Tryton's sequences
_FILLED = frozenset(
    {"party", "description", "reference", "comment", "employee", "name", "code", "number"}
)


def fields_of(shown: Any, defaults: Any) -> list[Field]:
    """The fields of a model, by its `fields_get`; a field with a default is not required."""
    given = mapping(defaults).items()
    filled = _FILLED.union(name for name, value in given if value not in (None, ""))
    rows = mapping(shown).items()
    return [_field(name, row, filled) for name, row in rows if isinstance(row, dict)]


def _field(name: str, row: Mapping[str, Any], filled: frozenset[str]) -> Field:
    most, kind = row.get("size"), _TYPES.get(str(row.get("type")), FieldType.OTHER)
    if not isinstance(most, int) or most <= 0:
        most = None
    pairs = sequence(row.get("selection"))  # a text is the name of a method that lists them
    named = {str(pair[1]): str(pair[0]) for pair in pairs if isinstance(pair, list) and pair[0]}
    shown = kind
    if kind is FieldType.LIST and not named:
        shown = FieldType.OTHER
    return Field(
        name=name,
        title=str(row.get("string") or ""),
        type=shown,
        options=named,
        most=most,
        required=row.get("required") is True and name not in filled and not row.get("readonly"),
        writable=not row.get("readonly") and kind is not FieldType.OTHER,
    )


def employees_asked(wanted: Iterable[str]) -> list[tuple[str, str]]:
    """The parameters of a request for these employees."""
    numbers = [int(key) for key in wanted if key.isascii() and key.isdigit()]
    names = ("rec_name", "end_date")
    return [("d", packed([["id", "in", numbers]])), *(("f", name) for name in names)]


def employees(body: Any, today: date) -> list[Named]:
    """The employees that exist. One whose contract has ended has left."""
    found = []
    for row in rows_of(body):
        active = not _is_past(row.get("end_date"), today)
        found.append(Named(id=str(row["id"]), title=str(row.get("rec_name") or ""), active=active))
    return found


def _is_past(shown: Any, today: date) -> bool:
    if not isinstance(shown, dict):
        return False
    parts = [shown.get(name) for name in ("year", "month", "day")]
    whole = [part for part in parts if type(part) is int]
    return len(whole) == len(parts) and whole < [today.year, today.month, today.day]
