"""`ringtrace doctor`: checks everything a call needs and says how to fix what is wrong.

It changes nothing: it creates no database or secrets and downloads no Asterisk. Each check has a
time limit, and checks that depend on a failed one are skipped.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import typer
from rich.text import Text

from router.bootstrap import open_store
from router.cli.doctor import (
    asterisk,
    cel,
    events,
    host_names,
    modules,
    network,
    operation,
    setup,
    storage,
    trunk_network,
    trunks,
    web,
    writing,
)
from router.cli.doctor.finding import Case, Check, Finding, Level, fail
from router.cli.doctor.waiting import is_starting
from router.cli.opening import read_settings
from router.cli.output import AsJson, clean, print_json, stdout
from router.config import Settings
from router.errors import ConfigurationError, RingtraceError
from router.secrets import load_secrets

LIMIT_SECONDS = 12.0
AGAIN_SECONDS = 0.5
_STYLE = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}

BASE: tuple[Check, ...] = (storage.home, storage.secrets_file, storage.database, asterisk.installed)
WITH_ASTERISK: tuple[Check, ...] = (
    asterisk.user,
    asterisk.new_streams,
    asterisk.unanswered,
    modules.modules,
    asterisk.dialplan,
    asterisk.includes,
    events.channel_log,
    events.manager_events,
    asterisk.rights,
    asterisk.heartbeat,
    operation.cel_log_place,
    trunks.endpoints,
    trunks.transports,
    trunks.identities,
    trunks.addresses,
)
WITH_DATABASE: tuple[Check, ...] = (
    storage.write_ahead_log,
    writing.writing,
    cel.cel_log,
    storage.rejected_rows,
    operation.parts,
    operation.fallback_table,
    operation.first_password,
    setup.default_lines,
    setup.numbers,
    setup.pools,
    setup.origins,
    setup.unchanged,
    trunks.forwarding,
    setup.mailboxes,
    setup.connections,
    host_names.receivers,
    storage.deliveries,
)
WITH_BOTH: tuple[Check, ...] = (trunks.destinations,)
ALWAYS: tuple[Check, ...] = (
    asterisk.manager,
    asterisk.host_name,
    storage.other_database,
    trunks.refused,
    trunk_network.names,
    trunk_network.certificates,
    storage.spool,
    storage.recording_storage,
    storage.encoder,
    setup.places,
    web.pages,
    operation.public_address,
    network.other_systems,
)

ONCE_STARTED: tuple[Check, ...] = (
    asterisk.running,
    asterisk.heartbeat,
    asterisk.manager,
    operation.parts,
    operation.fallback_table,
    operation.public_address,
    web.pages,
)


def doctor(as_json: AsJson = False) -> None:
    """Check everything a call needs, and say how to fix what is wrong. Exit status 1 if a check
    fails.
    """
    settings = read_settings()
    if as_json:
        findings = asyncio.run(_collect(settings, lambda _: None))
        print_json(findings)
    else:
        findings = asyncio.run(_collect(settings, _print))
    if any(finding.level is Level.FAIL for finding in findings):
        raise typer.Exit(1)


async def _collect(settings: Settings, tell: Callable[[Finding], Any]) -> list[Finding]:
    findings = []
    async for finding in examine(settings):
        findings.append(finding)
        tell(finding)
    return findings


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Yield the findings of all checks."""
    secrets = None
    if (settings.home / "secrets.json").exists():
        with suppress(ConfigurationError, OSError):  # the check of the file says so
            secrets = load_secrets(settings.home)
    async with open_store(settings) as store:
        case = Case(settings=settings, store=store, secrets=secrets)
        good = set[Check]()
        for checks, needed in (
            (BASE, set[Check]()),
            ((asterisk.running,), {asterisk.installed}),
            (WITH_ASTERISK, {asterisk.running}),
            (WITH_DATABASE, {storage.database}),
            (WITH_BOTH, {asterisk.running, storage.database}),
            (ALWAYS, set[Check]()),
        ):
            if not needed <= good:
                continue
            for check in checks:
                async for finding in run_check(check, case):
                    yield finding
                    if finding.level is not Level.FAIL:
                        good.add(check)


async def run_check(check: Check, case: Case) -> AsyncIterator[Finding]:
    """Run a check; repeat failed checks while the system is starting."""
    found = await _look(check, case)
    while (
        check in ONCE_STARTED
        and any(f.level is Level.FAIL for f in found)
        and is_starting(case.settings)
    ):
        await asyncio.sleep(AGAIN_SECONDS)
        found = await _look(check, case)
    for finding in found:
        yield finding


async def _look(check: Check, case: Case) -> list[Finding]:
    name = check.__name__.replace("_", " ")
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            found = await check(case)
    except TimeoutError:
        found = fail(
            name, f"no answer within {LIMIT_SECONDS:.0f} s", "A program hangs: check it by hand."
        )
    except RingtraceError as error:
        found = fail(name, error.message, "Fix this first, then run `ringtrace doctor` again.")
    except Exception as error:  # noqa: BLE001  one check that breaks must not hide the others
        found = fail(
            name,
            f"{type(error).__name__}: {error}"[:300],
            "Fix this first; if you cannot, report it.",
        )
    if isinstance(found, list):
        return found
    return [found]


def _print(finding: Finding) -> None:
    console = stdout()
    line = Text.assemble(
        (f"{finding.level:<4}", _STYLE[finding.level]), " ", (finding.name, "bold"), ": "
    )
    console.print(line.append(clean(finding.found, keep="\n")))
    if finding.fix:
        console.print(Text(f"     → {clean(finding.fix)}", style="dim"))
