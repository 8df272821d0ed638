"""A browser without cookies and storage: it goes on with the visit that it has just left, and
begins few an hour.
"""

from typing import Any

import pytest

from router.domain.visitors.visit import DisplayLevel, Visit
from router.service.visitors.opened_page import Arrived
from router.service.visitors.visits import VisitService
from router.store.engine import SqlStore
from tests.integration.visit_world import ADS, SHOP, everything, open_page, visit_service
from tests.support.builders import dynamic, furnish, later

NOTHING = {"keeps_nothing": True, "address": "203.0.113.7", "user_agent": "Firefox"}


async def read_on(desk: VisitService, before: Arrived, at: float, **more: Any) -> Arrived:
    """Leave the page and open the next one, a second later."""
    who = await desk.recall(before.visit_id or "")
    await desk.left(who, [before.numbers["main"].lease_id or ""], later(at - 1))
    return await open_page(
        desk, f"{SHOP}/next", later(at), **{"referrer": f"{SHOP}/tyres", **NOTHING, **more}
    )


async def first_page(store: SqlStore, **limits: Any) -> tuple[VisitService, Arrived]:
    await furnish(store, numbers=[dynamic(f"+7495000{i:04}") for i in range(8)])
    desk = visit_service(store, **limits)
    return desk, await open_page(desk, ADS, **NOTHING)


async def test_page_after_page_is_one_visit_with_one_number(store: SqlStore) -> None:
    desk, page = await first_page(store)
    number = page.numbers["main"].number
    for turn in range(5):
        page = await read_on(desk, page, 20 * (turn + 1))
        assert page.numbers["main"].number == number
    [visit] = await everything(store, Visit)
    assert visit.source == "google"


@pytest.mark.parametrize(
    "other",
    [
        {"address": "203.0.113.8"},
        {"user_agent": "Chrome"},
        {"referrer": "https://elsewhere.example/"},
        {"referrer": None},
        {"keeps_nothing": False},
    ],
)
async def test_another_visitor_gets_a_number_of_their_own(
    store: SqlStore, other: dict[str, Any]
) -> None:
    desk, page = await first_page(store)
    theirs = await read_on(desk, page, 20, **other)
    assert theirs.visitor_id != page.visitor_id
    assert theirs.numbers["main"].number != page.numbers["main"].number


async def test_who_is_on_the_page_still_is_another_person(store: SqlStore) -> None:
    desk, page = await first_page(store)
    other = await open_page(desk, f"{SHOP}/next", later(10), referrer=f"{SHOP}/tyres", **NOTHING)
    assert other.visitor_id != page.visitor_id


async def test_after_half_a_minute_it_is_another_visit(store: SqlStore) -> None:
    desk, page = await first_page(store)
    who = await desk.recall(page.visit_id or "")
    await desk.left(who, [page.numbers["main"].lease_id or ""], later(5))
    late = await open_page(desk, f"{SHOP}/next", later(40), referrer=f"{SHOP}/tyres", **NOTHING)
    assert late.visitor_id != page.visitor_id


async def test_visitors_without_a_name_begin_only_so_often(store: SqlStore) -> None:
    counted: list[str] = []

    def three(client: str) -> bool:
        counted.append(client)
        return len(counted) <= 3

    desk, page = await first_page(store, nameless=three)
    levels = [
        (await open_page(desk, ADS, later(i), **NOTHING)).numbers["main"].level for i in range(1, 5)
    ]
    assert levels == [
        DisplayLevel.DYNAMIC,
        DisplayLevel.DYNAMIC,
        DisplayLevel.OWN,
        DisplayLevel.OWN,
    ]
    assert (await read_on(desk, page, 20)).numbers["main"].level is DisplayLevel.DYNAMIC
    assert "203.0.113.7" not in counted[0]
