"""Texts that people and callers send, on the pages of the desk: none runs, none sticks out."""

from dataclasses import replace

import pytest
from playwright.async_api import Browser, expect

from router.domain.calls.call import Call, Tag
from router.domain.calls.tagging import RegisteredTag, TagColour
from router.domain.calls.transcript import Side, Spoken
from router.domain.calls.word_list import WordList
from router.service.calls.comments import add_comment
from router.service.calls.rules import Wanted, keep_rule
from router.service.calls.samples import Wanted as WantedSample
from router.service.calls.samples import draw_sample
from router.service.calls.tags import MOST_LISTED, MOST_OFFERED
from tests.acceptance.supervisor import heard, log_in, looking
from tests.acceptance.whole_desk import SAID, transcribe
from tests.integration.scores_world import a_card
from tests.support.speech_world import a_rule
from tests.support.web_calls import furnish
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
SCRIPT = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
ARABIC = (
    "\u202e\u0645\u062d\u0645\u062f \u05d3\u05d5\u05d3 \U0001f468\u200d\U0001f469\u200d\U0001f467"
)
TEXT = f"{SCRIPT} {ARABIC} {'W' * 200}"
MANY = 10_000


async def a_hostile_desk(world: World, sound: bytes) -> Call:
    """Every text of a call's page and of the lists is hostile; there are 10,000 tags."""
    store, now = world.store, world.clock.now
    call = (await furnish(world, heard(world, sound)))["attributed"]
    await world.save(replace(call, caller_name=TEXT, answered_by=TEXT[:120]))
    said = Spoken(side=Side.CALLER, at=27, until=30, text=TEXT)
    await transcribe(world, call.id, (*SAID, said))
    for place in range(3):
        text = (TEXT + "\n" + "\u0639" * 4000)[:4000]
        await add_comment(store, call.id, text, author="root", now=now, at_seconds=float(place))
    await a_card(store, name=TEXT[:80])
    await keep_rule(
        store, Wanted(name=TEXT[:80], query="talk_from=60", review=True), author="root", now=now
    )
    sample = WantedSample(name=TEXT[:80], per_employee=1, since=now.date(), weeks=1, seed="s")
    await draw_sample(store, sample, zone=now.tzinfo, author="root", now=now)
    async with store.write() as session:
        words = WordList(id="evil", tag="evil", phrases=(SCRIPT[:70], ARABIC), created_at=now)
        await session.add(a_rule(), words)
        names = [f"\u05ea\u05d2 {place:05}" for place in range(MANY)]
        await session.tag_registry.save(
            *(RegisteredTag(name=name, colour=TagColour.RED, created_at=now) for name in names)
        )
        tags = [Tag(call_id=call.id, name=f"x {n}", author="root", at=now) for n in range(40)]
        await session.tags.add(*tags)
        await session.calls.touch(call.id)
    return call


async def test_no_text_runs_or_sticks_out_and_ten_thousand_tags_are_borne(
    world: World, browser: Browser, sound: bytes
) -> None:
    call = await a_hostile_desk(world, sound)
    async with looking(world, browser, width=390) as seen:
        page = seen.page
        await log_in(seen, "root")
        paths = ("/calls", "/rules", "/words/evil", "/samples", f"/calls/{call.id}")
        for path in paths:
            await page.goto(seen.address + path)
            assert "run" not in await page.title(), path
            beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(beyond) <= 0, path

        await expect(page.locator(".offered button")).to_have_count(MOST_OFFERED)

        await page.goto(f"{seen.address}/tags")
        await expect(page.locator(".registry > li")).to_have_count(MOST_LISTED)
        await page.goto(f"{seen.address}/tags?text=09999")
        await expect(page.locator(".registry > li")).to_have_count(1)
