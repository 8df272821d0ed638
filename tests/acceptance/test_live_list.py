"""The list of calls in a real browser: calls come, change and are filtered live, even over a wire
that breaks.
"""

import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.script_visitor import close, new_context
from tests.acceptance.supervisor import Seen, filter_by_outcome, log_in, looking, until
from tests.support.ports import free_port
from tests.support.web_calls import a_call, furnish, ringing
from tests.support.web_world import World, served

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]


async def test_a_call_appears_while_it_rings_and_changes_without_reloading(
    world: World, browser: Browser
) -> None:
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        await expect(page.get_by_text("No calls yet")).to_be_visible()
        await page.evaluate("window.sameDocument = true")
        await until(page, "document.querySelector('#results').matches('[sse-connect]')")
        await world.save(ringing("1", world.clock.now))
        row = page.locator("#rows tr")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text("Ringing")
        await expect(page.get_by_text("No calls yet")).to_be_hidden()
        await world.save(a_call("1", world.clock.now))
        await expect(row).to_contain_text("Answered")
        await expect(row).to_have_count(1)
        older = replace(ringing("0", world.clock.now), arrived_at=world.clock.now.replace(hour=9))
        await world.save(older)
        await expect(row).to_have_count(2)
        assert await row.evaluate_all("rows => rows.map(row => row.dataset.id)") == [
            "pbx-1768912345.1",
            "pbx-1768912345.0",
        ]
        assert await page.evaluate("window.sameDocument") is True


async def test_filters_change_the_list_the_address_and_what_comes_live(
    world: World, browser: Browser
) -> None:
    calls = await furnish(world)
    async with looking(world, browser) as seen:
        await log_in(seen)
        page = seen.page
        rows = page.locator("#rows tr")
        await expect(rows).to_have_count(len(calls))
        await filter_by_outcome(page, "busy")
        await expect(rows).to_have_count(1)
        await page.wait_for_url("**/calls?ending=busy")
        await world.save(
            ringing("20", world.clock.now), replace(calls["busy"], caller_name="Changed Live")
        )
        await expect(rows).to_contain_text("Changed Live")
        await expect(rows).to_have_count(1)
        await page.go_back()
        await expect(rows).to_have_count(len(calls) + 1)


async def test_a_lost_connection_is_shown_and_what_was_missed_comes_after(
    world: World, browser: Browser
) -> None:
    async with served(world.app) as address:
        relay = await Relay.open(int(address.rpartition(":")[2]))
        page = await (await new_context(browser, locale="en-GB")).new_page()
        await page.goto(f"http://127.0.0.1:{relay.port}/login")
        await log_in(Seen(page, address))
        await world.save(ringing("1", world.clock.now))
        await expect(page.locator("#rows tr")).to_have_count(1)
        await relay.cut()
        await expect(page.get_by_text("Connection lost")).to_be_visible()
        await world.save(ringing("2", world.clock.now), a_call("1", world.clock.now))
        await relay.fix()
        await expect(page.locator("#rows tr")).to_have_count(2)
        await expect(page.get_by_text("Connection lost")).to_be_hidden()
        await expect(page.locator("#rows")).to_contain_text("Answered")
        await close(page.context)
        await relay.cut()


class Relay:
    """A wire between the browser and the server that can be cut."""

    def __init__(self, target: int, port: int) -> None:
        self._target, self.port = target, port
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @classmethod
    async def open(cls, target: int) -> "Relay":
        """A wire to the server on port `target`, on a free port."""
        relay = cls(target, free_port())
        await relay.fix()
        return relay

    async def fix(self) -> None:
        """Let connections through, on the same port as before."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Break every connection and take no new one."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", self._target)
        if not (self._server and self._server.is_serving()):  # cut in this moment
            writer.transport.abort()
            here.transport.abort()
            return
        self._writers |= {writer, here}
        await asyncio.gather(self._carry(reader, here), self._carry(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
