"""A PostgreSQL that is ill while calls end and visitors ask: nothing is lost, nothing is set aside,
nothing twice.
"""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from sqlalchemy import text

from router.domain.calls.call import State
from router.domain.visitors.visit import Visit
from router.errors import DatabaseUnavailable
from router.store.engine import SqlStore
from router.web.rate_limits import Counts
from tests.integration.ingests import at, call_ingest, known
from tests.integration.visit_world import (
    Limited,
    ask_for_page,
    everything,
    open_page,
    visit_service,
)
from tests.support.builders import answered_call, furnish, later, webhook
from tests.support.postgres import Postgres

ILL = {
    "undone to keep an order": "40001",
    "deadlock": "40P01",
    "lock time-out": "55P03",
    "disk full": "53100",
    "disk broken": "58030",
    "data damaged": "XX001",
    "standby": "25006",
    "shutting down": "57P01",
    "starting": "57P03",
    "no right": "42501",
    "a table that is not there yet": "42P01",
}


@pytest.fixture
def name(postgres: Postgres) -> Iterator[str]:
    """A database of this test alone."""
    made = f"test-{secrets.token_hex(6)}"
    postgres.create(made, "template")
    yield made
    postgres.drop(made)


@pytest_asyncio.fixture
async def postgresql(postgres: Postgres, name: str) -> AsyncIterator[SqlStore]:
    opened = SqlStore(postgres.url(name))
    yield opened
    await opened.close()


async def execute(store: SqlStore, *statements: str) -> None:
    async with store.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


@asynccontextmanager
async def ill(store: SqlStore, table: str, state: str) -> AsyncIterator[None]:
    """Every write of this table fails with this SQLSTATE."""
    body = f"BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '{state}'; END"
    await execute(
        store,
        f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $${body}$$",
        f"CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION fail()",
    )
    yield
    await execute(store, f"DROP TRIGGER fail ON {table}", "DROP FUNCTION fail()")


@pytest.mark.parametrize("state", ILL.values(), ids=ILL)
async def test_a_call_that_ends_meanwhile_has_ended_once_afterwards(
    state: str, postgresql: SqlStore
) -> None:
    await furnish(postgresql, webhook())
    story = answered_call()
    ingest = await call_ingest(postgresql)
    await ingest.ingest(story.rows[:9], at(9))
    async with ill(postgresql, "call", state):
        for _ in range(2):
            await ingest.ready()
            with pytest.raises(DatabaseUnavailable):
                await ingest.ingest(story.rows[9:], at(20))
    await ingest.ready()
    assert ingest.cursor == at(9)
    await ingest.ingest(story.rows[9:], at(20))
    calls, recordings, deliveries, _ = await known(postgresql)
    assert [call.state for call in calls] == [State.ENDED]
    assert len(recordings) == len(deliveries) == 1
    async with postgresql.read() as session:
        aside = await session.connection.exec_driver_sql("SELECT count(*) FROM rejected_row")
        assert aside.scalar() == 0


@pytest.mark.parametrize("state", ILL.values(), ids=ILL)
async def test_a_visitor_gets_a_number_afterwards_and_nothing_was_counted(
    state: str, postgresql: SqlStore
) -> None:
    await furnish(postgresql)
    counts = Counts([(1, 3600)])
    limit = Limited(counts.hit, counts.give_back)
    desk = visit_service(postgresql, visits=limit, nameless=limit)
    await desk.sites.get("shop")
    async with ill(postgresql, "visit", state):
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable):
                await ask_for_page(desk, address="192.0.2.1")
    arrived = await open_page(desk, address="192.0.2.1")
    assert arrived.numbers["main"].number
    assert len(await everything(postgresql, Visit)) == 1
    assert (await ask_for_page(desk, address="192.0.2.1")).visit_id is None  # the limit is there


async def test_a_server_without_a_free_connection_is_unavailable(
    postgres: Postgres, name: str, postgresql: SqlStore
) -> None:
    role = f"few_{secrets.token_hex(4)}"
    await execute(postgresql, f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
    store = SqlStore(postgres.url(name).replace("tests@", f"{role}@"))
    for opening in (store.read, store.read_inline, store.write):
        with pytest.raises(DatabaseUnavailable, match="too many connections"):
            async with opening():
                pass
    await store.close()
    await execute(postgresql, f"DROP ROLE {role}")


async def test_a_database_that_is_not_there_is_unavailable(postgres: Postgres) -> None:
    store = SqlStore(postgres.url("nowhere"))
    with pytest.raises(DatabaseUnavailable, match="does not exist"):
        async with store.write():
            pass
    await store.close()


async def test_a_server_that_only_reads_is_unavailable_for_writes(
    name: str, postgresql: SqlStore
) -> None:
    await execute(postgresql, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await postgresql.close()
    with pytest.raises(DatabaseUnavailable, match="read-only"):
        await furnish(postgresql)
    ingest = await call_ingest(postgresql)
    with pytest.raises(DatabaseUnavailable):
        await ingest.ingest(answered_call(at=later(10)).rows, at(1))
