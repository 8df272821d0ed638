"""Reads the CEL log into the database, and closes the calls that Asterisk no longer knows.

It runs in a separate process, and catches up after an outage.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import datetime

import structlog

from router.asterisk.ami import Ami, Connected, Event, HoldChanged, KeyPressed, RouteAsked
from router.asterisk.ami_consumer import consume
from router.asterisk.cel_log import Batch, CelLog
from router.domain.calls.ledger import Row
from router.errors import AsteriskUnavailable, DatabaseUnavailable
from router.service.calls.ingest import CallIngest
from router.service.calls.ports import RouteRequest
from router.service.calls.routing import Routes
from router.service.clock import Clock, StepWatch
from router.service.outages import FAULT_PAUSE, Outages

log = structlog.get_logger()

# Seconds between reads of the CEL log. Rows are batched, because a transaction costs more than a
# call's rows; an empty read costs nothing.
CEL_LOG_PAUSE, IDLE_PAUSE = 0.5, 0.2
LOOK_FOR_SILENT_EVERY = 30.0
REQUESTS_PAUSE = 0.5
MOST_REQUESTS = 10_000
LARGEST_CEL_LOG = 32 * 1024 * 1024  # bytes, about 10,000 calls
KEPT_CEL_LOGS = 8  # older files that were read


class CelIngest:
    """Reads the CEL log into the database, and closes calls without channels in Asterisk."""

    def __init__(
        self,
        *,
        ami: Ami,
        cel_log: CelLog,
        call_ingest: CallIngest,
        routes: Routes,
        clock: Clock,
        channels: Callable[[], Awaitable[frozenset[str]]],
        rotates: bool = False,
    ) -> None:
        self._channels = channels
        self._ami, self._cel_log, self._call_ingest, self._routes, self._clock = (
            ami,
            cel_log,
            call_ingest,
            routes,
            clock,
        )
        self._rotates = rotates  # no other program renames the CEL log
        # holds and keys that are received, not yet stored
        self._noted: deque[tuple[HoldChanged | KeyPressed, datetime]] = deque()
        self._requests: deque[RouteRequest] = deque(maxlen=MOST_REQUESTS)  # likewise
        self._connected = asyncio.Event()
        self._ingesting = asyncio.Lock()  # one writer at a time
        self._outages = Outages()
        self._steps = StepWatch(clock)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            listening = consume(self._ami, self._take)
            for work in (
                self._ami.run(),
                listening,
                self._read(),
                self._watch(),
                self._keep_requests(),
            ):
                tasks.create_task(work)

    async def _take(self, event: Event) -> None:
        match event:
            case HoldChanged():
                self._noted.append((event, self._clock()))
            case KeyPressed(uniqueid=uniqueid, linkedid=linkedid) if uniqueid != linkedid:
                self._noted.append((event, self._clock()))  # the caller's own keys are not kept
            case RouteAsked():
                self._requests.append(self._request(event))
            case Connected():
                self._connected.set()

    def _request(self, event: RouteAsked) -> RouteRequest:
        route = self._routes.table.find(event.did)
        return RouteRequest(
            linkedid=event.linkedid[:64],
            spool_name=event.uniqueid[:80],
            did=event.did[:40],
            trunk=event.channel.partition("/")[2].rpartition("-")[0][:64],
            caller_number=event.caller_number,
            caller_name=event.caller_name,
            destination_id=route.destination.id if route else None,
            at=self._clock(),
        )

    async def _keep_requests(self) -> None:
        """Store the route requests of calls that are not in the CEL log yet, as soon as the
        database accepts them.
        """
        while True:
            await asyncio.sleep(REQUESTS_PAUSE)
            kept = list(self._requests)
            missing = [request for request in kept if not self._call_ingest.knows(request.linkedid)]
            try:
                if missing:
                    await self._call_ingest.keep_requests(missing)
            except DatabaseUnavailable:
                continue  # the reader says so
            except Exception:
                log.exception("route_requests_not_kept", count=len(kept))
            for request in kept:
                with suppress(ValueError):
                    self._requests.remove(request)

    async def _read(self) -> None:
        while True:
            batch = None
            try:
                batch = await self._read_batch()
                self._outages.back("cel_log")
                if batch is None and self._rotates:
                    self._cel_log.rotate(self._call_ingest.cursor, LARGEST_CEL_LOG, KEPT_CEL_LOGS)
            except (DatabaseUnavailable, OSError) as error:
                self._outages.fell("cel_log", str(error))
                await asyncio.sleep(CEL_LOG_PAUSE)
            except Exception:
                # a bug: retried, and the rest goes on
                log.exception("cel_log_reading_broke")
                await asyncio.sleep(FAULT_PAUSE)
            if batch is None:
                await asyncio.sleep(IDLE_PAUSE)
            elif batch.more:
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(CEL_LOG_PAUSE)

    async def _ready(self) -> None:
        """Load the numbers and the open calls after a failed write. With an empty table, all
        numbers would be unknown.
        """
        if not self._routes.loaded:
            await self._routes.refresh()
        await self._call_ingest.ready()

    async def _read_batch(self) -> Batch | None:
        """Ingest new rows; returns the batch."""
        async with self._ingesting:
            self._look_at_clock()
            await self._ready()
            await self._write_noted()  # first, because the next rows may be the call's end
            batch = self._cel_log.read(self._call_ingest.cursor)
            if batch is not None:
                await self._routes.refresh()
                await self._call_ingest.ingest(batch.rows, batch.cursor, batch.rejected)
        return batch

    def _look_at_clock(self) -> None:
        if step := self._steps.look():
            log.warning("clock_set", seconds=step.ahead.total_seconds())
            self._call_ingest.clock_stepped(step)

    async def _write_noted(self) -> None:
        while self._noted:
            event, at = self._noted[0]
            try:
                await self._note(event, at)
            except DatabaseUnavailable:
                raise
            except Exception:
                log.exception("event_not_kept", linkedid=event.linkedid)
            self._noted.popleft()

    async def _note(self, event: HoldChanged | KeyPressed, at: datetime) -> None:
        if isinstance(event, HoldChanged):
            await self._call_ingest.hold(event.linkedid, event.channel, at, held=event.held)
        else:
            await self._call_ingest.press(event.linkedid, event.channel, at, event.key)

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_FOR_SILENT_EVERY):
                    await self._connected.wait()
            self._connected.clear()
            try:
                await self._look_for_silent()
            except AsteriskUnavailable:
                continue  # the next connection checks again
            except (DatabaseUnavailable, OSError) as error:
                self._outages.fell("database", str(error))
            except Exception:
                log.exception("looking_for_ended_calls_broke")
            else:
                self._outages.back("database")

    async def _look_for_silent(self) -> None:
        """Close calls without channels in Asterisk, e.g. after it died during a call. Their end may
        still be in the CEL log: read all of it, list the channels, then read new rows. After a
        long catch-up the list would be outdated.
        """
        while (batch := await self._read_batch()) and batch.more:
            pass
        alive = await self._channels()
        if (batch := await self._read_batch()) and batch.more:
            return
        async with self._ingesting:
            await self._ready()
            await self._call_ingest.close_silent(alive)
            await self._call_ingest.close_lost(alive, self._reread)
            if not self._requests:  # recent route requests are in the database
                await self._call_ingest.close_unlogged(alive)

    async def _reread(self, linkedids: Collection[str]) -> dict[str, list[Row]]:
        """The remaining rows of these calls before the cursor, by linkedid."""
        found: dict[str, list[Row]] = {}
        for rows in self._cel_log.search(linkedids, self._call_ingest.cursor):
            for row in rows:
                found.setdefault(row.linkedid, []).append(row)
            await asyncio.sleep(0)
        return found
