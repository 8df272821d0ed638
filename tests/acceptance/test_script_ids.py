"""Identifiers of the page's analytics: sent at once, however late they come, and with the
next request.
"""

from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import Company

pytestmark = pytest.mark.acceptance

BODY = "<a href='tel:84951234567' onclick='event.preventDefault()'>8 495 123-45-67</a>"
LATE = "document.cookie = '_ga=GA1.1.111.222; path=/'"
IDS = {"ga_client_id": "111.222"}


@pytest_asyncio.fixture(loop_scope="session")
async def opened(visitor: Visitor) -> Visitor:
    """A page whose clock does not move, with a number and without analytics yet."""
    await visitor.page.add_init_script(
        "Object.defineProperty(window, 'cookieStore', {value: undefined})"
    )
    await visitor.page.clock.install()
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "a")
    return visitor


async def test_a_cookie_that_comes_late_is_sent_within_seconds(
    company: Company, opened: Visitor
) -> None:
    await opened.page.clock.run_for(3_000)
    assert await opened.heard("alive") == [{"leases": ["lease-1"]}]
    await opened.page.evaluate(LATE)
    await opened.page.clock.run_for(1_500)
    assert await opened.heard("alive", 2) == [
        {"leases": ["lease-1"]},
        {"leases": ["lease-1"], **IDS},
    ]


@pytest.mark.parametrize(
    ("what", "do", "body"),
    [
        ("tap", "document.querySelector('a').click()", {"number": "+74957770001"}),
        ("form", "ringtrace.form('+7 903 111-22-33')", {"phone": "+7 903 111-22-33"}),
        ("left", "dispatchEvent(new PageTransitionEvent('pagehide'))", {"leases": ["lease-1"]}),
    ],
)
async def test_what_is_known_by_now_goes_with_each_request(
    opened: Visitor, what: str, do: str, body: dict[str, Any]
) -> None:
    await opened.page.evaluate(LATE)
    await opened.page.evaluate(do)
    assert await opened.heard(what) == [{**body, **IDS}]


async def test_a_change_of_cookies_is_sent_at_once(visitor: Visitor) -> None:
    await visitor.page.clock.install()
    await visitor.page.add_init_script(
        "Object.defineProperty(window, 'cookieStore', {value: window.jar = new EventTarget()})"
    )
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "a")
    await visitor.page.evaluate(f"{LATE}; jar.dispatchEvent(new Event('change'))")
    await visitor.page.clock.run_for(300)
    assert await visitor.heard("alive") == [{"leases": ["lease-1"], **IDS}]


async def test_a_tag_that_is_loaded_late_is_asked_for_its_ids(opened: Visitor) -> None:
    await opened.page.evaluate(
        """() => { window.dataLayer = [['config', 'G-LATE']];
          window.gtag = (what, _, which, tell) =>
            what === 'get' && tell(which === 'client_id' ? '5.6' : 1700000999) }"""
    )
    await opened.page.clock.run_for(1_900)
    assert await opened.heard("alive") == [
        {"leases": ["lease-1"], "ga_client_id": "5.6", "ga_session_id": "1700000999"}
    ]


COOKIES = [
    ({"_ga": "GA1.1.amp-AbC_1-d"}, "amp-AbC_1-d", None),
    (
        {"_ga": "GA1.1.0b5d6ed1-aaaa-4bbb-8ccc-0123456789ab"},
        "0b5d6ed1-aaaa-4bbb-8ccc-0123456789ab",
        None,
    ),
    ({"_ga": "GA1.1-2.33.44"}, "33.44", None),
    ({"shop_ga": "GA1.2.1.2"}, "1.2", None),
    ({"shop_ga": "GA1.2.1.2", "_ga": "GA1.1.3.4"}, "3.4", None),
    ({"_ga_A": "GS1.2-2.1700000111.3.1.1700000112.0.0.0"}, None, "1700000111"),
    ({"shop_ga_A": "GS2.1-2.s1700000222$o3$g1$t1700000223$j60"}, None, "1700000222"),
    ({"_ga_MINE": "GS2.1.s10$o1$t11", "_ga_OTHER": "GS2.1.s20$o1$t99"}, None, "10"),
]


async def test_cookies_are_read_in_all_their_forms(company: Company, visitor: Visitor) -> None:
    head = "<script>window.dataLayer = [['config', 'G-MINE']]</script>"
    for count, (cookies, client, session) in enumerate(COOKIES, 1):
        await visitor.page.context.clear_cookies()
        await visitor.page.context.add_cookies(
            [
                {"name": name, "value": value, "url": company.address}
                for name, value in cookies.items()
            ]
        )
        await visitor.opens(BODY, head=head)
        body = (await visitor.heard("visits", count))[-1]
        assert (body.get("ga_client_id"), body.get("ga_session_id")) == (client, session), cookies
