"""What doctor asks of Asterisk, its manager interface, its journal and the agent beside it."""

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
from router.asterisk.process import find_installation, system_launch
from router.asterisk.user import User
from router.cli.doctor.finding import PREPARE, Case, Finding, fail, ok, warn
from router.cli.doctor.waiting import in_thread, output_of
from router.errors import AsteriskUnavailable

OLDEST, ADVISED = (20,), (22, 10, 1)
LATE_HEARTBEAT = 3  # seconds; then the dialplan does not ask any more
SLOW_NAME = 1.0  # seconds
RESTART = (
    "Start or restart `ringtrace agent`; under `ringtrace run`, end its process: it is started "
    "again."
)


async def installed(case: Case) -> Finding:
    """An Asterisk can be run, and is new enough."""
    name, mend = (
        "Asterisk",
        "Install Asterisk 22, or the packages mmdebstrap and debian-archive-keyring: `make setup`.",
    )
    if case.settings.asterisk == "external":
        said = await output_of(system_launch(), "-V")
    else:
        if await output_of("bash", str(source() / "asterisk.sh"), "needs"):
            return fail(name, "there is none here yet", mend)
        said = await output_of("bash", str(source() / "asterisk.sh"))
    found = re.search(r"(?:VERSION=|Asterisk (?:certified.)?)(\d+(?:\.\d+)*)", said or "")
    if found is None:
        return fail(name, f"there is none here: {(said or 'it cannot be started')[:120]}", mend)
    version = tuple(int(part) for part in found[1].split("."))
    if version < OLDEST:
        return fail(
            name,
            f"version {found[1]}",
            "Version 20 is the oldest that knows what the dialplan needs: upgrade.",
        )
    if version < ADVISED:
        return warn(
            name, f"version {found[1]}", "Version 22.10.1 mends 20 security advisories: upgrade."
        )
    return ok(name, f"version {found[1]}")


async def new_streams(case: Case) -> Finding:
    """Asterisk records what comes after a new RTP stream, which Debian's build by itself does
    not.
    """
    name, external = "sound after a transfer or hold", case.settings.asterisk == "external"
    program = Path(system_launch()) if external else (await in_thread(find_installation)).launch
    unpacked = program.resolve().parent / "root/usr/sbin/asterisk"
    try:
        has_rule = find_rule((unpacked if unpacked.exists() else program).read_bytes()) is not None
    except OSError as error:
        return warn(
            name,
            f"{program} cannot be read: {error.strerror}",
            "Run doctor as a user who may read it.",
        )
    if has_rule:
        return fail(
            name,
            f"{program} drops it: Debian's build takes a new RTP stream for late packets",
            f"As root: `{sys.executable} -m router.asterisk.late_frames {program}`, then "
            "restart Asterisk;"
            " again after each upgrade of its package.",
        )
    return ok(name, "is recorded")


async def running(case: Case) -> Finding:
    """Asterisk runs, and its console answers."""
    try:
        said = await case.console().run("core show uptime seconds")
    except AsteriskUnavailable:
        embedded = case.settings.asterisk == "embedded"
        return fail(
            "Asterisk runs",
            "its console does not answer; its modules, dialplan and trunks were not looked at",
            "`ringtrace run` starts it; if that runs, Asterisk hangs."
            if embedded
            else "Start it, as a user we may ask.",
        )
    uptime = re.search(r"System uptime: (\d+)", said)
    return ok("Asterisk runs", f"for {int(uptime[1]) // 60} minutes" if uptime else said[:80])


async def user(case: Case) -> list[Finding]:
    """The embedded Asterisk does not run as root, where that can be helped."""
    name = "Asterisk's user"
    chosen = supervise.asterisk_user(case.settings)
    if chosen is None:
        return []
    if isinstance(chosen, User):
        return [ok(name, f"its own, number {chosen.uid}")]
    return [
        warn(
            name,
            f"root, because {chosen}",
            "Start `ringtrace run` as another user. Or open that directory (chmod o+x), or "
            "keep Asterisk and the home "
            "elsewhere (RINGTRACE_CACHE, RINGTRACE_HOME).",
        )
    ]


async def modules(case: Case) -> Finding:
    """What modules.conf names is loaded."""
    wanted = set(
        re.findall(r"^load = (\S+)", (source() / "modules.conf").read_text(), re.MULTILINE)
    )
    shown = await case.console().run("module show")
    present = {line.split()[0] for line in shown.splitlines() if " Running " in line}
    missing = sorted(wanted - present)
    if missing:
        return fail(
            "modules",
            f"not loaded: {', '.join(missing)}",
            "`module load` each at Asterisk's console; see its log.",
        )
    return ok("modules", f"all {len(wanted)} are loaded")


async def dialplan(case: Case) -> Finding:
    """The contexts that a call goes through are there, and the places they name are ours."""
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
            f"Asterisk has read another dialplan than {written} holds",
            f"{PREPARE}; then `dialplan reload` at Asterisk's console.",
        )
    return ok("dialplan", f"all {len(wanted)} contexts are loaded")


async def includes(case: Case) -> Finding:
    """The host's files go on without ours."""
    hard = []
    for path in (
        sorted(case.settings.asterisk_etc.glob("*.conf"))
        if case.settings.asterisk == "external"
        else ()
    ):
        with suppress(OSError):
            if re.search(
                r"^\s*#include\s+\W?(?:\S*/)?ringtrace/",
                path.read_text(errors="replace"),
                re.MULTILINE,
            ):
                hard.append(path.name)
    if hard:
        return warn(
            "includes",
            f"{', '.join(hard)} needs our files: without them Asterisk would start with "
            "nothing of it",
            "Write #tryinclude instead of #include there.",
        )
    return ok("includes", "Asterisk can start without our files")


async def channel_log(case: Case) -> Finding:
    """Asterisk writes the journal at all."""
    said = await case.console().run("cel show status")
    if "Logging: Enabled" in said and "CEL Custom" in said:
        return ok("channel event log", "is written")
    return fail(
        "channel event log",
        "is off, so no call would be learned of",
        "Enable it in cel.conf and load cel_custom.so.",
    )


async def rights(case: Case) -> Finding:
    """The agent's account may do what it must, and no more."""
    said = await case.console().run("manager show user ringtrace")
    write = re.search(r"write perm: *(\S*)", said)
    if write is None:
        return fail(
            "manager account",
            "Asterisk knows no 'ringtrace'",
            "#tryinclude ringtrace/manager.conf in manager.conf.",
        )
    if write[1] not in {"", "<none>"}:
        return warn(
            "manager account", f"may write {write[1]}", f"It needs `write =` alone. {PREPARE}."
        )
    return ok("manager account", "may listen, and nothing else")


async def manager(case: Case) -> Finding:
    """We can log in as the agent does."""
    name, settings = "manager interface", case.settings
    if case.secrets is None:
        present = (settings.home / "secrets.json").exists()
        advice = "Put secrets.json right first." if present else "Run `ringtrace prepare`."
        return fail(name, "there is no secret to log in with", advice)
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
    """The agent tells the dialplan that it lives."""
    beat = last_beat(case.settings.answers)
    age = time.time() - beat if beat else None
    if age is not None and age <= LATE_HEARTBEAT:
        return ok("agent", "answers the dialplan's questions")
    said = "never came" if age is None else f"is {age:.0f} s old"
    return fail(
        "agent", f"its heartbeat {said}: calls go to their last destination, unidentified", RESTART
    )


async def host_name(case: Case) -> Finding:
    """The machine's own name can be resolved: Asterisk does so on calls, and waits."""
    name = socket.gethostname()
    began = time.monotonic()
    try:
        async with asyncio.timeout(6.0):
            await in_thread(lambda: socket.getaddrinfo(name, None))
    except (OSError, TimeoutError):
        return fail(
            "host name",
            f"'{name}' cannot be resolved: each call waits for that",
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
