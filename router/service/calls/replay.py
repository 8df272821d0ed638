"""Attributes past calls again with present data and rules, and shows the changes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.calls.call import Call, State
from router.domain.calls.call_filter import CallFilter
from router.domain.visitors.site import Site
from router.service.calls.attributed import IDENTITY, identity
from router.service.calls.attribution import Attributor
from router.service.ids import by_id
from router.service.ports import Session, Store

_AT_ONCE = 200  # calls in one page, and in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A call whose result changes."""

    before: Call
    after: Call


async def replay(
    store: Store,
    since: datetime,
    now: datetime,
    *,
    site_id: str | None = None,
    certainty: float | None = None,
    keep: bool = False,
) -> tuple[int, list[Change]]:
    """Attribute all ended calls since a day again, oldest first: their number, and the changes.
    Nothing is stored unless `keep`. Results are evidence for later calls; forms count whenever
    they were sent.
    """
    changes: list[Change] = []
    async with store.read() as session:
        calls = await all_calls(
            session, CallFilter(site_id=site_id, since=since, state=State.ENDED)
        )
        sites = by_id(await session.find(Site))
        attributor = Attributor(session, certainty)
        for call in calls:
            after = await attributor.attribute(call, sites.get(call.site_id or ""), forms_until=now)
            if identity(after) != identity(call):
                changes.append(Change(before=call, after=after))
    if keep:
        for start in range(0, len(changes), _AT_ONCE):
            await _keep(store, changes[start : start + _AT_ONCE])
    return len(calls), changes


async def _keep(store: Store, changes: Iterable[Change]) -> None:
    by_id = {change.after.id: change for change in changes}
    async with store.write() as session:
        await session.calls.lock()
        stored = await session.get_many(Call, list(by_id))
        # others have newer results meanwhile
        found = []
        for key, call in stored.items():
            if (call.code, identity(call)) == (by_id[key].before.code, identity(by_id[key].before)):
                found.append(
                    replace(call, **{name: getattr(by_id[key].after, name) for name in IDENTITY})
                )

        await session.calls.save(found)


async def all_calls(session: Session, wanted: CallFilter, most: int | None = None) -> list[Call]:
    """The matching calls, oldest first; at most the newest `most`."""
    found: list[Call] = []
    before: tuple[datetime, str] | None = None
    while page := await session.calls.find(wanted, before=before, limit=_AT_ONCE):
        found += page
        before = (page[-1].arrived_at, page[-1].id)
        if most is not None and len(found) >= most:
            break
    return found[:most][::-1]
