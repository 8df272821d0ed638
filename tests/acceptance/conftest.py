"""What acceptance tests share: the voices, and one system for all tests of a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.calling import Voices, voices
from tests.acceptance.promises import subscribe
from tests.acceptance.receiver import Receiver
from tests.acceptance.system import PARTS, System, line, system


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
    """An outside system that is told of every call of the file."""
    async with Receiver().listening() as listening:
        await subscribe(running, "crm", listening)
        yield listening
