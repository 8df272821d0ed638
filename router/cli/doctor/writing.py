"""Whether the database can be written."""

import sqlite3
from contextlib import closing
from urllib.parse import quote

from router.cli.doctor.finding import Case, Finding, fail, ok
from router.cli.doctor.waiting import in_thread
from router.errors import DatabaseUnavailable
from router.store.health import is_read_only

LOCK_SECONDS = 5.0  # no transaction of ours takes so long
NAME = "database writing"


async def writing(case: Case) -> list[Finding]:
    """No program holds SQLite's lock, and the database takes what is written."""
    if not case.store.sqlite:
        return await _server(case)
    file = case.store.engine.url.database or ""

    def lock() -> None:
        with closing(
            sqlite3.connect(f"file:{quote(file)}?mode=rw", uri=True, timeout=LOCK_SECONDS)
        ) as database:
            database.execute("BEGIN IMMEDIATE")
            database.rollback()

    try:
        await in_thread(lock)
    except sqlite3.Error as error:
        return [_refused(file, str(error))]
    return [ok(NAME, "works")]


def _refused(file: str, reason: str) -> Finding:
    if "readonly" in reason or "unable to open" in reason:
        advice = (
            f"Give {file} and its directory to the user that runs Ringtrace; check that the disk "
            "is not mounted read-only."
        )
        return fail(NAME, f"{file} cannot be written: {reason}", advice)
    return fail(
        NAME,
        f"nothing could be written for {LOCK_SECONDS:.0f} s: {reason}",
        f"Stop the program that holds the lock: `fuser -v {file}` lists the programs that have "
        "the file open.",
    )


async def _server(case: Case) -> list[Finding]:
    """Whether PostgreSQL takes changes."""
    try:
        read_only = await is_read_only(case.store)
    except DatabaseUnavailable:
        return []  # said already
    if read_only:
        advice = (
            "RINGTRACE_DATABASE_URL must name the primary server; otherwise set "
            "default_transaction_read_only = off for this database and its user."
        )
        return [fail(NAME, "the server is read-only", advice)]
    return [ok(NAME, "works")]
