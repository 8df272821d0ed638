"""What was done is kept once the database answers again: nothing is sent or stored twice."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.domain.calls.call import Call, Recording, RecordingState, State
from router.domain.delivery.delivery import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    new_delivery,
)
from router.domain.delivery.outcome import Outcome
from router.errors import DatabaseUnavailable
from router.service import settling
from router.service.calls.recording import store_due
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.outcomes import Receiver, SendResult
from router.service.settling import keep_at_it
from router.store.engine import SqlStore
from router.web import app
from tests.support.builders import NOON, later, webhook
from tests.support.web_world import World, a_world

CALL = Call(id="rt1-1.0", did="1", trunk="t", arrived_at=NOON, state=State.ENDED, answered_at=NOON)

WAITING = Recording(
    call_id=CALL.id,
    spool_name="a",
    state=RecordingState.WAITING,
    expected_seconds=1.0,
    due_at=NOON,
)


class Outage:
    """Makes so many writes fail, from a moment on that a test chooses."""

    def __init__(self, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failures = 0
        self._write = store.write
        monkeypatch.setattr(store, "write", self._as_told)
        monkeypatch.setattr(settling, "AGAIN", 0.01)

    @asynccontextmanager
    async def _as_told(self) -> AsyncIterator[Any]:
        async with self._write() as session:
            yield session
            if self.failures:
                self.failures -= 1
                raise DatabaseUnavailable


@pytest.fixture
def outage(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Outage:
    return Outage(store, monkeypatch)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as made:
        yield made


class Teller:
    """A sender whose receiver takes everything while the database falls silent."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self.told: list[str] = []

    def most(self, _: Receiver) -> int:
        return 8

    async def send(self, deliveries: Sequence[Delivery], __: Receiver) -> SendResult:
        self.told += [delivery.key for delivery in deliveries]
        self._outage.failures = 3
        return SendResult(said=Outcome.text("200"))


class StoringRecorder:
    """A recorder that has stored the sound when the database falls silent."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self.stored = 0

    async def store(self, recording: Recording, _: Call) -> Recording:
        self.stored += 1
        self._outage.failures = 3
        return replace(recording, state=RecordingState.STORED, key="a.mp3")

    async def discard(self, _: Recording) -> bool:
        return False


async def test_a_delivery_that_was_taken_is_done_when_the_database_is_back(
    store: SqlStore, outage: Outage
) -> None:
    body = {"call": {"id": CALL.id}}
    told = new_delivery(webhook(), DeliveryKind.CALL_ENDED, CALL.id, body, id="d1", now=NOON)
    async with store.write() as session:
        await session.add(webhook())
        await session.calls.save([CALL])
        await session.deliveries.add([told])
    teller = Teller(outage)
    await deliver_due(store, teller, lambda: later(1))
    await deliver_due(store, teller, lambda: later(3600))
    assert teller.told == [told.key]
    async with store.read() as session:
        assert (await session.get(Delivery, "d1")).state is DeliveryState.DONE


async def test_a_recording_that_was_stored_is_known_when_the_database_is_back(
    store: SqlStore, outage: Outage
) -> None:
    async with store.write() as session:
        await session.calls.save([CALL])
        await session.recordings.save([WAITING])
    recorder = StoringRecorder(outage)
    await store_due(store, recorder, lambda: later(1))
    assert await store_due(store, recorder, lambda: later(1)) == 0
    assert recorder.stored == 1
    async with store.read() as session:
        assert (await session.get(Recording, CALL.id)).state is RecordingState.STORED


async def test_an_outcome_that_can_never_be_written_is_given_back_in_the_end() -> None:
    tries = 0

    async def fail() -> None:
        nonlocal tries
        tries += 1
        raise DatabaseUnavailable

    with pytest.raises(DatabaseUnavailable):
        await keep_at_it(fail, patience=0.0)
    assert tries == 1


async def test_health_says_that_another_program_keeps_the_database_locked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "WRITE_SECONDS", 0.2)
    client = world.browser()
    with closing(sqlite3.connect(str(world.store.engine.url.database), isolation_level=None)) as it:
        it.execute("BEGIN IMMEDIATE")
        answer = await client.get("/healthz")
        assert (answer.status_code, answer.text.startswith("database: nothing")) == (503, True)
        it.rollback()
    assert (await client.get("/healthz")).text == "ok"


async def test_health_says_in_plain_text_that_the_database_does_not_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = Outage(world.store, monkeypatch)
    outage.failures = 1
    async with asyncio.timeout(180):
        answer = await world.browser().get("/healthz")
    assert (answer.status_code, answer.text) == (503, f"database: {DatabaseUnavailable().message}")
    assert answer.headers["content-type"].startswith("text/plain")
