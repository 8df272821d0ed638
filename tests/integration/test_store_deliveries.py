"""Deliveries in the store: due, claimed, and each once; and recordings with their waveform."""

import asyncio
from dataclasses import replace
from typing import Any

from router.domain.calls.call import Recording, RecordingState
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState, new_delivery
from router.domain.delivery.outcome import Outcome
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import (
    NOON,
    later,
    webhook,
)


def delivery(id: str = "d1", **fields: Any) -> Delivery:  # noqa: A002
    made = new_delivery(
        webhook(), DeliveryKind.CALL_ENDED, "rt1-1.0", {"call": {"id": "rt1-1.0"}}, id=id, now=NOON
    )
    return replace(made, **fields)


async def test_a_receiver_is_sent_each_thing_once(store: SqlStore) -> None:
    for given in (
        [delivery("d1"), delivery("d2")],
        [delivery("d3")],
        [delivery("d4", receiver_id="other")],
    ):
        async with store.write() as session:
            await session.deliveries.add(given)
    async with store.read() as session:
        kept = await session.deliveries.find()
    assert sorted(delivery.receiver_id for delivery in kept) == ["crm", "other"]


async def test_what_is_due_comes_oldest_first_and_what_is_not_does_not(store: SqlStore) -> None:
    times = {"d1": -1, "d2": -3, "d3": 0, "d4": 1}
    made = [delivery(key, key=key, due_at=later(seconds)) for key, seconds in times.items()]
    async with store.write() as session:
        await session.deliveries.add(
            [*made, delivery("d5", key="d5", state=DeliveryState.FAILED, due_at=later(-9))]
        )
        assert [delivery.id for delivery in await session.deliveries.due(NOON, 10)] == [
            "d2",
            "d1",
            "d3",
        ]
        assert [delivery.id for delivery in await session.deliveries.due(NOON, 2)] == ["d2", "d1"]
        assert await session.deliveries.next_due() == later(-3)
        assert await session.recordings.next_due() is None


async def test_two_workers_never_claim_the_same_work(
    store: SqlStore, other_store: SqlStore
) -> None:
    async with store.write() as session:
        await session.deliveries.add([delivery(f"d{i}", key=f"k{i}") for i in range(40)])

    async def work(at: SqlStore) -> list[str]:
        mine: list[str] = []
        while True:
            async with at.write() as session:
                due = await session.deliveries.due(NOON, 3)
                await session.change(*(replace(delivery, due_at=later(60)) for delivery in due))
            if not due:
                return mine
            mine += [delivery.id for delivery in due]

    claimed = await asyncio.gather(*(work(at) for at in (store, other_store, store, other_store)))
    assert sorted(key for some in claimed for key in some) == sorted(f"d{i}" for i in range(40))


async def test_recordings_come_back_with_their_waveform(store: SqlStore) -> None:
    recording = Recording(
        call_id="rt1-1.0",
        spool_name="rt1-1.0",
        state=RecordingState.WAITING,
        expected_seconds=5.5,
        due_at=NOON,
        peaks=((0.0, 0.5), (1.0, 0.25)), warnings=(Outcome(code="sides_differ"),),
    )  # fmt: skip
    await save(store, call())
    async with store.write() as session:
        await session.recordings.save([recording])
        assert await session.recordings.due(NOON, 5) == [recording]
        await session.recordings.save([replace(recording, state=RecordingState.STORED)])
        assert await session.recordings.due(NOON, 5) == []
