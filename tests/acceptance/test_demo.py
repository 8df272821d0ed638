"""The README's first command, as a newcomer runs it: twice in one home, and where there is no
browser.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest

from router.demo.browser import CHROMIUMS, FIREFOXES
from tests.acceptance.system import system

pytestmark = pytest.mark.timeout(900)
BROWSERS = {*CHROMIUMS, *FIREFOXES}


async def test_the_demo_plays_one_whole_call_from_a_page_again_and_again(tmp_path: Path) -> None:
    environment = await surroundings(tmp_path, os.environ["PATH"])
    for _ in range(2):
        facts = await demo(environment)
        assert facts["page opened in"] in BROWSERS
        assert (facts["verdict"], facts["client ID in the CRM"]) == ("exact", facts["client ID"])
        assert (facts["source"], facts["channel"]) == ("google / cpc", "Paid Search")
        assert facts["probability"] >= 0.5


@pytest.mark.parametrize("broken", [False, True])
async def test_without_a_browser_that_works_the_demo_asks_for_the_number_itself(
    tmp_path: Path, broken: bool
) -> None:
    programs = without_browsers(tmp_path / "programs")
    if broken:
        (programs / "chromium").symlink_to("/bin/false")
    facts = await demo(await surroundings(tmp_path / "home", str(programs)))
    assert ("chromium did not start" if broken else "no browser is installed") in facts[
        "page opened in"
    ]
    assert (facts["verdict"], facts["channel"]) == ("exact", "Paid Search")


def without_browsers(directory: Path) -> Path:
    """Every program of this machine but its browsers."""
    directory.mkdir()
    for place in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in place.iterdir() if place.is_dir() else ():
            link = directory / program.name
            if program.name not in BROWSERS and not link.is_symlink():
                link.symlink_to(program)
    return directory


async def surroundings(home: Path, path: str) -> dict[str, str]:
    """The environment of a demo with ports of its own."""
    async with system(home) as ports:
        return {**os.environ, **ports.settings.environment(), "PATH": path}


async def demo(environment: dict[str, str]) -> dict[str, Any]:
    """Run it once: what it found, all of it right, and nothing left of its browser."""
    with TemporaryDirectory() as temporary:  # a browser's socket wants a short path
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "router", "demo", "--once", "--json"),
            env={**environment, "TMPDIR": temporary},
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(180):
            output, _ = await process.communicate()
        assert list(Path(temporary).glob("ringtrace-browser-*")) == []
        async with asyncio.timeout(180):  # what a browser has started ends after it
            while not nobody_in(f"{temporary}/ringtrace-browser-"):
                await asyncio.sleep(0.1)
    facts: dict[str, Any] = json.loads(output)
    assert (process.returncode, facts["ok"], facts["wrong"]) == (0, True, [])
    return facts


def nobody_in(directory: str) -> bool:
    """No process has anything to do with files of this directory."""
    return not any(
        directory in word for process in psutil.process_iter(["cmdline"]) for word in words(process)
    )


def words(process: psutil.Process) -> list[str]:
    return process.info["cmdline"] or []
