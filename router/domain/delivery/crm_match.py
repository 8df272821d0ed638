"""Finds the entity of a call among those that another system created; never guesses between two."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Rules
from router.domain.delivery.entity import Found
from router.domain.phone import same_phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The result: `one`, a reason to `wait`, or `several` for a person to choose from."""

    one: Found | None = None
    several: tuple[Found, ...] = ()
    wait: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Entities created from `since` on and before `until` may belong to the call."""

    since: datetime
    until: datetime


def window(
    call: CallEvent,
    rules: Rules,
    previous_end: datetime | None = None,
    next_at: datetime | None = None,
) -> Window:
    """The window by the rules, between this phone's previous and next call. CRMs report whole
    seconds.
    """
    since, until = (
        call.arrived_at - timedelta(seconds=rules.before),
        call.ended_at + timedelta(seconds=rules.wait),
    )
    if previous_end is not None:
        since = max(since, previous_end)
    if next_at is not None:
        until = min(until, next_at.replace(microsecond=0))
    return Window(since=since, until=until)


def match(
    found: Iterable[Found],
    call: CallEvent,
    rules: Rules,
    now: datetime,
    within: Window | None = None,
) -> Match:
    """Decide at `now`. Nothing is decided before `settle`; a less preferred kind is accepted only
    after `prefer`.
    """
    after = (now - call.ended_at).total_seconds()
    if after < rules.settle:
        return Match(wait=True)
    within = within or window(call, rules)
    candidates = [candidate for candidate in found if _may_be(candidate, call, rules, within)]
    best = _best(candidates, call, rules)
    if not best or (best[0].ref.kind is not rules.targets[0] and after < rules.prefer):
        return Match(wait=after < rules.wait)
    if len(best) == 1:
        return Match(one=best[0])
    return Match(several=tuple(best))


def created_by_us(
    found: Iterable[Found], call: CallEvent, rules: Rules, within: Window
) -> Found | None:
    """An entity that would match, if it were not created by Ringtrace's own user."""
    for entity in found:
        if entity.ours and _may_be(replace(entity, ours=False), call, rules, within):
            return entity
    return None


def _may_be(entity: Found, call: CallEvent, rules: Rules, within: Window) -> bool:
    if entity.ours or entity.ref.kind not in rules.targets:
        return False
    if entity.exact:
        return True
    if entity.created_at is None or not within.since <= entity.created_at < within.until:
        return False
    if call.caller is None:
        return False
    return any(same_phone(phone, call.caller) for phone in entity.phones)


def _best(candidates: Sequence[Found], call: CallEvent, rules: Rules) -> list[Found]:
    """The best matches, which are equal: ranked by the CRM's own link, preferred kind, open,
    created during the call.
    """

    def rank(entity: Found) -> tuple[bool, int, bool, bool]:
        began = entity.created_at is not None and entity.created_at >= call.arrived_at
        return (not entity.exact, rules.targets.index(entity.ref.kind), not entity.open, not began)

    if not candidates:
        return []
    first = min(rank(candidate) for candidate in candidates)
    unique = {candidate.ref: candidate for candidate in candidates if rank(candidate) == first}
    return list(unique.values())
