"""Readers within bounds: one who leaves, or takes too long, works in the database no more, and
holds up no other.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from router.domain.access import Scope
from router.errors import TookTooLong
from router.store.calls import SqlCalls
from router.store.engine import SqlStore
from router.store.session import SqlSession
from tests.support.builders import destination
from tests.support.web_world import PASSWORD, a_world, served

ENDLESS = (
    "WITH RECURSIVE walk(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM walk) SELECT count(*) FROM "
    "walk"
)


@pytest_asyncio.fixture
async def bounded(database: str) -> AsyncIterator[SqlStore]:
    opened = SqlStore(database, read_seconds=0.3)
    yield opened
    await opened.close()


async def search_for_ever(session: SqlSession | SqlCalls) -> None:
    await session.connection.exec_driver_sql(ENDLESS)


async def busy_with_it(store: SqlStore) -> bool:
    """Whether the database works on the endless statement."""
    if store.sqlite:
        return process_seconds() > 0.15
    async with store.read_inline() as session:
        found = await session.connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE "
            "'WITH RECURSIVE walk%'"
        )
        return bool(found.scalar_one())


def process_seconds() -> float:
    """Processor time that this process takes in a while without doing anything of its own."""
    began = time.process_time()
    time.sleep(0.2)
    return time.process_time() - began


async def at_rest(store: SqlStore) -> None:
    async with asyncio.timeout(180):
        while await busy_with_it(store):
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("verb", ["read", "survey"])
async def test_what_takes_too_long_is_stopped_and_said(verb: str, bounded: SqlStore) -> None:
    with pytest.raises(TookTooLong, match="fewer days"):
        async with getattr(bounded, verb)() as session:
            await search_for_ever(session)
    await at_rest(bounded)


async def test_a_reader_who_leaves_works_no_more_and_leaves_the_connection_usable(
    store: SqlStore,
) -> None:
    async def read() -> None:
        async with store.read() as session:
            await search_for_ever(session)

    readers = [asyncio.create_task(read()) for _ in range(16)]
    await asyncio.sleep(0.3)
    for reader in readers:
        reader.cancel()
    async with asyncio.timeout(180):
        await asyncio.gather(*readers, return_exceptions=True)
        await at_rest(store)
        async with store.read() as session:
            assert await session.calls.revision() == 0


async def test_a_search_holds_up_neither_leases_nor_lists(database: str) -> None:
    store = SqlStore(database, read_seconds=600)

    async def search() -> None:
        async with store.survey() as session:
            await search_for_ever(session)

    searches = [asyncio.create_task(search()) for _ in range(16)]
    await asyncio.sleep(0.3)
    async with asyncio.timeout(180):
        async with store.write() as session:
            await session.add(destination())
        async with store.read_inline() as session:
            assert await session.calls.revision() == 0
        async with store.read() as session:
            assert await session.calls.revision() == 0
    assert not any(search.done() for search in searches)
    for waiting in searches:
        waiting.cancel()
    await asyncio.gather(*searches, return_exceptions=True)
    await store.close()


async def test_waiting_for_a_turn_is_part_of_the_time(bounded: SqlStore) -> None:
    async def search() -> None:
        async with bounded.survey() as session:
            await search_for_ever(session)

    async with asyncio.timeout(180):
        ends = await asyncio.gather(*(search() for _ in range(6)), return_exceptions=True)
    assert [type(end) for end in ends] == [TookTooLong] * 6


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_thread_that_did_not_ask_before_the_reader_left_stops_as_well(
    store: SqlStore,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> int:
        begun.set()
        go_on.wait(60)
        return 1

    async def read() -> None:
        async with store.read() as session:
            raw = await session.connection.get_raw_connection()
            await raw.driver_connection.create_function("hold", 0, hold)
            await session.connection.exec_driver_sql(f"SELECT hold(), ({ENDLESS})")

    reader = asyncio.create_task(read())
    await asyncio.to_thread(begun.wait, 60)
    for _ in range(5):  # two limits may end at one moment: the wait for the thread ends as well
        reader.cancel()
        await asyncio.sleep(0.05)

    go_on.set()
    await asyncio.gather(reader, return_exceptions=True)
    await at_rest(store)


# The same over a real connection


async def test_a_visitor_who_closes_the_page_stops_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless(calls: SqlCalls, *_: Any, **__: Any) -> list[Any]:
        begun.set()
        try:
            await search_for_ever(calls)
        finally:
            ended.set()
        return []

    monkeypatch.setattr(SqlCalls, "page", endless)
    async with (
        a_world(tmp_path) as world,
        served(world.app) as address,
        httpx.AsyncClient(base_url=address, timeout=180) as client,
    ):
        await client.post(
            "/login", data={"login": "anna", "password": PASSWORD}, headers={"Origin": address}
        )
        asking = asyncio.create_task(client.get("/calls?text=nobody"))
        async with asyncio.timeout(180):
            await begun.wait()
            asking.cancel()
            await ended.wait()
        await asyncio.gather(asking, return_exceptions=True)
        assert (await client.get("/healthz")).text == "ok"


async def test_a_search_that_took_too_long_is_said_on_the_page_and_by_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_long(*_: Any, **__: Any) -> None:
        raise TookTooLong

    monkeypatch.setattr(SqlCalls, "page", too_long)
    async with a_world(tmp_path) as world:
        person, program = await world.person("anna"), world.program(Scope.CALLS_READ)
        page = await person.get("/calls?text=nobody")
        answer = await program.get("/api/v1/calls?text=nobody")
    assert (page.status_code, answer.status_code) == (503, 503)
    assert "took too long" in page.text
    assert answer.json()["error"] == "took_too_long"
    assert "Retry-After" not in answer.headers  # it would take as long again
