"""`ringtrace database`: moves an installation from SQLite to PostgreSQL."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from router.bootstrap import now, open_store
from router.cli.opening import read_settings
from router.cli.output import AsJson, note, print_json, progress, say
from router.cli.running import alone
from router.config import Settings
from router.errors import ConfigurationError, Conflict
from router.store.copying import copy_database
from router.store.engine import SqlStore
from router.store.migrate import Tables, compare

app = typer.Typer(help="Database: copy it from SQLite to PostgreSQL.", no_args_is_help=True)

ALIVE = timedelta(minutes=1)  # a part that gave a sign of life since then runs


@app.callback()
def database() -> None:
    """Keep `copy` a command of its own."""


@app.command("copy")
def copy(
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="The SQLite file; default: ringtrace.db in home."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy every table of a SQLite database to the empty PostgreSQL database of
    RINGTRACE_DATABASE_URL. Stop all processes first. The SQLite file is not changed.
    """
    settings = read_settings()
    if not settings.database_url.startswith("postgresql"):
        raise ConfigurationError(
            "Set RINGTRACE_DATABASE_URL to the target PostgreSQL database: "
            "postgresql+asyncpg://user:password@host/name"
        )
    file = source or settings.home / "ringtrace.db"
    with alone(settings):
        copied = asyncio.run(_copy(settings, file))
    if as_json:
        print_json({"from": str(file), "rows": copied})
        return
    for name, rows in copied.items():
        if rows:
            say(f"{name}: {rows} rows")
    say(
        f"All {len(copied)} tables were copied, {sum(copied.values())} rows. Start Ringtrace again."
    )
    note(f"{file} is no longer used. Keep it until you have checked the pages.")


async def _copy(settings: Settings, file: Path) -> dict[str, int]:
    old = SqlStore(f"sqlite+aiosqlite:///{file}")
    try:
        if await compare(old) is Tables.CURRENT:
            await _refuse_while_parts_run(old)
        with progress() as bar:
            tasks = {}

            def tell(table: str, done: int, total: int) -> None:
                if table not in tasks:
                    tasks[table] = bar.add_task(table, total=total)
                bar.update(tasks[table], completed=done)

            async with open_store(settings) as new:
                return await copy_database(old, new, tell)
    finally:
        await old.close()


async def _refuse_while_parts_run(store: SqlStore) -> None:
    async with store.read() as session:
        beats = await session.heartbeats.all()
    alive = sorted(beat.name for beat in beats if abs(now() - beat.at) < ALIVE)
    if alive:
        raise Conflict(
            f"Processes wrote to this database less than a minute ago: {', '.join(alive)}. Stop "
            "all processes, wait a minute, and copy again."
        )
