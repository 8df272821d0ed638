"""What doctor asks of everything that is kept, and of the worker and the web beside it."""

import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
import uuid
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from recordings.errors import RecordingError
from router.bootstrap import now, open_shelf
from router.cli.doctor.finding import PREPARE, Case, Finding, fail, ok, warn
from router.cli.doctor.waiting import in_thread, output_of
from router.config import Settings
from router.domain.delivery.connection import FAILURES, Account
from router.errors import DatabaseUnavailable
from router.store.copying import ADVICE as COPY_ADVICE
from router.store.copying import left_behind
from router.store.health import examine
from router.store.migrate import ADVICE, Tables, compare, missing_columns

LEFT_OVER_SECONDS = 24 * 3600.0  # no call lasts so long, and no recording waits so long
OVERDUE_SECONDS = 180.0  # the worker looks several times a second, and claims for one minute
LOCK_SECONDS = 5.0  # no transaction of ours takes so long
LATELY = timedelta(hours=1)
MB = 1024 * 1024
ENCODERS = {"mp3": "libmp3lame", "opus": "libopus"}


async def home(case: Case) -> Finding:
    """The home of all state is ours alone."""
    path = case.settings.home
    if not path.is_dir():
        return fail(
            "home", f"{path} is not there", "Run `ringtrace prepare`, or set RINGTRACE_HOME."
        )
    if not os.access(path, os.W_OK):
        return fail("home", f"{path} cannot be written", "Run as the user it belongs to.")
    if path.stat().st_mode & 0o007:
        return warn("home", f"{path} can be read by everybody", f"chmod o= {path}")
    return ok("home", str(path))


async def secrets_file(case: Case) -> Finding:
    """The secrets can be read by us and nobody else."""
    path = case.settings.home / "secrets.json"
    if not path.exists():
        return fail("secrets", f"{path} is not there", "Run `ringtrace prepare`.")
    if case.secrets is None:
        return fail(
            "secrets",
            f"{path} cannot be read",
            "Put it back from a backup. Without it, CRM tokens, mail passwords and webhook "
            "secrets are lost: "
            "remove it only to set them all again after `ringtrace prepare`.",
        )
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return fail("secrets", f"others may read {path} (mode {mode:o})", f"chmod 600 {path}")
    return ok("secrets", "readable by us alone")


async def database(case: Case) -> Finding:
    """The database answers and has the tables of this version."""
    state = await compare(case.store)
    if state is not Tables.CURRENT:
        return fail("database", f"its tables are {state}", ADVICE[state])
    lacking = await missing_columns(case.store)
    if lacking:
        return fail(
            "database",
            f"its tables lack {', '.join(lacking[:5])}",
            "A development version made it: restore a backup, or start with a new database.",
        )
    return ok("database", "answers, its tables are current")


async def other_database(case: Case) -> list[Finding]:
    """No calls were left behind in the home's SQLite when another database was configured."""
    try:
        left = await left_behind(case.settings.home, case.store)
    except DatabaseUnavailable:  # said already
        return []
    if left is None:
        return []
    found = f"is empty, and {left.file} has {left.calls} calls and {left.sites} sites"
    return [warn("database", found, COPY_ADVICE)]


async def write_ahead_log(case: Case) -> Finding:
    """SQLite lets readers read while somebody writes."""
    mode = (await examine(case.store)).journal_mode
    if mode in {None, "wal"}:
        return ok("database mode", "PostgreSQL" if mode is None else "WAL")
    return warn(
        "database mode",
        f"SQLite is in mode {mode}",
        "Keep the database on a local disk, not a network drive.",
    )


async def writing(case: Case) -> list[Finding]:
    """No program keeps SQLite's lock, so that calls and visits can be written."""
    if case.settings.database_url and not case.settings.database_url.startswith("sqlite"):
        return []
    file = case.store.engine.url.database

    def lock() -> None:
        with closing(
            sqlite3.connect(f"file:{quote(file or '')}?mode=rw", uri=True, timeout=LOCK_SECONDS)
        ) as database:
            database.execute("BEGIN IMMEDIATE")
            database.rollback()

    try:
        await in_thread(lock)
    except sqlite3.Error as error:
        return [
            fail(
                "database writing",
                f"nothing could be written for {LOCK_SECONDS:.0f} s: {error}",
                f"End the program that keeps the lock: `fuser -v {file}` names those that "
                "have the file open.",
            )
        ]
    return [ok("database writing", "works")]


async def rejected_rows(case: Case) -> Finding:
    """Every row of the journal could be read."""
    health = await examine(case.store)
    name = "CEL rows"
    if not health.rejected_rows:
        return ok(name, "all could be read")
    found = f"{health.rejected_rows} set aside, the last because: {health.last_rejection}"
    advice = (
        "See the table rejected_row. A cel_custom.conf that is not ours writes such rows. "
        f"{PREPARE}."
    )
    if health.rejected_at is not None and now() - health.rejected_at < LATELY:
        return fail(name, f"{found}, within the last hour: such calls are not in the list", advice)
    return warn(name, found, advice)


async def deliveries(case: Case) -> Finding:
    """Other systems take what they are told."""
    async with case.store.read() as session:
        accounts = await session.find(Account)
    refusing = [account for account in accounts if account.refusals >= FAILURES]
    if refusing:
        causes = [
            f"{one.receiver_id}: the last {one.refusals} refused ({one.reason})" for one in refusing
        ]
        advice = (
            "`ringtrace crm check`, correct what it names, then `ringtrace delivery resend --dead`."
        )
        return fail("deliveries", "; ".join(causes), advice)

    health = await examine(case.store)
    counts = (
        f"{health.pending} pending, {health.dead} given up, {health.undecided} waiting for a person"
    )
    if health.dead:
        return warn(
            "deliveries", counts, "`ringtrace delivery list --state dead`, then `… resend --dead`."
        )
    overdue = time.time() - health.next_due.timestamp() if health.next_due else 0.0
    if overdue > OVERDUE_SECONDS:
        return fail(
            "deliveries",
            f"{counts}, due for {overdue / 60:.0f} minutes",
            "Start `ringtrace worker`.",
        )
    if health.undecided:
        mend = "`ringtrace delivery list --state undecided`, then `… show` and `… choose`."
        return warn("deliveries", counts, mend)
    return ok("deliveries", counts)


async def spool(case: Case) -> Finding:
    """Asterisk has somewhere to write, with room, and nothing stays there."""
    path, least = case.settings.spool, case.settings.spool_free_mb
    if not path.is_dir():
        return fail("spool", f"{path} is not there", f"{PREPARE}, or set RINGTRACE_SPOOL_PATH.")
    free = shutil.disk_usage(path).free // MB
    if free < least:
        advice = (
            "Free some on this disk: with none left, calls connect, but are neither recorded nor "
            "listed."
        )
        return fail("spool", f"{free} MB free, less than RINGTRACE_SPOOL_FREE_MB ({least})", advice)
    if reason := await in_thread(lambda: _cannot_write(path)):
        advice = (
            "Give it to the user that Asterisk and the worker run as; is the disk full or "
            "read-only?"
        )
        return fail("spool", f"{path} cannot be written: {reason}", advice)
    old, broken = await in_thread(lambda: _left_over(path))
    if old or broken:
        found = f"{old} files are older than a day, {broken} recordings lie in {path / 'broken'}"
        return warn(
            "spool",
            found,
            "Is `ringtrace worker` running? Broken ones have their reason beside them.",
        )
    return ok("spool", f"{free:,} MB free, nothing left over")


def _cannot_write(path: Path) -> str:
    """Why nothing can be written there; empty if something can."""
    try:
        with tempfile.NamedTemporaryFile(dir=path, prefix=".doctor-") as probe:
            probe.write(b"probe")
            probe.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _left_over(path: Path) -> tuple[int, int]:
    before = time.time() - LEFT_OVER_SECONDS
    old = sum(1 for file in path.glob("*.sln") if file.lstat().st_mtime < before)
    return old, len({file.name.rsplit("-", 1)[0] for file in (path / "broken").glob("*.sln")})


async def shelf(case: Case) -> Finding:
    """A file can be put on the shelf, read back and taken off."""
    if not case.settings.shelf_url and not case.settings.home.is_dir():
        return fail("shelf", f"{case.settings.shelf} is not there", "Run `ringtrace prepare`.")
    try:
        await in_thread(lambda: _probe(case.settings))
    except (RecordingError, OSError) as error:
        advice = (
            "Check RINGTRACE_SHELF_URL and the AWS_… variables."
            if case.settings.shelf_url
            else "Give the directory to the user that the worker runs as, and room on its disk."
        )
        return fail("shelf", f"{case.settings.shelf}: {error}"[:300], advice)
    return ok("shelf", f"{case.settings.shelf} takes, gives back and forgets")


def _probe(settings: Settings) -> None:
    content, place = uuid.uuid4().bytes, open_shelf(settings)
    key = f"doctor-{uuid.uuid4().hex}.probe"
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "probe"
        file.write_bytes(content)
        place.put(
            key,
            file,
            sha256=hashlib.sha256(content).hexdigest(),
            content_type="application/octet-stream",
        )
    place.delete(key)


async def encoder(case: Case) -> Finding:
    """ffmpeg is there and can make what recordings are kept as."""
    wanted = ENCODERS[case.settings.recording_format]
    if shutil.which("ffmpeg") is None:
        return fail("ffmpeg", "is not there", "Install ffmpeg.")
    silence = ("-f", "lavfi", "-i", "anullsrc=r=8000:cl=stereo", "-t", "0.2", "-ar", "16000")
    command = (
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        *silence,
        "-c:a",
        wanted,
        "-f",
        case.settings.recording_format,
        "-",
    )
    made = await in_bytes(*command)
    if not made:
        return fail(
            "ffmpeg", f"cannot encode with {wanted}", "Install an ffmpeg with it; Debian's has it."
        )
    return ok("ffmpeg", f"encodes {case.settings.recording_format}")


async def in_bytes(*command: str) -> bool:
    """Whether a program prints anything and ends well."""
    return bool(await output_of(*command))
