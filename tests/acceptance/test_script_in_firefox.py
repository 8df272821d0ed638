"""The script in Firefox: the same promises as in Chromium, those that lean on the browser most."""

import asyncio
from pathlib import Path

import pytest

from router.web.script import snippet
from tests.acceptance.firefox import DEBIAN, FIREFOX, firefox
from tests.acceptance.script_world import LEASED, NEXT, Company, a_pool, open_for_business

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not (FIREFOX or DEBIAN), reason="Ubuntu's is a snap"),
]

BODY = """<p id="plain">8 (495) 123-45-67</p><p id="split"><b>8</b>(495)<span>123-45-67</span></p>
<p id="hard">+7\u00a0495\u00a0123\u201145\u201167</p><input value="8 495 123-45-67"><p contenteditable>84951234567</p>
<a href="tel:+74951234567" onclick="event.preventDefault()">☎</a>
<div id="early"><template shadowrootmode="open">84951234567</template></div>
"""  # noqa: E501


async def test_a_visitor_with_firefox_sees_their_number_everywhere_and_leaves(
    tmp_path: Path,
) -> None:
    async with open_for_business(Company()) as company, firefox(tmp_path) as page:
        await page.goto(company.page(BODY))
        # the last one
        await page.until(
            "document.querySelector('#early').shadowRoot.textContent === '84957770001'"
        )
        await page.until(
            "document.querySelector('#plain').textContent === '8 (495) 777-00-01'"
            " && document.querySelector('#split').innerHTML"
            " === '<b>8</b>(495)<span>777-00-01</span>'"
            " && document.querySelector('#hard').textContent"
            " === '+7\u00a0495\u00a0777\u201100\u201101'"
        )
        assert await page.evaluate("document.querySelector('input').value") == "8 495 123-45-67"
        assert (
            await page.evaluate("document.querySelector('[contenteditable]').textContent")
            == "84951234567"
        )
        assert await page.evaluate(
            """Promise.resolve(document.body.insertAdjacentHTML("beforeend", "<i id=later>8 495 1234567</i>"))
               .then(() => null).then(() => document.querySelector("#later").textContent)"""  # noqa: E501
        ) == "8 495 7770001"  # fmt: skip
        await page.evaluate("document.querySelector('a').click()")
        company.news = {"visitors": NEXT}
        await page.evaluate("history.pushState({}, '', '/contacts')")
        await page.until("document.querySelector('a').getAttribute('href') === 'tel:+74957770002'")
        await page.goto(company.page("<p>Другая страница</p>", path="/other", line=""))
        async with asyncio.timeout(180):
            while not (company.said("left") and company.said("tap")):
                await page.evaluate("1")
        assert company.said("tap") == [{"number": LEASED}]
        assert company.said("left") == [{"leases": ["lease-2"]}]
        assert page.console == []


async def test_under_a_strict_policy_on_request_with_consent_given_later(tmp_path: Path) -> None:
    company = Company(pools=[a_pool(on_request=True)], consent=True)
    company.policy = "default-src 'none'; script-src {server}; connect-src {server}; img-src data:"
    async with open_for_business(company), firefox(tmp_path) as page:
        company.numbers = {"visitors": None}
        await page.goto(
            company.page("<button data-ringtrace-show>Показать</button><p>8 495 123-45-67</p>")
        )
        await page.until("!!window.ringtrace")
        assert await page.evaluate("localStorage.length + document.cookie") == "0"
        company.numbers = {"visitors": LEASED}
        await page.evaluate("window.ringtrace.consent()")
        await page.evaluate("document.querySelector('button').click()")
        await page.until("document.querySelector('p').textContent === '8 495 777-00-01'")
        assert [body["consent"] for body in company.said("visits")][-1] is True
        assert page.console == []


async def test_a_server_that_is_gone_leaves_firefox_with_the_companys_number(
    tmp_path: Path,
) -> None:
    async with open_for_business(Company()) as company, firefox(tmp_path) as page:
        await page.goto(company.page("<p>8 495 123-45-67</p>"))
        await page.until("document.querySelector('p').textContent === '8 495 777-00-01'")
        assert company.stop_server
        await company.stop_server()
        await page.evaluate("history.pushState({}, '', '/next')")
        async with asyncio.timeout(180):
            while not page.console:
                await page.evaluate("1")
        await page.evaluate("new Promise(done => setTimeout(done, 2000))")
        assert await page.evaluate("document.querySelector('p').textContent") == "8 495 777-00-01"
        # Firefox itself, once
        assert [said[:28] for said in page.console] == ["Cross-Origin Request Blocked"]


async def test_firefox_hears_pages_tells_late_identifiers_and_gives_back_what_is_edited(
    tmp_path: Path,
) -> None:
    async with open_for_business(Company()) as company, firefox(tmp_path) as page:
        body = (
            "<p>8 (495)\n                123-45-67</p><a href='https://wa.me/74951234567'>8 495 "
            "123-45-67</a>"
        )
        address = company.page(body, line=snippet(company.server, "shop"))
        await page.goto(f"{address}?utm_source=a&email=b")
        await page.until("document.querySelector('p').textContent.endsWith('777-00-01')")
        assert company.said("visits")[0]["url"] == f"{company.address}/?utm_source=a"
        assert await page.evaluate("document.querySelector('a').textContent") == "8 495 123-45-67"
        await page.evaluate(
            "document.cookie = '_ga=GA1.1.111.222; path=/'; history.pushState({}, '', '/next')"
        )
        async with asyncio.timeout(180):
            while not any(body.get("ga_client_id") == "111.222" for body in company.said("alive")):
                await page.evaluate("1")
        assert "/next" in [body.get("path") for body in company.said("alive")]
        await page.evaluate("document.body.setAttribute('contenteditable', '')")
        await page.until("document.querySelector('p').textContent.endsWith('123-45-67')")
        assert page.console == []


async def test_a_silent_server_does_not_hold_back_the_load_event_in_firefox(tmp_path: Path) -> None:
    over = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    silent = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with open_for_business(Company()) as company, firefox(tmp_path) as page:
        async with asyncio.timeout(180):
            # until it has loaded
            await page.goto(company.page("<p>8 495 123-45-67</p>", line=snippet(silent, "shop")))
        assert await page.evaluate("document.querySelector('p').textContent") == "8 495 123-45-67"
        over.set()
        server.close()
