"""A call is scored by keyboard alone while its recording plays, in a real browser."""

import pytest
from playwright.async_api import Browser, expect

from router.service.calls import score_cards
from router.service.calls.score_cards import CardText
from router.service.calls.scoring import submitted_scores
from tests.acceptance.supervisor import SLOWLY, heard, log_in, looking, until
from tests.integration.scores_world import QUESTIONS, ROOT, scored
from tests.support.web_calls import furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]


async def test_a_call_is_scored_by_digits_while_it_plays(
    world: World, browser: Browser, sound: bytes
) -> None:
    call = (await furnish(world, heard(world, sound)))["attributed"]
    text = CardText(name="Sales", questions=QUESTIONS)
    draft = await score_cards.add_card(world.store, text, author="root", now=world.clock.now)
    card = await score_cards.publish_card(world.store, draft.id, world.clock.now)
    async with looking(world, browser) as seen:
        page = seen.page
        await log_in(seen)
        await page.goto(f"{seen.address}/calls/{call.id}")
        await expect(page.get_by_role("slider").first.locator("canvas").first).to_be_visible()
        await page.keyboard.press("k")
        await until(page, "document.querySelector('audio').currentTime > 0.5")
        await page.evaluate(SLOWLY)

        await page.keyboard.press("s")
        questions = page.locator("[data-questions] > div")
        await expect(questions.nth(0)).to_be_focused()
        await page.keyboard.press("1")
        await expect(questions.nth(1)).to_be_focused()
        await page.keyboard.press("c")
        await page.keyboard.type("At 3 he helps")
        await scored(world.store, call.id, card, ROOT)  # another supervisor at the same time
        await expect(page.locator("#score-others")).to_contain_text("Scored by root")
        await expect(questions.nth(1).locator("textarea")).to_be_focused()
        await page.keyboard.type(" her")
        await page.keyboard.press("Escape")
        await expect(questions.nth(1)).to_be_focused()
        await page.keyboard.press("3")
        await page.keyboard.press("0")
        submit = page.locator("#score-submit")
        await expect(submit).to_be_focused()
        await expect(page.locator("#score-figure")).to_have_text(
            "3 of 3 answered · score so far: 70"
        )
        assert not await page.evaluate("document.querySelector('audio').paused")
        await page.keyboard.press("Enter")
        await expect(page.locator("#score")).to_contain_text("You scored this call")
        await expect(page.locator("#score-others .changed")).to_have_count(2)
        await expect(page.locator("#review .outcome.good")).to_be_visible()
        assert not await page.evaluate("document.querySelector('audio').paused")
        assert await page.evaluate("document.querySelector('audio').currentTime > 0.5")

    sheets = await submitted_scores(world.store, call.id)
    (sheet,) = [sheet for sheet in sheets if sheet.score.scorer == "anna"]
    answer = sheet.answers["help"]
    assert (sheet.score.score, answer.value, answer.comment) == (70.0, "3", "At 3 he helps her")
    assert answer.at_seconds
