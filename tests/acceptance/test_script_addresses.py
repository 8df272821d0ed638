"""Which address a visit is said to have begun at, which pages are sent, and what other scripts hear
of both.
"""

import asyncio

import pytest

from router.domain.visitors.site import SourceRule
from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import Company

pytestmark = pytest.mark.acceptance

BODY = "<p>8 495 123-45-67</p>"
NO_NAVIGATION = "Object.defineProperty(window, 'navigation', {value: undefined})"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (
            "?utm_source=a&gclid=b&email=x@y.ru&reset_token=S#access_token=XYZ",
            "?utm_source=a&gclid=b",
        ),
        ("?x=1&amp;utm_medium=cpc&UTM_Term=%D0%B0", "?amp;utm_medium=cpc&UTM_Term=%D0%B0"),
        ("?a=1#/contacts?utm_source=vk&b=2", "#utm_source=vk"),
        ("?from=Partner-7&secret=1", "?from=Partner-7"),
        ("?a=1", ""),
        ("?utm_source%3Da%26utm_medium%3Db", "?utm_source%3Da%26utm_medium%3Db"),
        (f"?utm_term={'x' * 5000}&gclid=b", f"?gclid=b&utm_term={'x' * 1900}"),
    ],
)
async def test_of_the_landing_address_the_path_and_the_labels_are_sent(
    company: Company, visitor: Visitor, query: str, kept: str
) -> None:
    company.rules = (SourceRule(field="landing", text="from=partner", channel="Partners"),)
    await visitor.opens(BODY, query=query, path="/sale")
    assert (await visitor.heard("visits"))[0]["url"].startswith(f"{company.address}/sale{kept}")


async def test_labels_that_another_script_has_cleaned_away_are_sent(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens(
        BODY,
        query="?utm_source=google&gclid=x",
        head="<script>history.replaceState({}, '', location.pathname)</script>",
    )
    assert (await visitor.heard("visits"))[0][
        "url"
    ] == f"{company.address}/?utm_source=google&gclid=x"


async def test_consent_on_the_third_page_tells_the_advertisement_of_the_first(
    company: Company, visitor: Visitor
) -> None:
    company.consent, company.numbers = True, {"visitors": None}
    await visitor.opens(BODY, query="?utm_source=google&gclid=abc", path="/sale")
    for path in ("/two", "/three"):
        link = company.page(BODY, path=path)
        await visitor.page.evaluate("link => location.assign(link)", link)
        await visitor.page.wait_for_url(link)
    await visitor.until("!!window.ringtrace")
    await visitor.page.evaluate("ringtrace.consent()")
    bodies = await visitor.heard("visits", 4)
    assert bodies[-1]["url"] == f"{company.address}/sale?utm_source=google&gclid=abc"
    assert await visitor.heard("alive" if company.said("alive") else "visits")


async def test_consent_that_is_withdrawn_leaves_nothing(company: Company, visitor: Visitor) -> None:
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "p")
    company.numbers = {"visitors": None}
    await visitor.page.evaluate("ringtrace.consent(false)")
    await visitor.shows("8 495 123-45-67", "p")
    assert await visitor.heard("left") == [{"leases": ["lease-1"]}]
    said = (await visitor.heard("visits", 2))[1]
    assert (said["consent"], said["withdrawn"], "visitor_id" in said) == (False, True, False)
    assert await visitor.page.evaluate(
        "[localStorage.ringtrace_visitor, sessionStorage.length]"
    ) == [None, 0]
    await visitor.page.reload()
    said = (await visitor.heard("visits", 3))[2]
    # a site that asks for no consent would begin a visit
    assert (said["consent"], said["withdrawn"]) == (
        False,
        True,
    )
    company.numbers = {"visitors": "+74957770001"}
    await visitor.page.evaluate("ringtrace.consent()")
    await visitor.shows("777-00-01", "p")


@pytest.mark.parametrize("before", ["", NO_NAVIGATION])
async def test_scripts_that_wrap_the_history_later_hear_every_page(
    company: Company, visitor: Visitor, before: str
) -> None:
    await visitor.page.add_init_script(before)
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "p")
    heard = await visitor.page.evaluate(
        """() => { const heard = [], push = History.prototype.pushState;
          History.prototype.pushState = function (...given) { heard.push(given[2]); return push.apply(this, given) };
          history.pushState({}, '', '/one'); history.pushState({}, '', '/two');
          return [heard, Object.keys(history), history.pushState.length, location.pathname]; }"""  # noqa: E501
    )
    assert heard == [["/one", "/two"], [], 0, "/two"]
    assert (await visitor.heard("alive"))[0]["path"] == "/two"


async def test_a_history_that_the_page_itself_has_wrapped_is_heard(
    company: Company, visitor: Visitor
) -> None:
    await visitor.page.add_init_script(
        NO_NAVIGATION + "; const push = history.pushState.bind(history); window.routes = [];"
        "history.pushState = (...given) => { routes.push(given[2]); return push(...given) }"
    )
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "p")
    await visitor.page.evaluate("history.pushState({}, '', '/next')")
    assert (await visitor.heard("alive"))[0]["path"] == "/next"
    assert await visitor.page.evaluate("routes") == ["/next"]


async def test_a_history_that_cannot_be_wrapped_costs_nothing(visitor: Visitor) -> None:
    await visitor.page.add_init_script(
        NO_NAVIGATION + "; Object.freeze(History.prototype); Object.freeze(history)"
    )
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "p")


async def test_a_flood_of_pages_is_few_signs_of_life_and_the_last_page_is_sent(
    company: Company, visitor: Visitor
) -> None:
    await visitor.page.clock.install()
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "p")
    await visitor.page.clock.pause_at(await visitor.page.evaluate("Date.now() / 1000 + 1"))
    for step in range(30):
        await visitor.page.evaluate("step => history.replaceState({}, '', '/p' + step)", step)
        await visitor.page.clock.run_for(100)
    await visitor.page.clock.run_for(2_000)
    paths = [""]
    while paths[-1] != "/p29":
        paths = [body["path"] for body in await visitor.heard("alive", 3) if "path" in body]
        await asyncio.sleep(0.02)
    assert len(paths) <= 4


async def test_pages_behind_a_hash_are_sent(visitor: Visitor) -> None:
    await visitor.opens(BODY, path="/shop/")
    await visitor.shows("777-00-01", "p")
    await visitor.page.evaluate("location.hash = '#!/contacts?x=1'")
    assert (await visitor.heard("alive"))[0]["path"] == "/shop/contacts"
    await visitor.page.evaluate("location.hash = 'chapter'")
    assert (await visitor.heard("alive", 2))[1]["path"] == "/shop/"


async def test_a_tab_that_has_slept_for_more_than_half_an_hour_begins_another_visit(
    company: Company, visitor: Visitor
) -> None:
    await visitor.page.clock.install()
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "p")
    await visitor.page.clock.fast_forward("00:31:00")
    await visitor.page.clock.run_for(1_000)
    assert len(await visitor.heard("visits", 2)) == 2
    assert company.said("alive") == []
