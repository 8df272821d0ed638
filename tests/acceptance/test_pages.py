"""Every page in a real browser, whatever the reader's language and the width of their screen."""

import pytest
from playwright.async_api import Browser, expect

from router.domain.attribution.terms import Verdict
from tests.acceptance.supervisor import heard, log_in, looking, until
from tests.support.web_calls import a_call, furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
HEADER = "document.querySelector('.top').offsetHeight"


async def test_the_language_changes_and_stays(world: World, browser: Browser) -> None:
    await furnish(world)
    async with looking(world, browser, locale="ru-RU") as seen:
        page = seen.page
        await expect(page.get_by_role("heading", name="Войти")).to_be_visible()
        await log_in(seen)
        await expect(page.get_by_role("heading", name="Звонки")).to_be_visible()
        await expect(page.locator("#rows tr").first).to_contain_text("14:25")  # Moscow's time
        await page.get_by_role("button", name="English").click()
        await expect(page.get_by_role("heading", name="Calls", exact=True)).to_be_visible()
        await page.get_by_role("link", name="+7 916 123-45-67").first.click()
        await expect(
            page.get_by_text("The visitor was on the site during the call")
        ).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/calls", "/missed", "/board", "/deliveries", "/pools", "/reliability"]
)
async def test_english_pages_fit_a_phone_too(world: World, browser: Browser, path: str) -> None:
    await furnish(world)
    async with looking(world, browser, width=390) as seen:
        await log_in(seen, "root")
        await seen.page.goto(seen.address + path)
        assert await seen.page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_the_heading_of_the_list_is_one_word_on_a_phone(
    world: World, browser: Browser
) -> None:
    await furnish(world)
    async with looking(world, browser, width=390, locale="ru-RU") as seen:
        await log_in(seen)
        heights = await seen.page.locator("h1").evaluate(
            "h => [h.clientHeight, parseFloat(getComputedStyle(h).lineHeight)]"
        )
        assert heights[0] < 1.5 * heights[1]


async def test_the_list_fits_whatever_its_verdicts_are_called(
    world: World, browser: Browser
) -> None:
    await world.save(
        *(a_call(str(n), world.clock.now, verdict=verdict) for n, verdict in enumerate(Verdict))
    )
    async with looking(world, browser, width=1200, locale="ru-RU") as seen:
        await log_in(seen, "root")
        outside = "results.scrollWidth - results.clientWidth"
        assert await seen.page.evaluate(outside) == 0
        assert await seen.page.evaluate(HEADER) < 70  # one line of pages

        await seen.page.set_viewport_size({"width": 390, "height": 900})
        assert await seen.page.evaluate(HEADER) < 120  # two lines: the name, and one of pages
        for row in await seen.page.locator("#rows tr").all():
            caller = await row.locator(".caller .phone").bounding_box()
            time = await row.locator("time").bounding_box()
            assert caller
            assert time
            assert caller["x"] + caller["width"] <= time["x"]


async def test_a_form_shows_that_it_waits_for_the_database(world: World, browser: Browser) -> None:
    calls = await furnish(world)
    async with looking(world, browser) as seen:
        await log_in(seen)
        await seen.page.goto(f"{seen.address}/calls/{next(iter(calls.values())).id}")
        add = seen.page.locator("form[action$='/tags'] button")
        assert await add.evaluate("button => getComputedStyle(button).animationName") == "none"
        async with world.store.write() as session:
            await session.calls.revision()
            await seen.page.locator("form[action$='/tags'] input").fill("slow")
            await seen.page.keyboard.press("Enter")
            await until(
                seen.page,
                "getComputedStyle(document.querySelector('form.add.htmx-request "
                "button')).animationName === 'pulse'",
            )
        await expect(seen.page.locator("#tags").get_by_text("slow")).to_be_visible()


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
async def test_nothing_sticks_out_at_any_width(
    world: World, browser: Browser, sound: bytes, width: int
) -> None:
    calls = await furnish(world, heard(world, sound))
    async with looking(world, browser, width=width, locale="ru-RU") as seen:
        await log_in(seen, "root")
        for path in (
            "/calls",
            "/calls?ending=cut",
            "/deliveries",
            "/pools",
            "/pools/visitors",
            "/reliability",
            "/missed",
            "/board",
            *(f"/calls/{call.id}" for call in calls.values()),
        ):
            await seen.page.goto(seen.address + path)
            beyond = await seen.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert beyond <= 0, path


async def test_the_report_of_a_pool_is_loaded_when_it_comes_into_view(
    world: World, browser: Browser
) -> None:
    await furnish(world)
    async with looking(world, browser) as seen:
        await log_in(seen)
        await seen.page.goto(f"{seen.address}/pools")
        report = seen.page.locator("#card-visitors")
        await expect(report.get_by_text("Numbers needed")).to_be_visible()
        await expect(seen.page.locator("[aria-busy=true]")).to_have_count(0)
