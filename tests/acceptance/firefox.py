"""Debian's Firefox, driven by its own WebDriver BiDi: Playwright drives a Firefox of its own making
alone.
"""

import asyncio
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
# there `make test` installs it
DEBIAN = "\nID=debian" in Path("/etc/os-release").read_text(encoding="utf-8")
QUIET = """user_pref("app.update.disabledForTesting", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.server", "data:,");
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("network.protocol-handler.warn-external.tel", false);
user_pref("extensions.update.enabled", false);
"""


@dataclass
class FirefoxPage:
    """One tab."""

    connection: ClientConnection
    tab: str = ""
    console: list[str] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def ask(self, method: str, **params: Any) -> Any:
        """Send a command; what it answers. What the console says meanwhile is kept."""
        number = next(self._numbers)
        await self.connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(await self.connection.recv())
            if said.get("method") == "log.entryAdded":
                self.console.append(said["params"]["text"])
            elif said.get("id") == number:
                if said["type"] == "error":
                    raise AssertionError(said["message"])
                return said["result"]

    async def goto(self, url: str) -> None:
        """Open an address and wait until it has loaded."""
        await self.ask("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression: a string, number or truth."""
        answer = await self.ask(
            "script.evaluate",
            expression=expression,
            target={"context": self.tab},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise AssertionError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until the page says yes."""
        async with asyncio.timeout(180):
            while not await self.evaluate(expression):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def firefox(home: Path) -> AsyncIterator[FirefoxPage]:
    """A Firefox with a new profile and one tab."""
    (home / "user.js").write_text(QUIET)
    process = await asyncio.create_subprocess_exec(
        str(FIREFOX), "--headless", "--no-remote", "--profile", str(home), "--remote-debugging-port", "0",  # noqa: E501
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(180):
            address = await _address(process)
        async with connect(f"{address}/session", max_size=None) as connection:
            page = FirefoxPage(connection)
            await page.ask("session.new", capabilities={})
            await page.ask("session.subscribe", events=["log.entryAdded"])
            page.tab = (await page.ask("browsingContext.getTree"))["contexts"][0]["context"]
            yield page
    finally:
        process.terminate()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr
    async for line in process.stderr:
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line.decode()):
            return found[1]
    raise AssertionError("Firefox ended before it listened")
