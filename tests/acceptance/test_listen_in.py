"""A supervisor listens in on a call from the browser."""

import math
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from router.domain.access import Person, Scope
from router.domain.calls.call import State
from tests.acceptance.supervisor import log_in, looking, until
from tests.support.web_calls import a_call, ringing
from tests.support.web_world import World, a_world

pytestmark = pytest.mark.acceptance
TONE = array(
    "h",
    [round(9000 * math.sin(at / side)) for at in range(1600) for side in (3, 5)],
).tobytes()


@dataclass
class Tone:
    """A fifth of a second of sound at each look, as fast as it is played."""

    def open(self, _: str) -> "Tone":
        return self

    def read(self) -> bytes:
        return TONE

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path, live=Tone()) as world:
        yield world


async def test_the_sound_plays_stops_by_a_click_and_ends_with_the_call(
    world: World, browser: Browser
) -> None:
    now = world.clock.now
    call = replace(ringing("1", now), state=State.TALKING, answered_at=now)
    await world.save(call)
    async with world.store.write() as session:
        anna = await session.get(Person, "anna")
        await session.change(replace(anna, scopes=(Scope.CALLS_LISTEN,)))
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        await page.goto(f"{seen.address}/board")
        bar = page.locator("#listening")
        await expect(bar).to_be_hidden()
        await page.get_by_role("button", name="Listen in").click()
        await expect(bar).to_contain_text("Listening in: +7 916 123-45-67")
        await until(page, "Number(document.querySelector('#listening').dataset.seconds) > 1")
        await page.get_by_role("button", name="Stop").click()
        await expect(bar).to_be_hidden()
        await page.goto(f"{seen.address}/calls/{call.id}")
        await page.get_by_role("button", name="Listen in").click()
        await until(page, "Number(document.querySelector('#listening').dataset.seconds) > 0.3")
        await world.save(a_call("1", now))
        await expect(bar).to_contain_text("The call has ended")
        await expect(page.locator("#head")).to_contain_text("Listened in")
