"""A page that hears nothing from the server: a number that may be another visitor's by now is shown
no longer.
"""

import pytest

from tests.acceptance.script_page_time import OURS, opens, passes
from tests.acceptance.script_visitor import HREFS, TEXTS, Visitor
from tests.acceptance.script_world import LEASED, NEXT, STATIC, Company, Mood

pytestmark = pytest.mark.acceptance

THE_NEXT, THE_COMPANYS = "8 495 777-00-02", "8 495 123-45-67"


@pytest.mark.parametrize(("hold", "still", "not_any_more"), [(300, 180, 300), (None, 1500, 1800)])
async def test_a_number_is_given_up_before_the_silent_server_gives_it_to_another(
    company: Company, visitor: Visitor, hold: int | None, still: int, not_any_more: int
) -> None:
    company.hold_seconds = hold
    await opens(visitor)
    company.mood = Mood.BROKEN
    await passes(visitor, still, step=20)
    assert await visitor.text("p") == OURS
    await passes(visitor, not_any_more - still, step=20)
    await visitor.gives(TEXTS, [THE_COMPANYS], ["p"])
    await visitor.gives(HREFS, ["tel:84951234567"])


async def test_a_static_number_is_shown_however_long_the_server_is_silent(
    company: Company, visitor: Visitor
) -> None:
    company.numbers = {"visitors": STATIC}
    await opens(visitor, "8 495 777-00-09")
    company.mood = Mood.BROKEN
    await visitor.page.clock.run_for(2400_000)
    assert await visitor.text("p") == "8 495 777-00-09"


async def test_a_number_is_kept_as_long_as_the_server_answers(
    company: Company, visitor: Visitor
) -> None:
    company.hold_seconds, company.alive_seconds = 60, 15
    await opens(visitor)
    await passes(visitor, 150)
    assert await visitor.text("p") == OURS
    alive = company.said("alive")
    assert len(alive) > 4  # for longer than the hold
    assert all(body == {"leases": ["lease-1"]} for body in alive)


async def test_a_machine_that_slept_without_a_network_shows_the_companys_number(
    visitor: Visitor,
) -> None:
    await opens(visitor)
    await visitor.page.context.set_offline(True)
    await visitor.page.clock.fast_forward("02:00:00")
    await visitor.page.clock.run_for(5000)
    await visitor.shows(THE_COMPANYS, "p")


@pytest.mark.parametrize(("number", "shown"), [(LEASED, OURS), (NEXT, THE_NEXT)])
async def test_a_number_given_up_is_asked_for_again_when_the_network_is_back(
    company: Company, visitor: Visitor, number: str, shown: str
) -> None:
    await opens(visitor)
    await visitor.page.context.set_offline(True)
    await visitor.page.clock.run_for(1800_000)
    await visitor.shows(THE_COMPANYS, "p")
    company.numbers = {"visitors": number}
    await visitor.page.context.set_offline(False)
    await visitor.shows(shown, "p")
    assert company.said("numbers") == [{"pools": ["visitors"]}]


async def test_a_number_given_up_is_asked_for_again_when_the_server_answers_again(
    company: Company, visitor: Visitor
) -> None:
    company.hold_seconds = 300
    await opens(visitor)
    company.mood = Mood.BROKEN
    await visitor.page.clock.run_for(300_000)
    await visitor.shows(THE_COMPANYS, "p")
    company.mood, company.numbers = Mood.WELL, {"visitors": NEXT}
    await visitor.page.evaluate("history.pushState({}, '', '/next')")
    await visitor.page.clock.run_for(100)
    await visitor.shows(THE_NEXT, "p")


async def test_a_clock_that_is_set_back_does_not_silence_the_page(
    company: Company, visitor: Visitor
) -> None:
    company.alive_seconds = 2
    await visitor.opens("<p>8 495 123-45-67</p>")
    heard = len(await visitor.heard("alive"))
    await visitor.page.evaluate("() => { const now = Date.now; Date.now = () => now() - 3e10; }")
    await visitor.heard("alive", heard + 3)
