"""Lines that were put in differently, and pages whose own scripts change what browsers offer: the
number comes.
"""

from pathlib import Path

import pytest

from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import Company

pytestmark = pytest.mark.acceptance

BODY = "<p>8 495 123-45-67</p>"
GUIDE = Path(__file__).parents[2] / "docs/site.md"


async def script_of(company: Company) -> str:
    return (await company.answer_script(None)).body.decode()


async def test_a_script_that_is_a_module_knows_its_server(
    company: Company, visitor: Visitor
) -> None:
    line = f'<script type="module" src="{company.server}/site/shop.js" data-ab-test="b"></script>'
    await visitor.opens(BODY, line=line)
    await visitor.shows("777-00-01", "p")
    assert company.said("visits")[0]["parameters"] == {"abTest": "b"}


async def test_a_script_that_was_combined_with_others_asks_the_configured_server(
    company: Company, visitor: Visitor
) -> None:
    company.pages["/lib/combined.js"] = "window.other = 1;\n" + await script_of(company)
    await visitor.opens(BODY, line='<script src="/lib/combined.js"></script>')
    await visitor.shows("777-00-01", "p")


async def test_a_script_that_was_inlined_asks_the_configured_server(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens(BODY, line=f"<script>{await script_of(company)}</script>")
    await visitor.shows("777-00-01", "p")


PAGES = {
    "wraps fetch with a header of its own": "const ask = fetch; window.fetch = (to, how = {}) =>"
    "ask(to, {...how, headers: {...how.headers, 'X-CSRF-Token': 'x'}})",
    "has an old Prototype.js": "Array.prototype.toJSON = function () { return '[' "
    "+ this.map(String).join() + ']' };"
    "Object.defineProperty(Array.prototype, 'toJSON', {enumerable: false})",
    "has parameters that throw": "window.ringtraceParameters = {get bad() { throw "
    "1 }, worse: Object.create(null),"
    "large: 'x'.repeat(70000), good: 1}",
}


@pytest.mark.parametrize("head", PAGES.values(), ids=PAGES.keys())
async def test_a_page_that_changes_the_browser_shows_the_number(
    company: Company, visitor: Visitor, head: str
) -> None:
    await visitor.opens(BODY, head=f"<script>{head}</script>")
    await visitor.shows("777-00-01", "p")
    said = company.said("visits")[0]
    assert said["pools"] == ["visitors"]
    assert {name: value[:5] for name, value in said["parameters"].items()} in (
        {},
        {"large": "xxxxx", "good": "1"},
    )
    assert sum(map(len, said["parameters"].values())) < 1000


async def test_a_browser_that_keeps_nothing_says_so(company: Company, visitor: Visitor) -> None:
    await visitor.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error() }})"
    )
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "p")
    assert company.said("visits")[0]["keeps_nothing"] is True


async def test_requests_pass_where_beacons_are_stopped(company: Company, visitor: Visitor) -> None:
    await visitor.page.add_init_script("navigator.sendBeacon = () => false")
    await visitor.opens(
        "<a href='tel:84951234567' onclick='event.preventDefault()'>8 495 123-45-67</a>"
    )
    await visitor.shows("777-00-01", "a")
    await visitor.page.click("a")
    await visitor.page.goto(company.page("<p>Другая страница</p>", path="/other", line=""))
    await visitor.heard("left")
    assert len(company.said("tap")) == 1
