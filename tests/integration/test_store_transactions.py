"""Transactions: all or nothing, one writer at a time, and what happens when the database does not
answer.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from router.domain.calls.call_filter import CallFilter
from router.domain.visitors.site import Destination
from router.errors import DatabaseUnavailable, InvalidInput, WriteUndone
from router.service.calls.ports import Cursor
from router.store.counters import lock_counter
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import (
    destination,
)
from tests.support.postgres import Postgres


class Failure(Exception):
    """Something of the test's own that goes wrong inside a transaction."""


# Transactions


async def test_an_exception_undoes_the_whole_transaction(store: SqlStore) -> None:
    async def fail() -> None:
        async with store.write() as session:
            await session.add(destination())
            await session.calls.save([call()])
            await session.cel_log.set_cursor(Cursor(file="1:2@3", offset=4))
            raise Failure

    with pytest.raises(Failure):
        await fail()
    async with store.read() as session:
        assert await session.find(Destination) == []
        assert await session.cel_log.cursor() is None
        assert await session.calls.revision() == 0
        assert await session.calls.find(CallFilter()) == []


async def test_the_log_is_carried_into_the_file_while_others_write_and_read(
    store: SqlStore, other_store: SqlStore, tmp_path: Path
) -> None:
    async with store.write() as session:
        await session.add(destination())
    async with store.write() as session, other_store.read() as reading:
        await session.add(destination("other"))
        assert len(await reading.find(Destination)) == 1
        await other_store.checkpoint_wal()
    if store.sqlite:  # the file alone, without its log, has what was committed by then
        alone = tmp_path / "alone.db"
        shutil.copy(str(store.engine.url.database), alone)
        with closing(sqlite3.connect(alone)) as connection:
            assert connection.execute("SELECT id FROM destination").fetchall() == [
                (destination().id,)
            ]


@pytest.mark.parametrize("verb", ["read", "read_inline"])
async def test_what_is_written_while_reading_is_undone(verb: str, store: SqlStore) -> None:
    async with getattr(store, verb)() as session:
        await session.add(destination())
    async with store.read() as session:
        assert await session.find(Destination) == []


async def test_a_cancelled_writer_leaves_no_lock_behind(
    store: SqlStore, other_store: SqlStore
) -> None:
    inside = asyncio.Event()

    async def write_for_ever() -> None:
        async with store.write() as session:
            await session.add(destination())
            inside.set()
            await asyncio.Event().wait()

    writer = asyncio.create_task(write_for_ever())
    await inside.wait()
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    async with asyncio.timeout(180), other_store.write() as session:
        await session.add(destination())


async def test_revisions_are_in_the_order_of_commits(
    store: SqlStore, other_store: SqlStore
) -> None:
    """A page that asks for what is newer than N must never miss a change that was counted before
    N.
    """
    seen: list[int] = []

    async def write(to: SqlStore, name: str) -> None:
        for i in range(15):
            await save(to, call(f"{name}{i}"))

    async def watch() -> None:
        reached = 0
        while len(seen) < 30:
            async with store.read() as session:
                for changed in await session.calls.newer_than(reached):
                    seen.append(changed.revision)
                    reached = changed.revision

    async with asyncio.timeout(180):
        await asyncio.gather(write(store, "a"), write(other_store, "b"), watch())
    assert seen == list(range(1, 31))


# What cannot be kept, and what does not answer


@pytest.mark.parametrize(
    "text", ["half a \ud800 letter", "x" * 100, "a\0b"], ids=["surrogate", "long", "NUL"]
)
async def test_a_text_is_kept_as_it_is_or_refused_by_its_reason(text: str, store: SqlStore) -> None:
    """SQLite takes what PostgreSQL does not; neither falls over."""
    try:
        await save(store, call(did=text))
    except InvalidInput:
        expected = []
    else:
        expected = [text]
    async with store.read() as session:
        assert [call.did for call in await session.calls.find(CallFilter())] == expected


@pytest.fixture
def sqlite_file(sqlite_template: Path, tmp_path: Path) -> Path:
    path = tmp_path / "locked.db"
    path.write_bytes(sqlite_template.read_bytes())
    return path


@pytest_asyncio.fixture
async def impatient(sqlite_file: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite+aiosqlite:///{sqlite_file}", busy_seconds=0.2)
    yield store
    await store.close()


async def test_a_writer_waits_while_another_program_holds_sqlites_lock(sqlite_file: Path) -> None:
    store = SqlStore(f"sqlite+aiosqlite:///{sqlite_file}", busy_seconds=600)
    holder = sqlite3.connect(sqlite_file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(save(store, call()))
    done, _ = await asyncio.wait({writing}, timeout=1.0)
    assert not done
    async with store.read() as session:  # readers do not wait
        assert await session.calls.revision() == 0
    holder.execute("COMMIT")
    async with asyncio.timeout(180):
        await writing
    holder.close()
    await store.close()


async def test_a_lock_that_is_held_too_long_is_said_to_be_the_database(
    sqlite_file: Path, impatient: SqlStore
) -> None:
    holder = sqlite3.connect(sqlite_file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable, match="locked"):
        await save(impatient, call())
    holder.execute("COMMIT")
    await save(impatient, call())
    holder.close()


async def test_a_postgresql_that_restarts_is_unavailable_and_then_there_again(
    postgres: Postgres,
) -> None:
    store = SqlStore(postgres.url("template"))

    async def look(then: Callable[[], None] = lambda: None) -> int:
        async with store.read() as session:
            then()
            return await session.calls.revision()

    assert await look() == 0
    for then in (postgres.stop, lambda: None):  # in the middle of a transaction, and before one
        with pytest.raises(DatabaseUnavailable):
            await look(then)
    await postgres.start()
    assert await look() == 0
    await store.close()


async def test_a_deadlock_on_postgresql_is_worth_trying_again(postgres: Postgres) -> None:
    store = SqlStore(postgres.url("template"))
    first, second = asyncio.Event(), asyncio.Event()

    async def lock(mine: asyncio.Event, theirs: asyncio.Event, order: tuple[str, str]) -> None:
        async with store.write() as session:
            await lock_counter(session.connection, order[0])
            mine.set()
            await theirs.wait()
            await lock_counter(session.connection, order[1])
            raise Failure  # leave the template as it was

    orders = (("calls", "configuration"), ("configuration", "calls"))
    jobs = (lock(first, second, orders[0]), lock(second, first, orders[1]))
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert {type(result) for result in results} == {WriteUndone, Failure}
    await store.close()


async def test_the_loop_goes_on_while_another_program_holds_sqlites_lock(sqlite_file: Path) -> None:
    """Writing takes no thread; only the statements themselves may stop the loop."""
    store = SqlStore(f"sqlite+aiosqlite:///{sqlite_file}", busy_seconds=600)
    holder = sqlite3.connect(sqlite_file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(save(store, call()))
    for _ in range(50):
        await asyncio.sleep(0)
        async with asyncio.timeout(180), store.read_inline() as session:
            assert await session.calls.revision() == 0
    assert not writing.done()
    holder.execute("COMMIT")
    await writing
    async with store.read_inline() as session:
        assert await session.calls.revision() == 1
    holder.close()
    await store.close()
