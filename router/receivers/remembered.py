"""Keeps the fields of a CRM for some minutes: they change seldom, and every call is fitted to
them.
"""

from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any

from router.domain.delivery.catalogue import Catalogue

FRESH = 300.0  # seconds for which a catalogue is believed


class Remembered:
    """A catalogue whose fields are read again when they are some minutes old.

    `read` is asked for the whole catalogue, or for fields alone.
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
