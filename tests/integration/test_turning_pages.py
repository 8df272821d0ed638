"""Who reads page after page is one visitor with one lease, in a call's judgement, a pool's budget
and its plan.
"""

from dataclasses import replace

import pytest

from router.domain.attribution.terms import Verdict
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import DisplayLevel
from router.service.visitors.leasing import free_after_call
from router.service.visitors.pool_planning import plan_pool
from router.service.visitors.visits import VisitService
from router.store.engine import SqlStore
from tests.integration.test_attribution_of_calls import a_call, keep
from tests.integration.visit_world import ADS, SHOP, everything, open_page, set_up, visit_service
from tests.support.builders import DID, dynamic, furnish, later, lease, pool, visit, visitor

EVERY = 20.0  # seconds for a page
FROM_PAGE_TO_PAGE = 0.3


async def read_pages(
    desk: VisitService, pages: int, start: float = 0.0, visitor_id: str | None = None
) -> str:
    """Open page after page, each leaving the one before; the number shown on the last one."""
    number = ""
    for page in range(pages):
        at = start + page * EVERY
        arrived = await open_page(
            desk, ADS if page == 0 else f"{SHOP}/{page}", later(at), visitor_id=visitor_id
        )
        visitor_id, shown = arrived.visitor_id, arrived.numbers["main"]
        number = shown.number or ""
        if page < pages - 1:
            who = await desk.recall(arrived.visit_id or "")
            await desk.left(who, [shown.lease_id or ""], later(at + EVERY - FROM_PAGE_TO_PAGE))
    return number


@pytest.mark.parametrize("pages", [1, 9, 60])
async def test_a_call_is_the_visitor_s_however_many_pages_were_read(
    store: SqlStore, pages: int
) -> None:
    await furnish(store)
    number = await read_pages(visit_service(store), pages)
    [call] = await keep(store, a_call(at=pages * EVERY, number=number))
    assert (call.verdict, call.source) == (Verdict.EXACT, "google")
    assert (call.probability or 0.0) > 0.9
    assert len(await everything(store, Lease)) == 1


async def test_a_call_between_two_pages_is_attributed_alike_now_and_later(store: SqlStore) -> None:
    await furnish(store)
    desk = visit_service(store)
    first = await open_page(desk, ADS)
    who = await desk.recall(first.visit_id or "")
    await desk.left(who, [first.numbers["main"].lease_id or ""], later(50))
    call = a_call(at=52, number=first.numbers["main"].number)
    [now] = await keep(store, call)
    await open_page(desk, SHOP, later(55), visitor_id=first.visitor_id)
    [again] = await keep(store, replace(call, id="the-same"))
    assert now.verdict is again.verdict is Verdict.EXACT
    assert now.lease_id == again.lease_id


async def test_who_comes_back_again_and_again_does_not_hide_who_held_the_number_before(
    store: SqlStore,
) -> None:
    """After half a minute away a new lease begins; twelve of them are one visitor still."""
    await furnish(store, visitor(), visit(), visitor("boris"), visit("boris-1", visitor_id="boris"))
    times = {"seen_at": later(20), "frozen_at": later(20), "ends_at": later(320)}
    again = [
        lease(f"b{i}", visitor_id="boris", visit_id="boris-1", started_at=later(400 + 100 * i),
              seen_at=later(420 + 100 * i), frozen_at=later(450 + 100 * i), ends_at=later(750 + 100 * i))  # noqa: E501
        for i in range(12)
    ]  # fmt: skip
    async with store.write() as session:
        await session.add(lease("anna", **times), *again)
        found = await session.evidence.holders(DID, later(1700), 8)
    assert [
        (candidate.visitor_id, candidate.lease and candidate.lease.id) for candidate in found
    ] == [
        ("boris", "b11"),
        ("anna", "anna"),
    ]


async def test_a_reader_spends_a_pools_budget_once(store: SqlStore) -> None:
    await furnish(store, numbers=[dynamic(f"+7495000000{i}") for i in range(4)])
    await set_up(store, pool(leases_per_hour=2))
    desk = visit_service(store)
    assert await read_pages(desk, 5)
    assert await read_pages(desk, 5, start=100)
    assert (await open_page(desk, SHOP, later(200))).numbers["main"].level is DisplayLevel.OWN


async def test_the_number_is_freed_after_its_call_though_pages_were_turned_meanwhile(
    store: SqlStore,
) -> None:
    await furnish(store, numbers=[dynamic()])
    await set_up(store, pool(free_after_call=True))
    desk = visit_service(store)
    number = await read_pages(desk, 5)
    [call] = await keep(store, a_call(at=50, number=number))
    async with store.write() as session:
        await free_after_call(session, [call])
    assert (await open_page(desk, SHOP, later(111))).numbers["main"].number == DID


async def test_a_plan_counts_the_time_that_a_visit_keeps_its_number(store: SqlStore) -> None:
    await furnish(store, visitor(), visit(started_at=later(-7000)))
    spans = [(-7000, -6900), (-6600, -6500)]  # and keeps it in between
    async with store.write() as session:
        for name, (since, until) in zip("ab", spans, strict=True):
            times = {"started_at": later(since), "seen_at": later(until), "frozen_at": later(until)}
            await session.add(lease(name, **times, ends_at=later(until + 300)))
    planned = await plan_pool(store, pool(), later(0))
    assert planned.page_seconds == 500


async def test_a_plan_does_not_count_the_turning_of_a_page_that_was_the_last(
    store: SqlStore,
) -> None:
    await furnish(store, visitor(), visit(started_at=later(-7000)))
    times = {
        "started_at": later(-7000),
        "seen_at": later(-6900),
        "frozen_at": later(-6870),
        "ends_at": later(-6600),
    }
    async with store.write() as session:
        await session.add(lease(**times))
    assert (await plan_pool(store, pool(), later(0))).page_seconds == 100
