"""Reads the JSON of an answer from outside: whatever it contains, it must not block the process."""

import asyncio
import json
from typing import Any

from router.domain.text import storable

LONG = 1 << 16  # letters; longer texts are parsed in a thread, so that the loop goes on


async def read_json(text: str) -> Any:
    """The value, safe to store in the database; None if it is not JSON."""
    return _read(text) if len(text) < LONG else await asyncio.to_thread(_read, text)


def _read(text: str) -> Any:
    try:
        value = json.loads(text.removeprefix("\ufeff"))  # the mark of some PHP and .NET servers
        # without escapes the values contain no letters that the text does not
        return _clean(value) if "\\u" in text else value
    except (ValueError, RecursionError):
        return None


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
