"""CallIngest as the agent starts it, and what it has stored."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from router.domain.calls.call import Call, Recording
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.ledger import Row
from router.domain.calls.routing import RoutingTable
from router.domain.delivery.delivery import Delivery
from router.service.calls.ingest import CallIngest
from router.service.calls.ports import Cursor
from router.service.calls.routing import load_table
from router.store import tables
from router.store.engine import SqlStore
from tests.support.builders import Clock, Story, later


async def call_ingest(store: SqlStore, clock: Clock | None = None) -> CallIngest:
    """CallIngest as the agent starts it."""
    async with store.read() as session:
        table: RoutingTable = await load_table(session)
    made = CallIngest(store, lambda: table, clock or Clock(later(3600)))
    await made.recall()
    return made


def at(offset: int) -> Cursor:
    return Cursor(file="1:2@3", offset=offset)


async def teach(store: SqlStore, *stories: Story | Sequence[Row]) -> None:
    rows = [row for story in stories for row in (story.rows if isinstance(story, Story) else story)]
    await (await call_ingest(store)).ingest(rows, at(len(rows)))


async def known(
    store: SqlStore,
) -> tuple[list[Call], list[Recording], list[Delivery], dict[str, Any]]:
    """Everything learned that people and receivers see; revisions and random ids left out."""
    async with store.read() as session:
        calls = [
            replace(call, revision=0) for call in await session.calls.find(CallFilter(), limit=200)
        ]
        recordings = await session.find(Recording)
        made = [
            replace(delivery, id="", payload={})
            for delivery in await session.deliveries.find(limit=200)
        ]
        tags = await session.tags.of([call.id for call in calls])
    return (
        calls,
        recordings,
        sorted(made, key=lambda delivery: (delivery.receiver_id, delivery.key)),
        tags,
    )


async def the_call(store: SqlStore) -> Call:
    (call,) = (await known(store))[0]
    return call


async def aside(store: SqlStore) -> list[tuple[str, str]]:
    """What was set aside: which call's or file's, and why."""
    table = tables.rejected_row
    async with store.read() as session:
        rows = await session.connection.execute(
            select(table.c.file, table.c.reason).order_by(table.c.offset)
        )
        return [(row.file, row.reason) for row in rows]


async def cursor(store: SqlStore) -> object:
    async with store.read() as session:
        return await session.cel_log.cursor()
