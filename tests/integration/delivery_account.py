"""An account that takes deliveries and says to each what a test wants."""

from collections.abc import Sequence
from dataclasses import replace

from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Delivery, DeliveryKind, new_delivery
from router.domain.delivery.entity import EntityKind, Ref
from router.domain.delivery.outcome import Outcome
from router.domain.ids import new_id
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.outcomes import Receiver, SendResult
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import NOON, Clock, later
from tests.support.crm_calls import connection

DEAL = Ref(kind=EntityKind.DEAL, id="7")


class Account:
    """Takes deliveries; says to each what a test wants."""

    def __init__(self, *answers: Exception | SendResult, most: int = 1) -> None:
        self.answers, self.seen, self._most = list(answers), [], most  # type: ignore[var-annotated]

    def most(self, _: Receiver) -> int:
        return self._most

    async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult:
        self.seen.append([delivery.key for delivery in deliveries])
        answer = self.answers.pop(0) if self.answers else SendResult(said=Outcome.text("200"))
        if isinstance(answer, Exception):
            raise answer
        return answer


def delivery(
    call_id: str, at: float = 0, *, stream: str | None = None, to: Connection | None = None
) -> Delivery:
    """Enqueued `at` seconds after noon."""
    made = new_delivery(
        to or connection(),
        DeliveryKind.CALL_ENDED,
        call_id,
        {"say": "first"},
        id=new_id(later(at)),
        now=NOON,
    )
    return replace(made, stream=stream, event_at=later(at))


async def furnish(
    store: SqlStore, *deliveries: Delivery, accounts: Sequence[Connection] = ()
) -> None:
    async with store.write() as session:
        await session.add(*(accounts or (connection(),)))
    await save(store, *(call(delivery.call_id or "") for delivery in deliveries))
    async with store.write() as session:
        await session.deliveries.add(deliveries)


async def kept(store: SqlStore, call_id: str) -> Delivery:
    async with store.read() as session:
        return (await session.deliveries.find(call_id=call_id))[0]


async def work(store: SqlStore, account: Account, clock: Clock) -> int:
    return await deliver_due(store, account, clock, receiver_id="tryton")
