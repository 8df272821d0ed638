"""Answers that come late, and a server that does not answer: the page does not wait, and no number
is lost.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from router.web.script import snippet
from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import Company, Mood

pytestmark = pytest.mark.acceptance

BODY = (
    "<p>8 495 123-45-67</p><a href='tel:84951234567' onclick='event.preventDefault()'>Позвонить</a>"
)
LOADED = "<script>addEventListener('load', () => window.loaded = true)</script>"


@pytest_asyncio.fixture(loop_scope="session")
async def slow(company: Company, visitor: Visitor) -> Visitor:
    """A page whose clock does not move, and a server that has not answered for longer than two
    seconds.
    """
    company.mood = Mood.SLOW
    await visitor.page.clock.install()
    await visitor.opens(BODY)
    await visitor.heard("visits")
    await visitor.page.clock.run_for(2_000)
    assert await visitor.text("p") == "8 495 123-45-67"
    return visitor


async def test_a_late_answer_is_shown_when_it_comes_and_the_server_hears_of_it(
    company: Company, slow: Visitor
) -> None:
    company.let_go.set()
    await slow.shows("777-00-01", "p")
    company.mood = Mood.WELL
    await slow.page.clock.run_for(2_500)
    assert await slow.heard("alive") == [{"leases": ["lease-1"]}]
    assert len(company.said("visits")) == 1


async def test_a_late_number_does_not_change_under_the_pointer(
    company: Company, slow: Visitor
) -> None:
    await slow.page.hover("a")
    async with slow.page.expect_event(
        "requestfinished", lambda request: request.url.endswith("/visits")
    ):
        company.let_go.set()
    await slow.page.clock.run_for(3_000)
    assert await slow.text("p") == "8 495 123-45-67"
    await slow.page.hover("p")
    await slow.page.clock.run_for(500)
    await slow.shows("777-00-01", "p")


async def test_an_answer_that_comes_after_the_number_has_gone_back_is_not_waited_for(
    slow: Visitor,
) -> None:
    failed = asyncio.Event()
    slow.page.on("requestfailed", lambda _: failed.set())
    await slow.page.clock.run_for(21_000)
    assert not failed.is_set()
    await slow.page.clock.run_for(4_000)
    await asyncio.wait_for(failed.wait(), 180)


async def test_a_page_that_is_hidden_soon_says_first_that_its_number_is_shown(
    company: Company, visitor: Visitor
) -> None:
    await visitor.page.clock.install()
    await visitor.opens(BODY)
    await visitor.shows("777-00-01", "p")
    assert company.said("alive") == []
    await visitor.page.evaluate(
        """() => { Object.defineProperty(document, "hidden", {value: true});
                   document.dispatchEvent(new Event("visibilitychange")); }"""
    )
    assert await visitor.heard("alive") == [{"leases": ["lease-1"]}]


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """It takes connections and says nothing; its address."""
    over = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        over.set()
        server.close()


async def test_the_documented_line_never_holds_back_the_pages_load_event(
    company: Company, visitor: Visitor
) -> None:
    async with silent_server() as silent:
        address = company.page(BODY, head=LOADED, line=snippet(silent, "shop"))
        asked = asyncio.Event()
        visitor.page.on(
            "request", lambda request: asked.set() if request.url.startswith(silent) else None
        )
        await visitor.page.goto(address, wait_until="commit")
        await asyncio.wait_for(asked.wait(), 180)
        await visitor.until("window.loaded === true")


async def test_the_documented_line_shows_the_number(company: Company, visitor: Visitor) -> None:
    await visitor.opens(BODY, line=snippet(company.server, "shop"))
    await visitor.shows("777-00-01", "p")
    assert [heard.what for heard in company.heard][:1] == ["visits"]
