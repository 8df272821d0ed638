"""`ringtrace run`: starts Asterisk, agent, worker and web, restarts what dies, and leaves nothing
behind.

Each is a process of its own, so that the phone path never shares its loop with pages or encoding.
The kernel ends them when this process dies, however it dies.
"""

import asyncio
import ctypes
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import structlog

from router import asterisk_setup, bootstrap
from router.asterisk.process import find_installation
from router.asterisk.user import User, choose_user, first_closed, hand_over
from router.config import Settings
from router.domain.backoff import backoff
from router.errors import ConfigurationError

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
STEADY_SECONDS = 30.0  # a part that ran so long before it ended counts as its first failure
STOP_SECONDS = 5.0  # then SIGKILL
# niceness of Asterisk: on a busy machine a starved recording thread leaves sound out
SOUND_FIRST = -10
# Asterisk looks up the trunks' hosts before it takes calls, four times each: with a dead name
# server it would start 40 s later for each of them
SHORT_LOOKUPS = {"RES_OPTIONS": "timeout:1 attempts:2"}
DESCRIPTORS = 65_536  # that a part may have open, where the system lets it
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process of ours."""

    name: str
    command: Sequence[str]
    quiet: bool = False  # what it prints is in its own log
    niceness: int = 0  # below 0 it goes before everybody, where we may ask for that
    user: User | None = None  # None: as ourselves
    environment: Mapping[str, str] = field(default_factory=dict)  # if it is not set already


def parts(settings: Settings) -> list[Part]:
    """What `run` starts, Asterisk first."""
    ours = [
        Part(name=name, command=(sys.executable, "-m", "router", name))
        for name in ("agent", "worker", "web")
    ]
    if settings.asterisk == "external":
        return ours
    config = str(settings.asterisk_etc / "asterisk.conf")
    launch = str(find_installation().launch)
    command = (launch, "-f", "-n", "-C", config)
    user = give_to_asterisk(settings)
    return [
        Part(
            name="asterisk",
            command=command,
            quiet=True,
            niceness=SOUND_FIRST,
            user=user,
            environment=SHORT_LOOKUPS,
        ),
        *ours,
    ]


def asterisk_user(settings: Settings) -> User | str | None:
    """The user that the embedded Asterisk can run as instead of root; why it cannot; None: it is
    not ours to choose.
    """
    if settings.asterisk == "external" or os.geteuid() != 0:
        return None
    found = find_installation()
    if settings.spool.is_relative_to(settings.home):
        spool = settings.home
    else:
        spool = settings.spool

    if closed := first_closed((found.launch, found.modules, found.data, settings.home, spool)):
        return f"{closed} is closed to other users"
    if settings.sip_port < 1024:
        return f"the port {settings.sip_port} is below 1024"
    return choose_user(settings.home)


def give_to_asterisk(settings: Settings) -> User | None:
    """Give Asterisk's directories to a user of its own, and close the rest to it; None: it runs as
    we do.
    """
    user = asterisk_user(settings)
    if not isinstance(user, User):
        if user:
            log.warning("asterisk_runs_as_root", reason=user)
        return None
    theirs = (
        settings.asterisk_home,
        settings.spool,
        asterisk_setup.run_directory(settings.asterisk_home),
    )
    hand_over(theirs, user)
    if settings.answers.is_dir():  # it reads there, and we write
        os.chown(settings.answers, -1, user.gid)
        settings.answers.chmod(0o750)
    for path in settings.home.iterdir():
        if path not in theirs and not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
    os.chown(settings.home, 0, user.gid)
    settings.home.chmod(0o710)
    return user


def check_ports(settings: Settings) -> None:
    """Report a port in use at once, instead of restarting for ever."""
    wanted = [("web_port", socket.SOCK_STREAM, settings.web_host, settings.web_port)]
    if settings.asterisk == "embedded":
        wanted += [
            ("sip_port", socket.SOCK_DGRAM, settings.sip_bind, settings.sip_port),
            ("ami_port", socket.SOCK_STREAM, settings.ami_host, settings.ami_port),
        ]
    for name, kind, host, port in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                variable = f"RINGTRACE_{name.upper()}"
                raise ConfigurationError(
                    f"{host}:{port} cannot be used ({error.strerror}): set {variable}"
                ) from error


async def supervise(settings: Settings, started: Callable[[], None] = lambda: None) -> None:
    """Keep every part running until cancelled; then stop them in reverse."""
    check_ports(settings)
    keepers: list[asyncio.Task[None]] = []
    try:
        for part in parts(settings):
            keepers.append(asyncio.create_task(_keep(part, settings), name=part.name))
        started()
        await asyncio.gather(*keepers)
    finally:
        for keeper in reversed(keepers):  # Asterisk last: what talks to it has said goodbye by then
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)


async def agent(settings: Settings) -> None:
    """Route responder in this process, ingest in a child process."""
    ingest = Part(
        name="ingest", command=(sys.executable, "-m", "router", "agent", "--part", "ingest")
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_keep(ingest, settings))
        tasks.create_task(bootstrap.run_route_responder(settings))


async def _keep(part: Part, settings: Settings) -> None:
    failures, loop = 0, asyncio.get_running_loop()
    while True:
        began = loop.time()
        code: int | str
        try:
            process = await start(part, settings)
        except OSError as error:  # no memory, no descriptor: the others go on
            code = str(error)
        else:
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                await stop(process)
                raise
        lived = loop.time() - began
        if lived > STEADY_SECONDS:
            failures = 1
        else:
            failures = failures + 1

        pause = backoff(failures, FIRST_PAUSE, LONGEST_PAUSE)
        log.error(
            "part_ended", part=part.name, code=code, lived=round(lived, 1), again_in=round(pause, 1)
        )
        await asyncio.sleep(pause)


async def start(part: Part, settings: Settings) -> asyncio.subprocess.Process:
    """Start a part that the kernel ends with us."""
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *part.command,
        env={**part.environment, **os.environ, **settings.environment()},
        stdin=null,
        stdout=null if part.quiet else None,
        stderr=null if part.quiet else None,
        preexec_fn=partial(_begin, part.niceness, part.user),
    )
    log.debug("part_started", part=part.name, pid=process.pid)
    return process


async def stop(process: asyncio.subprocess.Process) -> None:
    """End it politely, then by force."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


_libc = ctypes.CDLL(None)


def _begin(niceness: int, user: User | None) -> None:
    # Ctrl-C reaches us alone, and we stop the others in order. Not a session each: Linux then
    # shares the processor by session whatever their niceness, and on a busy machine Asterisk was
    # seen to stop for seconds.
    os.setpgid(0, 0)
    with suppress(PermissionError):
        os.nice(niceness)
    # ten calls take 120 descriptors, and the usual limit is 1,024
    with suppress(OSError, ValueError):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if most == resource.RLIM_INFINITY:
            wanted = DESCRIPTORS
        else:
            wanted = min(DESCRIPTORS, most)

        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    if user:
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)
    # it dies with us; another user forgets what was asked before
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
