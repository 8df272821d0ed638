"""What acceptance tests share: the voices, and one system for all tests of a file."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.acceptance.calling import Voices, voices
from tests.acceptance.promises import subscribe
from tests.acceptance.receiver import Receiver
from tests.acceptance.script_visitor import PATIENCE, Visitor, chromium, close, visiting
from tests.acceptance.script_world import Company, open_for_business
from tests.acceptance.system import PARTS, System, line, system
from tests.support.priority import take_priority
from tests.support.standstill import Standstill

expect.set_options(timeout=PATIENCE * 1000)

# files of a minute or two: begun last, one of them would run on alone
LONG = (
    "test_agent_failures",
    "test_transfers",
    "test_player_moments",
    "test_supervise",
    "test_demo",
    "test_failures",
    "test_steps",
    "test_call_outcomes",
    "test_pages",
    "test_reserve",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first. Tests that name no event loop have one in common, and the browser with
    it.
    """
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    for item in items:
        marker = item.get_closest_marker("asyncio")
        if marker and not marker.kwargs and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session", autouse=True)
def in_real_time() -> None:
    """Calls, phones and pages go before other work."""
    take_priority()


@pytest.fixture
def still() -> Iterator[Standstill]:
    """How long the machine lets the test stand still."""
    with Standstill() as measured:
        yield measured


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    """Speech for callers and for the company."""
    return voices(tmp_path_factory.mktemp("voices"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Asterisk, agent and worker, for all tests of the file."""
    home: Path = tmp_path_factory.mktemp("home")
    async with system(home, company=("PJSIP/head-office", "PJSIP/second")) as up:
        line(up)
        await up.start(*PARTS)
        yield up


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver(running: System) -> AsyncIterator[Receiver]:
    """An outside system that gets every call of the file."""
    async with Receiver().listening() as listening:
        await subscribe(running, "crm", listening)
        yield listening


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def started_browser() -> AsyncIterator[Browser]:
    """The system's Chromium, started once."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def browser(started_browser: Browser) -> AsyncIterator[Browser]:
    """Chromium without any of what other tests opened in it."""
    yield started_browser
    for context in started_browser.contexts:
        await close(context)


@pytest_asyncio.fixture(loop_scope="session")
async def company() -> AsyncIterator[Company]:
    """A company's pages, and a server for their script."""
    async with open_for_business(Company()) as company:
        yield company


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(company: Company, browser: Browser) -> AsyncIterator[Visitor]:
    """Someone who opens them."""
    async with visiting(company, browser) as visitor:
        yield visitor
