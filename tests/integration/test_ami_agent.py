"""The agent between a manager interface, a CEL log and a database: what it answers, learns and
survives.
"""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router.asterisk import ami as ami_module
from router.asterisk.answers import last_beat
from router.asterisk.route_responder import HEARTBEAT_PAUSE
from router.domain.calls.call import Ending, State
from router.domain.calls.call_filter import CallFilter
from router.errors import NotFound
from router.service.admin.setup import add, change
from router.service.calls.routing import Routes
from router.store.engine import SqlStore
from tests.integration.agent_world import Beside, alive
from tests.support.asterisk_manager import Action, Line, Manager, running, until
from tests.support.builders import DID, Story, answered_call, destination, furnish, later, site

pytest_plugins = ["tests.integration.agent_world"]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NOTICED_WITHIN = HEARTBEAT_PAUSE + ami_module.REPLY_SECONDS


async def test_the_dialplans_question_is_answered_under_its_calls_name(beside: Beside) -> None:
    async with running(beside.agent().run()):
        await until(lambda: len(beside.beats()) > 0)
        beside.ear.route_asked(DID[1:], 7)
        await until(lambda: len(beside.answers()) > 0)
        assert beside.answers() == [("rt1-1.7", f"{DID}|office|||||PJSIP/company~20")]


async def test_a_changed_destination_is_answered_and_pushed_to_the_dialplan(beside: Beside) -> None:
    async with running(beside.agent().run()):
        await until(lambda: len(beside.beats()) > 0 and "office" in beside.fallback.read_text())
        await add(beside.store, destination("sales"))
        await change(beside.store, site(destination_id="sales"))
        await until(lambda: f"[{DID[1:]}]\nroute = {DID}|sales|" in beside.fallback.read_text())
        beside.ear.route_asked(DID[1:])
        await until(lambda: len(beside.answers()) > 0)
        assert "|sales|" in beside.answers()[0][1]


async def test_the_heart_beats_with_the_time_and_stops_when_the_agent_leaves(
    beside: Beside,
) -> None:
    async with running(beside.agent().run()):
        await until(lambda: len(beside.beats()) > 2)
        assert time.time() - 60 < (last_beat(beside.directory) or 0) <= time.time() + 1
    assert last_beat(beside.directory) is None


async def test_a_hung_asterisk_is_left_and_found_again(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mute(_line: Line, _action: Action) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(ami_module, "REPLY_SECONDS", 0.3)
    async with running(beside.agent().run()):
        await until(lambda: len(beside.beats()) > 0)
        left = beside.ear
        beside.asterisk.answers = mute
        await until(left.closed.is_set)
        beside.asterisk.answers = Line.succeed
        seen = len(beside.beats())
        await until(lambda: len(beside.beats()) > seen + 2)
    assert NOTICED_WITHIN < 5


async def test_one_question_that_cannot_be_answered_does_not_end_the_agent(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def fail(*_arguments: object) -> str:
        asked.set()
        raise NotFound("There is no visitor here.")

    async with running(beside.agent().run()):
        await until(lambda: len(beside.beats()) > 0)
        with monkeypatch.context() as patched:
            patched.setattr(Routes, "answer", fail)
            beside.ear.route_asked("1", 1)
            await asyncio.wait_for(asked.wait(), 180)
        beside.ear.route_asked("2", 2)
        await until(lambda: len(beside.answers()) > 0)
        assert [call for call, _ in beside.answers()] == ["rt1-1.2"]


async def test_a_call_is_known_while_it_rings_and_when_it_is_over(beside: Beside) -> None:
    story = answered_call()
    async with running(beside.agent().run()):
        beside.asterisk.answers = alive(story)
        beside.write(story, 0, 5)
        assert (await beside.call(story)).state is State.RINGING
        beside.write(story, 5)
        assert (
            await beside.call(story, lambda call: call.state is State.ENDED)
        ).ending is Ending.ANSWERED


async def test_calls_that_asterisk_forgot_are_closed_and_living_ones_are_not(
    beside: Beside,
) -> None:
    dead, living = Story(0).arrives(), Story(10).arrives()
    beside.asterisk.answers = alive(living)
    beside.write(dead)
    beside.write(living)
    async with running(beside.agent().run()):
        closed = await beside.call(dead, lambda call: call.state is State.ENDED)
    assert closed.ending is Ending.CUT
    assert (await beside.call(living)).state is State.RINGING


async def test_a_call_that_ended_while_the_agent_was_dead_has_its_own_end(beside: Beside) -> None:
    """On its return the agent knows the call as open and Asterisk does not: the CEL log, still
    unread, knows why.
    """
    stories = [answered_call(10 * i, at=later(i)) for i in range(40)]
    for story in stories:
        beside.write(story, 0, 6)
    beside.asterisk.answers = alive(*stories)
    async with running(beside.agent().run()):
        await beside.call(stories[-1])
    beside.asterisk.answers = Line.succeed
    for story in stories:
        beside.write(story, 6)
    async with running(beside.agent().run()):
        await beside.call(stories[-1], lambda call: call.state is State.ENDED)
    async with beside.store.read() as session:
        endings = [call.ending for call in await session.calls.find(CallFilter(), limit=200)]
    assert endings == [Ending.ANSWERED] * 40


async def test_a_locked_database_keeps_no_caller_waiting_and_nothing_is_lost(
    database: str, asterisk: Manager, tmp_path: Path
) -> None:
    store = SqlStore(database, busy_seconds=0.1)
    await furnish(store)
    beside, story = Beside(asterisk, store, tmp_path), answered_call()
    asterisk.answers = alive(story)
    holder = sqlite3.connect(tmp_path / "ringtrace.db", isolation_level=None)
    with capture_logs() as logs:
        async with running(beside.agent().run()):
            await until(lambda: len(beside.beats()) > 0)
            holder.execute("BEGIN IMMEDIATE")
            beside.write(story, 0, 9)
            await until(lambda: "cel_log_down" in [entry["event"] for entry in logs])
            beside.ear.route_asked(DID[1:])
            await until(lambda: len(beside.answers()) > 0)
            beside.write(story, 9)
            holder.execute("COMMIT")
            assert (
                await beside.call(story, lambda call: call.state is State.ENDED)
            ).ending is Ending.ANSWERED
    async with store.read() as session:
        assert len(await session.calls.find(CallFilter())) == 1
    holder.close()
    await store.close()


async def test_hold_is_heard_and_counted(beside: Beside) -> None:
    story = answered_call(talk=100)
    beside.asterisk.answers = alive(story)
    channel = [
        ("Channel", "PJSIP/company-00000001"),
        ("Uniqueid", "x"),
        ("Linkedid", story.linkedid),
    ]
    async with running(beside.agent().run()):
        await until(lambda: len(beside.asterisk.named("Login")) == 2)
        for seconds, event, over in ((20, "Hold", None), (50, "Unhold", later(50))):
            beside.clock.now = later(seconds)
            for line in beside.asterisk.lines:
                line.event(event, *channel)
            await beside.held(story, later(20), over)
        beside.write(story)
        ended = await beside.call(story, lambda call: call.state is State.ENDED)
    assert ended.hold_seconds == pytest.approx(30)
