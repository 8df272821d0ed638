"""Rows that cannot be ingested are set aside, and the rest goes on."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from router.domain.calls.call import Call, Ending, Recording, RecordingState, State
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Row
from router.service.calls import group_calls
from router.store.engine import SqlStore
from tests.integration.agent_world import Beside, nothing
from tests.integration.ingests import aside, at, call_ingest, known, teach
from tests.support.asterisk_manager import Manager, running, until
from tests.support.builders import DID, Story, answered_call, furnish, later, webhook

pytest_plugins = ["tests.integration.agent_world"]


def refuse(monkeypatch: pytest.MonkeyPatch, *linkedids: str) -> None:
    """Ingesting these calls fails for an unforeseen reason."""

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
    ingest = await call_ingest(store)
    await ingest.ingest([*before.rows[:5], *poison.rows[:5], *before.rows[5:]], at(1))
    await ingest.ingest([*poison.rows[5:], *after.rows], at(2))
    calls = {call.id: call for call in (await known(store))[0]}
    assert calls.keys() == {before.linkedid, poison.linkedid, after.linkedid}
    unread = calls[poison.linkedid]
    assert (unread.state, unread.ending) == (State.ENDED, Ending.NOT_LOGGED)
    assert (unread.number, unread.caller) == (DID, "+79161234567")
    assert ingest.cursor == at(2)
    kept = await aside(store)
    assert {file for file, _ in kept} == {f"call {poison.linkedid}"}
    assert "KeyError" in kept[0][1]
    assert len(kept) >= 5


async def test_a_text_that_the_database_cannot_keep_stops_its_own_call_alone(
    store: SqlStore,
) -> None:
    await furnish(store, webhook())
    bad, good = answered_call(0, name="\0\ud800"), answered_call(10)
    ingest = await call_ingest(store)
    await ingest.ingest([*bad.rows, *good.rows], at(1))
    assert good.linkedid in {call.id for call in (await known(store))[0]}
    assert [file for file, _ in await aside(store)][:1] == [f"call {bad.linkedid}"]
    assert (await call_ingest(store)).cursor == at(1)


async def test_a_call_known_as_open_that_cannot_be_learned_any_more_is_ended(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store, webhook())
    story = answered_call()
    ingest = await call_ingest(store)
    await ingest.ingest(story.rows[:9], at(1))
    refuse(monkeypatch, story.linkedid)
    await ingest.ingest(story.rows[9:], at(2))
    assert await ingest.close_lost(frozenset({story.linkedid}), nothing) == 0
    assert await ingest.close_lost(frozenset(), nothing) == 1
    (call,) = (await known(store))[0]
    assert (call.state, call.ending) == (State.ENDED, Ending.CUT)
    assert await ingest.close_lost(frozenset(), nothing) == 0


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
    ingest = await call_ingest(store)
    assert [file for file, _ in await aside(store)] == ["call x"]
    await ingest.ingest(story.rows, at(1))
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
    assert "ZeroDivisionError" in str(kept[stories[0].linkedid].reason)


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
