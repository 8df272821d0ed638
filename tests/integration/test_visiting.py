"""What a page does in a visitor's name: arriving, staying, tapping, leaving; and the ladder when numbers run out."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from router.domain.call import Call, State
from router.domain.codes import LETTERS, read_code
from router.domain.lease import Lease
from router.domain.site import TrackingNumber
from router.domain.visit import Form, PageView, Reason, Rung, Showing, Tap, Visit, Visitor
from router.errors import InvalidInput, NotFound
from router.service.arriving import Arrived, Ids, Limits
from router.service.leasing import free_after_call
from router.service.ports import Surroundings
from router.service.showing import Shown
from router.service.together import Together
from router.service.visiting import Arrival, Reception
from router.store.engine import SqlStore
from tests.builders import DID, NOON, OTHER_DID, STATIC_DID, dynamic, furnish, later, pool, site, static

SHOP = "https://shop.example"
ADS = f"{SHOP}/tyres?utm_source=google&utm_medium=cpc&utm_campaign=winter"


@dataclass(frozen=True)
class Seen:
    """A browser, or where an address is."""

    device: str = "mobile"
    browser: str | None = "Firefox"
    system: str | None = "Android"
    robot: bool = False
    country: str | None = "RU"
    region: str | None = "Moscow"
    city: str | None = "Khimki"


AROUND = Surroundings(
    referrers=lambda host: ("google", "search") if "google" in host else None,
    browsers=lambda agent: Seen(robot="bot" in agent),
    places=lambda address: {"10.0.0.1": Seen(), "10.0.0.2": Seen(region="Tver Oblast", city="Tver")}.get(address),
)


def reception(store: SqlStore, **limits: Any) -> Reception:
    return Reception(store, AROUND, Limits(**limits))


async def open_page(store: SqlStore | Reception, url: str = SHOP, now: datetime = NOON, **told: Any) -> Arrived:
    desk = store if isinstance(store, Reception) else reception(store)
    setup = await desk.sites.get("shop")
    return await desk.arrive(setup, Arrival(**{"url": url, "pools": ["main"], **told}), now)


async def everything(store: SqlStore, kind: type[Any]) -> list[Any]:
    async with store.read() as session:
        return await session.find(kind)


async def set_up(store: SqlStore, *records: Any) -> None:
    async with store.write() as session:
        await session.change(*records)


async def test_a_visitor_of_an_advertisement_is_written_with_all_that_is_known(store: SqlStore) -> None:
    await furnish(store)
    ids = Ids(ga_client_id="1.2", ga_session_id="99", ym_client_id="7")
    told = {"ids": ids, "referrer": "https://www.google.com/", "parameters": {"order": "17"}, "address": "10.0.0.1"}
    arrived = await open_page(store, ADS + "&gclid=abc", **told)
    [visitor], [visit], [view] = [await everything(store, kind) for kind in (Visitor, Visit, PageView)]
    assert (visitor.id, visitor.ga_client_id, visitor.ym_client_id) == (arrived.visitor_id, "1.2", "7")
    assert (visit.id, visit.source, visit.medium, visit.campaign) == (arrived.visit_id, "google", "cpc", "winter")
    assert (visit.click_ids, visit.parameters, visit.ga_session_id) == ({"gclid": "abc"}, {"order": "17"}, "99")
    assert (visit.device, visit.city, visit.started_at, visit.seen_at) == ("mobile", "Khimki", NOON, NOON)
    assert view.path == "/tyres"
    assert arrived.numbers["main"].number == DID
    assert arrived.numbers["main"].rung is Rung.DYNAMIC


async def test_the_next_page_goes_on_with_the_visit_and_the_number(store: SqlStore) -> None:
    await furnish(store)
    first = await open_page(store, ADS)
    again = await open_page(
        store, f"{SHOP}/contacts?x=1", later(100), visitor_id=first.visitor_id, referrer=f"{SHOP}/tyres"
    )
    assert (again.visit_id, again.code, again.numbers) == (first.visit_id, first.code, first.numbers)
    [visit] = await everything(store, Visit)
    assert visit.seen_at == later(100)
    assert sorted(view.path for view in await everything(store, PageView)) == ["/contacts", "/tyres"]


@pytest.mark.parametrize(("seconds", "url"), [(1801, SHOP), (10, ADS)])
async def test_a_long_pause_or_another_source_begins_a_new_visit(seconds: float, url: str, store: SqlStore) -> None:
    await furnish(store)
    first = await open_page(store, SHOP)
    again = await open_page(store, url, later(seconds), visitor_id=first.visitor_id)
    assert again.visitor_id == first.visitor_id
    assert again.visit_id != first.visit_id


async def test_the_lease_of_an_earlier_visit_gives_way_to_one_of_the_new_visit(store: SqlStore) -> None:
    """A call is told the advertisement that the visitor came from last, and the ledger which it was when."""
    await furnish(store)
    first = await open_page(store, SHOP)
    again = await open_page(store, ADS, later(10), visitor_id=first.visitor_id)
    new, old = [one for one in await _leases(store) if one.number == DID]
    assert (new.visit_id, new.started_at) == (again.visit_id, later(10))
    assert (old.visit_id, old.frozen_at, old.ends_at) == (first.visit_id, later(10), later(10))


async def _leases(store: SqlStore) -> list[Lease]:
    async with store.read() as session:
        return await session.leases()


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
    numbers = [dynamic(strays=40, free_at=later(-9999)), dynamic(OTHER_DID, strays=1)]
    await furnish(store, numbers=numbers)
    assert [(await open_page(store)).numbers["main"].number for _ in range(2)] == [OTHER_DID, DID]


@pytest.mark.parametrize("channel", ["Google", "google / CPC", "Paid Search"])
async def test_with_the_pool_empty_the_static_number_of_the_source_is_shown(channel: str, store: SqlStore) -> None:
    await furnish(store, numbers=[static(channel=channel)])
    arrived = await open_page(store, ADS)
    assert arrived.numbers == {"main": Shown(Rung.STATIC, STATIC_DID)}
    [step] = await everything(store, Showing)
    assert (step.visit_id, step.rung, step.reason) == (arrived.visit_id, Rung.STATIC, Reason.EMPTY)
    assert (step.number, step.at) == (STATIC_DID, NOON)


async def test_without_one_the_page_keeps_the_companys_own(store: SqlStore) -> None:
    await furnish(store, numbers=[static(channel="billboard")])
    assert (await open_page(store, ADS)).numbers == {"main": Shown(Rung.OWN)}
    assert [(step.rung, step.number) for step in await everything(store, Showing)] == [(Rung.OWN, None)]


async def test_a_robot_gets_no_number_and_is_not_stored(store: SqlStore) -> None:
    await furnish(store)
    arrived = await open_page(store, ADS, user_agent="Googlebot/2.1")
    assert (arrived.visitor_id, arrived.visit_id, arrived.code) == (None, None, None)
    assert arrived.numbers == {"main": Shown(Rung.OWN)}
    assert await everything(store, Visitor) == []
    assert [(step.reason, step.visit_id) for step in await everything(store, Showing)] == [(Reason.ROBOT, None)]


async def test_without_consent_nothing_is_stored_and_the_number_is_the_sources(store: SqlStore) -> None:
    await furnish(store, numbers=[dynamic(), static(channel="google")])
    await set_up(store, site(consent=True))
    arrived = await open_page(store, ADS)
    assert (arrived.visitor_id, arrived.numbers) == (None, {"main": Shown(Rung.STATIC, STATIC_DID)})
    assert [await everything(store, kind) for kind in (Visitor, Visit, PageView, Lease)] == [[], [], [], []]
    assert (await open_page(store, ADS, consent=True)).numbers["main"].rung is Rung.DYNAMIC


async def test_invented_visitors_of_one_address_are_refused_and_the_known_one_stays(store: SqlStore) -> None:
    await furnish(store)
    left = iter([True, False, False, False])
    desk = reception(store, visits=lambda _: next(left), refusals=lambda _: False)
    first = await open_page(desk)
    for invented in (None, "f" * 32):
        assert (await open_page(desk, visitor_id=invented)).numbers == {"main": Shown(Rung.OWN)}
    assert (await open_page(desk, visitor_id=first.visitor_id)).numbers == first.numbers
    assert len(await everything(store, Visitor)) == 1
    assert await everything(store, Showing) == []  # what a flood adds tells nothing


async def test_a_pool_gives_no_more_than_its_budget_of_an_hour(store: SqlStore) -> None:
    await furnish(store, numbers=[dynamic(f"+749500001{i:02}") for i in range(9)])
    await set_up(store, pool(leases_per_hour=3))
    desk = reception(store)
    arrived = await asyncio.gather(*(open_page(desk) for _ in range(5)))
    assert [one.numbers["main"].rung for one in arrived].count(Rung.DYNAMIC) == 3
    assert {step.reason for step in await everything(store, Showing)} == {Reason.BUDGET}
    first = next(one for one in arrived if one.numbers["main"].number)
    assert (await open_page(desk, visitor_id=first.visitor_id)).numbers == first.numbers  # they hold it already
    assert (await open_page(desk, SHOP, later(3601))).numbers["main"].rung is Rung.DYNAMIC


async def test_of_pools_for_one_number_the_one_for_the_visitors_place_answers(store: SqlStore) -> None:
    moscow = pool("moscow", replaces=("+74951234567",), regions=("Moscow", "Moscow Oblast"))
    await furnish(store, moscow, dynamic("+74990000001", pool_id="moscow"))
    await set_up(store, pool(replaces=("+74951234567",)))
    asked = {"pools": ["main", "moscow"]}
    assert set((await open_page(store, address="10.0.0.1", **asked)).numbers) == {"moscow"}
    assert set((await open_page(store, address="10.0.0.2", **asked)).numbers) == {"main"}
    assert set((await open_page(store, address="10.0.0.9", **asked)).numbers) == {"main"}


async def test_codes_are_short_readable_and_of_one_visit_alone(store: SqlStore) -> None:
    await furnish(store)
    desk = reception(store)
    codes = [one.code for one in await asyncio.gather(*(open_page(desk) for _ in range(60)))]
    assert len(set(codes)) == 60
    assert all(code and len(code) == 6 and set(code) <= set(LETTERS) for code in codes)
    assert read_code("ас 2-нк9") == "AC2HK9"  # typed in Cyrillic
    assert read_code("ac2hk") is None


async def test_many_pages_at_once_in_several_processes_never_share_a_number(
    store: SqlStore, other_store: SqlStore
) -> None:
    await furnish(store, numbers=[dynamic(f"+749500000{i:02}", free_at=later(-i)) for i in range(30)])
    desks = [reception(one) for one in (store, other_store)]
    arrived = await asyncio.gather(*(open_page(desks[i % 2], now=later(i / 1000)) for i in range(40)))
    numbers = [one.numbers["main"].number for one in arrived if one.numbers["main"].number]
    assert len(numbers) == len(set(numbers)) == 30
    assert len(await everything(store, Lease)) == 30


async def test_returning_visitors_and_new_ones_at_once_never_share_a_number(
    store: SqlStore, other_store: SqlStore
) -> None:
    """Former numbers are given back in the moment in which they are the longest idle ones for others."""
    await furnish(store, numbers=[dynamic(f"+749500000{i:02}") for i in range(12)])
    desks = [reception(one) for one in (store, other_store)]
    known = [(await open_page(desks[0])).visitor_id for _ in range(12)]
    now = NOON
    for _ in range(4):
        now = now.replace(day=now.day + 1)
        who = [known[i // 2] if i % 2 else None for i in range(24)]
        await asyncio.gather(*(open_page(desks[i % 3 % 2], now=now, visitor_id=one) for i, one in enumerate(who)))
        held = [one for one in await everything(store, Lease) if one.started_at <= now < one.ends_at]
        assert len({one.number for one in held}) == len(held) <= 12
        assert len(held) >= 10


async def test_two_tabs_of_one_visitor_at_once_are_one_visit_with_one_number(store: SqlStore) -> None:
    await furnish(store)
    desk = reception(store)
    first = await open_page(desk)
    tabs = [open_page(desk, ADS, later(2000), visitor_id=first.visitor_id) for _ in range(3)]
    opened = await asyncio.gather(*tabs)
    assert len({(one.visit_id, one.numbers["main"].lease_id) for one in opened}) == 1


async def test_a_visitor_of_another_site_is_a_stranger(store: SqlStore) -> None:
    await furnish(store, site("other"), Visitor(id="theirs", site_id="other", created_at=NOON))
    assert (await open_page(store, visitor_id="theirs")).visitor_id != "theirs"


# The page goes on


async def opened(store: SqlStore) -> tuple[Reception, Any, Arrived]:
    await furnish(store)
    desk = reception(store)
    arrived = await open_page(desk, ADS)
    return desk, await desk.recall(arrived.visit_id or ""), arrived


async def test_signs_of_life_keep_the_number_and_tell_only_what_changed(store: SqlStore) -> None:
    desk, who, arrived = await opened(store)
    lease_id = arrived.numbers["main"].lease_id
    ids = Ids(ym_client_id="77", ga_session_id="5")
    assert await desk.stay(who, [lease_id], "/contacts?phone=1", ids, "", later(200)) == {}
    changed = await desk.stay(await desk.recall(who.visit.id), [lease_id], None, Ids(), "", later(600))
    assert changed["main"].number == DID
    assert changed["main"].lease_id != lease_id  # it was frozen: a new lease of the same number
    [visitor], [visit] = await everything(store, Visitor), await everything(store, Visit)
    assert (visitor.ym_client_id, visit.ga_session_id, visit.seen_at) == ("77", "5", later(600))
    assert {view.path for view in await everything(store, PageView)} == {"/tyres", "/contacts"}


async def test_a_number_that_somebody_else_has_by_now_is_replaced(store: SqlStore) -> None:
    await furnish(store, numbers=[dynamic()])
    desk = reception(store)
    arrived = await open_page(desk)
    who = await desk.recall(arrived.visit_id or "")
    await open_page(desk, SHOP, later(700))
    changed = await desk.stay(who, [arrived.numbers["main"].lease_id or ""], None, Ids(), "", later(800))
    assert changed == {"main": Shown(Rung.OWN)}


async def test_leases_of_others_are_not_kept_and_not_left(store: SqlStore) -> None:
    desk, who, _ = await opened(store)
    theirs = (await open_page(desk)).numbers["main"].lease_id or ""
    before = await everything(store, Lease)
    assert await desk.stay(who, [theirs, "none"], None, Ids(), "", later(10)) == {}
    await desk.left(who, [theirs, "none"], later(10))
    assert await everything(store, Lease) == before


async def test_a_number_asked_for_later_is_given_then(store: SqlStore) -> None:
    await furnish(store)
    desk = reception(store)
    arrived = await open_page(desk, pools=[])
    assert arrived.numbers == {}
    given = await desk.give_numbers(await desk.recall(arrived.visit_id or ""), ["main", "none"], "", later(5))
    assert [shown.number for shown in given.values()] == [DID]


async def test_leaving_begins_the_freeze(store: SqlStore) -> None:
    desk, who, arrived = await opened(store)
    await desk.left(who, [arrived.numbers["main"].lease_id or ""], later(20))
    await desk.left(who, [arrived.numbers["main"].lease_id or ""], later(90))
    [lease] = await everything(store, Lease)
    assert (lease.frozen_at, lease.ends_at) == (later(20), later(320))


async def test_taps_and_forms_are_kept_in_one_spelling_and_not_without_end(store: SqlStore) -> None:
    desk, who, _ = await opened(store)
    await desk.left_phone(who, "8 (916) 123-45-67", NOON)
    for _ in range(55):
        await desk.tapped(who, DID, NOON)
    assert [form.phone for form in await everything(store, Form)] == ["+79161234567"]
    assert len(await everything(store, Tap)) == 50
    for wrong in ("", "abc", "1", "٣" * 70):
        with pytest.raises(InvalidInput):
            await desk.left_phone(who, wrong, NOON)


async def test_no_more_than_two_hundred_pages_of_a_visit_are_noted(store: SqlStore) -> None:
    desk, who, _ = await opened(store)
    for i in range(210):
        await desk.stay(who, [], f"/{i}/" + "x" * 600, Ids(), "", NOON)
    views = await everything(store, PageView)
    assert len(views) == 200
    assert max(len(view.path) for view in views) == 500


async def test_an_unknown_visit_is_not_found(store: SqlStore) -> None:
    with pytest.raises(NotFound):
        await reception(store).recall("none")


@pytest.mark.parametrize("wanted", [True, False])
async def test_after_the_call_the_number_is_free_where_the_pool_says_so(wanted: bool, store: SqlStore) -> None:
    _, _, arrived = await opened(store)
    await set_up(store, pool(free_after_call=wanted))
    lease_id = arrived.numbers["main"].lease_id
    call = Call(
        id="c", did=DID[1:], trunk="t", arrived_at=later(30), ended_at=later(90), state=State.ENDED, lease_id=lease_id
    )
    async with store.write() as session:
        await free_after_call(session, [call, replace(call, lease_id=None), replace(call, lease_id="none")])
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
    await set_up(store, replace(read, strays=2))
    assert (await open_page(store)).numbers["main"].rung is Rung.OWN


# Together


async def test_what_spoils_the_common_transaction_fails_alone(store: SqlStore) -> None:
    async def act(_: Any, asked: Any) -> list[int]:
        if 3 in asked:
            raise InvalidInput("three")
        return [one * 10 for one in asked]

    together = Together(store, act)
    results = await asyncio.gather(*(together(i) for i in range(6)), return_exceptions=True)
    assert [result for result in results if isinstance(result, int)] == [0, 10, 20, 40, 50]
    assert isinstance(results[3], InvalidInput)


@pytest.mark.parametrize("moment", [0, 0.001, 0.004])
async def test_who_goes_away_keeps_nobody_waiting(moment: float, store: SqlStore) -> None:
    async def act(_: Any, asked: Any) -> list[int]:
        await asyncio.sleep(0.003)
        return list(asked)

    together = Together(store, act)
    tasks = [asyncio.create_task(together(i)) for i in range(6)]
    await asyncio.sleep(moment)
    for gone in (0, 1, 3):
        tasks[gone].cancel()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [results[i] for i in (2, 4, 5)] == [2, 4, 5]
        assert await together(7) == 7
