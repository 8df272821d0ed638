"""The JSON of an answer that others wrote: whatever it is, it must not hold up the process."""

import asyncio
import json
from typing import Any

from router.domain.text import storable

LONG = 1 << 16  # letters; what is longer is read beside the loop, where others go on


async def read_json(text: str) -> Any:
    """The value, fit for a database; None where it is no JSON."""
    return _read(text) if len(text) < LONG else await asyncio.to_thread(_read, text)


def _read(text: str) -> Any:
    try:
        value = json.loads(text)
        # without an escape nothing is in it that the text itself has not
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
