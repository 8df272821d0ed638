"""`ringtrace database copy`: everything of a SQLite database goes to a real PostgreSQL, or nothing
does.
"""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from router.bootstrap import now
from router.cli.doctor.finding import Case, Level
from router.cli.doctor.storage import other_database
from router.config import Settings
from router.domain.calls.call_filter import CallFilter
from router.service.ports import Heartbeat
from router.store import copying, tables
from router.store.engine import SqlStore
from router.store.tables import metadata
from tests.support.command_line import ringtrace
from tests.support.postgres import Postgres
from tests.support.web_calls import a_call, furnish
from tests.support.web_world import a_world


@pytest.fixture
def target(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty PostgreSQL database without tables, which the settings name."""
    name = f"copy-{secrets.token_hex(6)}"
    postgres.create(name)
    monkeypatch.setenv("RINGTRACE_DATABASE_URL", postgres.url(name))
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose SQLite database has people, a site, visits, calls, recordings and deliveries."""
    monkeypatch.setenv("RINGTRACE_HOME", str(tmp_path))
    monkeypatch.setattr(copying, "BATCH", 3)

    async def fill() -> None:
        async with a_world(tmp_path) as world:
            await furnish(world)

    asyncio.run(fill())
    return tmp_path


async def _rows(url: str) -> dict[str, list[Any]]:
    store = SqlStore(url)
    try:
        async with store.read() as session:
            return {
                table.name: [
                    tuple(row)
                    for row in await session.connection.execute(
                        select(table).order_by(*table.primary_key.columns)
                    )
                ]
                for table in metadata.sorted_tables
            }
    finally:
        await store.close()


def _url(home: Path) -> str:
    return f"sqlite+aiosqlite:///{home / 'ringtrace.db'}"


def test_every_row_of_every_table_arrives_as_it_was(home: Path, target: str) -> None:
    before = asyncio.run(_rows(_url(home)))
    ran = ringtrace("database", "copy", "--json")
    assert asyncio.run(_rows(target)) == before
    assert ran.json["rows"] == {name: len(rows) for name, rows in before.items()}
    assert (
        min(ran.json["rows"][name] for name in ("call", "recording", "visit", "person", "site")) > 0
    )


def test_what_was_copied_is_worked_with_on(home: Path, target: str) -> None:
    ringtrace("database", "copy")
    assert "Shop" in ringtrace("site", "list").out

    async def write() -> int:
        store = SqlStore(target)
        try:
            async with store.write() as session:
                known = await session.calls.find(CallFilter(), limit=50)
                await session.calls.save([a_call("another", known[0].arrived_at)])
            async with store.read() as session:
                return len(await session.calls.find(CallFilter(), limit=50)) - len(known)
        finally:
            await store.close()

    assert asyncio.run(write()) == 1


def test_a_database_that_is_not_empty_is_left_as_it_is(home: Path, target: str) -> None:
    ringtrace("database", "copy")
    before = asyncio.run(_rows(target))
    assert "not empty" in ringtrace("database", "copy", status=1).err
    assert asyncio.run(_rows(target)) == before


def test_a_database_that_only_was_started_with_is_empty(home: Path, target: str) -> None:
    ringtrace("prepare")
    ringtrace("database", "copy")
    assert asyncio.run(_rows(target)) == asyncio.run(_rows(_url(home)))


def test_what_postgresql_cannot_keep_is_named_and_nothing_is_copied(
    home: Path, target: str
) -> None:
    async def spoil() -> None:
        store = SqlStore(_url(home))
        async with store.write() as session:
            await session.connection.execute(update(tables.call).values(did="1" * 60))
        await store.close()

    asyncio.run(spoil())
    refused = ringtrace("database", "copy", status=1).err
    assert "The table call cannot be copied" in refused
    filled = {name for name, rows in asyncio.run(_rows(target)).items() if rows}
    assert filled == {"counter", "qualified_to", "rule"}  # of migrations


def test_nothing_is_copied_while_a_part_runs(home: Path, target: str) -> None:
    async def beat() -> None:
        store = SqlStore(_url(home))
        async with store.write() as session:
            await session.heartbeats.save(Heartbeat(name="worker", at=now(), facts={}))
        await store.close()

    asyncio.run(beat())
    assert "worker" in ringtrace("database", "copy", status=1).err


def test_only_postgresql_is_copied_to(home: Path) -> None:
    assert "RINGTRACE_DATABASE_URL" in ringtrace("database", "copy", status=1).err


def test_another_database_that_is_empty_is_warned_of_at_start_and_by_doctor(
    home: Path, target: str
) -> None:
    said = ringtrace("prepare").err
    assert "database_is_empty" in said
    assert "ringtrace database copy" in said

    async def look() -> list[Level]:
        store = SqlStore(target)
        try:
            found = await other_database(
                Case(settings=Settings(home=home), store=store, secrets=None)
            )
            return [finding.level for finding in found]
        finally:
            await store.close()

    assert asyncio.run(look()) == [Level.WARN]
    ringtrace("database", "copy")
    assert asyncio.run(look()) == []
    assert "database_is_empty" not in ringtrace("prepare").err
