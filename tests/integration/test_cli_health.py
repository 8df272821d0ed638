"""What doctor reads from the database, on SQLite and on PostgreSQL."""

from datetime import UTC, datetime

from router.service.ports import Cursor, RejectedRow
from router.store.engine import SqlStore
from router.store.health import examine
from router.store.migrate import is_current, migrate_down

NOW = datetime(2026, 1, 20, 11, 30, tzinfo=UTC)


async def test_a_database_is_current_until_its_tables_are_of_another_version(store: SqlStore) -> None:
    assert await is_current(store)
    await migrate_down(store)
    assert not await is_current(store)


async def test_rows_that_were_set_aside_are_counted_with_the_last_reason(store: SqlStore) -> None:
    row = RejectedRow(file="1:2@3", offset=0, text="?", reason="not CSV", at=NOW)
    async with store.write() as session:
        await session.set_aside([row])
        await session.set_cursor(Cursor(file="1:2@3", offset=7))
    health = await examine(store)
    assert (health.rejected_rows, health.last_rejection) == (1, "not CSV")
    assert health.cursor == Cursor(file="1:2@3", offset=7)
    assert health.journal_mode == ("wal" if store.sqlite else None)
    assert (health.pending, health.dead, health.next_due) == (0, 0, None)
