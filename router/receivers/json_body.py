"""Reads the JSON of an answer from outside: whatever it contains, it must not block the process,
and a value of an unexpected type counts as empty.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from router.domain.text import storable

T = TypeVar("T")

LONG = 1 << 16  # letters; longer texts are parsed in a thread, so that the loop goes on


async def read_json(text: str) -> Any:
    """The value, safe to store in the database; None if it is not JSON."""
    if len(text) < LONG:
        return _read(text)
    return await asyncio.to_thread(_read, text)


def _read(text: str) -> Any:
    try:
        value = json.loads(text.removeprefix("\ufeff"))  # the mark of some PHP and .NET servers
        # without escapes the values contain no letters that the text does not
        if "\\u" in text:
            return _clean(value)
        return value
    except (ValueError, RecursionError):
        return None


def mapping(value: Any) -> dict[str, Any]:
    """The object; empty for anything else."""
    if isinstance(value, dict):
        return value
    return {}


def sequence(value: Any) -> list[Any]:
    """The list; empty for anything else."""
    if isinstance(value, list):
        return value
    return []


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; empty for anything else."""
    return [item for item in sequence(value) if isinstance(item, dict)]


def filled(values: Mapping[str, T]) -> dict[str, T]:
    """The values that are not empty."""
    return {name: value for name, value in values.items() if value}


def member(value: Any, name: str) -> Any:
    """The value under this name of an object; None for anything else."""
    return mapping(value).get(name)


def _clean(value: Any) -> Any:
    """The value with storable texts."""
    match value:
        case str():
            return storable(value)
        case list():
            return [_clean(item) for item in value]
        case dict():
            return {storable(name): _clean(item) for name, item in value.items()}
    return value
