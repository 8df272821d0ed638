"""Checks of home, database, spool, recording storage, worker and web."""

import hashlib
import os
import shutil
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path

from recordings.errors import RecordingError
from router.bootstrap import now, open_storage
from router.cli.doctor.finding import PREPARE, Case, Finding, fail, ok, warn
from router.cli.doctor.waiting import in_thread, output_of
from router.config import Settings
from router.domain.delivery.connection import FAILURES, ReceiverHealth
from router.errors import DatabaseUnavailable
from router.store.copying import ADVICE as COPY_ADVICE
from router.store.copying import left_behind
from router.store.health import examine
from router.store.migrate import ADVICE, Tables, compare, missing_columns

LEFT_OVER_SECONDS = 24 * 3600.0  # no call lasts so long, and no recording waits so long
OVERDUE_SECONDS = 180.0  # the worker looks several times a second, and claims for one minute
LATELY = timedelta(hours=1)
MB = 1024 * 1024
ENCODERS = {"mp3": "libmp3lame", "opus": "libopus"}


async def home(case: Case) -> Finding:
    """The home directory can be read by Ringtrace's user only."""
    path = case.settings.home
    if not path.is_dir():
        return fail(
            "home", f"{path} does not exist", "Run `ringtrace prepare`, or set RINGTRACE_HOME."
        )
    if not os.access(path, os.W_OK):
        return fail("home", f"{path} cannot be written", "Run as the user who owns it.")
    if path.stat().st_mode & 0o007:
        return warn("home", f"{path} can be read by every user", f"chmod o= {path}")
    return ok("home", str(path))


async def secrets_file(case: Case) -> Finding:
    """The secrets can be read by Ringtrace's user only."""
    path = case.settings.home / "secrets.json"
    if not path.exists():
        return fail("secrets", f"{path} does not exist", "Run `ringtrace prepare`.")
    if case.secrets is None:
        return fail(
            "secrets",
            f"{path} cannot be read",
            "Restore it from a backup. Without it, CRM tokens, mail passwords and webhook "
            "secrets are lost: remove it only if you will enter them all again after `ringtrace "
            "prepare`.",
        )
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return fail("secrets", f"other users can read {path} (mode {mode:o})", f"chmod 600 {path}")
    return ok("secrets", "readable by Ringtrace's user only")


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
            "It is from a development version: restore a backup, or start with a new database.",
        )
    return ok("database", "answers, its tables are current")


async def other_database(case: Case) -> list[Finding]:
    """The configured database is not empty while the home's SQLite file has calls."""
    try:
        left = await left_behind(case.settings.home, case.store)
    except DatabaseUnavailable:  # said already
        return []
    if left is None:
        return []
    found = f"is empty, and {left.file} has {left.calls} calls and {left.sites} sites"
    return [warn("database", found, COPY_ADVICE)]


async def write_ahead_log(case: Case) -> Finding:
    """SQLite uses write-ahead logging."""
    mode = (await examine(case.store)).journal_mode
    if mode in {None, "wal"}:
        return ok("database mode", "PostgreSQL" if mode is None else "WAL")
    return warn(
        "database mode",
        f"SQLite is in mode {mode}",
        "Keep the database on a local disk, not a network drive.",
    )


async def rejected_rows(case: Case) -> Finding:
    """Every row of the CEL log could be processed."""
    health = await examine(case.store)
    name = "CEL rows"
    if not health.rejected_rows:
        return ok(name, "all processed")
    found = f"{health.rejected_rows} rejected, the last because: {health.last_rejection}"
    advice = f"See the table rejected_row. A foreign cel_custom.conf writes such rows. {PREPARE}."
    if health.rejected_at is not None and now() - health.rejected_at < LATELY:
        return fail(
            name, f"{found}, within the last hour: such calls are missing in the list", advice
        )
    return warn(name, found, advice)


async def deliveries(case: Case) -> Finding:
    """Receivers accept deliveries."""
    async with case.store.read() as session:
        accounts = await session.find(ReceiverHealth)
    refusing = [health for health in accounts if health.refusals >= FAILURES]
    if refusing:
        causes = [
            f"{health.receiver_id}: the last {health.refusals} refused ({health.reason})"
            for health in refusing
        ]
        advice = (
            "Run `ringtrace crm check`, fix what it reports, then `ringtrace delivery resend "
            "--failed`."
        )
        return fail("deliveries", "; ".join(causes), advice)

    health = await examine(case.store)
    counts = f"{health.pending} pending, {health.failed} failed, {health.needs_review} need review"
    if health.failed:
        return warn(
            "deliveries",
            counts,
            "`ringtrace delivery list --state failed`, then `… resend --failed`.",
        )
    overdue = 0.0
    if health.next_due:
        overdue = time.time() - health.next_due.timestamp()

    if overdue > OVERDUE_SECONDS:
        return fail(
            "deliveries",
            f"{counts}, due for {overdue / 60:.0f} minutes",
            "Start `ringtrace worker`.",
        )
    if health.needs_review:
        fix = "`ringtrace delivery list --state needs_review`, then `… show` and `… choose`."
        return warn("deliveries", counts, fix)
    return ok("deliveries", counts)


async def spool(case: Case) -> Finding:
    """The spool is writable, has space, and contains no old files."""
    path, least = case.settings.spool, case.settings.spool_free_mb
    if not path.is_dir():
        return fail("spool", f"{path} does not exist", f"{PREPARE}, or set RINGTRACE_SPOOL_PATH.")
    free = shutil.disk_usage(path).free // MB
    if free < least:
        advice = (
            "Free some space on this disk: without it, calls connect but are neither recorded "
            "nor listed."
        )
        return fail("spool", f"{free} MB free, less than RINGTRACE_SPOOL_FREE_MB ({least})", advice)
    if reason := await in_thread(lambda: _cannot_write(path)):
        advice = (
            "Make it writable for the users of Asterisk and the worker; check that the disk is "
            "not full or read-only."
        )
        return fail("spool", f"{path} cannot be written: {reason}", advice)
    old, broken = await in_thread(lambda: _left_over(path))
    if old or broken:
        found = f"{old} files are older than a day, {broken} recordings are in {path / 'broken'}"
        return warn(
            "spool",
            found,
            "Check that `ringtrace worker` is running. Broken recordings have a file with the "
            "reason.",
        )
    return ok("spool", f"{free:,} MB free, no old files")


def _cannot_write(path: Path) -> str:
    """Why the directory is not writable; empty if it is."""
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


async def recording_storage(case: Case) -> Finding:
    """A file can be stored, read back and deleted."""
    if not case.settings.storage_url and not case.settings.home.is_dir():
        return fail(
            "storage", f"{case.settings.storage} does not exist", "Run `ringtrace prepare`."
        )
    try:
        await in_thread(lambda: _probe(case.settings))
    except (RecordingError, OSError) as error:
        advice = (
            "Make the directory writable for the worker's user, and check the free space of "
            "its disk."
        )
        if case.settings.storage_url:
            advice = "Check RINGTRACE_STORAGE_URL and the AWS_… variables."

        return fail("storage", f"{case.settings.storage}: {error}"[:300], advice)
    return ok("storage", f"{case.settings.storage} stores, returns and deletes files")


def _probe(settings: Settings) -> None:
    content, place = uuid.uuid4().bytes, open_storage(settings)
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
    """ffmpeg is installed and can encode the recording format."""
    wanted = ENCODERS[case.settings.recording_format]
    if shutil.which("ffmpeg") is None:
        return fail("ffmpeg", "is not installed", "Install ffmpeg.")
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
    """Whether a program prints output and exits with 0."""
    return bool(await output_of(*command))
