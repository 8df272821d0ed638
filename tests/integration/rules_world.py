"""Rules and calls as the tests of rules keep them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from router.domain.calls.call import Call
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.rules import Rule
from router.service.calls import rules as service
from router.service.calls.qualification import follow_changes
from router.service.calls.rules import Wanted
from router.store.engine import SqlStore
from tests.integration.store_calls import call
from tests.support.builders import NOON

LATER = NOON + timedelta(hours=1)  # when rules are kept


def a_call(name: str, minutes: float = 0, **fields: Any) -> Call:
    """A call that arrived so many minutes after the rules were kept."""
    return call(f"rt1-{name}.0", arrived_at=LATER + timedelta(minutes=minutes), **fields)


async def keep(store: SqlStore, query: str, now: datetime = LATER, **fields: Any) -> Rule:
    wanted = Wanted(**{"name": query, "query": query, **fields})
    return await service.keep_rule(store, wanted, author="anna", now=now)


async def work(store: SqlStore) -> None:
    """All that the worker has to do for rules."""
    while await follow_changes(store, LATER):
        pass
    while await service.work_on_rules(store, LATER):
        pass


async def found(store: SqlStore, **wanted: Any) -> set[str]:
    """The short names of calls that a filter finds."""
    async with store.read() as session:
        calls = await session.calls.find(CallFilter(**wanted), limit=1000)
    return {one.id.removeprefix("rt1-").removesuffix(".0") for one in calls}


async def tags(store: SqlStore, *names: str) -> dict[str, list[tuple[str, str]]]:
    """The tags of calls and who set them, by short names of calls."""
    async with store.read() as session:
        of = await session.tags.of([f"rt1-{name}.0" for name in names])
    return {
        call_id.removeprefix("rt1-").removesuffix(".0"): [(tag.name, tag.author) for tag in some]
        for call_id, some in of.items()
    }


async def everything(store: SqlStore, calls: Iterable[str]) -> Any:
    """All that rules could have left on calls."""
    ids = [f"rt1-{name}.0" for name in calls]
    async with store.read() as session:
        facets = await session.calls.facets(ids)
        matches = await session.qualification.matches(ids)
        return facets, matches, await session.tags.of(ids)
