"""Deliveries to accounts: in order where they must be, and none waits for another account."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from router.domain.delivery.delivery import Delivery, DeliveryState
from router.domain.delivery.entity import CreatedBy, Entity, EntityKind, Ref
from router.domain.delivery.outcome import Outcome, sentence
from router.receivers.rate_limiter import RateLimiter
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.manage import resend_delivery
from router.service.delivery.outcomes import (
    NeedsReview,
    NotYet,
    Receiver,
    ReceiverUnavailable,
    Refused,
    SendResult,
)
from router.store.engine import SqlStore
from tests.integration.delivery_account import DEAL, Account, delivery, furnish, kept, work
from tests.integration.store_calls import call, save
from tests.support.builders import NOON, Clock, destination, later, site
from tests.support.crm_calls import connection, found


class Busy(Account):
    """Has no time for one delivery, the first time; of deliveries due at once, it is open which is
    taken first.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key: str | None = key

    async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult:
        if [delivery.key for delivery in deliveries] == [self._key]:
            self.answers, self._key = [ReceiverUnavailable(Outcome.text("503"))], None
        return await super().send(deliveries, receiver)


async def test_calls_of_one_phone_are_sent_one_after_the_other(store: SqlStore) -> None:
    await furnish(
        store,
        delivery("c2", 20, stream="anna"),
        delivery("c1", 10, stream="anna"),
        delivery("c3", 15),
    )
    account, clock = Busy("call.ended:c1"), Clock()
    assert await work(store, account, clock) == 2
    assert sorted(account.seen) == [["call.ended:c1"], ["call.ended:c3"]]
    # the first of the phone's calls waits, so the second does
    assert await work(store, account, clock) == 0
    clock.move(5)
    assert await work(store, account, clock) == 1
    assert await work(store, account, clock) == 1
    assert account.seen[-2:] == [["call.ended:c1"], ["call.ended:c2"]]


async def test_one_that_was_given_up_holds_up_no_other(store: SqlStore) -> None:
    await furnish(store, delivery("c1", 1, stream="anna"), delivery("c2", 2, stream="anna"))
    account, clock = Account(Refused(Outcome.text("400 no such field"))), Clock()
    assert [await work(store, account, clock) for _ in range(3)] == [1, 1, 0]
    assert (await kept(store, "c1")).state is DeliveryState.FAILED
    assert (await kept(store, "c2")).state is DeliveryState.DONE


async def test_an_account_that_fails_rests_and_is_tried_by_one_delivery_alone(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.domain.backoff.random.random", lambda: 1.0)  # the longest pauses
    await furnish(store, *(delivery(f"c{n}", n) for n in range(12)))
    account, clock = Account(*(ReceiverUnavailable(Outcome.text("503")) for _ in range(9))), Clock()
    await work(store, account, clock)
    assert len(account.seen) == 8
    clock.move(9)
    assert await work(store, account, clock) == 0
    clock.move(2)
    assert await work(store, account, clock) == 1
    assert len(account.seen) == 9
    clock.move(25)
    assert await work(store, account, clock) == 1  # it is back
    assert await work(store, account, clock) > 1


async def test_while_one_account_is_paused_the_others_get_theirs(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.domain.backoff.random.random", lambda: 1.0)  # the longest pause
    other = connection(id="other")
    mine = [delivery(f"c{n}", n) for n in range(4)]
    await furnish(store, *mine, delivery("d1", 9, to=other), accounts=(connection(), other))
    clock = Clock()
    await work(store, Account(*(ReceiverUnavailable(Outcome.text("503")) for _ in range(4))), clock)
    async with store.read_inline() as session:
        due = await session.deliveries.receivers_due()
    assert due["tryton"] == later(10)
    assert due["other"] == NOON
    account = Account()
    assert await deliver_due(store, account, clock, receiver_id="other") == 1


async def test_a_resend_by_hand_wakes_an_account_that_rests(store: SqlStore) -> None:
    await furnish(store, *(delivery(f"c{n}", n) for n in range(4)))
    clock = Clock()
    await work(store, Account(*(ReceiverUnavailable(Outcome.text("503")) for _ in range(4))), clock)
    assert await work(store, Account(), clock) == 0
    await resend_delivery(store, (await kept(store, "c2")).id, clock())
    assert await work(store, Account(), clock) == 1


async def test_what_is_not_there_yet_is_looked_for_again(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    account, clock = Account(NotYet(Outcome.text("no deal yet"), timedelta(seconds=5))), Clock()
    await work(store, account, clock)
    waiting = await kept(store, "c1")
    assert (waiting.state, waiting.due_at, str(waiting.last_error)) == (
        DeliveryState.PENDING,
        later(5),
        "no deal yet",
    )
    clock.move(5)
    assert await work(store, account, clock) == 1


async def test_an_entity_is_kept_once_however_often_it_is_sent(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    clock, answer = (
        Clock(),
        SendResult(said=Outcome.text("ok"), entities=((DEAL, CreatedBy.US),), client_id="1.2"),
    )
    await work(store, Account(answer), clock)
    await resend_delivery(store, (await kept(store, "c1")).id, clock())
    await work(store, Account(answer), clock)
    async with store.read() as session:
        assert [entity.client_id for entity in await session.find(Entity, call_id="c1")] == ["1.2"]


async def test_what_comes_too_late_is_not_sent(store: SqlStore) -> None:
    await furnish(store, replace(delivery("c1"), deadline_at=later(60)))
    account = Account()
    await work(store, account, Clock(later(60)))
    assert account.seen == []
    failed = await kept(store, "c1")
    assert (failed.state, "too late" in sentence(failed.last_error)) == (DeliveryState.FAILED, True)


async def test_one_that_is_late_does_not_keep_the_others_of_its_request(store: SqlStore) -> None:
    await furnish(
        store, replace(delivery("c1"), deadline_at=later(60)), delivery("c2"), delivery("c3")
    )
    account = Account(most=5)
    await work(store, account, Clock(later(60)))
    assert [sorted(keys) for keys in account.seen] == [["call.ended:c2", "call.ended:c3"]]
    assert (await kept(store, "c1")).state is DeliveryState.FAILED
    assert (await kept(store, "c2")).state is DeliveryState.DONE


async def test_calls_of_another_site_are_not_sent_to_an_account_that_was_moved(
    store: SqlStore,
) -> None:
    shops = [
        replace(delivery(f"c{n}"), payload={"call": {"site": site}})
        for n, site in enumerate(("shop", "depot"))
    ]
    async with store.write() as session:
        await session.add(destination(), site())
    await furnish(store, *shops, accounts=[connection(site_id="shop")])
    account = Account()
    await work(store, account, Clock())
    assert account.seen == [["call.ended:c0"]]
    assert "another site" in str((await kept(store, "c1")).last_error)


async def test_nothing_of_a_phone_is_begun_while_a_later_call_of_it_is_carried_out(
    store: SqlStore,
) -> None:
    """The shorter of two calls at once ends first, and is sent first."""
    await furnish(store, delivery("short", 20, stream="anna"))
    clock, seen = Clock(), []

    class Slow(Account):
        async def send(self, deliveries: Sequence[Delivery], receiver: Receiver) -> SendResult:
            await save(store, call("long"))
            async with store.write() as session:
                await session.deliveries.add([delivery("long", 10, stream="anna")])
            seen.append(await work(store, Account(), clock))
            return SendResult(said=Outcome.text("200"))

    await work(store, Slow(), clock)
    assert seen == [0]
    assert await work(store, Account(), clock) == 1


@pytest.mark.parametrize("fault", [KeyError("id"), OverflowError("date"), RuntimeError("\ud800")])
async def test_a_fault_of_ours_stops_one_delivery_and_not_the_worker(
    fault: Exception, store: SqlStore
) -> None:
    await furnish(store, delivery("c1"), delivery("c2"))
    assert await work(store, Account(fault), Clock()) == 2
    states = {(await kept(store, call_id)).state for call_id in ("c1", "c2")}
    assert states == {DeliveryState.PENDING, DeliveryState.DONE}


async def test_what_a_receiver_says_is_kept_without_what_no_database_keeps(store: SqlStore) -> None:
    await furnish(store, delivery("c1"), delivery("c2"))
    odd = found(title="\ud83d\x00 door", at=datetime.max.replace(tzinfo=UTC))
    account = Account(
        SendResult(said=Outcome.text("kept \ud83d\x00")),
        NeedsReview(Outcome.text("two \x00"), (odd,)),
    )
    await work(store, account, Clock())
    told = [await kept(store, call_id) for call_id in ("c1", "c2")]
    assert {delivery.state for delivery in told} == {DeliveryState.DONE, DeliveryState.NEEDS_REVIEW}
    (candidate,) = next(delivery.candidates for delivery in told if delivery.candidates)
    assert (candidate.title, candidate.created_at) == ("door", None)


async def test_an_entity_whose_id_cannot_be_kept_ends_its_delivery_alone(store: SqlStore) -> None:
    if store.sqlite:
        return  # keeps texts of any length
    await furnish(store, delivery("c1"))
    endless = Ref(kind=EntityKind.DEAL, id="9" * 500)
    await work(
        store,
        Account(SendResult(said=Outcome.text("ok"), entities=((endless, CreatedBy.US),))),
        Clock(),
    )
    assert (await kept(store, "c1")).state is DeliveryState.FAILED


async def test_deliveries_go_together_where_one_request_may_carry_many(store: SqlStore) -> None:
    await furnish(store, *(delivery(f"c{n}", n) for n in range(7)))
    account = Account(most=5)
    assert await work(store, account, Clock()) == 7
    assert sorted(len(keys) for keys in account.seen) == [2, 5]


@pytest.mark.parametrize("processes", [1, 2])
async def test_all_processes_together_keep_an_accounts_pace(
    store: SqlStore, other_store: SqlStore, processes: int
) -> None:
    clock = Clock()
    stores = (store, other_store)[:processes]
    pacers = [RateLimiter(each, "crm", per_second=100, burst=2, clock=clock) for each in stores]
    await asyncio.gather(*(pacers[n % processes]() for n in range(6)))
    async with store.write() as session:
        account = await session.receivers.lock("crm", clock())
    assert (account.next_at - clock()).total_seconds() == 0.06


async def test_a_stream_is_read_by_its_index(store: SqlStore) -> None:
    """A stream far behind costs no more than the first one."""
    if not store.sqlite:
        return
    await furnish(store, delivery("c1", stream="anna"))
    plans: list[Any] = []
    async with store.write() as session:
        found_plan = await session.connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT 1 FROM delivery d WHERE d.state = 'pending' AND "
            "d.receiver_id = 'tryton' "
            "AND d.due_at <= 1 AND NOT EXISTS (SELECT 1 FROM delivery e WHERE e.receiver_id = "
            "d.receiver_id "
            "AND e.stream = d.stream AND e.state = 'pending' AND (e.event_at, e.id) < "
            "(d.event_at, d.id))"
        )
        plans += [row[3] for row in found_plan]
    assert not [step for step in plans if step.startswith("SCAN")]
