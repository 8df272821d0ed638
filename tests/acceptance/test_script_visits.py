"""The script in a real browser, and a server that may be late, wrong or gone: what is asked and
sent, and when.
"""

import asyncio
from pathlib import Path

import pytest

from tests.acceptance.script_page_time import opens, passes
from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import LEASED, NEXT, Company, Mood

pytestmark = pytest.mark.acceptance
FRONT_END = Path(__file__).parents[2] / "router/web/frontend"
OTHER_PAGE = "<p>Другая страница</p>"


PAGE = "<p>8 495 123-45-67</p><a href='tel:84951234567' data-ringtrace-mail>a@b.ru</a>"


@pytest.mark.parametrize("mood", [Mood.NONSENSE, Mood.HTML, Mood.BROKEN])
async def test_a_bad_answer_leaves_the_page_as_it_is(
    company: Company, visitor: Visitor, mood: Mood
) -> None:
    company.mood = mood
    answered = asyncio.Event()
    for event in ("requestfinished", "requestfailed"):
        visitor.page.on(event, lambda request: request.url.endswith("/visits") and answered.set())
    await visitor.page.clock.install()
    await visitor.opens(PAGE, line="")
    before = await visitor.page.inner_html("body")
    await visitor.opens(PAGE)
    await visitor.heard("visits")
    await asyncio.wait_for(answered.wait(), 180)
    await visitor.page.clock.run_for(2_000)
    assert await visitor.page.inner_html("body") == before
    # a browser's own line about an answer of 500 cannot be kept from its console
    if mood is not Mood.BROKEN:
        assert visitor.network == []


async def test_an_empty_pool_leaves_the_number_and_tells_the_address(
    company: Company, visitor: Visitor
) -> None:
    company.mood = Mood.EMPTY
    await visitor.opens(PAGE)
    await visitor.shows("info+417@shop.example")
    await visitor.page.evaluate("ringtrace.show()")  # all that was asked for has been answered
    assert "8 495 123-45-67" in await visitor.text()
    assert await visitor.page.get_attribute("a", "href") == "tel:84951234567"


async def test_the_server_stops_in_the_middle(company: Company, visitor: Visitor) -> None:
    company.alive_seconds = 5
    await visitor.page.clock.install()
    await visitor.opens("<p id='a'>8 495 123-45-67</p>")
    await visitor.shows("777-00-01", "#a")
    assert company.stop_server
    await company.stop_server()
    await visitor.page.evaluate("history.pushState({}, '', '/next')")
    await visitor.page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<p id=b>8 495 123-45-67</p>')"
    )
    await visitor.shows("777-00-01", "#b")
    async with asyncio.timeout(180):
        # the browser's own line, when the script says that the visitor is there
        while not visitor.network:
            await asyncio.sleep(0.02)
    await visitor.page.clock.run_for(4_000)
    assert await visitor.text("#a") == "8 495 777-00-01"
    assert len(visitor.network) == 1, "the script asks more and more rarely"


async def test_a_visit_that_the_server_has_forgotten_begins_again(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens("<p>8 495 123-45-67</p>")
    await visitor.shows("777-00-01")
    company.mood, company.numbers = Mood.FORGETFUL, {"visitors": NEXT}
    await visitor.page.evaluate("history.pushState({}, '', '/next')")
    await visitor.shows("8 495 777-00-02")
    assert len(company.said("visits")) == 2
    assert visitor.network != []


async def test_without_consent_nothing_is_kept_and_with_it_the_visitor_gets_a_number(
    company: Company, visitor: Visitor
) -> None:
    company.consent, company.numbers = True, {"visitors": NEXT}
    await visitor.page.context.add_cookies(
        [{"name": "_ga", "value": "GA1.1.111.222", "url": company.address}]
    )
    await visitor.opens("<p>8 495 123-45-67</p>", query="?utm_source=yandex")
    await visitor.shows("8 495 777-00-02")
    first = company.said("visits")[0]
    assert first["consent"] is False
    assert set(first) == {"url", "referrer", "pools", "consent"}
    assert await visitor.page.evaluate("[localStorage.length, document.cookie]") == [
        0,
        "_ga=GA1.1.111.222",
    ]

    company.numbers = {"visitors": LEASED}
    await visitor.page.evaluate("window.ringtrace.consent()")
    await visitor.shows("8 495 777-00-01")
    second = company.said("visits")[1]
    assert (second["consent"], second["ga_client_id"], second["pools"]) == (
        True,
        "111.222",
        ["visitors"],
    )
    assert await visitor.page.evaluate("localStorage.getItem('ringtrace_visitor')") == "visitor-1"
    await visitor.page.reload()
    await visitor.page.evaluate("window.ringtrace.consent()")
    assert (await visitor.heard("visits", 3))[-1]["visitor_id"] == "visitor-1"


async def test_the_server_learns_what_the_page_knows(company: Company, visitor: Visitor) -> None:
    cookies = {
        "_ga": "GA1.1.123456789.1700000000",
        "_ga_AAA": "GS1.1.1700000100.3.1.1700000200.0.0.0",
        "_ga_BBB": "GS2.1.s1700000300$o4$g0$t1700000400$j60$l0$h0",
        "_ym_uid": "1734680388574908198",
    }
    await visitor.page.context.add_cookies(
        [{"name": name, "value": value, "url": company.address} for name, value in cookies.items()]
    )
    await visitor.opens(
        "<p>8 495 123-45-67</p><i data-ringtrace-code>–</i>",
        query="?utm_source=google&gclid=x",
        head="<script>window.ringtraceParameters = {city: 'Тверь', deep: 7}</script>",
        line=f'<script async src="{company.server}/site/shop.js" data-ab-test="b"></script>',
    )
    await visitor.shows("417", "i")
    assert company.said("visits") == [
        {
            "url": f"{company.address}/?utm_source=google&gclid=x", "referrer": "", "consent": True,
            "ga_client_id": "123456789.1700000000", "ga_session_id": "1700000300",
            "ym_client_id": "1734680388574908198", "parameters": {"abTest": "b", "city": "Тверь", "deep": "7"},  # noqa: E501
            "pools": ["visitors"],
        }
    ]  # fmt: skip
    assert await visitor.page.evaluate("[ringtrace.code, ringtrace.visit]") == ["417", "visit-1"]


async def test_what_analytics_scripts_say_late_is_sent_with_a_sign_of_life(
    company: Company, visitor: Visitor
) -> None:
    gtag = """<script>window.dataLayer = [];
      window.gtag = function () { const given = arguments;
        if (given[0] === 'get') setTimeout(() => given[3](given[2] === 'client_id' ? '5.6' : 1700000999), 100);
        else dataLayer.push(given) };
      gtag('config', 'G-TEST');
      window.yaCounter42 = {};
      window.ym = (counter, what, tell) => {
        if (counter === 42 && what === 'getClientID') setTimeout(() => tell('99'), 150);
      };
    </script>"""  # noqa: E501
    await visitor.opens("<p>8 495 123-45-67</p>", head=gtag)
    told = (await visitor.heard("alive"))[0]
    assert told == {
        "leases": ["lease-1"], "ga_client_id": "5.6", "ga_session_id": "1700000999", "ym_client_id": "99",  # noqa: E501
    }  # fmt: skip


async def test_a_visible_page_is_alive(company: Company, visitor: Visitor) -> None:
    company.alive_seconds = 5
    await opens(visitor)
    await passes(visitor, 30)
    assert 4 < len(company.said("alive")) < 10  # by default it would be one a minute
    assert all(body == {"leases": ["lease-1"]} for body in company.said("alive"))


async def test_a_new_path_is_sent_at_once(company: Company, visitor: Visitor) -> None:
    await visitor.opens("<p>8 495 123-45-67</p>")
    await visitor.shows("777-00-01")
    state = await visitor.page.evaluate(
        "() => { history.pushState({a: 1}, '', '/contacts'); return history.state.a; }"
    )
    assert state == 1
    assert (await visitor.heard("alive", 1))[0]["path"] == "/contacts"
    await visitor.page.go_back()
    assert (await visitor.heard("alive", 2))[1]["path"] == "/"


async def test_a_tap_is_sent_before_the_dialler_opens_and_leaving_is_said(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens(
        "<a href='tel:+74951234567' onclick='event.preventDefault()'><b>8 495 123-45-67</b></a>"
    )
    await visitor.shows("777-00-01")
    await visitor.page.click("a b")
    assert await visitor.heard("tap") == [{"number": LEASED}]
    await visitor.page.goto(company.page(OTHER_PAGE, path="/other", line=""))
    assert await visitor.heard("left") == [{"leases": ["lease-1"]}]


async def test_a_tap_whose_answer_is_lost_is_said_again_under_its_key(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens(
        "<a href='tel:+74951234567' onclick='event.preventDefault()'>8 495 123-45-67</a>"
    )
    await visitor.shows("777-00-01")
    await visitor.page.evaluate(
        """() => { const send = fetch;
          window.fetch = (...given) => send(...given).then(() => Promise.reject()); }"""
    )
    for count in (2, 4):
        await visitor.page.click("a")
        await visitor.heard("tap", count)
    keys = [heard.key for heard in company.heard if heard.what == "tap"]
    assert keys == [keys[0], keys[0], keys[3], keys[3]]
    assert None not in keys
    assert keys[0] != keys[3]


async def test_forms_are_sent_only_where_the_owner_wants_it(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens(
        "<p>8 495 123-45-67</p>"
        "<form data-ringtrace-form onsubmit='return false'><input type=tel name=a><button "
        "id=yes>ok</button></form>"
        "<form onsubmit='return false'><input type=tel name=b><button id=no>ok</button></form>"
    )
    await visitor.shows("777-00-01")
    await visitor.page.fill("[name=a]", "8 916 000-11-22")
    await visitor.page.fill("[name=b]", "8 916 999-99-99")
    await visitor.page.click("#no")
    await visitor.page.click("#yes")
    await visitor.heard("form")
    await visitor.page.evaluate("window.ringtrace.form('+7 903 111-22-33')")
    assert await visitor.heard("form", 2) == [
        {"phone": "8 916 000-11-22"},
        {"phone": "+7 903 111-22-33"},
    ]


async def test_a_second_line_on_the_page_does_nothing(company: Company, visitor: Visitor) -> None:
    line = f'<script async src="{company.server}/site/shop.js"></script>'
    await visitor.opens("<p id='ringtrace'>8 495 123-45-67</p>", line=line * 2)
    await visitor.shows("777-00-01")
    await visitor.page.evaluate(
        """src => new Promise(onload =>
             document.head.append(Object.assign(document.createElement('script'), {src, onload})))""",  # noqa: E501
        f"{company.server}/site/shop.js",
    )
    assert len(company.said("visits")) == 1


async def test_a_page_taken_back_from_the_cache_is_alive_again(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens("<p>8 495 123-45-67</p>")
    await visitor.shows("777-00-01")
    await visitor.page.evaluate(
        "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"
    )
    assert await visitor.heard("alive") == [{"leases": ["lease-1"]}]
