"""Heartbeat of ingest, with the age of its oldest unread row. It also stores the heartbeat of the
process that answers the dialplan, which does not write to the database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog

from router.asterisk.cel_log import CelLog
from router.errors import AsteriskUnavailable, DatabaseUnavailable
from router.service.calls.ingest import CallIngest
from router.service.clock import Clock
from router.service.outages import Outages
from router.service.ports import Heartbeat, Store

log = structlog.get_logger()

EVERY = 10.0
LATE_SECONDS = 60.0  # an unread row of this age is reported
CHUNK = 16 * 1024
CONSOLE_SECONDS = 5.0


class IngestReport:
    """Watches the log independently of its reader, which may hang or fail."""

    def __init__(
        self,
        store: Store,
        cel_log: CelLog,
        call_ingest: CallIngest,
        name: str,
        clock: Clock,
        agent_beat: Callable[[], float | None] = lambda: None,
        down: Callable[[], Awaitable[dict[str, str]]] | None = None,
    ) -> None:
        self._store, self._call_ingest, self._clock = store, call_ingest, clock
        self._cel_log = CelLog(cel_log.path, CHUNK)  # a separate position in compressed files
        self._name, self._agent, self._agent_beat = f"ingest {name}", f"agent {name}", agent_beat
        self._outages = Outages()
        self._down = down

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            try:
                await self.report()
            except (DatabaseUnavailable, OSError):  # the reader says so
                pass
            except Exception:
                log.exception("ingest_report_broke")
            await asyncio.sleep(EVERY)

    async def report(self) -> None:
        """Log once when rows wait too long, and once when they no longer do; store it for
        `ringtrace doctor`.
        """
        now = self._clock()
        oldest = self._cel_log.oldest_unread(self._call_ingest.cursor)
        waited, unread_since = 0.0, None
        if oldest:
            waited = max(0.0, (now - oldest).total_seconds())
            unread_since = oldest.isoformat()

        if waited > LATE_SECONDS:
            self._outages.fell("cel_log_reading", f"the oldest unread row is {waited:.0f} s old")
        else:
            self._outages.back("cel_log_reading")
        facts = {
            "unread_since": unread_since,
            "open_calls": self._call_ingest.open_calls,
            "lines_down": await self._lines_down(),
        }
        async with self._store.write() as session:
            await session.heartbeats.save(Heartbeat(name=self._name, at=now, facts=facts))
            if beat := self._agent_beat():
                await session.heartbeats.save(
                    Heartbeat(name=self._agent, at=datetime.fromtimestamp(beat, UTC), facts={})
                )

    async def _lines_down(self) -> dict[str, str] | None:
        """The endpoints that cannot be called, for the live board; None: not known."""
        if not self._down:
            return None
        try:
            async with asyncio.timeout(CONSOLE_SECONDS):
                return await self._down()
        except (AsteriskUnavailable, TimeoutError):
            return None
