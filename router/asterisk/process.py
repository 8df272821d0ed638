"""Finds Asterisk, and runs console commands."""

import asyncio
import os
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from router.asterisk.files import source
from router.asterisk.late_frames import corrected_launch
from router.asterisk.unanswered_requests import corrected_modules
from router.errors import AsteriskUnavailable, ConfigurationError

CONSOLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An Asterisk that can be run: its launcher and its own directories."""

    launch: Path
    modules: Path
    data: Path
    speech: Path | None
    version: str


def inherits_headers(modules: Path) -> bool:
    """Whether Asterisk knows PJSIP_INHERITABLE_HEADER, which came with minor versions of several
    branches.
    """
    module = modules / "res_pjsip_header_funcs.so"
    return module.exists() and b"PJSIP_INHERITABLE_HEADER" in module.read_bytes()


def host_modules(etc: Path) -> Path:
    """The module directory of an external Asterisk: from its asterisk.conf, otherwise the packages'
    default.
    """
    with suppress(OSError):
        named = re.search(
            r"^astmoddir\s*=>?\s*(\S+)", (etc / "asterisk.conf").read_text(), re.MULTILINE
        )
        if named:
            return Path(named[1])
    found = (path.parent for path in Path("/usr").glob("lib*/**/asterisk/modules/res_pjsip.so"))
    return next(found, Path("/usr/lib/asterisk/modules"))


@cache
def find_installation() -> Installation:
    """An Asterisk on PATH, otherwise one unpacked from Debian's packages (by
    `asterisk_config/asterisk.sh`). It is corrected if it drops audio after a new RTP stream, see
    `late_frames`, or leaves requests unanswered, see `unanswered_requests`. Raises
    `ConfigurationError` with its output.
    """
    script = source() / "asterisk.sh"
    done = subprocess.run(["bash", str(script)], stdout=subprocess.PIPE, text=True, check=False)
    facts = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    if done.returncode != 0 or "ASTERISK_LAUNCH" not in facts:
        raise ConfigurationError(f"There is no Asterisk, and {script} could not unpack one.")
    speech = facts.get("ASTERISK_SPEECH")
    return Installation(
        launch=corrected_launch(Path(facts["ASTERISK_LAUNCH"])),
        modules=corrected_modules(Path(facts["ASTERISK_MODULES"])),
        data=Path(facts["ASTERISK_DATA"]),
        speech=Path(speech) if speech else None,
        version=facts.get("ASTERISK_VERSION", ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Asterisk's console."""

    launch: str
    config: Path | None  # None: the system's asterisk.conf

    async def run(self, command: str) -> str:
        """Run a console command; returns its output. Raises `AsteriskUnavailable`."""
        if self.config:
            options = ["-C", str(self.config)]
        else:
            options = []

        try:
            process = await asyncio.create_subprocess_exec(
                self.launch,
                *options,
                "-rx",
                command,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        except OSError as error:
            raise AsteriskUnavailable(f"Asterisk's console cannot be started: {error}") from error
        try:
            async with asyncio.timeout(CONSOLE_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError as error:
            raise AsteriskUnavailable("Asterisk's console does not answer.") from error
        finally:
            if process.returncode is None:
                process.kill()
        text = output.decode("utf-8", "replace").strip()
        if process.returncode != 0:
            raise AsteriskUnavailable(f"Asterisk's console does not answer: {text[:200]}")
        return text


def system_launch() -> str:
    """The system's asterisk command, for an external Asterisk."""
    return (
        os.environ.get("RINGTRACE_ASTERISK_COMMAND")
        or shutil.which("asterisk")
        or "/usr/sbin/asterisk"
    )


async def living_channels(console: Console) -> frozenset[str]:
    """The uniqueids of all channels. Raises `AsteriskUnavailable`.

    Uses the console, because on the manager interface this needs the right to read any variable.
    """
    shown = await console.run("core show channels concise")
    ids = (line.rpartition("!")[2] for line in shown.splitlines() if "!" in line)
    return frozenset(
        uniqueid for uniqueid in ids if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", uniqueid)
    )
