"""Runs an installed browser on one address, in a temporary profile that is removed afterwards."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from router import supervise
from router.config import Settings

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FIREFOXES = ("firefox-esr", "firefox")
# A headless browser says so in its User-Agent; it is usually a robot and would be treated as
# one.
USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Safari/537.36"
)
_CHROMIUM = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--password-store=basic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    f"--user-agent={USER_AGENT}",
)
_FIREFOX = {
    "app.normandy.enabled": "false",
    "app.update.auto": "false",
    "browser.safebrowsing.downloads.remote.enabled": "false",
    "browser.safebrowsing.malware.enabled": "false",
    "browser.safebrowsing.phishing.enabled": "false",
    "browser.shell.checkDefaultBrowser": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "extensions.update.enabled": "false",
    "network.captive-portal-service.enabled": "false",
    "network.connectivity-service.enabled": "false",
    "network.proxy.type": "0",
    "services.settings.server": '"data:,"',
    "toolkit.telemetry.server": '"data:,"',
}
_CHILDREN_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """A running browser."""

    name: str
    process: asyncio.subprocess.Process

    @property
    def ended(self) -> bool:
        """Whether it failed to start or has ended."""
        return self.process.returncode is not None


@asynccontextmanager
async def browsing(url: str, settings: Settings) -> AsyncIterator[Browser | None]:
    """A browser that opens `url`; None if none is installed. It ends with the block, or with
    this process.
    """
    found = next((path for name in (*CHROMIUMS, *FIREFOXES) if (path := shutil.which(name))), None)
    if found is None:
        yield None
        return
    with TemporaryDirectory(prefix="ringtrace-browser-", ignore_cleanup_errors=True) as profile:
        command = (
            "env",
            f"HOME={profile}",
            f"TMPDIR={profile}",
            found,
            *_arguments(Path(found).name, Path(profile)),
            url,
        )
        process = await supervise.start(
            supervise.Part(name="browser", command=command, quiet=True), settings
        )
        try:
            yield Browser(name=Path(found).name, process=process)
        finally:
            await supervise.stop(process)
            await _end_group(process.pid)


def _arguments(name: str, profile: Path) -> tuple[str, ...]:
    if name in FIREFOXES:
        wishes = "".join(f'user_pref("{key}", {value});\n' for key, value in _FIREFOX.items())
        (profile / "user.js").write_text(wishes, encoding="utf-8")
        return ("--headless", "--no-remote", "--profile", str(profile))
    options = (*_CHROMIUM, f"--user-data-dir={profile}")
    if os.geteuid() == 0:
        return (*options, "--no-sandbox")
    return options


async def _end_group(group: int) -> None:
    """End all processes of the browser; some outlive the first for a moment."""
    with suppress(ProcessLookupError, TimeoutError):
        async with asyncio.timeout(_CHILDREN_SECONDS):
            while True:
                os.killpg(group, signal.SIGKILL)
                await asyncio.sleep(0.02)
