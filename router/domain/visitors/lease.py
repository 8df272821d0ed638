"""A visitor's exclusive hold of a tracking number, as intervals that never change their meaning.

A lease is *present* while signs of life come, *frozen* from the visitor's leaving to its end, then
over. It is never deleted and never revived: who comes back during the freeze gets a new lease of
the same number. So a call at any moment can be judged weeks later exactly as at that moment. Who
leaves a page may only turn it: for as long as that takes they are present still, and the next page
goes on with the same lease.

A number is offered first: it is on its way to a page, which may never show it (an answer that came
too late, a robot that runs no script to its end). Only a sign of life, a tap or a goodbye makes the
lease last for the pool's hold.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.domain.visitors.site import Pool

TURN = timedelta(seconds=30)  # from one page to the next, over a slow network
UNSHOWN = timedelta(seconds=30)  # a number that no page has shown by then goes back to its pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """[started_at, frozen_at) the visitor is on the page; [frozen_at, ends_at) the number waits for
    the call.
    """

    id: str
    number: str  # E.164
    pool_id: str
    visitor_id: str
    visit_id: str
    started_at: datetime
    seen_at: datetime  # the last sign of life
    frozen_at: datetime
    ends_at: datetime
    shown: bool = True  # a page is known to have shown the number


def begin(
    pool: Pool,
    *,
    id: str,  # noqa: A002
    number: str,
    visitor_id: str,
    visit_id: str,
    now: datetime,
) -> Lease:
    """A new lease at `now` for a page that shows its number, as if the first sign of life had just
    come.
    """
    return Lease(
        id=id,
        number=number,
        pool_id=pool.id,
        visitor_id=visitor_id,
        visit_id=visit_id,
        started_at=now,
        seen_at=now,
        frozen_at=now + timedelta(seconds=pool.hold_seconds - pool.freeze_seconds),
        ends_at=now + timedelta(seconds=pool.hold_seconds),
    )


def offer(
    pool: Pool,
    *,
    id: str,  # noqa: A002
    number: str,
    visitor_id: str,
    visit_id: str,
    now: datetime,
) -> Lease:
    """A new lease whose number is on its way to a page: it ends soon, unless the page gives a sign
    of life.
    """
    new = begin(pool, id=id, number=number, visitor_id=visitor_id, visit_id=visit_id, now=now)
    return offer_again(replace(new, shown=False), now)


def offer_again(lease: Lease, now: datetime) -> Lease:
    """The number of a lease that no page has shown yet is on its way once more."""
    until = now + UNSHOWN
    return replace(lease, frozen_at=until, ends_at=until)


def sign_of_life(lease: Lease, pool: Pool, now: datetime) -> Lease | None:
    """The lease prolonged, or None when it is frozen or over and a new one has to be begun."""
    if now >= lease.frozen_at:
        return None
    return replace(
        lease,
        shown=True,
        seen_at=now,
        frozen_at=now + timedelta(seconds=pool.hold_seconds - pool.freeze_seconds),
        ends_at=now + timedelta(seconds=pool.hold_seconds),
    )


def leave(lease: Lease, pool: Pool, now: datetime) -> Lease:
    """The visitor said goodbye: the freeze begins, unless a next page opens. A lease already frozen
    stays as it is.
    """
    if now >= lease.frozen_at:
        return lease
    freeze = timedelta(seconds=pool.freeze_seconds)
    turn = min(TURN, freeze, timedelta(seconds=pool.hold_seconds) - freeze)
    return replace(lease, shown=True, seen_at=now, frozen_at=now + turn, ends_at=now + freeze)


def release(lease: Lease, now: datetime) -> Lease:
    """Its call is over and the pool wants the number back: the lease ends now."""
    return replace(lease, frozen_at=min(lease.frozen_at, now), ends_at=min(lease.ends_at, now))
