"""Which of the entities that another system created belongs to a call; never a guess between two."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.domain.annotation import CallTold
from router.domain.connection import Rules
from router.domain.entity import Found
from router.domain.phone import same_phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was decided: `one`, or a reason to `wait`, or `several` for a person to choose among."""

    one: Found | None = None
    several: tuple[Found, ...] = ()
    wait: bool = False


def match(
    found: Iterable[Found], call: CallTold, rules: Rules, now: datetime, next_at: datetime | None = None
) -> Match:
    """Decide at `now`. Nothing is decided before `settle`; a less wanted kind is taken only after `prefer`.

    What was created since the same phone called again, at `next_at`, is that call's.
    """
    after = (now - call.ended_at).total_seconds()
    if after < rules.settle:
        return Match(wait=True)
    candidates = [one for one in found if _may_be(one, call, rules, next_at)]
    best = _best(candidates, call, rules)
    if not best or (best[0].ref.kind is not rules.targets[0] and after < rules.prefer):
        return Match(wait=after < rules.wait)
    return Match(one=best[0]) if len(best) == 1 else Match(several=tuple(best))


def _may_be(one: Found, call: CallTold, rules: Rules, next_at: datetime | None) -> bool:
    if one.ours or one.ref.kind not in rules.targets:
        return False
    if one.exact:
        return True
    early = call.arrived_at - timedelta(seconds=rules.before)
    late = call.ended_at + timedelta(seconds=rules.wait)
    in_time = one.created_at is not None and early <= one.created_at <= late
    in_time = in_time and (next_at is None or one.created_at is None or one.created_at < next_at)
    return in_time and call.caller is not None and any(same_phone(phone, call.caller) for phone in one.phones)


def _best(candidates: Sequence[Found], call: CallTold, rules: Rules) -> list[Found]:
    """Those that nothing tells apart: the CRM's own link first, then the wanted kind, open, created in the call."""

    def rank(one: Found) -> tuple[bool, int, bool, bool]:
        began = one.created_at is not None and one.created_at >= call.arrived_at
        return (not one.exact, rules.targets.index(one.ref.kind), not one.open, not began)

    if not candidates:
        return []
    first = min(rank(one) for one in candidates)
    unique = {one.ref: one for one in candidates if rank(one) == first}
    return list(unique.values())
