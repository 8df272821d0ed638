"""Caches the fields of a CRM for some minutes: they rarely change, and every call needs them."""

from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any

from router.domain.delivery.catalogue import Catalogue

FRESH = 300.0  # seconds for which a catalogue is cached


class Remembered:
    """A catalogue whose fields are cached for some minutes.

    `read` reads the whole catalogue, or only the fields.
    """

    def __init__(self, read: Callable[[bool], Coroutine[Any, Any, Catalogue]]) -> None:
        self._read, self._read_at = read, 0.0
        self._known: Catalogue | None = None

    async def __call__(self, *, whole: bool = False) -> Catalogue:
        """The catalogue. Raises what reading it raises."""
        if whole:
            return await self._read(True)
        if self._known is None or monotonic() - self._read_at > FRESH:
            self._known, self._read_at = await self._read(False), monotonic()
        return self._known
