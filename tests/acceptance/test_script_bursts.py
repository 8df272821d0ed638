"""Pages that write much at once, or write their own back: the script keeps up, and does not
fight.
"""

import asyncio

import pytest

from tests.acceptance.script_visitor import Visitor

pytestmark = pytest.mark.acceptance

BURST = """async list => { const into = document.getElementById(list);
  for (let i = 0; i < 31; i++) {
    const item = document.createElement('li'); item.textContent = '8 495 123-45-67'; into.append(item); await null;
  } }"""  # noqa: E501
FIGHT = """<script>const p = document.querySelector('#fight'); window.rounds = 0; window.fighting = true;
  const back = () => { if (!fighting || p.textContent.includes('123-45-67')) return;
    rounds++; p.innerHTML = '8 495 123-45-67'; };
  new MutationObserver(back).observe(p, {childList: true, characterData: true, subtree: true});
  p.innerHTML = '8 495 123-45-67';</script>"""  # noqa: E501

COUNT_STEPS = """() => { window.steps = 0; const next = NodeIterator.prototype.nextNode;
  NodeIterator.prototype.nextNode = function () { steps++; return next.call(this) }; }"""
# the script reads in slices, and goes on with the next one when the page is idle
UNTIL_ALL_IS_READ = """async () => { for (let still = 0; still < 10;) { const before = steps;
  await new Promise(done => setTimeout(() => requestIdleCallback(done), 50));
  still = steps === before && document.readyState === 'complete' ? still + 1 : 0; } }"""


async def test_after_every_burst_all_of_it_shows_the_number(visitor: Visitor) -> None:
    lists = ["a", "b", "c", "d"]
    await visitor.opens(
        "<p id='own'>8 495 123-45-67</p>" + "".join(f"<ul id='{name}'></ul>" for name in lists)
    )
    await visitor.shows("777-00-01", "#own")
    for name in lists:
        await visitor.page.evaluate(BURST, name)
        await visitor.until(f"!document.getElementById('{name}').textContent.includes('123-45-67')")


async def test_a_page_that_writes_its_own_back_is_answered_more_and_more_slowly(
    visitor: Visitor,
) -> None:
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


async def test_a_clock_right_below_the_body_has_only_its_own_line_read_again(
    visitor: Visitor,
) -> None:
    visitor.company.alive_seconds = 600  # the second heartbeat looks through the page, too
    rows = "".join(f"<div><p>Товар {count}</p></div>" for count in range(2_000))
    await visitor.opens(
        f"<span id='clock'>12:00</span><p>8 495 123-45-67</p><span>8 495</span> {rows}"
        "<p id='own'>8 495 123-45-67</p>"
    )
    await visitor.shows("777-00-01", "#own")
    await visitor.page.evaluate(COUNT_STEPS)
    await visitor.page.evaluate(UNTIL_ALL_IS_READ)
    before = await visitor.page.evaluate("steps")
    await visitor.page.evaluate(
        """async () => { const clock = document.querySelector('#clock');
          for (let tick = 0; tick < 10; tick++) { clock.textContent = '12:' + tick; await null; await null; }
          clock.firstChild.data = '12:59'; await null; await null;
          document.body.append('Звоните: 8 495 123-45-67'); }"""  # noqa: E501
    )
    await visitor.until("document.body.lastChild.data === 'Звоните: 8 495 777-00-01'")
    await visitor.page.evaluate(UNTIL_ALL_IS_READ)
    assert 0 < await visitor.page.evaluate("steps") - before < 200
