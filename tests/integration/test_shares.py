"""A share of a pool for each line and network: one address neither empties a pool nor keeps it from
others.
"""

from typing import Any

import pytest

from router.domain.visitors.client_key import asker, networks
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import DisplayLevel
from router.service.visitors.identities import Ids
from router.service.visitors.pool_leases import Arrival, lease_number
from router.service.visitors.visits import VisitService
from router.store.engine import SqlStore
from tests.integration.visit_world import SHOP, ask_for_page, everything, open_page, visit_service
from tests.support.builders import dynamic, furnish, later

ATTACKER, HONEST = "198.51.100.7", "203.0.113."


async def pool_of(store: SqlStore, numbers: int) -> VisitService:
    await furnish(store, numbers=[dynamic(f"+7495000{i:04}") for i in range(numbers)])
    return visit_service(store)


async def got(desk: VisitService, address: str, at: float = 0, **more: Any) -> bool:
    arrived = await open_page(desk, SHOP, later(at), address=address, **more)
    return arrived.numbers["main"].level is DisplayLevel.DYNAMIC


def test_the_networks_of_an_address() -> None:
    assert networks("203.0.113.9") == ("203.0.113.9/32", "203.0.113.0/24")
    assert networks("::ffff:203.0.113.9") == networks("203.0.113.9")
    assert networks("2001:db8:1:2ab::9") == (
        "2001:db8:1:2ab::/64",
        "2001:db8:1:200::/56",
        "2001:db8:1::/48",
    )
    assert networks("fe80::1%eth0")[0] == "fe80::/64"
    assert networks("") == networks("testclient") == ()


def test_a_line_is_kept_as_a_hash_that_another_installation_does_not_share() -> None:
    one, other = asker(ATTACKER, "a"), asker(ATTACKER, "b")
    assert one is not None
    assert other is not None
    assert one.client_key != other.client_key
    assert ATTACKER not in one.client_key
    assert one.network == "198.51.100.0/24"


async def test_one_address_does_not_empty_a_pool(store: SqlStore) -> None:
    desk = await pool_of(store, 30)
    given = [await got(desk, ATTACKER) for _ in range(30)]
    assert given.count(True) == 23, "a quarter is kept back for others"
    assert all([await got(desk, f"{HONEST}{i}") for i in range(4)])


async def test_who_has_less_than_a_share_gets_the_number_of_who_has_more(store: SqlStore) -> None:
    desk = await pool_of(store, 10)
    for _ in range(10):
        await got(desk, ATTACKER)
    lines = [f"203.0.{i}.1" for i in range(8)]
    assert all([await got(desk, line, at=1) for line in lines])
    leases = await everything(store, Lease)
    held = [lease for lease in leases if lease.ends_at > later(1)]
    assert len({lease.number for lease in held}) == len(held) == 10
    assert not await got(desk, ATTACKER, at=2)


async def test_who_was_heard_of_last_keeps_the_number_the_longest(store: SqlStore) -> None:
    desk = await pool_of(store, 4)
    pages = [await open_page(desk, SHOP, later(i), address=ATTACKER) for i in range(4)]
    first = await desk.recall(pages[0].visit_id or "")
    await desk.stay(
        first, [pages[0].numbers["main"].lease_id or ""], None, Ids(), ATTACKER, later(20)
    )
    assert await got(desk, "203.0.113.1", at=30)
    over = {lease.id for lease in await everything(store, Lease) if lease.ends_at <= later(30)}
    assert over == {pages[1].numbers["main"].lease_id}


@pytest.mark.parametrize(
    "stranger", ["198.51.100.{}", "2001:db8:1:{}00::7", "2001:db8:1:2{:02x}::7"]
)
async def test_the_addresses_of_one_network_share_too(store: SqlStore, stranger: str) -> None:
    desk = await pool_of(store, 30)
    given = [await got(desk, stranger.format(10 + i)) for i in range(30)]
    assert given.count(True) <= 23
    assert await got(desk, HONEST + "1")


async def test_an_office_behind_one_address_gets_numbers_while_there_are_free_ones(
    store: SqlStore,
) -> None:
    desk = await pool_of(store, 20)
    assert [await got(desk, "192.0.2.1") for _ in range(15)].count(True) == 15


async def test_pages_that_show_no_number_give_way_when_the_pool_is_short(store: SqlStore) -> None:
    desk = await pool_of(store, 2)
    for line in ("198.51.100.1", "192.0.2.1"):
        await ask_for_page(desk, SHOP, later(0), address=line)
    assert not await got(desk, HONEST + "1", at=5), "an honest page may be slow"
    assert await got(desk, HONEST + "1", at=11)


async def test_a_small_pool_goes_to_the_visitor_who_asks_until_others_do(store: SqlStore) -> None:
    desk = await pool_of(store, 3)
    assert [await got(desk, ATTACKER) for _ in range(4)] == [True, True, True, False]
    assert await got(desk, HONEST + "1")


async def test_programs_that_lease_by_pool_have_a_share_as_well(store: SqlStore) -> None:
    desk = await pool_of(store, 10)
    who = asker(ATTACKER, "")
    for _ in range(8):
        await lease_number(store, "main", Arrival(), later(0), who)
    assert await got(desk, HONEST + "1")
    async with store.read() as session:
        assert await session.leases.most_held("main", later(0)) == ("198.51.100.0/24", 8)


async def test_the_next_holder_counts_and_the_last_one_does_not(store: SqlStore) -> None:
    desk = await pool_of(store, 2)
    for _ in range(2):
        await got(desk, ATTACKER)
    assert await got(desk, HONEST + "1", at=5000)
    async with store.read() as session:
        assert await session.leases.most_held("main", later(5000)) == ("203.0.113.0/24", 1)
