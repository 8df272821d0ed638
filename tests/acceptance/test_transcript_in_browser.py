"""The transcript under the recording in a browser: heard, searched, corrected, with a code."""

import pytest
from playwright.async_api import Browser, expect

from router.domain.calls.call import Call
from router.domain.calls.transcript import Side, Spoken
from router.domain.visitors.visit import Visit, Visitor
from tests.acceptance.supervisor import NOTE_SEEKS, SLOWLY, heard, log_in, looking, sought, until
from tests.acceptance.whole_desk import SAID, transcribe
from tests.support.web_calls import furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
CODE = Spoken(side=Side.CALLER, at=28, until=33, text="My code is 4 K 7 M 2 X <b>.")
AT = "document.querySelector('audio').currentTime"


async def a_visitor_with_a_code(world: World, call: Call) -> None:
    async with world.store.write() as session:
        at = call.arrived_at
        await session.add(Visitor(id="vera", site_id="shop", created_at=at))
        await session.add(
            Visit(id="vera-1", visitor_id="vera", started_at=at, source="radio", code="4K7M2X")
        )


async def test_what_was_said_is_heard_found_corrected_and_proves_a_visit(
    world: World, browser: Browser, sound: bytes
) -> None:
    call = (await furnish(world, heard(world, sound)))["attributed"]
    await transcribe(world, call.id, (*SAID, CODE))
    await a_visitor_with_a_code(world, call)
    async with looking(world, browser) as seen:
        page = seen.page
        await log_in(seen)
        await page.goto(f"{seen.address}/calls/{call.id}")
        lines = page.locator("[data-transcript] .line")
        await until(page, "document.querySelector('audio').readyState >= 1")

        # a word is heard, and its line is lit while it lasts
        await page.evaluate(NOTE_SEEKS)
        await lines.nth(1).locator(".word", has_text="winter").click()
        await sought(page, 10, within=2)
        await until(page, "!document.querySelector('audio').paused")
        await page.evaluate(f"{SLOWLY}; {AT} = 12")
        await until(page, f"{AT} > 12.1")
        await expect(lines.nth(2)).to_have_attribute("aria-current", "true")
        await expect(page.locator(".line[aria-current]")).to_have_count(1)
        await page.keyboard.press("k")

        # words are found, and Enter plays the first
        search = page.get_by_role("searchbox", name="Search in the transcript")
        await search.fill("EXPENSIVE think")
        await expect(page.locator(".line:visible")).to_have_count(1)
        await expect(page.locator(".find output")).to_have_text("1 / 5")
        await expect(page.locator(".word.found")).to_have_text(["expensive,", "think"])
        await search.press("Enter")
        await sought(page, 24, within=3)
        await page.locator("h1").click()
        await page.keyboard.press("k")
        await search.fill("")

        # a line is corrected; what was recognized stays readable
        await lines.nth(0).locator("summary").click()
        await lines.nth(0).get_by_role("textbox").fill("Good evening, <i>tyre</i> shop.")
        await lines.nth(0).get_by_role("button", name="Save").click()
        await expect(lines.nth(0).locator("[data-times]")).to_have_text(
            "Good evening, <i>tyre</i> shop."
        )
        await expect(lines.nth(0).locator("summary")).to_have_text("corrected")
        await lines.nth(0).locator(".word", has_text="evening").click()  # its words are heard, too
        await sought(page, 2.5, within=2.5)
        await until(page, "!document.querySelector('audio').paused")

        # the code that was heard is offered, and proves the visit
        offer = page.locator("#codes form")
        await expect(offer).to_contain_text("Heard: 4K7M2X?")
        await offer.get_by_role("button").click()
        await expect(page.locator("#verdict")).to_contain_text("radio")
        await expect(offer).to_have_count(0)
