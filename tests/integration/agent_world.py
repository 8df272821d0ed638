"""The agent between a manager interface, a CEL log and a database, as tests start it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from router.asterisk import cel_ingest, route_responder
from router.asterisk.ami import Ami
from router.asterisk.answers import Answers, last_beat
from router.asterisk.cel_ingest import CelIngest
from router.asterisk.cel_log import CelLog
from router.asterisk.recording_guard import RecordingGuard
from router.asterisk.route_responder import RouteResponder
from router.asterisk.spool_growth import SpoolGrowth
from router.domain.calls.call import Call
from router.domain.calls.ledger import Row
from router.service.calls.ingest import CallIngest
from router.service.calls.routing import Routes
from router.store.engine import SqlStore
from tests.support.asterisk_manager import Action, Line, Manager, hurry, manager
from tests.support.builders import Clock, Story, furnish, later, lines


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    pauses = {
        "CEL_LOG_PAUSE": 0.01,
        "IDLE_PAUSE": 0.01,
        "HEARTBEAT_PAUSE": 0.02,
        "LOOK_FOR_SILENT_EVERY": 0.05,
        "REQUESTS_PAUSE": 0.05,
    }
    for name, seconds in pauses.items():
        module = route_responder if hasattr(route_responder, name) else cel_ingest
        monkeypatch.setattr(module, name, seconds)


@pytest_asyncio.fixture
async def asterisk() -> AsyncIterator[Manager]:
    async with manager() as made:
        yield made


@dataclass
class Both:
    """The agent's halves, in one process for once."""

    ear: RouteResponder
    scribe: CelIngest

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.ear.run())
            tasks.create_task(self.scribe.run())


class Beside:
    """An agent with everything it works with."""

    def __init__(self, asterisk: Manager, store: SqlStore, home: Path) -> None:
        self.asterisk, self.store = asterisk, store
        self.cel_log, self.fallback, self.clock = (
            home / "cel.csv",
            home / "fallback.conf",
            Clock(later(3600)),
        )
        self.directory = home / "answers"

    def agent(self) -> "Both":
        routes = Routes(self.store)
        return Both(
            RouteResponder(
                ami=self.ami(),
                answers=Answers(self.directory),
                routes=Routes(self.store),
                fallback=self.fallback,
                guard=RecordingGuard(Answers(self.directory), self.cel_log.parent, 0),
                growth=SpoolGrowth(self.cel_log.parent, self.clock),
                clock=self.clock,
            ),
            CelIngest(
                ami=self.ami(),
                cel_log=CelLog(self.cel_log, chunk=1000),
                call_ingest=CallIngest(self.store, lambda: routes.table, self.clock),
                routes=routes,
                clock=self.clock,
                channels=self.channels,
            ),
        )

    async def channels(self) -> frozenset[str]:
        """What Asterisk's console says."""
        known: frozenset[str] = getattr(self.asterisk.answers, "uniqueids", frozenset())
        return known

    def ami(self) -> Ami:
        return Ami(host="127.0.0.1", port=self.asterisk.port, username="ringtrace", secret="secret")

    def write(self, story: Story, start: int = 0, end: int | None = None) -> None:
        with self.cel_log.open("ab") as file:
            file.write(lines(story.rows[start:end]))

    async def call(self, story: Story, true: Callable[[Call], bool] = lambda _: True) -> Call:
        """The call, as soon as it is known to be so."""
        async with asyncio.timeout(180):
            while True:
                async with self.store.read() as session:
                    found = await session.peek(Call, story.linkedid)
                if found and true(found):
                    return found
                await asyncio.sleep(0.01)

    async def held(self, story: Story, since: datetime, until: datetime | None) -> None:
        """Wait until the call is known to be, or to have been, on hold."""
        async with asyncio.timeout(180):
            while True:
                async with self.store.read() as session:
                    found = [hold for _, hold in await session.holds.of([story.linkedid])]
                if [(hold.started_at, hold.ended_at) for hold in found] == [(since, until)]:
                    return
                await asyncio.sleep(0.01)

    @property
    def ear(self) -> Line:
        """The newest connection that beats: the other half has one of its own."""
        beating = [
            line
            for line in self.asterisk.lines
            if any(action["action"] == "Ping" for action in line.actions)
        ]
        return beating[-1]

    def beats(self) -> list[Action]:
        return self.asterisk.named("Ping")

    def answers(self) -> list[tuple[str, str]]:
        """The calls that were answered, and with what."""
        found = sorted(self.directory.glob("rt1-*")) if last_beat(self.directory) else []
        return [(path.name, path.read_text()) for path in found]


@pytest_asyncio.fixture
async def beside(asterisk: Manager, store: SqlStore, tmp_path: Path) -> Beside:
    await furnish(store)
    return Beside(asterisk, store, tmp_path)


async def nothing(_ids: object) -> dict[str, list[Row]]:
    """The rows that a CEL log still has of lost calls: none."""
    return {}


def alive(*stories: Story) -> Callable[[Line, Action], "asyncio.Future[None]"]:
    """Asterisk's answers while the channels of these calls are up."""

    async def answer(line: Line, action: Action) -> None:
        line.reply(action, "Success", Message="Done")

    uniqueids = (row.uniqueid for story in stories for row in story.rows[:1])
    answer.uniqueids = frozenset(uniqueids)  # type: ignore[attr-defined]
    return answer  # type: ignore[return-value]
