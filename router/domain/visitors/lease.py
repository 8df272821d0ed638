"""A lease: a visitor's exclusive hold of a tracking number.

A lease is *present* while heartbeats come, *frozen* from the visitor's leaving to its end, then
over. It is never revived: a visitor who returns during the freeze gets a new lease of the same
number. So a call can be attributed weeks later exactly as at its moment. A visitor who leaves a
page may only open the next one: for that time they are still present, and the next page continues
the same lease.

A number is offered first: the page may never show it (a late answer, a robot that stops the
script). Only a heartbeat, a tap or a goodbye makes the lease last for the pool's hold time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.domain.visitors.site import Pool

TURN = timedelta(seconds=30)  # from one page to the next, over a slow network
UNSHOWN = timedelta(seconds=30)  # a number that no page has shown by then returns to its pool


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
    seen_at: datetime  # the last heartbeat
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
    """A new lease at `now` for a page that shows its number."""
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
    """A new lease whose number no page has shown yet: it ends soon, unless a heartbeat comes."""
    new = begin(pool, id=id, number=number, visitor_id=visitor_id, visit_id=visit_id, now=now)
    return offer_again(replace(new, shown=False), now)


def offer_again(lease: Lease, now: datetime) -> Lease:
    """Offer the number of an unconfirmed lease again."""
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
    """End the lease now, because its call is over and the pool takes the number back."""
    return replace(lease, frozen_at=min(lease.frozen_at, now), ends_at=min(lease.ends_at, now))
