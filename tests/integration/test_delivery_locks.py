"""Who writes deliveries takes the same locks in the same order, so that PostgreSQL need not end one
of two writers.
"""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from router.domain.calls.call import Call, State
from router.domain.delivery.delivery import Delivery, DeliveryKind, new_delivery
from router.domain.delivery.outcome import Outcome
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.manage import resend_delivery
from router.service.delivery.outcomes import Receiver, SendResult
from router.store.engine import SqlStore
from tests.support.builders import NOON, later, webhook


class Taker:
    """A sender that everything is taken from."""

    def most(self, _: Receiver) -> int:
        return 1

    async def send(self, _: Sequence[Delivery], __: Receiver) -> SendResult:
        return SendResult(said=Outcome.text("200"))


@pytest.mark.parametrize("writer", ["worker", "person"])
# SQLite has one writer at a time
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_learning_of_a_call_while_its_delivery_is_settled_ends_neither(
    store: SqlStore, other_store: SqlStore, writer: str
) -> None:
    call = Call(id="rt1-1.0", did="1", trunk="t", arrived_at=NOON, state=State.ENDED)
    told = new_delivery(
        webhook(), DeliveryKind.CALL_ENDED, call.id, {"call": {"id": call.id}}, id="d1", now=NOON
    )
    async with store.write() as session:
        await session.add(webhook())
        await session.calls.save([call])
        await session.deliveries.add([told])
    with capture_logs() as logs:
        async with asyncio.timeout(180), asyncio.TaskGroup() as tasks, other_store.write() as agent:
            await agent.calls.save([call])
            if writer == "worker":
                tasks.create_task(deliver_due(store, Taker(), lambda: later(1)))
            else:
                tasks.create_task(resend_delivery(store, told.id, NOON))
            while not (await agent.connection.execute(_WAITING)).scalar():
                await asyncio.sleep(0.01)
            assert await agent.deliveries.replace_pending(told)
    assert "delivery_not_settled" not in [entry["event"] for entry in logs]


_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
    "wait_event_type = 'Lock'"
)
