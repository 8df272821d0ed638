"""The number shown to a visitor: whose it is, when it is free again, and the ladder when numbers
run out.
"""

import asyncio
from dataclasses import replace

import pytest

from router.domain.calls.call import Call, State
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import TrackingNumber
from router.domain.visitors.visit import DisplayLevel, Fallback, Reason
from router.service.visitors.display import Shown
from router.service.visitors.leasing import free_after_call
from router.store.engine import SqlStore
from tests.integration.visit_world import (
    ADS,
    SHOP,
    everything,
    open_page,
    opened,
    set_up,
    visit_service,
)
from tests.support.builders import (
    DID,
    NOON,
    OTHER_DID,
    STATIC_DID,
    dynamic,
    furnish,
    later,
    pool,
    static,
)


async def test_the_lease_of_an_earlier_visit_gives_way_to_one_of_the_new_visit(
    store: SqlStore,
) -> None:
    """A call gets the advertisement that the visitor came from last, and the ledger which it was
    when.
    """
    await furnish(store)
    first = await open_page(store, SHOP)
    again = await open_page(store, ADS, later(10), visitor_id=first.visitor_id)
    new, old = [lease for lease in await _leases(store) if lease.number == DID]
    assert (new.visit_id, new.started_at) == (again.visit_id, later(10))
    assert (old.visit_id, old.frozen_at, old.ends_at) == (first.visit_id, later(10), later(10))


async def _leases(store: SqlStore) -> list[Lease]:
    async with store.read() as session:
        return await session.leases.find()


async def test_a_returning_visitor_gets_their_number_back_if_it_is_free(store: SqlStore) -> None:
    await furnish(store, numbers=[dynamic(), dynamic(OTHER_DID, free_at=later(-7200))])
    first = await open_page(store)
    assert first.numbers["main"].number == OTHER_DID
    back = await open_page(store, SHOP, later(90_000), visitor_id=first.visitor_id)
    assert back.numbers["main"].number == OTHER_DID  # although the other has been idle longer


async def test_a_returning_visitor_gets_another_number_if_theirs_is_taken(store: SqlStore) -> None:
    await furnish(store, numbers=[dynamic()])
    first = await open_page(store)
    await open_page(store, SHOP, later(5000))
    async with store.write() as session:
        await session.add(dynamic(OTHER_DID))
    back = await open_page(store, SHOP, later(5001), visitor_id=first.visitor_id)
    assert back.numbers["main"].number == OTHER_DID


async def test_dirty_numbers_come_last(store: SqlStore) -> None:
    numbers = [
        dynamic(unattributed_calls=40, free_at=later(-9999)),
        dynamic(OTHER_DID, unattributed_calls=1),
    ]
    await furnish(store, numbers=numbers)
    assert [(await open_page(store)).numbers["main"].number for _ in range(2)] == [OTHER_DID, DID]


@pytest.mark.parametrize("channel", ["Google", "google / CPC", "Paid Search"])
async def test_with_the_pool_empty_the_static_number_of_the_source_is_shown(
    channel: str, store: SqlStore
) -> None:
    await furnish(store, numbers=[static(channel=channel)])
    arrived = await open_page(store, ADS)
    assert arrived.numbers == {"main": Shown(DisplayLevel.STATIC, STATIC_DID)}
    [step] = await everything(store, Fallback)
    assert (step.visit_id, step.level, step.reason) == (
        arrived.visit_id,
        DisplayLevel.STATIC,
        Reason.EMPTY,
    )
    assert (step.number, step.at) == (STATIC_DID, NOON)


@pytest.mark.parametrize("channel", ["Direct", "Google"])
async def test_a_robot_is_shown_the_companys_own_number(store: SqlStore, channel: str) -> None:
    """What a search engine indexes is dialled for years."""
    await furnish(store, numbers=[dynamic(), static(channel=channel)])
    for url in (SHOP, ADS):
        assert (await open_page(store, url, user_agent="Googlebot")).numbers == {
            "main": Shown(DisplayLevel.OWN)
        }


async def test_a_crowd_gets_the_number_of_its_source_and_without_one_the_companys_own(
    store: SqlStore,
) -> None:
    await furnish(
        store,
        numbers=[dynamic(), static(channel="Direct"), static("+74950000008", channel="google")],
    )
    desk = visit_service(store, visits=lambda _: False)
    assert (await open_page(desk, SHOP)).numbers == {"main": Shown(DisplayLevel.OWN)}
    assert (await open_page(desk, ADS)).numbers == {
        "main": Shown(DisplayLevel.STATIC, "+74950000008")
    }


async def test_without_one_the_page_keeps_the_companys_own(store: SqlStore) -> None:
    await furnish(store, numbers=[static(channel="billboard")])
    assert (await open_page(store, ADS)).numbers == {"main": Shown(DisplayLevel.OWN)}
    assert [(step.level, step.number) for step in await everything(store, Fallback)] == [
        (DisplayLevel.OWN, None)
    ]


async def test_a_pool_gives_no_more_than_its_budget_of_an_hour(store: SqlStore) -> None:
    await furnish(store, numbers=[dynamic(f"+749500001{i:02}") for i in range(9)])
    await set_up(store, pool(leases_per_hour=3))
    desk = visit_service(store)
    arrived = await asyncio.gather(*(open_page(desk) for _ in range(5)))
    assert [opened.numbers["main"].level for opened in arrived].count(DisplayLevel.DYNAMIC) == 3
    assert {step.reason for step in await everything(store, Fallback)} == {Reason.BUDGET}
    first = next(opened for opened in arrived if opened.numbers["main"].number)
    assert (
        await open_page(desk, visitor_id=first.visitor_id)
    ).numbers == first.numbers  # they hold it already
    assert (await open_page(desk, SHOP, later(3601))).numbers["main"].level is DisplayLevel.DYNAMIC


async def test_of_pools_for_one_number_the_one_for_the_visitors_place_answers(
    store: SqlStore,
) -> None:
    moscow = pool("moscow", replaces=("+74951234567",), regions=("Moscow", "Moscow Oblast"))
    await furnish(store, moscow, dynamic("+74990000001", pool_id="moscow"))
    await set_up(store, pool(replaces=("+74951234567",)))
    asked = {"pools": ["main", "moscow"]}
    assert set((await open_page(store, address="10.0.0.1", **asked)).numbers) == {"moscow"}
    assert set((await open_page(store, address="10.0.0.2", **asked)).numbers) == {"main"}
    assert set((await open_page(store, address="10.0.0.9", **asked)).numbers) == {"main"}


async def test_many_pages_at_once_in_several_processes_never_share_a_number(
    store: SqlStore, other_store: SqlStore
) -> None:
    await furnish(
        store, numbers=[dynamic(f"+749500000{i:02}", free_at=later(-i)) for i in range(30)]
    )
    desks = [visit_service(each) for each in (store, other_store)]
    arrived = await asyncio.gather(
        *(open_page(desks[i % 2], now=later(i / 1000)) for i in range(40))
    )
    numbers = [opened.numbers["main"].number for opened in arrived if opened.numbers["main"].number]
    assert len(numbers) == len(set(numbers)) == 30
    assert len(await everything(store, Lease)) == 30


async def test_returning_visitors_and_new_ones_at_once_never_share_a_number(
    store: SqlStore, other_store: SqlStore
) -> None:
    """Former numbers are given back in the moment in which they are the longest idle ones for
    others.
    """
    await furnish(store, numbers=[dynamic(f"+749500000{i:02}") for i in range(12)])
    desks = [visit_service(each) for each in (store, other_store)]
    known = [(await open_page(desks[0])).visitor_id for _ in range(12)]
    now = NOON
    for _ in range(4):
        now = now.replace(day=now.day + 1)
        who = [known[i // 2] if i % 2 else None for i in range(24)]
        await asyncio.gather(
            *(
                open_page(desks[i % 3 % 2], now=now, visitor_id=visitor_id)
                for i, visitor_id in enumerate(who)
            )
        )
        held = [
            lease
            for lease in await everything(store, Lease)
            if lease.started_at <= now < lease.ends_at
        ]
        assert len({lease.number for lease in held}) == len(held) <= 12
        assert len(held) >= 10


@pytest.mark.parametrize("wanted", [True, False])
async def test_after_the_call_the_number_is_free_where_the_pool_says_so(
    wanted: bool, store: SqlStore
) -> None:
    _, _, arrived = await opened(store)
    await set_up(store, pool(free_after_call=wanted))
    lease_id = arrived.numbers["main"].lease_id
    call = Call(
        id="c",
        did=DID[1:],
        trunk="t",
        arrived_at=later(30),
        ended_at=later(90),
        state=State.ENDED,
        lease_id=lease_id,
    )
    async with store.write() as session:
        await free_after_call(
            session, [call, replace(call, lease_id=None), replace(call, lease_id="none")]
        )
    [lease] = await everything(store, Lease)
    assert lease.ends_at == (later(90) if wanted else later(600))
    async with store.read() as session:
        assert (await session.get(TrackingNumber, DID)).free_at == lease.ends_at


async def test_a_change_of_a_number_never_frees_it(store: SqlStore) -> None:
    """The administrator's form was read before the number was leased, and is sent after."""
    await furnish(store, numbers=[dynamic()])
    async with store.read() as session:
        read = await session.get(TrackingNumber, DID)
    await open_page(store)
    await set_up(store, replace(read, unattributed_calls=2))
    assert (await open_page(store)).numbers["main"].level is DisplayLevel.OWN
