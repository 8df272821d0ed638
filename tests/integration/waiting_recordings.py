"""Recordings that wait for the worker, and what became of them."""

from dataclasses import replace

from router.domain.calls.call import Call, Recording, RecordingState, State
from router.domain.delivery.delivery import Delivery
from router.store.engine import SqlStore
from tests.support.builders import NOON, later, site, webhook
from tests.support.builders import destination as a_destination


async def waits(store: SqlStore, *ids: str, answered: bool = True, spool: str = "") -> None:
    """Calls that have ended, each with a recording that is due now."""
    async with store.write() as session:
        await session.add(a_destination(), site(), webhook())
        for id_ in ids or ("c1",):
            answer = later(1) if answered else None
            call = Call(
                id=id_, did="1", trunk="t", site_id="shop", arrived_at=NOON, state=State.ENDED
            )
            await session.calls.save([replace(call, answered_at=answer, ended_at=later(9))])
            waiting = RecordingState.WAITING
            made = Recording(
                call_id=id_,
                spool_name=spool or id_,
                state=waiting,
                expected_seconds=5,
                due_at=later(10),
            )
            await session.recordings.save([made])


async def state_of(store: SqlStore, call_id: str = "c1") -> Recording:
    async with store.read() as session:
        return await session.get(Recording, call_id)


async def deliveries_made(store: SqlStore) -> list[Delivery]:
    async with store.read() as session:
        return await session.deliveries.find()
