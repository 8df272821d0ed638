"""Answers Asterisk's question where a call goes, and says that it is alive.

It runs in a process of its own, so that a caller never waits behind a batch of CEL rows. Asterisk
does not depend on it: killed, hung or cut off from its database it costs a caller at most the
deadline, and that for three seconds only.
"""

import asyncio
from pathlib import Path

import structlog

from router.asterisk.ami import Ami, Event, RouteAsked
from router.asterisk.ami_consumer import consume
from router.asterisk.answers import Answers
from router.asterisk.files import write_fallback
from router.asterisk.recording_guard import RecordingGuard
from router.errors import AsteriskUnavailable, DatabaseUnavailable
from router.service.calls.routing import Routes
from router.service.clock import Clock
from router.service.outages import Outages

log = structlog.get_logger()

HEARTBEAT_PAUSE = 1.0
# a database server that is gone without a word would be waited for by the quarter of an hour
REFRESH_SECONDS = 20.0


class RouteResponder:
    """Answers the dialplan's questions, beats, and gives the dialplan what it needs without us."""

    def __init__(
        self,
        *,
        ami: Ami,
        answers: Answers,
        routes: Routes,
        fallback: Path,
        guard: RecordingGuard,
        clock: Clock,
    ) -> None:
        self._ami, self._answers, self._routes = ami, answers, routes
        self._fallback, self._guard, self._clock = fallback, guard, clock
        self._pushed = True  # what the dialplan has is what it should have
        self._outages = Outages()

    async def run(self) -> None:
        """Work until cancelled, then tell Asterisk not to ask any more."""
        async with asyncio.TaskGroup() as connection:
            keeper = connection.create_task(self._ami.run(), name="ami")
            try:
                async with asyncio.TaskGroup() as tasks:
                    for work in (
                        consume(self._ami, self._take),
                        self._follow(),
                        self._beat(),
                        self._guard.run(),
                    ):
                        tasks.create_task(work)
            finally:
                self._answers.stop()
                keeper.cancel()

    async def _take(self, event: Event) -> None:
        if isinstance(event, RouteAsked):
            self._guard.heard(event.channel)
            line = await self._routes.answer(event.did, self._clock())
            self._answer(event.uniqueid, line)

    def _answer(self, uniqueid: str, line: str) -> None:
        try:
            self._answers.put(uniqueid, line)
            log.debug("route_answered", linkedid=uniqueid)
        except OSError as error:
            self._outages.fell("answers", str(error))

    async def _follow(self) -> None:
        """Follow what is set up; a database that hangs keeps the table as it was, and no beat waits
        for it.
        """
        while True:
            await self._refresh()
            await asyncio.sleep(HEARTBEAT_PAUSE)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            if self._ami.connected and self._routes.loaded:
                await self._say_we_live()
            # a slow answer slows no beat
            await asyncio.sleep(max(0.0, began + HEARTBEAT_PAUSE - loop.time()))

    async def _say_we_live(self) -> None:
        """Beat, if Asterisk answers: through a hung connection no question comes."""
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
            log.exception("routes_not_refreshed")  # a fault of ours: the table stays as it was

    def _push(self) -> None:
        """Give the dialplan every number's destination, for the time when nobody answers it."""
        try:
            write_fallback(self._fallback, self._routes.table.fallback())
            self._pushed = True
            self._outages.back("fallback")
        except OSError as error:  # a full disk: with the next beat again
            self._outages.fell("fallback", str(error))
