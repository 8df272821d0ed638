"""Describes a change of the set-up field by field, without secrets, for the log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any
from urllib.parse import urlsplit

SECRETS = {"password_hash": "password", "digest": "secret"}
ADDRESSES = {"url", "address"}  # their paths and queries may hold keys
# Fields that are not set-up: written by processes, or the time of creation.
NOT_SET_UP = {
    "created_at",
    "free_at",
    "unattributed_calls",
    "uidvalidity",
    "uid",
    "due_at",
    "failures",
    "error",
}
LONGEST = 200  # letters of a value
CHANGED = "changed"  # instead of a value that must not be shown


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupChange:
    """One record that was added, changed or removed."""

    action: str  # added · changed · removed
    kind: str
    key: str
    fields: Mapping[str, str] = field(default_factory=dict)  # of a changed one: old -> new


def compare(before: Any | None, after: Any | None) -> SetupChange | None:
    """The change between two versions of a record; None if its set-up is equal."""
    record, action = after, "changed"
    if before is None:
        action = "added"
    elif after is None:
        record, action = before, "removed"

    found = _differences(before, after, _key_name(record))
    if action == "changed" and not found:
        return None
    return SetupChange(action=action, kind=type(record).__name__, key=key_of(record), fields=found)


def _differences(before: Any | None, after: Any | None, key: str) -> dict[str, str]:
    """The changed fields but for the key, with what became of them."""
    found = {}
    for name, old, new in _values(before, after):
        if name == key or old == new:
            continue
        text = _difference(name, old, new, one_sided=before is None or after is None)
        if text:
            found[SECRETS.get(name, name)] = text
    return found


def key_of(record: Any) -> str:
    """The key of a record: its first field."""
    return str(getattr(record, _key_name(record)))


def _key_name(record: Any) -> str:
    return fields(record)[0].name


def _values(before: Any | None, after: Any | None) -> Iterator[tuple[str, Any, Any]]:
    """Each field with its old and its new value; those of a nested record as `rules.wait`."""
    old, new = _flat(before), _flat(after)
    for name in dict.fromkeys([*old, *new]):
        yield name, old.get(name), new.get(name)


def _flat(record: Any | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _fields(record):
        if isinstance(value, Mapping) or is_dataclass(value):
            for inner, nested in _flat(value).items():
                found[f"{name}.{inner}"] = nested
        else:
            found[name] = value
    return found


def _fields(record: Any | None) -> Iterator[tuple[str, Any]]:
    """The fields that a person sets, with their values."""
    if record is None:
        return
    if isinstance(record, Mapping):
        values = dict(record)
    else:
        values = {field.name: getattr(record, field.name) for field in fields(record)}
    for name, value in values.items():
        if name not in NOT_SET_UP:
            yield name, value


def _difference(name: str, old: Any, new: Any, *, one_sided: bool) -> str:
    if name in SECRETS or (name in ADDRESSES and _shown(name, old) == _shown(name, new)):
        return CHANGED
    if one_sided:
        value = old
        if old is None:
            value = new
        if value in (None, "", (), False):
            return ""
        return _shown(name, value)
    return f"{_shown(name, old)} -> {_shown(name, new)}"


def _shown(name: str, value: Any) -> str:
    if name in ADDRESSES:
        return _server(str(value))
    if isinstance(value, tuple):
        return f"[{', '.join(_shown('', item) for item in value)}]"[:LONGEST]
    if is_dataclass(value):
        return ":".join(str(inner) for inner in _flat(value).values())[:LONGEST]
    if value in (None, ""):
        return "none"
    return str(value)[:LONGEST]


def _server(address: str) -> str:
    """Scheme, host and port, without parts that may be secret."""
    try:
        parts = urlsplit(address)
        if parts.netloc:
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return "none"
    except ValueError:
        return "none"
