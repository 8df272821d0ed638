"""Checks of a running system: its processes, their files and the public address."""

import re
import ssl
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from router import bootstrap
from router.bootstrap import now
from router.cli.doctor.certificates import days_left, lasting
from router.cli.doctor.finding import PREPARE, Case, Finding, fail, ok, warn
from router.cli.doctor.waiting import in_thread
from router.config import Settings
from router.domain.access import Person
from router.domain.calls.routing import FallbackEntry
from router.service.calls.routing import load_table
from router.web.headers import CLIENT_ADDRESS

STALE = timedelta(seconds=45)  # of a heartbeat: each process writes one every ten seconds
URL_SECONDS = 6.0
CLAIMED = "192.0.2.77"  # reserved for documentation
LOOPBACK = ("127.", "::1")


async def parts(case: Case) -> list[Finding]:
    """Worker and ingest sent a recent heartbeat, and their clocks agree with this machine's."""
    async with case.store.read() as session:
        beats = {beat.name: beat.at for beat in await session.heartbeats.all()}
    wanted = {
        f"ingest {case.settings.system_name}": "calls are not stored: restart `ringtrace agent`",
        "worker": "recordings and deliveries wait: restart `ringtrace worker`",
    }
    findings = []
    for name, advice in wanted.items():
        findings.append(_part(name, now() - beats[name] if name in beats else None, advice))
    return findings


def _part(name: str, age: timedelta | None, advice: str) -> Finding:
    if age is None:
        return fail(name, "has never sent a heartbeat", f"It does not run, or {advice}")
    if age < -STALE:
        found = f"its last heartbeat is {-age.total_seconds():.0f} s in the future: clocks differ"
        return fail(
            name,
            found,
            "Set the clocks of the machines that share this database (chrony, systemd-timesyncd).",
        )
    if age > STALE:
        return fail(
            name, f"its last heartbeat is {age.total_seconds():.0f} s old", f"It hangs: {advice}"
        )
    return ok(name, "lives")


async def fallback_table(case: Case) -> Finding:
    """The fallback table matches the database."""
    name, path = "fallback table", case.settings.fallback
    async with case.store.read() as session:
        expected = (await load_table(session)).fallback()
    try:
        present = path.read_text()
    except OSError as error:
        return fail(
            name,
            f"{path} cannot be read: {error.strerror}",
            "Make it readable for the agent's user.",
        )
    missing = [entry for entry in expected if _lines(entry) not in present]
    if missing:
        return fail(
            name,
            f"{path} is outdated for {len(missing)} of {len(expected)} numbers",
            "The agent cannot write it, or does not run: while the agent is down, calls go to "
            "an old destination.",
        )
    return ok(name, f"holds all {len(expected)} entries")


def _lines(entry: FallbackEntry) -> str:
    return f"[{entry.key}]\nroute = {entry.route}\n"


async def cel_log_place(case: Case) -> Finding:
    """Asterisk writes the CEL log into the file that is read."""
    name, console = "CEL log", case.console()
    shown = await console.run("core show settings")
    directory = next(
        (line.partition(":")[2].strip() for line in shown.splitlines() if "Log dir" in line), ""
    )
    read = case.settings.cel_log
    if not directory or not read.is_relative_to(directory):
        written = "elsewhere"
        if directory:
            written = f"{directory}/cel-custom"

        return fail(
            name,
            f"Ringtrace reads {read}, but Asterisk writes {written}",
            f"Set RINGTRACE_CEL_LOG_PATH. {PREPARE}; then `module reload cel_custom.so`.",
        )
    mapping = case.settings.ringtrace_etc / "cel-custom.conf"
    if not names_log(mapping, read):
        return fail(
            name,
            f"Ringtrace reads {read}, but {mapping} names another file",
            f"Set the same RINGTRACE_CEL_LOG_PATH for all processes. {PREPARE}; then `module "
            "reload cel_custom.so`.",
        )
    calls = re.search(
        r"^(\d+) calls? processed", await console.run("core show calls"), re.MULTILINE
    )
    if calls and int(calls[1]) and not read.exists():
        return fail(
            name,
            f"Asterisk had {calls[1]} calls but did not write {read}: calls are missing in the "
            "list",
            "Make it writable for Asterisk's user, then `module reload cel_custom.so`; see "
            "Asterisk's log for the reason.",
        )
    return ok(name, f"is written where it is read: {read}")


def names_log(mapping: Path, log: Path) -> bool:
    """Whether Ringtrace's cel_custom.conf names this file."""
    try:
        text = mapping.read_text()
    except OSError:
        return False
    # below the directory cel-custom of Asterisk's log
    short = f"[{log.name}]" in text or f"\n{log.name} =>" in text
    return f"[{log}]" in text or (short and log.parent.name == "cel-custom")


async def first_password(case: Case) -> Finding | list[Finding]:
    """The first password was changed."""
    name = "first password"
    if case.secrets is None:
        return []
    async with case.store.read() as session:
        person = await session.peek(Person, bootstrap.FIRST_LOGIN)
    if person is None:
        return ok(name, "is not in use")
    stored, first = person.password_hash, case.secrets.first_password

    def is_first() -> bool:
        try:
            return PasswordHasher().verify(stored, first)
        except VerifyMismatchError:
            return False

    if await in_thread(is_first):
        return warn(
            name,
            "is still in use",
            f"Run `ringtrace user password {bootstrap.FIRST_LOGIN}` to change it.",
        )
    return ok(name, "is not in use")


async def public_address(case: Case) -> list[Finding]:
    """The public address is reachable, and visitors have different addresses there."""
    name, address = "public address", case.settings.public_url
    if not address:
        return [
            warn(
                name,
                ("is not set: script lines work on this machine only"),
                "Set RINGTRACE_PUBLIC_URL.",
            )
        ]
    try:
        async with httpx.AsyncClient(timeout=URL_SECONDS, follow_redirects=False) as client:
            answer = await client.get(f"{address}/livez", headers={"X-Forwarded-For": CLAIMED})
    except (httpx.HTTPError, ssl.SSLError, OSError) as error:
        reason = str(error) or type(error).__name__
        return [
            fail(
                name,
                f"{address} cannot be reached: {reason}"[:300],
                "Check its name, port and certificate.",
            )
        ]
    if answer.status_code != 200 or answer.text != "ok":
        found = f"{address}/livez returns {answer.status_code}, which is not Ringtrace's answer"
        return [fail(name, found, "Configure the proxy to pass all paths to RINGTRACE_WEB_PORT.")]
    findings = [ok(name, f"{address} answers")]
    if not _is_direct(case.settings):
        findings.append(_proxy(address, answer.headers.get(CLIENT_ADDRESS, "")))
    return [*findings, *await _certificate(address)]


async def _certificate(address: str) -> list[Finding]:
    """The certificate of the public address does not end soon."""
    parts = urlsplit(address)
    if parts.scheme != "https":
        return []
    host = parts.hostname or ""
    try:
        days = await days_left(host, parts.port or 443, ssl.create_default_context(), host)
    except (OSError, TimeoutError):
        return []  # pages trust it, by other authorities than this machine's
    advice = "Renew it, and find out why it was not renewed: `certbot renew`, or your proxy's log."
    return [lasting("certificate of the public address", days, advice)]


def _is_direct(settings: Settings) -> bool:
    """Whether the address is that of the web process itself, without a proxy."""
    address = urlsplit(settings.public_url)
    local = address.hostname == "localhost" or (address.hostname or "").startswith(LOOPBACK)
    return local and (address.port or 80) == settings.web_port


def _proxy(address: str, seen: str) -> Finding:
    """Whether the proxy passes on the visitor's address, and only that."""
    name = "visitors' addresses"
    if seen == CLAIMED:
        return fail(
            name,
            "the proxy passes on what visitors send in X-Forwarded-For",
            "Set the header in the proxy, for nginx: proxy_set_header X-Forwarded-For "
            "$remote_addr;",
        )
    host = urlsplit(address).hostname or ""
    if seen.startswith(LOOPBACK) and host != "localhost" and not host.startswith(LOOPBACK):
        return warn(
            name,
            "all requests seem to come from this machine: rate limits count all visitors as one",
            "Set X-Forwarded-For in the proxy, for nginx: proxy_set_header X-Forwarded-For "
            "$remote_addr;",
        )
    return ok(name, "are passed on by the proxy")
