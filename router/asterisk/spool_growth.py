"""Notes when the files of running recordings stand still, and when they grow again: Asterisk writes
nothing while neither side sends. The worker puts the silence back (`recordings.growth`).
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recordings.errors import InvalidName
from recordings.growth import LEAST_SECONDS, Growth
from recordings.spool import SpoolPair
from router.service.clock import Clock
from router.service.outages import Outages

EVERY = 0.1  # seconds
MOST = 2_000  # recordings, the newest
FORGOTTEN = 6 * 3600.0  # seconds without growth
UNSEEN = 60.0  # seconds without a file


@dataclass(slots=True)
class _File:
    pair: SpoolPair
    grew_at: float  # monotonic
    size: int = 0
    seen: bool = False


class SpoolGrowth:
    """Watches the spool files of calls that came in."""

    def __init__(
        self, spool: Path, clock: Clock, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._spool, self._clock, self._steady = spool, clock, steady
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._outages = Outages()

    def heard(self, uniqueid: str) -> None:
        """A call that will be recorded came in."""
        try:
            pair = SpoolPair(directory=self._spool, name=uniqueid)
        except InvalidName:
            return
        self._files[uniqueid] = _File(pair=pair, grew_at=self._steady())
        while len(self._files) > MOST:
            self._files.popitem(last=False)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            if self._files:
                try:
                    # in a thread, because a disk may hang
                    await asyncio.to_thread(self.look)
                    self._outages.back("spool_growth")
                except OSError as error:
                    self._outages.fell("spool_growth", str(error))
            await asyncio.sleep(EVERY)

    def look(self) -> None:
        """Look at every file once. Raises OSError."""
        for name, file in list(self._files.items()):
            if not self._goes_on(file):
                self._files.pop(name, None)

    def _goes_on(self, file: _File) -> bool:
        now = self._steady()
        try:
            size = file.pair.company.stat().st_size
        except FileNotFoundError:  # not begun, or stored already
            return not file.seen and now - file.grew_at < UNSEEN
        file.seen = True
        if size <= file.size:
            return now - file.grew_at < FORGOTTEN
        if now - file.grew_at >= LEAST_SECONDS:
            growth = Growth(at=self._clock().timestamp(), before=file.size, after=size)
            file.pair.growth.parent.mkdir(exist_ok=True)
            with file.pair.growth.open("ab") as noted:
                noted.write(growth.row())
        file.size, file.grew_at = size, now
        return True
