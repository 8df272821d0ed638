"""Leasing: one number for one visitor at a time, whichever visitors ask at the same moment."""

import asyncio
from collections import Counter
from datetime import datetime

import pytest

from router.domain.visitors.lease import Lease
from router.domain.visitors.site import TrackingNumber
from router.domain.visitors.visit import Visit, Visitor
from router.errors import InvalidInput, NotFound, NumbersExhausted
from router.service.visitors.pool_leases import (
    Arrival,
    end_visit,
    keep_lease,
    lease_number,
    site_of_origin,
)
from router.store.engine import SqlStore
from tests.support.builders import DID, NOON, OTHER_DID, dynamic, furnish, later, pool, site

SHOP = "https://shop.example"


async def ask(store: SqlStore, who: str | None = None, now: datetime = NOON) -> Lease:
    return await lease_number(
        store, "main", Arrival(visitor_id=who, ga_client_id="1.2", source="ads"), now
    )


async def ledger(store: SqlStore, number: str = DID) -> list[Lease]:
    async with store.read() as session:
        return await session.leases.find(number=number)


def overlaps(leases: list[Lease]) -> list[tuple[str, str]]:
    """Leases of different visitors that hold one number at the same moment."""
    return [
        (a.id, b.id)
        for a in leases
        for b in leases
        if a.visitor_id < b.visitor_id and a.started_at < b.ends_at and b.started_at < a.ends_at
    ]


async def test_many_who_ask_at_once_never_get_one_number_twice(
    store: SqlStore, other_store: SqlStore
) -> None:
    await furnish(
        store, numbers=[dynamic(f"+749500000{i:02}", free_at=later(-i)) for i in range(15)]
    )
    asked = (ask((store, other_store)[i % 2]) for i in range(20))
    results = await asyncio.gather(*asked, return_exceptions=True)
    numbers = Counter(result.number for result in results if isinstance(result, Lease))
    assert len(numbers) == 15
    assert set(numbers.values()) == {1}
    assert [type(result) for result in results if not isinstance(result, Lease)] == [
        NumbersExhausted
    ] * 5


async def test_who_found_no_number_leaves_no_trace(store: SqlStore) -> None:
    await furnish(store, numbers=[])
    with pytest.raises(NumbersExhausted):
        await ask(store)
    async with store.read() as session:
        assert await session.find(Visitor) == []


async def test_a_visitor_keeps_their_number_from_page_to_page(store: SqlStore) -> None:
    await furnish(store)
    first = await ask(store)
    again = await ask(store, first.visitor_id, later(100))
    assert again.id == first.id
    assert again.ends_at == later(700)


async def test_a_second_visitor_gets_another_number(store: SqlStore) -> None:
    await furnish(store)
    assert (await ask(store)).number == DID
    assert (await ask(store)).number == OTHER_DID


async def test_who_comes_back_during_the_freeze_gets_the_same_number_as_a_new_lease(
    store: SqlStore,
) -> None:
    await furnish(store)
    first = await ask(store)
    again = await ask(store, first.visitor_id, later(400))
    assert again.number == first.number
    assert again.id != first.id
    assert [lease.id for lease in await ledger(store)] == [again.id, first.id]
    assert (await ledger(store))[1] == first


async def test_who_comes_back_after_the_end_takes_their_turn(store: SqlStore) -> None:
    await furnish(store)
    first = await ask(store)
    await ask(store, None, later(1))
    back = await ask(store, first.visitor_id, later(600))
    assert back.visitor_id == first.visitor_id
    assert back.id != first.id


async def test_a_sign_of_life_prolongs_a_lease_and_a_late_one_begins_another(
    store: SqlStore,
) -> None:
    await furnish(store)
    first = await ask(store)
    kept = await keep_lease(store, first.id, later(200))
    assert (kept.id, kept.ends_at) == (first.id, later(800))
    fresh = await keep_lease(store, first.id, later(600))
    assert (fresh.number, fresh.visit_id, fresh.started_at) == (
        first.number,
        first.visit_id,
        later(600),
    )
    other_tab = await keep_lease(store, first.id, later(700))
    assert other_tab.id == fresh.id


async def test_a_lease_that_is_over_is_not_kept(store: SqlStore) -> None:
    await furnish(store)
    first = await ask(store)
    with pytest.raises(NotFound, match="over"):
        await keep_lease(store, first.id, later(600))
    with pytest.raises(NotFound):
        await keep_lease(store, "nobody", NOON)


async def test_leaving_frees_the_number_after_the_freeze(store: SqlStore) -> None:
    await furnish(store, numbers=[dynamic()])
    first = await ask(store)
    left = await end_visit(store, first.id, later(10))
    assert (left.seen_at, left.frozen_at, left.ends_at) == (later(10), later(40), later(310))
    with pytest.raises(NumbersExhausted):
        await ask(store, None, later(309))
    assert (await ask(store, None, later(310))).number == DID


async def test_a_goodbye_that_comes_too_late_takes_the_number_from_no_visitor(
    store: SqlStore,
) -> None:
    """A browser may tell of a closed page an hour later, when the number is another visitor's."""
    await furnish(store, numbers=[dynamic()])
    first = await ask(store)
    second = await ask(store, None, later(600))
    assert await end_visit(store, first.id, later(700)) == first
    with pytest.raises(NumbersExhausted):
        await ask(store, None, later(701))
    assert [lease.id for lease in await ledger(store)] == [second.id, first.id]


async def test_a_goodbye_of_one_page_leaves_the_newer_lease_of_the_other_alone(
    store: SqlStore,
) -> None:
    await furnish(store, numbers=[dynamic()])
    first = await ask(store)
    again = await ask(store, first.visitor_id, later(400))
    await end_visit(store, first.id, later(500))
    assert (await ledger(store))[0] == again


@pytest.mark.parametrize("act", ["keep", "ask", "leave"])
async def test_coming_back_in_the_moment_the_lease_ends_never_doubles_a_number(
    act: str, store: SqlStore, other_store: SqlStore
) -> None:
    """One asks a microsecond before the end, the other at the end: only one of them may have the
    number.
    """
    await furnish(store, numbers=[dynamic()])
    now, first = NOON, await ask(store)
    for _ in range(12):
        end = first.ends_at
        just = end - (later(0.000001) - NOON)
        mine = {
            "keep": lambda first=first, just=just: keep_lease(store, first.id, just),
            "ask": lambda first=first, just=just: ask(store, first.visitor_id, just),
            "leave": lambda first=first, just=just: end_visit(store, first.id, just),
        }[act]
        await asyncio.gather(mine(), ask(other_store, None, end), return_exceptions=True)
        leases = await ledger(store)
        assert overlaps(leases) == []
        first, now = leases[0], leases[0].ends_at
        async with store.read() as session:
            assert (await session.get(TrackingNumber, DID)).free_at == now


async def test_two_pages_of_one_visitor_that_come_back_together_share_one_lease(
    store: SqlStore, other_store: SqlStore
) -> None:
    await furnish(store)
    first = await ask(store)
    kept = await asyncio.gather(
        *(keep_lease(at, first.id, later(400)) for at in (store, other_store, store))
    )
    assert len({lease.id for lease in kept}) == 1
    assert len(await ledger(store)) == 2


async def test_a_number_taken_out_of_the_pool_is_shown_to_no_visitor_any_more(
    store: SqlStore,
) -> None:
    await furnish(store)
    first = await ask(store)
    async with store.write() as session:
        await session.remove(TrackingNumber, DID)
    assert (await ask(store, first.visitor_id, later(10))).number == OTHER_DID
    with pytest.raises(NotFound):
        await keep_lease(store, first.id, later(20))


async def test_a_cookie_of_another_site_makes_a_new_visitor(store: SqlStore) -> None:
    await furnish(store, site("other"), pool("theirs", site_id="other"))
    first = await ask(store)
    async with store.write() as session:
        await session.add(dynamic("+74950000077", site_id="other", pool_id="theirs"))
    second = await lease_number(store, "theirs", Arrival(visitor_id=first.visitor_id), NOON)
    assert second.visitor_id != first.visitor_id


async def test_what_the_page_tells_of_the_visitor_is_kept(store: SqlStore) -> None:
    await furnish(store)
    first = await ask(store)
    told = Arrival(
        visitor_id=first.visitor_id, ym_client_id="99", campaign="Осень", click_ids={"gclid": "x"}
    )
    again = await lease_number(store, "main", told, later(400))
    async with store.read() as session:
        who, came = (
            await session.get(Visitor, again.visitor_id),
            await session.get(Visit, again.visit_id),
        )
    assert (who.ga_client_id, who.ym_client_id) == ("1.2", "99")
    assert (came.campaign, came.click_ids, came.started_at) == ("Осень", {"gclid": "x"}, later(400))


@pytest.mark.parametrize("origin", [None, SHOP])
async def test_pages_of_the_site_may_ask(origin: str | None, store: SqlStore) -> None:
    await furnish(store)
    async with store.write() as session:
        await session.change(site(origins=(SHOP,)))
    assert (await site_of_origin(store, "shop", origin)).id == "shop"


@pytest.mark.parametrize(
    "origin", ["", "null", "http://shop.example", "https://shop.example.evil", "https://evil"]
)
async def test_other_pages_may_not(origin: str, store: SqlStore) -> None:
    await furnish(store)
    with pytest.raises(InvalidInput):
        await site_of_origin(store, "shop", origin)
