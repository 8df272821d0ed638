"""The plans of the databases for lists of calls: no filter reads all calls."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event

from router.domain.calls.call_filter import CallFilter
from router.domain.calls.call_order import NEWEST, CallOrder, OrderBy
from router.domain.calls.transcript import Side, Spoken, in_order
from router.store import plans
from router.store.engine import SqlStore
from router.store.facet_conditions import INDEXED_FLAGS
from tests.integration.searched_calls import ALONE, CALLS, MIXES, MONTH, fill, made
from tests.integration.store_calls import save
from tests.support.builders import NOON
from tests.support.speech_world import asked, stored


@pytest_asyncio.fixture
async def full(store: SqlStore) -> SqlStore:
    await fill(store)
    return store


async def test_no_filter_reads_all_calls(full: SqlStore) -> None:
    """As planned for a great table: SQLite plans without sizes, PostgreSQL is given figures of a
    million calls.
    """
    planned: list[tuple[dict[str, Any], str]] = []
    async with full.read() as session:
        connection = session.connection
        if not full.sqlite:
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for fields in (*ALONE, *MIXES, *(asked | MONTH for asked in ALONE)):
            said = await _plan(full, session, CallFilter(**fields))
            planned += [(fields, line) for line in said]
    read_whole = [(fields, line) for fields, line in planned if _reads_all(line)]
    assert read_whole == []


async def test_a_list_by_a_figure_is_read_by_its_index_whatever_is_filtered(
    full: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not full.sqlite:
        pytest.skip("PostgreSQL plans by the sizes of tables")
    monkeypatch.setattr(plans, "FEW", 0)
    by_talk = CallOrder(by=OrderBy.TALK)
    wanted = CallFilter(site_id="shop")
    async with full.read() as session:
        found = await _asked(
            full, session.calls.page(wanted, by_talk, before=None, limit=50, bounded=True)
        )
        lines = [line for one in found for line in await _explained(full, session, *one)]
    assert any("USING INDEX ix_call_facet_by_talk" in line for line in lines), lines
    assert not any("TEMP B-TREE FOR ORDER BY" in line for line in lines), lines


@pytest.mark.parametrize("typed", ["мария", "мария петрова", "мария 0011", "916"])
async def test_the_words_of_a_search_are_found_by_indexes_alone(full: SqlStore, typed: str) -> None:
    """With much memory PostgreSQL would rather list all calls with comments or transcripts, or
    compute the trigrams of texts.
    """
    if full.sqlite:
        pytest.skip("SQLite makes no such lists")
    await _transcribe(full)
    async with full.read() as session:
        await session.connection.exec_driver_sql("SET LOCAL work_mem = '1GB'")
        await session.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        lines = await _plan(full, session, CallFilter(text=typed))
    wrong = [line for line in lines if "hashed SubPlan" in line or _computes_trigrams(line)]
    assert wrong == []
    assert any("ringtrace_trigrams" in line for line in lines)


async def test_the_tags_of_a_page_are_read_without_reading_all_registered_ones(
    full: SqlStore,
) -> None:
    async with full.read() as session:
        if not full.sqlite:
            await session.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        found = await _asked(full, session.tags.of([made(4).id]))
        lines = [line for one in found for line in await _explained(full, session, *one)]
    registered = [line for line in lines if "registered_tag" in line]
    assert registered
    assert [line for line in registered if _is_scan(line)] == []


async def test_a_call_is_saved_without_reading_the_calls_of_its_site(full: SqlStore) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "INSERT INTO call_facet" in statement:
            asked.append((statement, parameters))

    engine = full._direct or full._short.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await save(full, made(1))
    event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if full.sqlite else "EXPLAIN"
    async with full.read() as session:
        if not full.sqlite:
            await session.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = await session.connection.exec_driver_sql(f"{explain} {asked[0][0]}", asked[0][1])
        plan = "\n".join(str(row[-1]) for row in rows)
    assert "ix_call_caller_arrived_at" in plan, plan
    assert "ix_call_site_id_arrived_at" not in plan, plan


async def test_proofs_are_found_without_reading_the_visits_of_a_site(store: SqlStore) -> None:
    if not store.sqlite:
        pytest.skip("PostgreSQL plans by the sizes of tables")
    async with store.read() as session:
        found: list[tuple[str, Any]] = []
        for site_id in (None, "shop"):
            found += await _asked(
                store, session.witnesses.find(site_id, NOON - timedelta(days=90), NOON)
            )
        lines = [line for one in found for line in await _explained(store, session, *one)]
    visits = [line for line in lines if "visit" in line and "sqlite_autoindex" not in line]
    assert [line for line in visits if "ix_visit_code (code=?)" not in line] == []
    assert len(visits) == 2


async def _plan(store: SqlStore, session: Any, wanted: CallFilter) -> list[str]:
    """How the database means to find a page of these calls."""

    async def look() -> None:
        found = await session.calls.find(wanted)
        positions = await session.calls.positions(wanted, before=None, limit=50)
        for order in (NEWEST, CallOrder(by=OrderBy.TALK)):
            await session.calls.page(wanted, order, before=None, limit=50, bounded=True)
        await session.calls.count_some(wanted, CALLS)
        await session.calls.facets([call.id for call in found])
        assert positions == [(call.arrived_at, call.id) for call in found]

    lines: list[str] = []
    for statement, parameters in await _asked(store, look()):
        lines += await _explained(store, session, statement, parameters)
    return lines


async def _transcribe(store: SqlStore) -> None:
    """Give a call a transcript: searches without any do not look for them."""
    call_id = made(1).id
    line = Spoken(side=Side.CALLER, at=0, until=5, text="Мария")
    async with store.write() as session:
        await session.recordings.save([stored(call_id)])
        await session.transcripts.save(asked(call_id))
        await session.transcripts.save_segments(call_id, in_order(call_id, [line]))


def _computes_trigrams(line: str) -> bool:
    return line.strip().startswith("Filter:") and "ringtrace_trigrams" in line


def _is_scan(line: str) -> bool:
    return line.strip().lstrip("-> ").startswith(("Seq Scan", "SCAN"))


async def _asked(store: SqlStore, work: Awaitable[Any]) -> list[tuple[str, Any]]:
    """The statements that this needs."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(store.engine.sync_engine, "before_cursor_execute", note)
    await work
    event.remove(store.engine.sync_engine, "before_cursor_execute", note)
    return asked


async def _explained(store: SqlStore, session: Any, statement: str, parameters: Any) -> list[str]:
    explain = "EXPLAIN QUERY PLAN" if store.sqlite else "EXPLAIN"
    rows = await session.connection.exec_driver_sql(f"{explain} {statement}", parameters)
    return [str(row[-1]) for row in rows]


def _reads_all(line: str) -> bool:
    """A table read row by row, or a whole index that is not in the order of the list."""
    words = line.strip().lstrip("-> ")
    if words.startswith(("Seq Scan on", "Parallel Seq Scan")):
        return True
    if words == "SCAN call_facet":  # SQLite keeps this table itself in the order of arrival
        return False
    flags = tuple(f"{index} " for index in INDEXED_FLAGS.values())
    ordered = ("ix_call_search_newest", "ix_call_facet_by_", *flags)
    whole = (
        words.startswith(("SCAN call", "SCAN tag", "SCAN recording"))
        and "VIRTUAL TABLE" not in words
    )
    return whole and not any(name in f"{words} " for name in ordered)
