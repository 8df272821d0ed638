"""A visit as it begins: who the visitor is, where they came from, and what of it is written."""

import asyncio

import pytest

from router.domain.visitors.lease import Lease
from router.domain.visitors.promo_codes import LETTERS, read_code
from router.domain.visitors.visit import DisplayLevel, Fallback, PageView, Reason, Visit, Visitor
from router.service.visitors.display import Shown
from router.service.visitors.identities import Ids
from router.store.engine import SqlStore
from tests.integration.visit_world import ADS, SHOP, everything, open_page, set_up, visit_service
from tests.support.builders import DID, NOON, STATIC_DID, dynamic, furnish, later, site, static


async def test_a_visitor_of_an_advertisement_is_written_with_all_that_is_known(
    store: SqlStore,
) -> None:
    await furnish(store)
    ids = Ids(ga_client_id="1.2", ga_session_id="99", ym_client_id="7")
    told = {
        "ids": ids,
        "referrer": "https://www.google.com/",
        "parameters": {"order": "17"},
        "address": "10.0.0.1",
    }
    arrived = await open_page(store, ADS + "&gclid=abc", **told)
    [visitor], [visit], [view] = [
        await everything(store, kind) for kind in (Visitor, Visit, PageView)
    ]
    assert (visitor.id, visitor.ga_client_id, visitor.ym_client_id) == (
        arrived.visitor_id,
        "1.2",
        "7",
    )
    assert (visit.id, visit.source, visit.medium, visit.campaign) == (
        arrived.visit_id,
        "google",
        "cpc",
        "winter",
    )
    assert (visit.click_ids, visit.parameters, visit.ga_session_id) == (
        {"gclid": "abc"},
        {"order": "17"},
        "99",
    )
    assert (visit.device, visit.city, visit.started_at, visit.seen_at) == (
        "mobile",
        "Khimki",
        NOON,
        NOON,
    )
    assert view.path == "/tyres"
    assert arrived.numbers["main"].number == DID
    assert arrived.numbers["main"].level is DisplayLevel.DYNAMIC


async def test_the_next_page_goes_on_with_the_visit_and_the_number(store: SqlStore) -> None:
    await furnish(store)
    first = await open_page(store, ADS)
    again = await open_page(
        store,
        f"{SHOP}/contacts?x=1",
        later(100),
        visitor_id=first.visitor_id,
        referrer=f"{SHOP}/tyres",
    )
    assert (again.visit_id, again.code, again.numbers) == (
        first.visit_id,
        first.code,
        first.numbers,
    )
    [visit] = await everything(store, Visit)
    assert visit.seen_at == later(100)
    assert sorted(view.path for view in await everything(store, PageView)) == [
        "/contacts",
        "/tyres",
    ]


@pytest.mark.parametrize(("seconds", "url"), [(1801, SHOP), (10, ADS)])
async def test_a_long_pause_or_another_source_begins_a_new_visit(
    seconds: float, url: str, store: SqlStore
) -> None:
    await furnish(store)
    first = await open_page(store, SHOP)
    again = await open_page(store, url, later(seconds), visitor_id=first.visitor_id)
    assert again.visitor_id == first.visitor_id
    assert again.visit_id != first.visit_id


async def test_a_robot_gets_no_number_and_is_not_stored(store: SqlStore) -> None:
    await furnish(store)
    arrived = await open_page(store, ADS, user_agent="Googlebot/2.1")
    assert (arrived.visitor_id, arrived.visit_id, arrived.code) == (None, None, None)
    assert arrived.numbers == {"main": Shown(DisplayLevel.OWN)}
    assert await everything(store, Visitor) == []
    assert [(step.reason, step.visit_id) for step in await everything(store, Fallback)] == [
        (Reason.ROBOT, None)
    ]


async def test_without_consent_nothing_is_stored_and_the_number_is_the_sources(
    store: SqlStore,
) -> None:
    await furnish(store, numbers=[dynamic(), static(channel="google")])
    await set_up(store, site(consent=True))
    arrived = await open_page(store, ADS)
    assert (arrived.visitor_id, arrived.numbers) == (
        None,
        {"main": Shown(DisplayLevel.STATIC, STATIC_DID)},
    )
    assert [await everything(store, kind) for kind in (Visitor, Visit, PageView, Lease)] == [
        [],
        [],
        [],
        [],
    ]
    assert (await open_page(store, ADS, consent=True)).numbers["main"].level is DisplayLevel.DYNAMIC


async def test_invented_visitors_of_one_address_are_refused_and_the_known_one_stays(
    store: SqlStore,
) -> None:
    await furnish(store)
    left = iter([True, False, False, False])
    desk = visit_service(store, visits=lambda _: next(left), refusals=lambda _: False)
    first = await open_page(desk)
    for invented in (None, "f" * 32):
        assert (await open_page(desk, visitor_id=invented)).numbers == {
            "main": Shown(DisplayLevel.OWN)
        }
    assert (await open_page(desk, visitor_id=first.visitor_id)).numbers == first.numbers
    assert len(await everything(store, Visitor)) == 1
    assert await everything(store, Fallback) == []  # what a flood adds tells nothing


async def test_codes_are_short_readable_and_of_one_visit_alone(store: SqlStore) -> None:
    await furnish(store)
    desk = visit_service(store)
    codes = [opened.code for opened in await asyncio.gather(*(open_page(desk) for _ in range(60)))]
    assert len(set(codes)) == 60
    assert all(code and len(code) == 6 and set(code) <= set(LETTERS) for code in codes)
    assert read_code("ас 2-нк9") == "AC2HK9"  # typed in Cyrillic
    assert read_code("ac2hk") is None


async def test_two_tabs_of_one_visitor_at_once_are_one_visit_with_one_number(
    store: SqlStore,
) -> None:
    await furnish(store)
    desk = visit_service(store)
    first = await open_page(desk)
    tabs = [open_page(desk, ADS, later(2000), visitor_id=first.visitor_id) for _ in range(3)]
    opened = await asyncio.gather(*tabs)
    assert len({(page.visit_id, page.numbers["main"].lease_id) for page in opened}) == 1


async def test_a_visitor_of_another_site_is_a_stranger(store: SqlStore) -> None:
    await furnish(store, site("other"), Visitor(id="theirs", site_id="other", created_at=NOON))
    assert (await open_page(store, visitor_id="theirs")).visitor_id != "theirs"
