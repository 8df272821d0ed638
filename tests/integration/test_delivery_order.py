"""Deliveries to accounts: in order where they must be, replaced by later facts, and nobody waits for who is down."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from router.domain.connection import Connection
from router.domain.delivery import Delivery, DeliveryKind, DeliveryState, announce
from router.domain.entity import Entity, EntityKind, Maker, Ref
from router.errors import Conflict, ReceiverUnavailable
from router.outside import Pacer
from router.service.deliveries import (
    NotYet,
    Receiver,
    Refused,
    Taken,
    Undecided,
    deliver_due,
)
from router.service.leasing import new_id
from router.service.resending import choose_entity, drop_delivery, resend_delivery
from router.store.engine import SqlStore
from tests.builders import NOON, Clock, destination, later, site
from tests.crm_calls import connection, found
from tests.integration.store_calls import call, save

DEAL = Ref(kind=EntityKind.DEAL, id="7")


class Account:
    """Takes deliveries; says to each what it is told to say."""

    def __init__(self, *answers: Exception | Taken, most: int = 1) -> None:
        self.answers, self.seen, self._most = list(answers), [], most  # type: ignore[var-annotated]

    def most(self, _: Receiver) -> int:
        return self._most

    async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken:
        self.seen.append([one.key for one in deliveries])
        answer = self.answers.pop(0) if self.answers else Taken(said="200")
        if isinstance(answer, Exception):
            raise answer
        return answer


def delivery(call_id: str, at: float = 0, *, stream: str | None = None, to: Connection | None = None) -> Delivery:
    """Told of `at` seconds after noon."""
    made = announce(
        to or connection(), DeliveryKind.CALL_ENDED, call_id, {"say": "first"}, id=new_id(later(at)), now=NOON
    )
    return replace(made, stream=stream, told_at=later(at))


async def furnish(store: SqlStore, *deliveries: Delivery, accounts: Sequence[Connection] = ()) -> None:
    async with store.write() as session:
        await session.add(*(accounts or (connection(),)))
    await save(store, *(call(one.call_id or "") for one in deliveries))
    async with store.write() as session:
        await session.add_deliveries(deliveries)


async def kept(store: SqlStore, call_id: str) -> Delivery:
    async with store.read() as session:
        return (await session.deliveries(call_id=call_id))[0]


async def work(store: SqlStore, account: Account, clock: Clock) -> int:
    return await deliver_due(store, account, clock, receiver_id="tryton")


async def test_calls_of_one_phone_are_told_one_after_the_other(store: SqlStore) -> None:
    await furnish(store, delivery("c2", 20, stream="anna"), delivery("c1", 10, stream="anna"), delivery("c3", 15))
    account, clock = Account(ReceiverUnavailable("503")), Clock()
    assert await work(store, account, clock) == 2
    assert sorted(account.seen) == [["call.ended:c1"], ["call.ended:c3"]]
    assert await work(store, account, clock) == 0  # the first of the phone's calls waits, so the second does
    clock.move(5)
    assert await work(store, account, clock) == 1
    assert await work(store, account, clock) == 1
    assert account.seen[-2:] == [["call.ended:c1"], ["call.ended:c2"]]


async def test_one_that_was_given_up_holds_nobody(store: SqlStore) -> None:
    await furnish(store, delivery("c1", 1, stream="anna"), delivery("c2", 2, stream="anna"))
    account, clock = Account(Refused("400 no such field")), Clock()
    assert [await work(store, account, clock) for _ in range(3)] == [1, 1, 0]
    assert (await kept(store, "c1")).state is DeliveryState.DEAD
    assert (await kept(store, "c2")).state is DeliveryState.DONE


async def test_a_later_fact_replaces_one_that_was_not_sent(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    async with store.write() as session:
        assert await session.replace_pending(replace(delivery("c1"), payload={"say": "second"}))
    assert (await kept(store, "c1")).payload == {"say": "second"}


async def test_a_fact_that_comes_while_its_elder_is_sent_is_sent_after_it(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    clock, said = Clock(), []

    class Slow(Account):
        async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken:
            said.append(deliveries[0].payload["say"])
            async with store.write() as session:
                if len(said) == 1:
                    assert await session.replace_pending(replace(delivery("c1"), payload={"say": "second"}))
            return Taken(said="200")

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
    await work(store, Account(Undecided("several entities are equally likely", candidates)), clock)
    await choose_entity(store, (await kept(store, "c1")).id, Ref(kind=EntityKind.DEAL, id="4711"), clock())
    clock.move(301)
    await work(store, Account(Refused("404 Not Found")), clock)
    again = await kept(store, "c1")
    assert (again.state, again.chosen, again.candidates) == (DeliveryState.UNDECIDED, None, candidates)
    assert "deal 4711 was chosen, and was refused: 404 Not Found" in (again.last_error or "")
    await choose_entity(store, again.id, candidates[0].ref, clock())
    clock.move(301)
    await work(store, Account(), clock)
    assert (await kept(store, "c1")).state is DeliveryState.DONE


async def test_a_later_fact_does_not_wake_what_a_person_dropped(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    await drop_delivery(store, (await kept(store, "c1")).id, NOON)
    async with store.write() as session:
        assert await session.replace_pending(replace(delivery("c1"), payload={"say": "second"}))
    account = Account()
    await work(store, account, Clock())
    assert account.seen == []
    assert (await kept(store, "c1")).state is DeliveryState.DROPPED


async def test_what_is_being_carried_out_is_not_dropped(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))

    class Slow(Account):
        async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken:
            with pytest.raises(Conflict, match="just now"):
                await drop_delivery(store, deliveries[0].id, NOON)
            return Taken(said="200")

    await work(store, Slow(), Clock())
    assert (await kept(store, "c1")).state is DeliveryState.DONE


async def test_what_an_attempt_may_have_told_goes_along_with_what_replaces_it(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    first, second, third = ({**delivery("c1").payload, "say": word} for word in ("first", "second", "third"))

    async def tell(payload: dict[str, Any]) -> dict[str, Any]:
        async with store.write() as session:
            assert await session.replace_pending(replace(delivery("c1"), payload=payload))
        return (await kept(store, "c1")).payload

    assert await tell(first) == first  # nobody has tried yet
    clock = Clock()
    await work(store, Account(ReceiverUnavailable("503")), clock)
    assert (await tell(second))["former"] == [first]
    assert (await tell(third))["former"] == [first, second]


async def test_what_was_told_is_not_replaced(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    await work(store, Account(), Clock())
    async with store.write() as session:
        assert not await session.replace_pending(delivery("c1"))


async def test_an_account_that_fails_rests_and_is_tried_by_one_delivery_alone(store: SqlStore) -> None:
    await furnish(store, *(delivery(f"c{n}", n) for n in range(12)))
    account, clock = Account(*(ReceiverUnavailable("503") for _ in range(9))), Clock()
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


async def test_while_one_account_rests_the_others_are_told(store: SqlStore) -> None:
    other = connection(id="other")
    mine = [delivery(f"c{n}", n) for n in range(4)]
    await furnish(store, *mine, delivery("d1", 9, to=other), accounts=(connection(), other))
    clock = Clock()
    await work(store, Account(*(ReceiverUnavailable("503") for _ in range(4))), clock)
    async with store.glance() as session:
        due = await session.receivers_due()
    assert due["tryton"] == later(10)
    assert due["other"] == NOON
    account = Account()
    assert await deliver_due(store, account, clock, receiver_id="other") == 1


async def test_a_resend_by_hand_wakes_an_account_that_rests(store: SqlStore) -> None:
    await furnish(store, *(delivery(f"c{n}", n) for n in range(4)))
    clock = Clock()
    await work(store, Account(*(ReceiverUnavailable("503") for _ in range(4))), clock)
    assert await work(store, Account(), clock) == 0
    await resend_delivery(store, (await kept(store, "c2")).id, clock())
    assert await work(store, Account(), clock) == 1


async def test_what_is_not_there_yet_is_looked_for_again(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    account, clock = Account(NotYet("no deal yet", timedelta(seconds=5))), Clock()
    await work(store, account, clock)
    waiting = await kept(store, "c1")
    assert (waiting.state, waiting.due_at, waiting.last_error) == (DeliveryState.PENDING, later(5), "no deal yet")
    clock.move(5)
    assert await work(store, account, clock) == 1


async def test_what_nobody_can_decide_waits_for_a_person_with_its_candidates(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    both = found(id="7", title="Дверь <b>"), found(id="8")
    account, clock = Account(Undecided("two deals", both), Taken(said="ok", entities=((DEAL, Maker.PERSON),))), Clock()
    await work(store, account, clock)
    undecided = await kept(store, "c1")
    assert (undecided.state, undecided.candidates) == (DeliveryState.UNDECIDED, both)
    assert await work(store, account, clock) == 0
    chosen = await choose_entity(store, undecided.id, DEAL, clock())
    assert (chosen.state, chosen.chosen) == (DeliveryState.PENDING, DEAL)
    assert await work(store, account, clock) == 1
    async with store.read() as session:
        (entity,) = await session.find(Entity, call_id="c1")
    assert (entity.external_id, entity.maker, entity.connection_id) == ("7", Maker.PERSON, "tryton")


async def test_an_entity_is_kept_once_however_often_it_is_told(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    clock, answer = Clock(), Taken(said="ok", entities=((DEAL, Maker.US),), client_id="1.2")
    await work(store, Account(answer), clock)
    await resend_delivery(store, (await kept(store, "c1")).id, clock())
    await work(store, Account(answer), clock)
    async with store.read() as session:
        assert [one.client_id for one in await session.find(Entity, call_id="c1")] == ["1.2"]


async def test_what_comes_too_late_is_not_sent(store: SqlStore) -> None:
    await furnish(store, replace(delivery("c1"), deadline_at=later(60)))
    account = Account()
    await work(store, account, Clock(later(60)))
    assert account.seen == []
    dead = await kept(store, "c1")
    assert (dead.state, "too late" in (dead.last_error or "")) == (DeliveryState.DEAD, True)


async def test_one_that_is_late_does_not_keep_the_others_of_its_request(store: SqlStore) -> None:
    await furnish(store, replace(delivery("c1"), deadline_at=later(60)), delivery("c2"), delivery("c3"))
    account = Account(most=5)
    await work(store, account, Clock(later(60)))
    assert account.seen == [["call.ended:c2", "call.ended:c3"]]
    assert (await kept(store, "c1")).state is DeliveryState.DEAD
    assert (await kept(store, "c2")).state is DeliveryState.DONE


async def test_calls_of_another_site_are_not_told_to_an_account_that_was_moved(store: SqlStore) -> None:
    shops = [replace(delivery(f"c{n}"), payload={"call": {"site": site}}) for n, site in enumerate(("shop", "depot"))]
    async with store.write() as session:
        await session.add(destination(), site())
    await furnish(store, *shops, accounts=[connection(site_id="shop")])
    account = Account()
    await work(store, account, Clock())
    assert account.seen == [["call.ended:c0"]]
    assert "another site" in ((await kept(store, "c1")).last_error or "")


async def test_nothing_of_a_phone_is_begun_while_a_later_call_of_it_is_carried_out(store: SqlStore) -> None:
    """The shorter of two calls at once ends first, and is told first."""
    await furnish(store, delivery("short", 20, stream="anna"))
    clock, seen = Clock(), []

    class Slow(Account):
        async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken:
            await save(store, call("long"))
            async with store.write() as session:
                await session.add_deliveries([delivery("long", 10, stream="anna")])
            seen.append(await work(store, Account(), clock))
            return Taken(said="200")

    await work(store, Slow(), clock)
    assert seen == [0]
    assert await work(store, Account(), clock) == 1


@pytest.mark.parametrize("fault", [KeyError("id"), OverflowError("date"), RuntimeError("\ud800")])
async def test_a_fault_of_ours_stops_one_delivery_and_not_the_worker(fault: Exception, store: SqlStore) -> None:
    await furnish(store, delivery("c1"), delivery("c2"))
    assert await work(store, Account(fault), Clock()) == 2
    states = {(await kept(store, one)).state for one in ("c1", "c2")}
    assert states == {DeliveryState.PENDING, DeliveryState.DONE}


async def test_what_a_receiver_says_is_kept_without_what_no_database_keeps(store: SqlStore) -> None:
    await furnish(store, delivery("c1"), delivery("c2"))
    odd = found(title="\ud83d\x00 door", at=datetime.max.replace(tzinfo=UTC))
    account = Account(Taken(said="kept \ud83d\x00"), Undecided("two \x00", (odd,)))
    await work(store, account, Clock())
    told = [await kept(store, one) for one in ("c1", "c2")]
    assert {one.state for one in told} == {DeliveryState.DONE, DeliveryState.UNDECIDED}
    (candidate,) = next(one.candidates for one in told if one.candidates)
    assert (candidate.title, candidate.created_at) == ("   door", None)


async def test_an_entity_whose_id_cannot_be_kept_ends_its_delivery_alone(store: SqlStore) -> None:
    if store.sqlite:
        return  # keeps texts of any length
    await furnish(store, delivery("c1"))
    endless = Ref(kind=EntityKind.DEAL, id="9" * 500)
    await work(store, Account(Taken(said="ok", entities=((endless, Maker.US),))), Clock())
    assert (await kept(store, "c1")).state is DeliveryState.DEAD


async def test_what_is_under_way_is_not_sent_again_beside_it(store: SqlStore) -> None:
    await furnish(store, delivery("c1"))
    clock, seen = Clock(), []

    class Slow(Account):
        async def take(self, deliveries: Sequence[Delivery], receiver: Receiver) -> Taken:
            await resend_delivery(store, deliveries[0].id, clock())
            seen.append(await work(store, Account(), clock))
            return Taken(said="200")

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
    await work(store, Account(Refused("400")), clock)
    async with store.write() as session:
        assert await session.replace_pending(replace(delivery("c1"), payload={"say": "second"}))
    account = Account()
    await work(store, account, clock)
    assert ((await kept(store, "c1")).state, len(account.seen)) == (DeliveryState.DONE, 1)


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
    pacers = [Pacer(one, "crm", per_second=100, burst=2, clock=clock) for one in stores]
    await asyncio.gather(*(pacers[n % processes]() for n in range(6)))
    async with store.write() as session:
        account = await session.lock_account("crm", clock())
    assert (account.next_at - clock()).total_seconds() == 0.06


async def test_a_stream_is_read_by_its_index(store: SqlStore) -> None:
    """Whoever lies far behind costs no more than who is first."""
    if not store.sqlite:
        return
    await furnish(store, delivery("c1", stream="anna"))
    plans: list[Any] = []
    async with store.write() as session:
        found_plan = await session.connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT 1 FROM delivery d WHERE d.state = 'pending' AND d.receiver_id = 'tryton' "
            "AND d.due_at <= 1 AND NOT EXISTS (SELECT 1 FROM delivery e WHERE e.receiver_id = d.receiver_id "
            "AND e.stream = d.stream AND e.state = 'pending' AND (e.told_at, e.id) < (d.told_at, d.id))"
        )
        plans += [row[3] for row in found_plan]
    assert not [step for step in plans if step.startswith("SCAN")]
