"""The list of calls over several pages in a real browser: More, filters beside periods, and the way
back.
"""

from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from tests.acceptance.supervisor import filter_by_outcome, log_in, looking, open_filters, until
from tests.support.web_calls import a_call
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
CALLS = 170


async def fill(world: World) -> None:
    """More calls than three pages hold, a minute apart, every third of them yesterday's."""
    calls = []
    for place in range(CALLS):
        call = a_call(str(place), world.clock.now - timedelta(minutes=place, days=place % 3 == 2))
        calls.append(call)
    await world.save(*calls)


async def shown(page: Page) -> list[str]:
    """The ids of the rows, in their order."""
    ids: list[str] = await page.locator("#rows tr").evaluate_all("rows => rows.map(row => row.id)")
    return ids


async def test_more_leads_to_the_end_of_the_list_and_shows_each_call_once(
    world: World, browser: Browser
) -> None:
    await fill(world)
    async with looking(world, browser) as seen:
        await log_in(seen)
        page, rows = seen.page, seen.page.locator("#rows tr")
        for expected in (100, 150, CALLS):
            await page.get_by_role("link", name="More", exact=True).click()
            await expect(rows).to_have_count(expected)
        await expect(page.get_by_role("link", name="More", exact=True)).to_have_count(0)
        assert len(set(await shown(page))) == CALLS


async def test_back_from_a_call_shows_all_the_rows_and_the_call_that_was_opened(
    world: World, browser: Browser
) -> None:
    await fill(world)
    async with looking(world, browser) as seen:
        await log_in(seen)
        page, rows = seen.page, seen.page.locator("#rows tr")
        await page.get_by_role("link", name="More", exact=True).click()
        await expect(rows).to_have_count(100)
        await until(page, "location.search.includes('rows=100')")
        opened = (await shown(page))[80]
        await page.locator(f"[id='{opened}'] a").first.click()
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await page.go_back()
        await expect(rows).to_have_count(100)
        await until(page, f"document.activeElement?.closest('tr')?.id === '{opened}'")


async def test_the_link_to_the_list_keeps_the_filters(world: World, browser: Browser) -> None:
    await fill(world)
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        await filter_by_outcome(page, "answered")
        await page.wait_for_url("**/calls?ending=answered")
        await page.locator("#rows a").nth(3).click()
        await page.get_by_role("link", name="← Calls").click()
        await page.wait_for_url("**/calls?ending=answered")
        await until(
            page,
            "document.activeElement?.closest('tr') === document.querySelectorAll('#rows tr')[3]",
        )


async def test_a_period_keeps_the_filters_and_dates_unmark_the_period(
    world: World, browser: Browser
) -> None:
    await fill(world)
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        await filter_by_outcome(page, "answered")
        await page.wait_for_url("**/calls?ending=answered")
        await page.get_by_role("link", name="Today", exact=True).click()
        await page.wait_for_url("**/calls?*period=today*")
        await expect(page.locator("#periods [aria-current]")).to_have_text("Today")
        await expect(page.locator("#filters [value=answered]")).to_be_checked()
        assert "ending=answered" in page.url

        await open_filters(page)
        await page.get_by_label("From", exact=True).fill("2026-01-02")
        await page.wait_for_url("**since=2026-01-02**")
        await expect(page.locator("#periods [aria-current]")).to_have_count(0)


async def test_other_filters_leave_the_button_of_all_keys(world: World, browser: Browser) -> None:
    await fill(world)
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        keys = page.get_by_role("button", name="All keys")
        await expect(keys).to_be_visible()
        await filter_by_outcome(page, "answered")
        await page.wait_for_url("**/calls?ending=answered")
        await expect(page.locator("#results[aria-busy]")).to_have_count(0)
        await expect(keys).to_be_visible()
        await keys.click()
        await expect(page.get_by_role("dialog", name="All keys")).to_be_visible()
