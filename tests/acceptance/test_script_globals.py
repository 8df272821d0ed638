"""Pages whose own scripts, forms and images stand where the browser's own names are: the number
comes, and nothing is said in the console.
"""

import pytest

from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import Company

pytestmark = pytest.mark.acceptance

BODY = "<p>8 495 123-45-67</p>"
GLOBALS = {
    "MooTools": """window.Event = function () { return {}; };
        Array.from = given => typeof given === "string" ? [given] : [].slice.call(given);""",
    "Prototype": """Array.from = given => [].slice.call(given);
        Array.prototype.toJSON = () => "[]"; Array.prototype.entries = function () { return this; };
        Object.keys = given => { const found = []; for (const key in given) found.push(key); return found; };""",  # noqa: E501
    "broken requests": "window.fetch = () => { throw 1; }; delete window.AbortController;",
    "own names": """Object.defineProperty(window, "navigation", {value: {items: []}});
        Object.prototype.get = () => 1; Object.prototype.extend = () => 1;""",
    "broken analytics": """window.dataLayer = [null, ["config", {toString() { throw 1; }}]];
        window.google_tag_manager = new Proxy({}, {ownKeys() { throw 1; }});
        Object.defineProperty(document, "cookie", {get() { throw new Error(); }});""",
    "prototypes that are frozen": """for (const one of [Object, Array, Element, History, Promise])
        Object.freeze(one.prototype);""",
}


@pytest.mark.parametrize("script", GLOBALS.values(), ids=GLOBALS.keys())
async def test_what_a_page_makes_of_the_browsers_names_costs_no_number(
    visitor: Visitor, script: str
) -> None:
    await visitor.opens(BODY, head=f"<script>{script}</script>")
    await visitor.shows("777-00-01", "p")


async def test_elements_named_like_the_documents_own_parts_cost_no_number(
    visitor: Visitor,
) -> None:
    names = ("attributes", "matches", "closest", "parentNode", "childNodes", "nodeType")
    fields = "".join(f"<input name={name}>" for name in names)
    await visitor.opens(
        "<img name=cookie alt=''><img name=scripts alt=''><nav id=navigation></nav>"
        f"<form>{fields}{BODY}</form>"
    )
    await visitor.shows("777-00-01", "p")


async def test_the_line_stands_in_a_page_of_xhtml(company: Company, visitor: Visitor) -> None:
    """Where an ampersand in a script would end the whole page."""
    company.pages["/page.xhtml"] = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title>'
        f"<link rel='icon' href='data:,'/>{company.snippet()}</head><body>{BODY}"
        "<iframe srcdoc='&lt;p>8 495 123-45-67&lt;/p>'></iframe></body></html>"
    )
    await visitor.page.goto(company.address + "/page.xhtml")
    await visitor.shows("777-00-01", "p")
    await visitor.until(
        "document.querySelector('iframe').contentDocument.body.textContent.includes('777-00-01')"
    )
