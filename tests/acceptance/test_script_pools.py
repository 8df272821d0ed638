"""Several pools replace the same number, one for each region: the server is asked for all, and
one is shown.
"""

import pytest

from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import LEASED, NEXT, STATIC, Company, Mood, a_pool

pytestmark = pytest.mark.acceptance

PAGE = "<p>8 495 123-45-67</p><a href='tel:84951234567'>☎</a>"


@pytest.fixture
def regions(company: Company) -> Company:
    """The company has a pool for Moscow, and one for everybody else."""
    company.pools = [a_pool("everyone"), a_pool("moscow", regions=("Moscow",))]
    return company


@pytest.mark.parametrize("fitting", ["moscow", "everyone"])
async def test_pools_of_one_number_are_asked_for_together_and_the_fitting_one_is_shown(
    regions: Company, visitor: Visitor, fitting: str
) -> None:
    regions.numbers = {fitting: LEASED}
    await visitor.opens(PAGE)
    await visitor.shows("8 495 777-00-01", "p")
    await visitor.until("document.querySelector('a').getAttribute('href') === 'tel:84957770001'")
    asked = [
        body["pools"] for body in regions.said("visits") + regions.said("numbers") if body["pools"]
    ]
    assert asked == [["moscow", "everyone"]]


@pytest.mark.parametrize("own", ["moscow", "everyone"])
async def test_of_several_numbers_the_visitors_own_is_shown(
    regions: Company, visitor: Visitor, own: str
) -> None:
    regions.numbers = {"everyone": STATIC, "moscow": STATIC} | {own: LEASED}
    await visitor.opens(PAGE)
    await visitor.shows("8 495 777-00-01", "p")


async def test_a_static_number_is_shown_where_the_other_pool_has_none(
    regions: Company, visitor: Visitor
) -> None:
    regions.numbers = {"everyone": None, "moscow": STATIC}
    await visitor.opens(PAGE)
    await visitor.shows("8 495 777-00-09", "p")


async def test_a_number_lost_in_one_pool_gives_way_to_that_of_the_other(
    regions: Company, visitor: Visitor
) -> None:
    regions.numbers = {"everyone": LEASED}
    await visitor.opens(PAGE)
    await visitor.shows("8 495 777-00-01", "p")
    for news, path, shown in (
        ({"moscow": NEXT, "everyone": None}, "/next", "8 495 777-00-02"),
        ({"moscow": None, "everyone": LEASED}, "/back", "8 495 777-00-01"),
        ({"everyone": None}, "/last", "8 495 123-45-67"),
    ):
        regions.news = dict(news)
        await visitor.page.evaluate("path => history.pushState({}, '', path)", path)
        await visitor.shows(shown, "p")


async def test_a_pool_that_does_not_fit_any_more_gives_its_number_back(
    regions: Company, visitor: Visitor
) -> None:
    regions.numbers = {"everyone": LEASED}
    await visitor.opens(PAGE)
    await visitor.shows("8 495 777-00-01", "p")
    # the visitor has moved, and begins again
    regions.mood, regions.numbers = (
        Mood.FORGETFUL,
        {"moscow": None},
    )
    await visitor.page.evaluate("history.pushState({}, '', '/next')")
    await visitor.shows("8 495 123-45-67", "p")


async def test_pools_on_request_of_one_number_are_all_asked_for_when_it_is_hovered(
    company: Company, visitor: Visitor
) -> None:
    company.pools = [
        a_pool("everyone", on_request=True),
        a_pool("moscow", regions=("Moscow",), on_request=True),
    ]
    company.numbers = {"moscow": LEASED}
    await visitor.opens(PAGE)
    await visitor.heard("visits")
    await visitor.page.hover("p")
    await visitor.shows("8 495 777-00-01", "p")
    assert company.said("numbers") == [{"pools": ["moscow", "everyone"]}]


async def test_pools_with_one_selector_do_not_undo_each_other(
    company: Company, visitor: Visitor
) -> None:
    of_phones = {"replaces": (), "selector": ".phone"}
    company.pools = [
        a_pool("everyone", **of_phones),
        a_pool("moscow", regions=("Moscow",), **of_phones),
    ]
    company.numbers = {"everyone": LEASED}
    await visitor.opens(
        "<b class='phone'>8 812 000-11-22</b><i class='phone'></i><p>8 812 000-11-22</p>"
    )
    await visitor.shows("8 495 777-00-01", "b")
    await visitor.shows("+7 495 777-00-01", "i")
    company.news = {"everyone": None, "moscow": NEXT}
    await visitor.page.evaluate("history.pushState({}, '', '/next')")
    await visitor.shows("8 495 777-00-02", "b")
    await visitor.shows("+7 495 777-00-02", "i")
    assert await visitor.text("p") == "8 812 000-11-22"
