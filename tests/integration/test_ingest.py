"""Ingesting the CEL log: everything once, however the rows come, whatever they say and whatever
fails.
"""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete

from router.domain.calls.call import Recording, RecordingState
from router.domain.calls.ledger import Row
from router.service.calls.ports import RejectedRow
from router.store import tables
from router.store.calls import SqlCalls
from router.store.cel_log import SqlCelLog
from router.store.deliveries import SqlDeliveries
from router.store.engine import SqlStore
from router.store.recordings import SqlRecordings
from tests.integration.ingests import at, call_ingest, known, teach, the_call
from tests.support.builders import (
    NOON,
    Story,
    answered_call,
    furnish,
    lease,
    missed_call,
    visit,
    visitor,
    webhook,
)

# One batch or many


def busy_hour() -> list[Row]:
    """Calls of each kind, mixed as they happen, and one that goes on."""
    told = [
        answered_call(0),
        missed_call(10),
        Story(20).arrives().over(),
        Story(30).arrives().routed().dials(),
    ]
    return sorted((row for story in told for row in story.rows), key=lambda row: row.at)


async def test_batches_cut_anywhere_teach_what_one_batch_teaches(store: SqlStore) -> None:
    rows = busy_hour()
    await furnish(store, webhook(), visitor(), visit())
    async with store.write() as session:
        await session.leases.save([lease()])
    await teach(store, rows)
    whole = await known(store)
    assert len(whole[0]) == 4
    async with store.write() as session:
        await _forget(session)
    ingest = await call_ingest(store)
    for count, row in enumerate(rows, 1):
        await ingest.ingest([row], at(count))
    assert await known(store) == whole


async def test_a_restart_at_any_row_changes_nothing(store: SqlStore) -> None:
    rows = busy_hour()
    await furnish(store, webhook())
    await teach(store, rows)
    whole = await known(store)
    for cut in range(1, len(rows)):
        async with store.write() as session:
            await _forget(session)
        await (await call_ingest(store)).ingest(rows[:cut], at(cut))
        await (await call_ingest(store)).ingest(rows[cut:], at(len(rows)))
        assert await known(store) == whole, cut


async def _forget(session: Any) -> None:
    for table in ("tag", "recording", "delivery", "call", "open_call", "cursor"):
        await session.connection.execute(delete(tables.metadata.tables[table]))


# Once, whatever fails


class Broken(BaseException):
    """The machine stops here."""


@pytest.mark.parametrize(
    ("port", "step"),
    [
        (SqlCalls, "save"),
        (SqlRecordings, "save"),
        (SqlDeliveries, "add"),
        (SqlCelLog, "save_open_rows"),
        (SqlCelLog, "set_cursor"),
    ],
)
async def test_a_crash_in_the_transaction_leaves_everything_to_be_read_again(
    port: type, step: str, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store, webhook())
    rows = busy_hour()
    half = len(rows) // 2
    ingest = await call_ingest(store)
    await ingest.ingest(rows[:half], at(half))
    before = await known(store)
    with monkeypatch.context() as patched:

        async def fail(*_arguments: object) -> None:
            raise Broken

        patched.setattr(port, step, fail)
        with pytest.raises(Broken):
            await ingest.ingest(rows[half:], at(len(rows)))
    assert await known(store) == before
    await ingest.recall()
    assert ingest.cursor == at(half)
    await ingest.ingest(rows[half:], at(len(rows)))
    assert ingest.cursor == at(len(rows))
    calls, recordings, made, _ = await known(store)
    assert (len(calls), len(recordings), len(made)) == (4, 2, 3)


async def test_the_whole_cel_log_read_again_does_nothing_twice(store: SqlStore) -> None:
    await furnish(store, webhook())
    rows = [*answered_call(0).rows, *missed_call(10).rows]
    await teach(store, rows)
    async with store.write() as session:
        (recording, other) = await session.find(Recording)
        stored = replace(recording, state=RecordingState.STORED, key="2026/x.mp3")
        await session.recordings.save([stored])
    before = await known(store)
    async with store.read() as session:
        revision = await session.calls.revision()
    ingest = await call_ingest(store)
    for count, row in enumerate(rows, 1):
        await ingest.ingest([row], at(count))
    assert await known(store) == before
    assert stored in before[1]
    assert other in before[1]
    async with store.read() as session:
        assert await session.calls.revision() == revision
        assert await session.cel_log.open_rows() == {}


async def test_the_cursor_is_where_the_facts_are(store: SqlStore) -> None:
    bad = RejectedRow(file="1:2@3", offset=7, text="?", reason="not CSV", at=NOON)
    ingest = await call_ingest(store)
    assert ingest.cursor is None
    await ingest.ingest(answered_call().rows, at(99), [bad])
    assert (await call_ingest(store)).cursor == at(99)


# Hostile text


HOSTILE = {
    "expression": "${SHELL(ls)}",
    "SQL": "'; DROP TABLE call; --",
    "emoji": "😀" * 200,
    "invisible": "\u202e\ufeff\u0085\ufffd",
    "long": "x" * 9000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_no_text_of_a_caller_breaks_the_writer(text: str, store: SqlStore) -> None:
    await furnish(store, webhook())
    story = answered_call(number=text, name=text, channel=f"PJSIP/{text}")
    story.rows.insert(5, replace(story.rows[5], event="BLINDTRANSFER", extra={"extension": text}))
    ingest = await call_ingest(store)
    for count, row in enumerate(story.rows):
        await ingest.ingest([row], at(count))
    assert (await the_call(store)).caller_name == text[:200]


async def test_the_same_facts_reach_both_kinds_of_reader(
    store: SqlStore, other_store: SqlStore
) -> None:
    await furnish(store)
    await teach(store, answered_call())
    assert await known(store) == await known(other_store)
