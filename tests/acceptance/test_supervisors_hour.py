"""A supervisor's hour at the desk by keyboard alone, and two supervisors with one call."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from router.domain.calls.call import Call, Ending, Tag
from router.domain.calls.comment import Comment
from router.domain.calls.review import Review
from router.service.calls import scoring
from router.service.calls.comments import add_comment
from router.service.calls.tags import register_tag
from tests.acceptance.script_visitor import close, new_context
from tests.acceptance.supervisor import heard, log_in, looking, until
from tests.integration.scores_world import a_card
from tests.support.web_calls import a_call, furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
TEN = 10
# it plays on until the next call is opened, however slow the machine is
PLAYS = """(() => {
  const audio = document.querySelector("audio");
  audio.loop = true;
  return audio.currentTime > 0.3;
})()"""
MOST_KEYS = 6  # for each call, beside what is typed


@dataclass
class Keyboard:
    """Presses keys and counts them; what is typed into a field is counted apart."""

    page: Page
    presses: int = 0

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.presses += 1
            await self.page.keyboard.press(key)

    async def tab_to(self, wanted: Locator, key: str = "Tab") -> None:
        """Press the key until this has the focus."""
        for _ in range(40):
            await self.press(key)
            if await wanted.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"40 Tabs do not lead to {wanted}")


async def a_day_of_calls(world: World, sound: bytes) -> tuple[list[Call], list[Call]]:
    """Calls that were missed yesterday, and answered ones: of today, but for the last."""
    now = world.clock.now
    missed, answered = [], []
    for place in range(3):
        at = now - timedelta(hours=22, minutes=place)
        fields = {"answered_at": None, "talk_seconds": 0.0, "answered_by": None}
        caller = f"+7916000110{place}"
        missed.append(
            a_call(
                f"m{place}", at, caller=caller, ending=Ending.NO_ANSWER, disposition=None, **fields
            )
        )
    for place in range(TEN + 2):
        at = now - timedelta(minutes=20 + place, days=3 * (place > TEN))
        answered.append(a_call(f"a{place}", at, caller=f"+791600022{place:02}"))
    await world.save(*missed, *answered)
    async with world.store.write() as session:
        await session.tags.add(
            *(Tag(call_id=call.id, name="missed", author="rule", at=now) for call in missed)
        )
        await session.calls.touch(*(call.id for call in missed))
        recording = heard(world, sound)
        await session.recordings.save([replace(recording, call_id=call.id) for call in answered])
    return missed, answered


async def test_a_supervisors_hour_takes_few_keys(
    world: World, browser: Browser, sound: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    missed, answered = await a_day_of_calls(world, sound)
    complaint = answered[TEN + 1]
    await register_tag(world.store, "price", digit=1, now=world.clock.now)
    async with looking(world, browser) as seen:
        page, keys = seen.page, Keyboard(seen.page)
        rows = page.locator("#rows tr")
        await log_in(seen)

        # yesterday's missed calls
        await keys.press("/")
        await keys.tab_to(page.get_by_role("link", name="Missed today"), "Shift+Tab")
        await keys.press("Enter")
        await page.wait_for_url("**/calls?*missed-today*")
        await keys.press("/")
        await keys.tab_to(page.get_by_role("link", name="Yesterday"))
        await keys.press("Enter")
        await expect(rows).to_have_count(len(missed))
        found_missed = keys.presses

        # a complaint, by four digits
        await page.goto(f"{seen.address}/calls")
        keys.presses = 0
        await keys.press("/")
        await page.keyboard.type(str(complaint.caller)[-4:])
        await keys.press("Enter")
        await expect(rows).to_have_count(1)
        await keys.press("n", "Enter")
        await page.wait_for_url(f"**/calls/{complaint.id}*")
        found_complaint = keys.presses
        await expect(page.locator("h1")).to_contain_text("22-11")

        # ten calls, one after the other
        await page.goto(f"{seen.address}/calls?period=today&ending=answered")
        keys.presses = 0
        await keys.press("n", "Enter")
        await page.wait_for_url("**/calls/pbx*")
        await until(page, "document.querySelector('audio')?.readyState >= 1")
        await keys.press("k")  # the next ones play by themselves
        for place, call in enumerate(answered[:TEN]):
            await page.wait_for_url(f"**/calls/{call.id}*")
            await until(page, PLAYS)
            await keys.press("1")
            await expect(page.locator("[data-digit='1']")).to_have_attribute("aria-pressed", "true")
            await keys.press("c")
            await page.keyboard.type(f"Remark {place}")
            await keys.press("Control+Enter")
            await expect(page.locator("#comments .written")).to_have_text(f"Remark {place}")
            await keys.press("h")
            await expect(page.locator("#review .outcome.good")).to_be_visible()
            await keys.press("n")
        await page.wait_for_url(f"**/calls/{answered[TEN].id}*")
        each = keys.presses / TEN

    with capsys.disabled():
        print(
            f"\nkeys: {found_missed} to yesterday's missed calls, {found_complaint} to a call by "
            f"four digits, {each} for each of {TEN} calls that are heard, tagged, commented and "
            f"reviewed (aim {MOST_KEYS})"
        )
    assert each <= MOST_KEYS
    async with world.store.read() as session:
        assert len(await session.find(Review)) == TEN
        assert len(await session.find(Comment)) == TEN


async def test_two_supervisors_judge_one_call_at_a_time_and_both_see_both(
    world: World, browser: Browser, sound: bytes
) -> None:
    call = (await furnish(world, heard(world, sound)))["attributed"]
    now = world.clock.now
    await register_tag(world.store, "price", digit=1, now=now)
    await register_tag(world.store, "refusal", digit=2, now=now)
    await a_card(world.store)
    await add_comment(world.store, call.id, "Earlier", author="anna", now=now)
    async with looking(world, browser) as seen:
        context = await new_context(browser, timezone_id="Europe/Moscow")
        other = type(seen)(await context.new_page(), seen.address)
        other.watch()
        await other.page.goto(f"{seen.address}/login")
        await log_in(seen, "anna")
        await log_in(other, "root")
        for one in (seen, other):
            await one.page.goto(f"{seen.address}/calls/{call.id}")
            await expect(one.page.locator("#comments li")).to_have_count(1)

        await asyncio.gather(_judge(seen.page, "1", "A"), _judge(other.page, "2", "R"))
        for page in (seen.page, other.page):
            for digit in ("1", "2"):
                tag = page.locator(f"[data-digit='{digit}']")
                await expect(tag).to_have_attribute("aria-pressed", "true")
            await expect(page.locator("#comments .written")).to_have_count(3)
            await expect(page.locator("#score-others .scorers a")).to_have_count(2)
        await close(context)
        assert other.wrongs == []
    sheets = await scoring.submitted_scores(world.store, call.id)
    assert {sheet.score.scorer: sheet.score.score for sheet in sheets} == {"anna": 100, "root": 100}


async def _judge(page: Page, digit: str, text: str) -> None:
    """Tag, comment and score by keyboard."""
    await page.keyboard.press(digit)
    await page.keyboard.press("c")
    await page.keyboard.type(f"{text} writes")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#comments")).to_contain_text(f"{text} writes")
    await page.keyboard.press("s")
    questions = page.locator("[data-questions] > div")
    await expect(questions.nth(0)).to_be_focused()
    for place, answer in enumerate(("1", "5", "1")):
        await expect(questions.nth(place)).to_be_focused()
        await page.keyboard.press(answer)
    await expect(page.locator("#score-submit")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#score")).to_contain_text("You scored this call")
