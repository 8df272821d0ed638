"""Numbers and leases in the store, on SQLite and on PostgreSQL alike."""

import pytest

from router.domain.visitors.site import Pool, TrackingNumber
from router.store.engine import SqlStore
from tests.support.builders import (
    DID,
    NOON,
    OTHER_DID,
    dynamic,
    furnish,
    later,
    lease,
    static,
    visit,
    visitor,
)


async def test_the_number_that_was_idle_the_longest_comes_first(store: SqlStore) -> None:
    numbers = [dynamic(f"+7495000000{i}", free_at=later(-i)) for i in (3, 1, 4, 2)]
    busy = dynamic("+74950000009", free_at=later(0.001))
    await furnish(store, numbers=[*numbers, busy, static("+74950000008", free_at=later(-99))])
    taken = []
    async with store.write() as session:
        await session.add(visitor(), visit())
        while idle := await session.leases.lock_idle_numbers("main", NOON):
            taken.extend(idle)
            await session.leases.save([lease(f"l{len(taken)}", number=idle[0])])
    assert taken == ["+74950000004", "+74950000003", "+74950000002", "+74950000001"]


async def test_a_lease_takes_its_number_until_it_ends(store: SqlStore) -> None:
    await furnish(store, visitor(), visit(), numbers=[dynamic()])
    async with store.write() as session:
        await session.leases.save([lease()])
        assert await session.leases.lock_idle_numbers("main", later(599)) == []
        assert await session.leases.lock_idle_numbers("main", later(600)) == [DID]


@pytest.mark.parametrize("count", [0, 1, 200, 450])
async def test_the_last_lease_before_each_of_many_moments_is_found(
    count: int, store: SqlStore
) -> None:
    await furnish(store, visitor(), visit(), numbers=[dynamic(), dynamic(OTHER_DID)])
    async with store.write() as session:
        for i in range(4):
            for number in (DID, OTHER_DID):
                await session.leases.save(
                    [lease(f"{number}-{i}", number=number, started_at=later(100 * i))]
                )
    asked = [((DID, OTHER_DID, "+7000")[i % 3], later(-50 + i)) for i in range(count)]
    async with store.read() as session:
        found = await session.leases.last(asked)
    expected = [
        None if at < NOON or n == "+7000" else f"{n}-{min(3, int((at - NOON).seconds / 100))}"
        for n, at in asked
    ]
    assert [lease and lease.id for lease in found] == expected


async def test_a_lease_that_begins_in_the_moment_of_the_call_counts(store: SqlStore) -> None:
    await furnish(store, visitor(), visit())
    async with store.write() as session:
        await session.leases.save([lease()])
    async with store.read() as session:
        found = await session.leases.last([(DID, NOON), (DID, later(-0.000001))])
    assert [lease and lease.id for lease in found] == ["lease-1", None]


async def test_leases_outlive_their_number_and_their_pool(store: SqlStore) -> None:
    await furnish(store, visitor(), visit(), numbers=[dynamic()])
    async with store.write() as session:
        await session.leases.save([lease()])
        await session.remove(TrackingNumber, DID)
        await session.remove(Pool, "main")
    async with store.read() as session:
        assert await session.leases.find(number=DID) == [lease()]
