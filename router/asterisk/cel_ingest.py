"""Reads the CEL log into the database, and closes the calls that Asterisk no longer knows.

It runs in a process of its own. What it missed while it was down it reads later.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import datetime

import structlog

from router.asterisk.ami import Ami, Connected, Event, HoldChanged, RouteAsked
from router.asterisk.ami_consumer import consume
from router.asterisk.cel_log import Batch, Journal
from router.domain.calls.ledger import Row
from router.errors import AsteriskUnavailable, DatabaseUnavailable
from router.service.calls.ingest import Learner
from router.service.calls.ports import RouteRequest
from router.service.calls.routing import Routes
from router.service.clock import Clock
from router.service.outages import FAULT_PAUSE, Outages

log = structlog.get_logger()

# Seconds between looks at the CEL log. A transaction costs more than what a call writes in it, so
# rows are gathered while they come; a look that finds nothing costs nothing.
JOURNAL_PAUSE, IDLE_PAUSE = 0.5, 0.2
LOOK_FOR_DEAD_EVERY = 30.0
REQUESTS_PAUSE = 2.0
MOST_REQUESTS = 10_000
LARGEST_JOURNAL = 32 * 1024 * 1024  # bytes, about 10,000 calls
KEPT_JOURNALS = 8  # older files that were read


class CelIngest:
    """Reads the journal into the database, and closes the calls of which Asterisk knows nothing any
    more.
    """

    def __init__(
        self,
        *,
        ami: Ami,
        journal: Journal,
        learner: Learner,
        routes: Routes,
        clock: Clock,
        channels: Callable[[], Awaitable[frozenset[str]]],
        rotates: bool = False,
    ) -> None:
        self._channels = channels
        self._ami, self._journal, self._learner, self._routes, self._clock = (
            ami,
            journal,
            learner,
            routes,
            clock,
        )
        self._rotates = rotates  # nobody else renames the journal
        self._holds: deque[tuple[HoldChanged, datetime]] = deque()  # heard, not yet written down
        self._requests: deque[RouteRequest] = deque(maxlen=MOST_REQUESTS)  # likewise
        self._connected = asyncio.Event()
        self._learning = asyncio.Lock()  # the learner's memory has one writer at a time
        self._outages = Outages()

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
                self._holds.append((event, self._clock()))
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
        """Keep what was asked for, outside of this process, as soon as the database takes it."""
        while True:
            await asyncio.sleep(REQUESTS_PAUSE)
            kept = list(self._requests)
            try:
                if kept:
                    await self._learner.keep_requests(kept)
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
                self._outages.back("journal")
                if batch is None and self._rotates:
                    self._journal.rotate(self._learner.cursor, LARGEST_JOURNAL, KEPT_JOURNALS)
            except (DatabaseUnavailable, OSError) as error:
                self._outages.fell("journal", str(error))
                await asyncio.sleep(JOURNAL_PAUSE)
            except Exception:
                # a fault of ours: it is tried again, and the rest goes on
                log.exception("journal_reading_broke")
                await asyncio.sleep(FAULT_PAUSE)
            await asyncio.sleep(IDLE_PAUSE if batch is None else 0 if batch.more else JOURNAL_PAUSE)

    async def _ready(self) -> None:
        """Know every number, and what the last transaction left: what a write that failed knew is
        not believed.

        To an empty table every number is unknown, and so would be its calls for ever.
        """
        if not self._routes.loaded:
            await self._routes.refresh()
        await self._learner.ready()

    async def _read_batch(self) -> Batch | None:
        """Learn what is new in the journal; what it was."""
        async with self._learning:
            await self._ready()
            await self._write_holds()  # first: what the journal says next may be the call's end
            batch = self._journal.read(self._learner.cursor)
            if batch is not None:
                await self._routes.refresh()
                await self._learner.learn(batch.rows, batch.cursor, batch.rejected)
        return batch

    async def _write_holds(self) -> None:
        while self._holds:
            event, at = self._holds[0]
            try:
                await self._learner.hold(event.linkedid, event.channel, at, held=event.held)
            except DatabaseUnavailable:
                raise
            except Exception:
                log.exception("hold_not_kept", linkedid=event.linkedid)
            self._holds.popleft()

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_FOR_DEAD_EVERY):
                    await self._connected.wait()
            self._connected.clear()
            try:
                await self._look_for_dead()
            except AsteriskUnavailable:
                continue  # the next connection looks again
            except (DatabaseUnavailable, OSError) as error:
                self._outages.fell("database", str(error))
            except Exception:
                log.exception("looking_for_ended_calls_broke")
            else:
                self._outages.back("database")

    async def _look_for_dead(self) -> None:
        """Close the calls that Asterisk knows nothing of any more, e.g. after it died in mid-call.

        What the journal says of their end goes before: all of it is read, then Asterisk is asked,
        then what came in that moment. After a long catch-up in between, channels of the list would
        be too old to judge by.
        """
        while (batch := await self._read_batch()) and batch.more:
            pass
        alive = await self._channels()
        if (batch := await self._read_batch()) and batch.more:
            return
        async with self._learning:
            await self._ready()
            await self._learner.close_dead(alive)
            await self._learner.close_lost(alive, self._reread)
            if not self._requests:  # what was asked for a moment ago is in the database
                await self._learner.close_unlogged(alive)

    async def _reread(self, linkedids: Collection[str]) -> dict[str, list[Row]]:
        """The rows of these calls that the journal still has, before the cursor, by linkedid."""
        found: dict[str, list[Row]] = {}
        for rows in self._journal.search(linkedids, self._learner.cursor):
            for row in rows:
                found.setdefault(row.linkedid, []).append(row)
            await asyncio.sleep(0)
        return found
