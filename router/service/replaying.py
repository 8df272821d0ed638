"""Judges calls of the past anew, by what is known and by the rules as they are now, and shows what would change."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.call import Call, CallFilter, State
from router.domain.site import Site
from router.service.attributing import IDENTITY, Judge, identity
from router.service.ports import Session, Store

_AT_ONCE = 200  # calls in one page, and in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A call that other rules judge otherwise."""

    before: Call
    after: Call


async def replay(
    store: Store, since: datetime, *, site_id: str | None = None, certainty: float | None = None, keep: bool = False
) -> tuple[int, list[Change]]:
    """Judge all ended calls since a day anew, the oldest first: how many there were, and which came out otherwise.

    Nothing is written unless `keep`. What the first calls come out as is evidence for those that follow.
    """
    changes: list[Change] = []
    async with store.read() as session:
        calls = await all_calls(session, CallFilter(site_id=site_id, since=since, state=State.ENDED))
        sites = {site.id: site for site in await session.find(Site)}
        judge = Judge(session, certainty)
        for call in calls:
            after = await judge.judge(call, sites.get(call.site_id or ""))
            if identity(after) != identity(call):
                changes.append(Change(before=call, after=after))
    if keep:
        for start in range(0, len(changes), _AT_ONCE):
            await _keep(store, changes[start : start + _AT_ONCE])
    return len(calls), changes


async def _keep(store: Store, changes: Iterable[Change]) -> None:
    after = {change.after.id: change.after for change in changes}
    async with store.write() as session:
        now = await session.get_many(Call, list(after))
        await session.save_calls(
            [replace(call, **{name: getattr(after[key], name) for name in IDENTITY}) for key, call in now.items()]
        )


async def all_calls(session: Session, wanted: CallFilter, most: int | None = None) -> list[Call]:
    """The calls that fit, the oldest first; of many the newest `most`."""
    found: list[Call] = []
    before: tuple[datetime, str] | None = None
    while page := await session.calls(wanted, before=before, limit=_AT_ONCE):
        found += page
        before = (page[-1].arrived_at, page[-1].id)
        if most is not None and len(found) >= most:
            break
    return found[:most][::-1]
