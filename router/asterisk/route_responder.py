"""Answers route requests and sends the heartbeat. It runs in a separate process, so that callers do
not wait for batches of CEL rows. Asterisk does not depend on it: if it is killed, hangs or has
no database, callers wait at most the deadline, for at most three seconds.
"""

import asyncio
from pathlib import Path

import structlog

from router.asterisk.ami import Ami, Event, RouteAsked
from router.asterisk.ami_consumer import consume
from router.asterisk.answers import Answers
from router.asterisk.files import write_fallback
from router.asterisk.recording_guard import RecordingGuard
from router.asterisk.spool_growth import SpoolGrowth
from router.errors import AsteriskUnavailable, DatabaseUnavailable
from router.service.calls.routing import Routes
from router.service.clock import Clock
from router.service.outages import Outages

log = structlog.get_logger()

HEARTBEAT_PAUSE = 1.0
# a database server that vanished would block for a quarter of an hour
REFRESH_SECONDS = 20.0


class RouteResponder:
    """Answers route requests, sends the heartbeat and writes the fallback table."""

    def __init__(
        self,
        *,
        ami: Ami,
        answers: Answers,
        routes: Routes,
        fallback: Path,
        guard: RecordingGuard,
        growth: SpoolGrowth,
        clock: Clock,
    ) -> None:
        self._ami, self._answers, self._routes = ami, answers, routes
        self._fallback, self._guard, self._clock = fallback, guard, clock
        self._growth = growth
        self._pushed = True  # the fallback table is up to date
        self._outages = Outages()

    async def run(self) -> None:
        """Work until cancelled, then remove the heartbeat."""
        async with asyncio.TaskGroup() as connection:
            keeper = connection.create_task(self._ami.run(), name="ami")
            try:
                async with asyncio.TaskGroup() as tasks:
                    for work in (
                        consume(self._ami, self._take),
                        self._follow(),
                        self._beat(),
                        self._guard.run(),
                        self._growth.run(),
                    ):
                        tasks.create_task(work)
            finally:
                self._answers.stop()
                keeper.cancel()

    async def _take(self, event: Event) -> None:
        if isinstance(event, RouteAsked):
            self._guard.heard(event.channel)
            self._growth.heard(event.uniqueid)
            line = await self._routes.answer(event.did, self._clock())
            self._answer(event.uniqueid, line)

    def _answer(self, uniqueid: str, line: str) -> None:
        try:
            self._answers.put(uniqueid, line)
            log.debug("route_answered", linkedid=uniqueid)
        except OSError as error:
            self._outages.fell("answers", str(error))

    async def _follow(self) -> None:
        """Reload the routing table on changes; a hanging database delays no heartbeat."""
        while True:
            await self._refresh()
            await asyncio.sleep(HEARTBEAT_PAUSE)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            if self._ami.connected and self._routes.loaded:
                await self._say_we_live()
            # a slow database does not delay the heartbeat
            await asyncio.sleep(max(0.0, began + HEARTBEAT_PAUSE - loop.time()))

    async def _say_we_live(self) -> None:
        """Send the heartbeat if Asterisk answers: a hung connection delivers no requests."""
        try:
            await self._ami.ask("Ping")
            self._answers.beat()
            self._outages.back("answers")
        except AsteriskUnavailable:
            log.warning("heartbeat_lost")
        except OSError as error:
            self._outages.fell("answers", str(error))

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(REFRESH_SECONDS):
                changed = await self._routes.refresh()
            self._pushed = self._pushed and not changed
            if not self._pushed:
                self._push()
            self._outages.back("database")
        except (DatabaseUnavailable, TimeoutError) as error:
            self._outages.fell(
                "database", str(error) or f"no answer within {REFRESH_SECONDS:.0f} s"
            )
        except Exception:
            log.exception("routes_not_refreshed")  # a bug: the table stays as it was

    def _push(self) -> None:
        """Write the fallback table."""
        try:
            write_fallback(self._fallback, self._routes.table.fallback())
            self._pushed = True
            self._outages.back("fallback")
        except OSError as error:  # a full disk: retried with the next heartbeat
            self._outages.fell("fallback", str(error))
