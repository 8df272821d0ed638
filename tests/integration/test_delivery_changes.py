"""What happens to a delivery on its way: a later fact replaces it, or a person sends, chooses or
drops it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from router.domain.delivery.delivery import Delivery, DeliveryState
from router.domain.delivery.entity import CreatedBy, Entity, EntityKind, Ref
from router.domain.delivery.outcome import Outcome, sentence
from router.errors import Conflict
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.manage import choose_entity, drop_delivery, resend_delivery
from router.service.delivery.outcomes import (
    NeedsReview,
    Receiver,
    ReceiverUnavailable,
    Refused,
    SendResult,
)
from router.store.engine import SqlStore
from tests.integration.delivery_account import DEAL, Account, delivery, furnish, kept, work
from tests.support.builders import NOON, Clock, later
from tests.support.crm_calls import connection, found


async def test_a_later_fact_replaces_one_that_was_not_sent(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    async with store.write() as session:
        assert await session.deliveries.replace_pending(
            replace(delivery("c1"), payload={"say": "second"})
        )
    assert (await kept(store, "c1")).payload == {"say": "second"}


async def test_a_fact_that_comes_while_its_elder_is_sent_is_sent_after_it(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    clock, said = Clock(), []

    class Slow(Account):
        async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult:
            said.append(deliveries[0].payload["say"])
            async with store.write() as session:
                if len(said) == 1:
                    assert await session.deliveries.replace_pending(
                        replace(delivery("c1"), payload={"say": "second"})
                    )
            return SendResult(said=Outcome.text("200"))

    await work(store, Slow(), clock)
    assert (await kept(store, "c1")).state is DeliveryState.PENDING
    clock.move(301)
    await work(store, Slow(), clock)
    assert said == ["first", "second"]
    assert (await kept(store, "c1")).state is DeliveryState.DONE


async def test_who_chose_wrongly_may_choose_once_more(store: SqlStore) -> None:
    candidates = (found(id="1"), found(id="2"))
    await furnish(store, delivery("c1"))
    clock = Clock()
    await work(
        store,
        Account(NeedsReview(Outcome.text("several CRM records match equally well"), candidates)),
        clock,
    )
    await choose_entity(
        store, (await kept(store, "c1")).id, Ref(kind=EntityKind.DEAL, id="4711"), clock()
    )
    clock.move(301)
    await work(store, Account(Refused(Outcome.text("404 Not Found"))), clock)
    again = await kept(store, "c1")
    assert (again.state, again.chosen, again.candidates) == (
        DeliveryState.NEEDS_REVIEW,
        None,
        candidates,
    )
    assert "deal 4711 was chosen, but the CRM refused it: 404 Not Found" in sentence(
        again.last_error
    )
    await choose_entity(store, again.id, candidates[0].ref, clock())
    clock.move(301)
    await work(store, Account(), clock)
    assert (await kept(store, "c1")).state is DeliveryState.DONE


async def test_a_later_fact_does_not_wake_what_a_person_dismissed(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    await drop_delivery(store, (await kept(store, "c1")).id, NOON)
    async with store.write() as session:
        assert await session.deliveries.replace_pending(
            replace(delivery("c1"), payload={"say": "second"})
        )
    account = Account()
    await work(store, account, Clock())
    assert account.seen == []
    assert (await kept(store, "c1")).state is DeliveryState.DISMISSED


async def test_what_is_being_carried_out_is_not_dismissed(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))

    class Slow(Account):
        async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult:
            with pytest.raises(Conflict, match="being sent now"):
                await drop_delivery(store, deliveries[0].id, NOON)
            return SendResult(said=Outcome.text("200"))

    await work(store, Slow(), Clock())
    assert (await kept(store, "c1")).state is DeliveryState.DONE


async def test_what_an_attempt_may_have_sent_goes_along_with_what_replaces_it(
    store: SqlStore,
) -> None:
    await furnish(store, delivery("c1"))
    first, second, third = (
        {**delivery("c1").payload, "say": word} for word in ("first", "second", "third")
    )

    async def tell(payload: dict[str, Any]) -> dict[str, Any]:
        async with store.write() as session:
            assert await session.deliveries.replace_pending(
                replace(delivery("c1"), payload=payload)
            )
        return (await kept(store, "c1")).payload

    assert await tell(first) == first  # it was not tried yet
    clock = Clock()
    await work(store, Account(ReceiverUnavailable(Outcome.text("503"))), clock)
    assert (await tell(second))["former"] == [first]
    assert (await tell(third))["former"] == [first, second]


async def test_what_was_sent_is_not_replaced(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    await work(store, Account(), Clock())
    async with store.write() as session:
        assert not await session.deliveries.replace_pending(delivery("c1"))


async def test_what_cannot_be_decided_waits_for_a_person_with_its_candidates(
    store: SqlStore,
) -> None:
    await furnish(store, delivery("c1"))
    both = found(id="7", title="Дверь <b>"), found(id="8")
    account, clock = (
        Account(
            NeedsReview(Outcome.text("two deals"), both),
            SendResult(said=Outcome.text("ok"), entities=((DEAL, CreatedBy.PERSON),)),
        ),
        Clock(),
    )
    await work(store, account, clock)
    needs_review = await kept(store, "c1")
    assert (needs_review.state, needs_review.candidates) == (DeliveryState.NEEDS_REVIEW, both)
    assert await work(store, account, clock) == 0
    chosen = await choose_entity(store, needs_review.id, DEAL, clock())
    assert (chosen.state, chosen.chosen) == (DeliveryState.PENDING, DEAL)
    assert await work(store, account, clock) == 1
    async with store.read() as session:
        (entity,) = await session.find(Entity, call_id="c1")
    assert (entity.external_id, entity.created_by, entity.connection_id) == (
        "7",
        CreatedBy.PERSON,
        "tryton",
    )


async def test_what_is_under_way_is_not_sent_again_beside_it(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    clock, seen = Clock(), []

    class Slow(Account):
        async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult:
            await resend_delivery(store, deliveries[0].id, clock())
            seen.append(await work(store, Account(), clock))
            return SendResult(said=Outcome.text("200"))

    await work(store, Slow(), clock)
    assert seen == [0]
    assert (await kept(store, "c1")).state is DeliveryState.DONE


async def test_a_resend_cannot_put_off_what_analytics_take_no_longer(store: SqlStore) -> None:
    ga4 = connection("ga4")
    await furnish(store, replace(delivery("c1", to=ga4), deadline_at=later(60)), accounts=[ga4])
    clock, account = Clock(later(90)), Account()
    for _ in range(2):
        await deliver_due(store, account, clock, receiver_id="ga4")
        await resend_delivery(store, (await kept(store, "c1")).id, clock())
    assert account.seen == []


async def test_a_later_fact_wakes_what_was_given_up(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    clock = Clock()
    await work(store, Account(Refused(Outcome.text("400"))), clock)
    async with store.write() as session:
        assert await session.deliveries.replace_pending(
            replace(delivery("c1"), payload={"say": "second"})
        )
    account = Account()
    await work(store, account, clock)
    assert ((await kept(store, "c1")).state, len(account.seen)) == (DeliveryState.DONE, 1)
