"""Checks of Asterisk, its manager interface, the CEL log and the agent."""

import asyncio
import re
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from router import asterisk_setup, supervise
from router.asterisk.answers import last_beat
from router.asterisk.files import revision, source
from router.asterisk.late_frames import find_rule
from router.asterisk.process import find_installation, host_modules, system_launch
from router.asterisk.unanswered_requests import MODULE, find_claim, is_corrected
from router.asterisk.user import User
from router.cli.doctor.finding import PREPARE, Case, Finding, fail, ok, warn
from router.cli.doctor.waiting import in_thread, output_of
from router.errors import AsteriskUnavailable

OLDEST, ADVISED = (20,), (22, 10, 1)
LATE_HEARTBEAT = 3  # seconds; then the dialplan does not ask any more
SLOW_NAME = 1.0  # seconds
_INCLUDE = re.compile(r"^\s*#include\s+\W?(?:\S*/)?ringtrace/", re.MULTILINE)
READABLE = "Run doctor as a user who can read it."
AFTER_CORRECTION = "restart Asterisk; again after each upgrade of its package."
CANNOT_CORRECT = (
    "This module cannot be corrected: that is possible only for Debian's and Ubuntu's on x86-64. "
    "Run Asterisk there if calls end about 32 s after such a request."
)
RESTART = (
    "Start or restart `ringtrace agent`; if `ringtrace run` started it, end its process: it is "
    "restarted."
)


async def installed(case: Case) -> Finding:
    """Asterisk is installed, and new enough."""
    name, fix = (
        "Asterisk",
        "Install Asterisk 22, or the packages mmdebstrap and debian-archive-keyring: `make setup`.",
    )
    if case.settings.asterisk == "external":
        said = await output_of(system_launch(), "-V")
    else:
        if await output_of("bash", str(source() / "asterisk.sh"), "needs"):
            return fail(name, "not installed yet", fix)
        said = await output_of("bash", str(source() / "asterisk.sh"))
    found = re.search(r"(?:VERSION=|Asterisk (?:certified.)?)(\d+(?:\.\d+)*)", said or "")
    if found is None:
        return fail(name, f"not installed: {(said or 'it cannot be started')[:120]}", fix)
    version = tuple(int(part) for part in found[1].split("."))
    if version < OLDEST:
        return fail(
            name,
            f"version {found[1]}",
            "Version 20 is the oldest that supports the dialplan: upgrade.",
        )
    if version < ADVISED:
        return warn(
            name, f"version {found[1]}", "Version 22.10.1 fixes 20 security advisories: upgrade."
        )
    return ok(name, f"version {found[1]}")


async def new_streams(case: Case) -> Finding:
    """Asterisk does not drop audio after a new RTP stream, as Debian's build does."""
    name, external = "audio after a transfer or hold", case.settings.asterisk == "external"
    if external:
        program = Path(system_launch())
    else:
        program = (await in_thread(find_installation)).launch

    unpacked = program.resolve().parent / "root/usr/sbin/asterisk"
    try:
        has_rule = find_rule((unpacked if unpacked.exists() else program).read_bytes()) is not None
    except OSError as error:
        return warn(name, f"{program} cannot be read: {error.strerror}", READABLE)
    if has_rule:
        return fail(
            name,
            f"{program} drops it: Debian's build mistakes a new RTP stream for late packets",
            f"As root: `{sys.executable} -m router.asterisk.late_frames {program}`, then "
            f"{AFTER_CORRECTION}",
        )
    return ok(name, "is recorded")


async def unanswered(case: Case) -> Finding:
    """Asterisk answers every request inside a call, which no build does by itself."""
    name, settings = "requests inside a call", case.settings
    if settings.asterisk == "external":
        modules = host_modules(settings.asterisk_etc)
    else:
        modules = (await in_thread(find_installation)).modules
    module = modules / MODULE
    try:
        content = module.read_bytes()
    except OSError as error:
        return warn(name, f"{module} cannot be read: {error.strerror}", READABLE)
    if is_corrected(content):
        return ok(name, "none is known to be left unanswered")
    said = (
        "Asterisk leaves SUBSCRIBE, NOTIFY, PUBLISH and unknown INFO unanswered; a strict "
        "carrier ends a call in which it sends one"
    )
    if find_claim(content) is None:
        return warn(name, said, CANNOT_CORRECT)
    command = f"{sys.executable} -m router.asterisk.unanswered_requests {module}"
    return warn(name, said, f"As root: `{command}`, then {AFTER_CORRECTION}")


async def running(case: Case) -> Finding:
    """Asterisk is running, and its console answers."""
    try:
        said = await case.console().run("core show uptime seconds")
    except AsteriskUnavailable:
        advice = "Start it, as a user whose console Ringtrace can use."
        if case.settings.asterisk == "embedded":
            advice = "Start `ringtrace run`; if it is running, Asterisk hangs."

        return fail(
            "Asterisk runs",
            "its console does not answer; modules, dialplan and trunks were not checked",
            advice,
        )
    uptime = re.search(r"System uptime: (\d+)", said)
    return ok("Asterisk runs", f"for {int(uptime[1]) // 60} minutes" if uptime else said[:80])


async def user(case: Case) -> list[Finding]:
    """The embedded Asterisk does not run as root, if that can be avoided."""
    name = "Asterisk's user"
    chosen = supervise.asterisk_user(case.settings)
    if chosen is None:
        return []
    if isinstance(chosen, User):
        return [ok(name, f"a separate user, ID {chosen.uid}")]
    return [
        warn(
            name,
            f"root, because {chosen}",
            "Start `ringtrace run` as another user. Or open that directory (chmod o+x), or "
            "keep Asterisk and the home "
            "elsewhere (RINGTRACE_CACHE, RINGTRACE_HOME).",
        )
    ]


async def dialplan(case: Case) -> Finding:
    """The dialplan contexts are loaded in their current version."""
    text = (source() / "ringtrace/dialplan.conf").read_text()
    wanted = set(re.findall(r"^\[([a-z-]+)\]", text, re.MULTILINE)) - {"globals"}
    shown = await case.console().run("dialplan show")
    missing = sorted(wanted - set(re.findall(r"Context '([^']+)'", shown)))
    if missing:
        return fail(
            "dialplan",
            f"missing contexts: {', '.join(missing)}",
            "#tryinclude ringtrace/dialplan.conf in extensions.conf, then `dialplan reload`.",
        )
    written = case.settings.ringtrace_etc / "dialplan.conf"
    if not written.exists() or f"'{revision(written.read_text())}'" not in shown:
        return fail(
            "dialplan",
            f"Asterisk has loaded another version than {written}",
            f"{PREPARE}; then `dialplan reload` at Asterisk's console.",
        )
    return ok("dialplan", f"all {len(wanted)} contexts are loaded")


def _files_of_host(case: Case) -> list[Path]:
    """The configuration of an Asterisk of one's own, also in directories that it includes."""
    etc, ours = case.settings.asterisk_etc, case.settings.ringtrace_etc
    if case.settings.asterisk != "external":
        return []
    files = (path for pattern in ("*.conf", "*/*.conf") for path in etc.glob(pattern))
    return sorted(path for path in files if path.parent != ours)


async def includes(case: Case) -> Finding:
    """The host's configuration works without Ringtrace's files."""
    hard = []
    for path in _files_of_host(case):
        with suppress(OSError):
            if _INCLUDE.search(path.read_text(errors="replace")):
                hard.append(path.name)
    if hard:
        return warn(
            "includes",
            f"{', '.join(hard)} includes Ringtrace's files: without them Asterisk would not load "
            "it",
            "Use #tryinclude instead of #include there.",
        )
    return ok("includes", "Asterisk can start without Ringtrace's files")


async def rights(case: Case) -> Finding:
    """The agent's manager account has no more rights than it needs."""
    said = await case.console().run("manager show user ringtrace")
    write = re.search(r"write perm: *(\S*)", said)
    if write is None:
        return fail(
            "manager account",
            "Asterisk has no account 'ringtrace'",
            "#tryinclude ringtrace/manager.conf in manager.conf.",
        )
    if write[1] not in {"", "<none>"}:
        return warn(
            "manager account",
            f"has the write rights {write[1]}",
            f"It needs an empty `write =`. {PREPARE}.",
        )
    return ok("manager account", "can only receive events")


async def manager(case: Case) -> Finding:
    """The agent's login to the manager interface works."""
    name, settings = "manager interface", case.settings
    if case.secrets is None:
        advice = "Run `ringtrace prepare`."
        if (settings.home / "secrets.json").exists():
            advice = "Fix secrets.json first."

        return fail(name, "there is no password to log in with", advice)
    try:
        async with asterisk_setup.open_ami(settings, case.secrets).session() as session:
            if (await session.ask({"Action": "Ping"})).response != "Success":
                return fail(name, "Ping is refused", "See Asterisk's log.")
    except AsteriskUnavailable as error:
        return fail(
            name,
            error.message,
            f"Compare manager.conf, RINGTRACE_AMI_PORT and secrets.json. {PREPARE}; then "
            "`manager reload`.",
        )
    return ok(name, f"answers at {settings.ami_host}:{settings.ami_port}")


async def heartbeat(case: Case) -> Finding:
    """The agent's heartbeat is recent."""
    beat = last_beat(case.settings.answers)
    said = "never came"
    if beat:
        age = time.time() - beat  # below 0: clock set back
        if abs(age) <= LATE_HEARTBEAT:
            return ok("agent", "answers route requests")
        said = f"is {age:.0f} s old"

    return fail(
        "agent",
        f"its heartbeat {said}: calls go to their last destination, without attribution at "
        "the call",
        RESTART,
    )


async def host_name(case: Case) -> Finding:
    """The machine's own name resolves: Asterisk looks it up during calls, and waits."""
    name = socket.gethostname()
    began = time.monotonic()
    try:
        async with asyncio.timeout(6.0):
            await in_thread(lambda: socket.getaddrinfo(name, None))
    except (OSError, TimeoutError):
        return fail(
            "host name",
            f"'{name}' does not resolve: each call waits for it",
            f"Add '127.0.1.1 {name}' to /etc/hosts.",
        )
    took = time.monotonic() - began
    if took > SLOW_NAME:
        return warn(
            "host name",
            f"'{name}' takes {took:.1f} s to resolve",
            f"Add '127.0.1.1 {name}' to /etc/hosts.",
        )
    return ok("host name", f"'{name}' resolves")
