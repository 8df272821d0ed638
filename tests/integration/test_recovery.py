"""Writes that fail while calls end, and rows that cannot be learned: nothing talks for ever, and
the rest goes on.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from router.asterisk.log_files import rotate
from router.domain.calls.call import Call, Ending, Recording, RecordingState, State
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Row
from router.errors import DatabaseUnavailable
from router.service.calls import group_calls, ingest
from router.store import tables
from router.store.engine import SqlStore
from tests.integration.agent_world import Beside, alive, nothing
from tests.integration.ingests import at, call_ingest, known, teach
from tests.support.asterisk_manager import Manager, running, until
from tests.support.builders import DID, Story, answered_call, furnish, later, webhook

pytest_plugins = ["tests.integration.agent_world"]


async def aside(store: SqlStore) -> list[tuple[str, str]]:
    """What was set aside: which call's or file's, and why."""
    table = tables.rejected_row
    async with store.read() as session:
        rows = await session.connection.execute(
            select(table.c.file, table.c.reason).order_by(table.c.offset)
        )
        return [(row.file, row.reason) for row in rows]


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
                async with asyncio.timeout(30):
                    while "cel_log_down" not in [entry["event"] for entry in logs]:
                        await end_those_who_wait()  # type: ignore[misc]
                        await asyncio.sleep(0.05)
                await asyncio.sleep(0.3)  # others look for dead calls meanwhile, many times
            for story in stories:
                await beside.call(story, lambda call: call.state is State.ENDED)
    calls, recordings, deliveries, _ = await known(store)
    assert [call.ending for call in calls] == [Ending.ANSWERED] * 3
    assert len(recordings) == 3
    assert sorted(one.call_id or "" for one in deliveries) == sorted(
        story.linkedid for story in stories
    )
    await store.close()


async def test_nothing_is_learned_with_a_memory_that_a_failed_write_spoilt(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store, webhook())
    story = answered_call()
    one = await call_ingest(store)
    await one.ingest(story.rows[:9], at(9))
    with monkeypatch.context() as patched:

        async def fail(*_: object) -> None:
            raise DatabaseUnavailable

        patched.setattr("router.store.cel_log.SqlCelLog.set_cursor", fail)
        with pytest.raises(DatabaseUnavailable):
            await one.ingest(story.rows[9:], at(20))
    with pytest.raises(ingest.MemoryLost):
        await one.ingest([], at(30))
    assert await one.close_dead(frozenset({story.linkedid})) == 0
    assert one.cursor == at(9)
    await one.ingest(story.rows[9:], at(20))
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
    assert {one.call_id for one in recordings} == {lost.linkedid, gone.linkedid}
    assert {one.call_id for one in deliveries} == {lost.linkedid, gone.linkedid}
    await store.close()


async def cursor(store: SqlStore) -> object:
    async with store.read() as session:
        return await session.cel_log.cursor()


async def test_calls_of_another_asterisk_are_its_own(store: SqlStore) -> None:
    await furnish(store)
    story = answered_call()
    await lose(store, story)
    async with store.write() as session:
        await session.cel_log.set_cursor(at(1), story.linkedid.partition("-")[0])
    assert await (await call_ingest(store)).close_lost(frozenset(), nothing) == 0


# A call that cannot be learned


def refuse(monkeypatch: pytest.MonkeyPatch, *linkedids: str) -> None:
    """Learning these calls fails for a reason that nobody has thought of."""

    def fold_or_fail(rows: Sequence[Row], **more: object) -> tuple[Call, ...]:
        if rows[0].linkedid in linkedids:
            raise KeyError(rows[0].linkedid)
        return fold(rows, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(group_calls, "fold", fold_or_fail)


async def test_a_call_that_cannot_be_learned_is_set_aside_and_the_next_is_learned(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store, webhook())
    before, poison, after = (answered_call(10 * i, at=later(100 * i)) for i in range(3))
    refuse(monkeypatch, poison.linkedid)
    one = await call_ingest(store)
    await one.ingest([*before.rows[:5], *poison.rows[:5], *before.rows[5:]], at(1))
    await one.ingest([*poison.rows[5:], *after.rows], at(2))
    assert {call.id for call in (await known(store))[0]} == {before.linkedid, after.linkedid}
    assert one.cursor == at(2)
    kept = await aside(store)
    assert {file for file, _ in kept} == {f"call {poison.linkedid}"}
    assert "KeyError" in kept[0][1]
    assert len(kept) >= 5


async def test_a_text_that_the_database_cannot_keep_stops_its_own_call_alone(
    store: SqlStore,
) -> None:
    await furnish(store, webhook())
    bad, good = answered_call(0, name="\0\ud800"), answered_call(10)
    one = await call_ingest(store)
    await one.ingest([*bad.rows, *good.rows], at(1))
    assert good.linkedid in {call.id for call in (await known(store))[0]}
    assert [file for file, _ in await aside(store)][:1] == [f"call {bad.linkedid}"]
    assert (await call_ingest(store)).cursor == at(1)


async def test_a_call_known_as_open_that_cannot_be_learned_any_more_is_ended(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store, webhook())
    story = answered_call()
    one = await call_ingest(store)
    await one.ingest(story.rows[:9], at(1))
    refuse(monkeypatch, story.linkedid)
    await one.ingest(story.rows[9:], at(2))
    assert await one.close_lost(frozenset({story.linkedid}), nothing) == 0
    assert await one.close_lost(frozenset(), nothing) == 1
    (call,) = (await known(store))[0]
    assert (call.state, call.ending) == (State.ENDED, Ending.CUT)
    assert await one.close_lost(frozenset(), nothing) == 0


async def test_a_call_of_rows_without_end_is_set_aside(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store)
    monkeypatch.setattr(group_calls, "MOST_ROWS", 30)
    endless, good = Story(0).arrives(), answered_call(10)
    for _ in range(40):
        endless.add("ANSWER")
    one = await call_ingest(store)
    await one.ingest([*endless.rows, *good.rows], at(1))
    assert [call.id for call in (await known(store))[0]] == [good.linkedid]


@pytest.mark.parametrize(
    "rows",
    [
        '"text"',
        "[]",
        '[{"event": 7}]',
        '[{"event": "ANSWER", "at": "2026-11-22T12:00:00", "uniqueid": "a", "linkedid": "a", '
        '"channel": "x"}]',
    ],
    ids=["no list", "no rows", "no row", "a time of no zone"],
)
async def test_open_rows_in_the_database_that_cannot_be_read_are_set_aside(
    rows: str, store: SqlStore
) -> None:
    await furnish(store)
    story, insert = (
        answered_call(),
        "INSERT INTO open_call (linkedid, cel_log, rows) VALUES ('x', 'cel_log', :rows)",
    )
    cast = insert if store.sqlite else insert.replace(":rows", "CAST(:rows AS JSONB)")
    async with store.write() as session:
        await session.connection.execute(text(cast), {"rows": rows})
    one = await call_ingest(store)
    assert [file for file, _ in await aside(store)] == ["call x"]
    await one.ingest(story.rows, at(1))
    assert [call.id for call in (await known(store))[0]] == [story.linkedid]
    assert await aside(store) == await aside(store)
    await call_ingest(store)
    assert len(await aside(store)) == 1


async def test_two_numbers_that_another_dialplan_tries_are_one_call_delivered_once(
    store: SqlStore,
) -> None:
    await furnish(store, webhook())
    call = Story(0).arrives().routed().dials()
    call.add(
        "RINGTRACE_CALL",
        uniqueid="rt1-x.7",
        channel="Local/B@ringtrace-1;2",
        extra=f"did={DID}&trunk=t",
    )
    await teach(store, call.leg_ends(19).over("NOANSWER"), answered_call(50))
    calls, _, deliveries, _ = await known(store)
    assert len(calls) == len(deliveries) == 2


# Other lanes


async def test_a_recording_that_breaks_the_recorder_delays_no_other(store: SqlStore) -> None:
    from router.service.calls.recording import store_due
    from tests.integration.test_worker import Recorder, clock

    class Fragile(Recorder):
        async def store(self, recording: Recording, call: Call) -> Recording:
            if recording.spool_name == stories[0].linkedid:
                raise ZeroDivisionError
            return await super().store(recording, call)

    await furnish(store)
    stories = [answered_call(10 * i) for i in range(3)]
    await teach(store, *stories)
    while await store_due(store, Fragile(), clock):
        pass
    async with store.read() as session:
        kept = await session.get_many(Recording, [story.linkedid for story in stories])
    states = [kept[story.linkedid].state for story in stories]
    assert states == [RecordingState.WAITING, RecordingState.STORED, RecordingState.STORED]
    assert "ZeroDivisionError" in (kept[stories[0].linkedid].reason or "")


async def test_the_reader_goes_on_after_a_fault_of_ours(
    asterisk: Manager, store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store)
    monkeypatch.setattr("router.asterisk.cel_ingest.FAULT_PAUSE", 0.01)
    beside, story, tried = Beside(asterisk, store, tmp_path), answered_call(), []
    agent = beside.agent()
    read = agent.scribe._cel_log.read

    def fail_twice(cursor: object) -> object:
        tried.append(cursor)
        if len(tried) < 3:
            raise RuntimeError("a fault of ours")
        return read(cursor)

    monkeypatch.setattr(agent.scribe._cel_log, "read", fail_twice)
    beside.write(story)
    async with running(agent.run()):
        await beside.call(story, lambda call: call.state is State.ENDED)
    await until(lambda: len(tried) > 2)
