"""The agent's two halves beside one Asterisk: an ear that answers at once, and a scribe that reads the journal.

They run in two processes, so that a caller's question never waits behind a batch of rows. Asterisk depends on
neither: killed, hung or cut off from its database the ear costs a caller at most the deadline, and for three seconds
at that; what the scribe missed it reads later.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import structlog

from router.asterisk.ami import Ami, Connected, Event, HoldChanged, RouteAsked
from router.asterisk.files import write_fallback
from router.asterisk.journal import Batch, Journal
from router.errors import AsteriskUnavailable, DatabaseUnavailable, RingtraceError
from router.service.learning import Learner
from router.service.outages import Outages
from router.service.routing import Routes

log = structlog.get_logger()

# Seconds between looks at the journal. A transaction costs more than what a call writes in it, so that while rows come
# they are gathered; a look that finds nothing costs nothing.
JOURNAL_PAUSE, IDLE_PAUSE = 0.5, 0.2
HEARTBEAT_PAUSE = 1.0
LOOK_FOR_DEAD_EVERY = 30.0


class Ear:
    """Answers the dialplan's questions, beats, and gives the dialplan what it needs without us."""

    def __init__(self, *, ami: Ami, routes: Routes, fallback: Path, clock: Callable[[], datetime]) -> None:
        self._ami, self._routes, self._fallback, self._clock = ami, routes, fallback, clock
        self._pushed = True  # what the dialplan has is what it should have
        self._outages = Outages()

    async def run(self) -> None:
        """Work until cancelled, then tell Asterisk not to ask any more."""
        async with asyncio.TaskGroup() as connection:
            keeper = connection.create_task(self._ami.run(), name="ami")
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_listen(self._ami, self._take))
                    tasks.create_task(self._beat())
            finally:
                self._ami.tell("Setvar", Variable="RINGTRACE_HEARTBEAT", Value="0")
                keeper.cancel()

    async def _take(self, event: Event) -> None:
        if isinstance(event, RouteAsked):
            line = await self._routes.answer(event.did, self._clock())
            self._ami.tell("Setvar", Channel=event.channel, Variable="RINGTRACE_ANSWER", Value=line)
            log.debug("route_answered", linkedid=event.uniqueid)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self._refresh()
            if self._ami.connected and self._routes.loaded:
                try:
                    await self._ami.ask("Setvar", Variable="RINGTRACE_HEARTBEAT", Value=str(int(time.time())))
                except AsteriskUnavailable:
                    log.warning("heartbeat_lost")
            await asyncio.sleep(max(0.0, began + HEARTBEAT_PAUSE - loop.time()))  # a slow answer slows no beat

    async def _refresh(self) -> None:
        try:
            if await self._routes.refresh() or not self._pushed:
                self._push()
            self._outages.back("database")
        except DatabaseUnavailable as error:
            self._outages.fell("database", error.message)

    def _push(self) -> None:
        """Give the dialplan every number's destination, for the time when nobody answers it."""
        try:
            write_fallback(self._fallback, self._routes.table.fallback())
            self._pushed = True
            self._outages.back("fallback")
        except OSError as error:  # a full disk: with the next beat again
            self._pushed = False
            self._outages.fell("fallback", str(error))


class Scribe:
    """Reads the journal into the database, and closes the calls of which Asterisk knows nothing any more."""

    def __init__(
        self, *, ami: Ami, journal: Journal, learner: Learner, routes: Routes, clock: Callable[[], datetime]
    ) -> None:
        self._ami, self._journal, self._learner, self._routes, self._clock = ami, journal, learner, routes, clock
        self._holds: deque[tuple[HoldChanged, datetime]] = deque()  # heard, not yet written down
        self._connected = asyncio.Event()
        self._learning = asyncio.Lock()  # the learner's memory has one writer at a time
        self._outages = Outages()

    async def run(self) -> None:
        """Work until cancelled."""
        await self._begin()
        async with asyncio.TaskGroup() as tasks:
            for work in (self._ami.run(), _listen(self._ami, self._take), self._read(), self._watch()):
                tasks.create_task(work)

    async def _take(self, event: Event) -> None:
        match event:
            case HoldChanged():
                self._holds.append((event, self._clock()))
            case Connected():
                self._connected.set()

    async def _begin(self) -> None:
        """Take up where the last transaction left off, knowing every number.

        To an empty table every number is unknown, and so would be its calls for ever.
        """
        while True:
            try:
                async with self._learning:
                    await self._routes.refresh()
                    await self._learner.recall()
                self._outages.back("database")
                return
            except DatabaseUnavailable as error:
                self._outages.fell("database", error.message)
                await asyncio.sleep(0.5)

    async def _read(self) -> None:
        while True:
            batch = None
            try:
                batch = await self._read_batch()
                self._outages.back("journal")
            except (DatabaseUnavailable, OSError) as error:
                self._outages.fell("journal", str(error))
                await asyncio.sleep(JOURNAL_PAUSE)
                await self._begin()
            await asyncio.sleep(IDLE_PAUSE if batch is None else 0 if batch.more else JOURNAL_PAUSE)

    async def _read_batch(self) -> Batch | None:
        """Learn what is new in the journal; what it was."""
        async with self._learning:
            await self._write_holds()  # first: what the journal says next may be the call's end
            batch = self._journal.read(self._learner.cursor)
            if batch is not None:
                await self._routes.refresh()
                await self._learner.learn(batch.rows, batch.cursor, batch.rejected)
        return batch

    async def _write_holds(self) -> None:
        while self._holds:
            event, at = self._holds[0]
            await self._learner.hold(event.linkedid, event.channel, at, held=event.held)
            self._holds.popleft()

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_FOR_DEAD_EVERY):
                    await self._connected.wait()
            self._connected.clear()
            with suppress(AsteriskUnavailable):  # the next connection looks again
                await self._look_for_dead()

    async def _look_for_dead(self) -> None:
        """Close the calls that Asterisk knows nothing of any more, e.g. after it died in mid-call.

        What the journal says of their end goes before: all of it is read, then Asterisk is asked, then what came
        in that moment. After a long catch-up in between, channels of the list would be too old to judge by.
        """
        try:
            while (batch := await self._read_batch()) and batch.more:
                pass
            alive = await self._channels()
            if (batch := await self._read_batch()) and batch.more:
                return
            async with self._learning:
                await self._learner.close_dead(alive)
        except (DatabaseUnavailable, OSError) as error:
            self._outages.fell("database", str(error))
            await self._begin()

    async def _channels(self) -> frozenset[str]:
        """The uniqueids of all channels. Raises `AsteriskUnavailable` for a list that is not whole."""
        messages = await self._ami.ask_list("CoreShowChannels")
        if not any(message.get("event") == "CoreShowChannelsComplete" for message in messages):
            raise AsteriskUnavailable("Asterisk did not list its channels")
        return frozenset(m["uniqueid"] for m in messages if m.get("event") == "CoreShowChannel" and "uniqueid" in m)


async def _listen(ami: Ami, take: Callable[[Event], Awaitable[None]]) -> None:
    """The one consumer of a connection's events, in their order."""
    while True:
        event = await ami.events.get()
        try:
            await take(event)
        except RingtraceError as error:
            log.warning("event_lost", what=type(event).__name__, reason=error.message)
