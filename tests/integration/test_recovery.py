"""Writes that fail while calls end: no call talks for ever, and none ends twice."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from router.asterisk.log_files import rotate
from router.domain.calls.call import Ending, State
from router.errors import DatabaseUnavailable
from router.service.calls import ingest
from router.store.engine import SqlStore
from tests.integration.agent_world import Beside, alive, nothing
from tests.integration.ingests import at, call_ingest, cursor, known, teach
from tests.support.asterisk_manager import Manager, running
from tests.support.builders import Story, answered_call, furnish, later, webhook

pytest_plugins = ["tests.integration.agent_world"]


# A write that fails


@asynccontextmanager
async def nobody_may_write(database: str) -> AsyncIterator[Callable[[], object]]:
    """Another connection keeps every write waiting; the answer ends, on PostgreSQL, those that
    wait.
    """
    if database.startswith("sqlite"):
        holder = sqlite3.connect(database.partition("///")[2], isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        yield lambda: asyncio.sleep(0)
        holder.execute("COMMIT")
        holder.close()
        return
    other = SqlStore(database)
    async with other.engine.connect() as connection:
        await connection.execute(text("LOCK TABLE call IN ACCESS EXCLUSIVE MODE"))

        async def end_those_who_wait() -> None:
            async with other.engine.connect() as second:
                waiting = (
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type "
                    "= 'Lock'"
                )
                await second.execute(text(waiting))

        yield end_those_who_wait
        await connection.rollback()
    await other.close()


async def test_calls_that_end_while_no_write_succeeds_have_ended_once(
    database: str, asterisk: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # in which dead calls are looked for ten times
    monkeypatch.setattr("router.asterisk.cel_ingest.CEL_LOG_PAUSE", 0.5)
    store = SqlStore(database, busy_seconds=0.2)
    await furnish(store, webhook())
    beside = Beside(asterisk, store, tmp_path)
    stories = [answered_call(10 * i, at=later(i)) for i in range(3)]
    asterisk.answers = alive(*stories)
    for story in stories:
        beside.write(story, 0, 9)
    with capture_logs() as logs:
        async with running(beside.agent().run()):
            for story in stories:
                await beside.call(story, lambda call: call.state is State.TALKING)
            async with nobody_may_write(database) as end_those_who_wait:
                for story in stories:
                    beside.write(story, 9)
                asterisk.answers = Manager().answers  # no channel is up any more
                async with asyncio.timeout(180):
                    while "cel_log_down" not in [entry["event"] for entry in logs]:
                        await end_those_who_wait()  # type: ignore[misc]
                        await asyncio.sleep(0.05)
                await asyncio.sleep(0.3)  # others look for dead calls meanwhile, many times
            for story in stories:
                await beside.call(story, lambda call: call.state is State.ENDED)
    calls, recordings, deliveries, _ = await known(store)
    assert [call.ending for call in calls] == [Ending.ANSWERED] * 3
    assert len(recordings) == 3
    assert sorted(delivery.call_id or "" for delivery in deliveries) == sorted(
        story.linkedid for story in stories
    )
    await store.close()


async def test_nothing_is_learned_with_a_memory_that_a_failed_write_spoilt(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store, webhook())
    story = answered_call()
    ingesting = await call_ingest(store)
    await ingesting.ingest(story.rows[:9], at(9))
    with monkeypatch.context() as patched:

        async def fail(*_: object) -> None:
            raise DatabaseUnavailable

        patched.setattr("router.store.cel_log.SqlCelLog.set_cursor", fail)
        with pytest.raises(DatabaseUnavailable):
            await ingesting.ingest(story.rows[9:], at(20))
    with pytest.raises(ingest.MemoryLost):
        await ingesting.ingest([], at(30))
    assert await ingesting.close_silent(frozenset({story.linkedid})) == 0
    assert ingesting.cursor == at(9)
    await ingesting.ingest(story.rows[9:], at(20))
    (call,) = (await known(store))[0]
    assert (call.state, call.ending) == (State.ENDED, Ending.ANSWERED)


# Calls that were lost earlier


async def lose(store: SqlStore, *stories: Story) -> None:
    """The calls are open in the database and nothing else is known of them, as after a write that
    failed.
    """
    await teach(store, *(story.rows[:9] for story in stories))
    async with store.write() as session:
        await session.cel_log.save_open_rows({}, [story.linkedid for story in stories])


async def test_a_call_lost_earlier_ends_as_the_cel_log_says(
    database: str, asterisk: Manager, tmp_path: Path
) -> None:
    store = SqlStore(database)
    await furnish(store, webhook())
    lost, gone, living = (
        answered_call(0),
        answered_call(10, at=later(10)),
        answered_call(20, at=later(20)),
    )
    await lose(store, lost, gone, living)
    beside = Beside(asterisk, store, tmp_path)
    beside.write(lost)
    rotate(beside.cel_log)
    beside.write(Story(90, at=later(500)))
    while batch := (beside.agent().scribe._cel_log.read(await cursor(store))):
        async with store.write() as session:
            await session.cel_log.set_cursor(batch.cursor)
    asterisk.answers = alive(living)
    async with running(beside.agent().run()):
        ended = await beside.call(lost, lambda call: call.state is State.ENDED)
        cut = await beside.call(gone, lambda call: call.state is State.ENDED)
        assert (await beside.call(living)).state is State.TALKING
    assert (ended.ending, ended.talk_seconds) == (Ending.ANSWERED, pytest.approx(60, abs=0.1))
    assert cut.ending is Ending.CUT
    _, recordings, deliveries, _ = await known(store)
    assert {recording.call_id for recording in recordings} == {lost.linkedid, gone.linkedid}
    assert {delivery.call_id for delivery in deliveries} == {lost.linkedid, gone.linkedid}
    await store.close()


async def test_calls_of_another_asterisk_are_its_own(store: SqlStore) -> None:
    await furnish(store)
    story = answered_call()
    await lose(store, story)
    async with store.write() as session:
        await session.cel_log.set_cursor(at(1), story.linkedid.partition("-")[0])
    assert await (await call_ingest(store)).close_lost(frozenset(), nothing) == 0
