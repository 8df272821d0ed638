"""Pages that write much at once, or write their own back: the script keeps up, and does not fight."""

import asyncio

import pytest

from tests.acceptance.script_world import Visitor

pytestmark = pytest.mark.acceptance

BURST = """async list => { const into = document.getElementById(list);
  for (let i = 0; i < 31; i++) {
    const item = document.createElement('li'); item.textContent = '8 495 123-45-67'; into.append(item); await null;
  } }"""
FIGHT = """<script>const p = document.querySelector('#fight'); window.rounds = 0; window.fighting = true;
  const back = () => { if (!fighting || p.textContent.includes('123-45-67')) return;
    rounds++; p.innerHTML = '8 495 123-45-67'; };
  new MutationObserver(back).observe(p, {childList: true, characterData: true, subtree: true});
  p.innerHTML = '8 495 123-45-67';</script>"""


async def test_after_every_burst_all_of_it_shows_the_number(visitor: Visitor) -> None:
    lists = ["a", "b", "c", "d"]
    await visitor.opens("<p id='own'>8 495 123-45-67</p>" + "".join(f"<ul id='{name}'></ul>" for name in lists))
    await visitor.shows("777-00-01", "#own")
    for name in lists:
        await visitor.page.evaluate(BURST, name)
        await visitor.until(f"!document.getElementById('{name}').textContent.includes('123-45-67')")


async def test_a_page_that_writes_its_own_back_is_answered_more_and_more_slowly(visitor: Visitor) -> None:
    await visitor.opens("<p id='own'>8 495 123-45-67</p><p id='fight'></p>" + FIGHT)
    await visitor.shows("777-00-01", "#own")
    await visitor.until("rounds > 40")
    before = await visitor.page.evaluate("rounds")
    await asyncio.sleep(3)
    assert await visitor.page.evaluate("rounds") - before < 200


async def test_a_page_that_has_stopped_writing_back_shows_the_number(visitor: Visitor) -> None:
    await visitor.opens("<p id='own'>8 495 123-45-67</p><p id='fight'></p><ul id='a'></ul>" + FIGHT)
    await visitor.until("rounds > 100")
    await visitor.page.evaluate("fighting = false")
    await visitor.shows("777-00-01", "#fight")
    await visitor.page.evaluate(BURST, "a")
    await visitor.until("!document.getElementById('a').textContent.includes('123-45-67')")
