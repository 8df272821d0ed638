"""Leases numbers to visitors."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.domain.calls.call import Call
from router.domain.ids import new_id
from router.domain.visitors.client_key import Asker, kept_back, network_share, share
from router.domain.visitors.lease import (
    Lease,
    begin,
    offer,
    offer_again,
    release,
    sign_of_life,
)
from router.domain.visitors.site import Pool, TrackingNumber
from router.domain.visitors.visit import Reason
from router.service.ports import Session

HOUR = timedelta(hours=1)
PATIENCE = timedelta(seconds=10)  # time for a page to show its number before others may take it


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRequest:
    """A number for a visitor."""

    pool: Pool
    visitor_id: str
    visit_id: str
    known: bool = True  # may have had a lease before
    # a new visit: it gets its own lease instead of the previous visit's
    of_this_visit: bool = False
    shown: bool = False  # the page is known to show its numbers
    asker: Asker | None = None  # None: no share is counted


@dataclass(slots=True)
class Assignment:
    """The number for each request; `changed` leases are saved after their visitors and visits."""

    results: list[Lease | Reason] = field(default_factory=list)
    changed: list[Lease] = field(default_factory=list)


async def assign_numbers(
    session: Session, requests: Sequence[NumberRequest], now: datetime
) -> Assignment:
    """Assign numbers: the one a visitor holds, else the one they had if it is free, else the
    longest idle. Assigned numbers are locked until the transaction ends.
    """
    unique = {(request.visitor_id, request.pool.id): request for request in requests}
    assigning = _Assigning(session, now)
    held = await _held(session, unique.values())
    waiting = []
    for key, request in unique.items():
        if not await assigning.give_back(key, request, held.get(key)):
            waiting.append(key)

    for pool_id in dict.fromkeys(pool_id for _, pool_id in waiting):
        await assigning.give_idle([unique[key] for key in waiting if key[1] == pool_id])
    await session.leases.note_holders(assigning.holders, now)
    results = [assigning.results[request.visitor_id, request.pool.id] for request in requests]
    return Assignment(results=results, changed=assigning.changed)


async def _held(
    session: Session, requests: Iterable[NumberRequest]
) -> dict[tuple[str, str], tuple[Lease, TrackingNumber]]:
    """The newest leases of the requesting visitors, with their numbers, locked."""
    wanted = {(request.visitor_id, request.pool.id) for request in requests if request.known}
    visitors = {visitor_id for visitor_id, _ in wanted}
    newest = await session.leases.newest(visitors)
    e164s = {lease.number for key, lease in newest.items() if key in wanted}
    if not e164s:
        return {}
    numbers = await session.leases.lock_numbers(e164s)
    newest = await session.leases.newest(visitors)
    held = {}
    for key, lease in newest.items():
        if (
            key in wanted
            and lease.number in numbers
            and numbers[lease.number].pool_id == lease.pool_id
        ):
            held[key] = (lease, numbers[lease.number])
    return held


class _Assigning:
    """Assigns numbers within one transaction."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session, self._now = session, now
        # given again to their former holder: still free in the database
        self._regained: set[str] = set()
        self._rooms: dict[str, int] = {}
        self.results: dict[tuple[str, str], Lease | Reason] = {}
        self.changed: list[Lease] = []
        self.holders: dict[str, Asker | None] = {}  # by number

    async def give_back(
        self,
        key: tuple[str, str],
        request: NumberRequest,
        held: tuple[Lease, TrackingNumber] | None,
    ) -> bool:
        """Give the visitor's former number if it is available; returns whether the request is
        done.
        """
        if held is None:
            return False
        lease, number = held
        if is_held(lease, number, self._now):
            kept = self._kept(request, lease)
            if kept is None and self._now < lease.frozen_at:
                self.changed.append(release(lease, self._now))
            self._give(request, kept or number.e164)
            return True
        if number.free_at > self._now or number.e164 in self._regained:
            return False
        if await self._room(request.pool, 1):
            self._regained.add(number.e164)
            self._give(request, number.e164)
        else:
            self.results[key] = Reason.BUDGET
        return True

    async def give_idle(self, requests: Sequence[NumberRequest]) -> None:
        """Give idle numbers of one pool: first to clients below their share, then to the others."""
        pool = requests[0].pool
        allowed = requests[: await self._room(pool, len(requests))]
        held = await self._held_by_askers(pool, allowed)
        first = [request for request in allowed if held.count(request.asker)]
        over = [request for request in allowed if request not in first]
        reserve = 0
        if over:
            reserve = kept_back(held.numbers)

        idle = await self._idle(pool, len(allowed) + reserve)
        mine, spare = idle[: len(first)], idle[len(first) :]
        if len(mine) < len(first):
            mine += await self._take_back(pool, len(first) - len(mine), held.numbers)
        spare = spare[: max(0, len(spare) - reserve)]

        for request, number in [*zip(first, mine, strict=False), *zip(over, spare, strict=False)]:
            self._give(request, number)
        for request in requests:
            reason = Reason.BUDGET
            if request in allowed:
                reason = Reason.EMPTY

            self.results.setdefault((request.visitor_id, pool.id), reason)

    async def _held_by_askers(self, pool: Pool, requests: Sequence[NumberRequest]) -> "_Held":
        askers = [request.asker for request in requests if request.asker]
        if not askers:
            return _Held(numbers=0)
        numbers, client_keys, networks = await self._session.leases.holdings(
            pool.id, askers, self._now
        )
        return _Held(numbers=numbers, client_keys=Counter(client_keys), networks=Counter(networks))

    async def _idle(self, pool: Pool, most: int) -> list[str]:
        if not most:
            return []
        idle = await self._session.leases.lock_idle_numbers(
            pool.id, self._now, most + len(self._regained)
        )
        return [number for number in idle if number not in self._regained][:most]

    async def _take_back(self, pool: Pool, most: int, numbers: int) -> list[str]:
        """Take back numbers of clients above their share, and of pages that do not show them."""
        since = self._now - PATIENCE
        leases = await self._session.leases.lock_over_held(
            pool.id, self._now, most, share(numbers), network_share(numbers), since
        )
        kept = {lease.number for lease in self.changed}
        taken = [lease for lease in leases if lease.number not in kept]
        self.changed += [release(lease, self._now) for lease in taken]
        return [lease.number for lease in taken]

    def _kept(self, request: NumberRequest, lease: Lease) -> Lease | None:
        """The prolonged lease, or None if a new one is needed."""
        if request.of_this_visit and lease.visit_id != request.visit_id:
            return None
        if lease.shown or request.shown:
            return sign_of_life(lease, request.pool, self._now)
        return offer_again(lease, self._now)

    def _give(self, request: NumberRequest, what: Lease | str) -> None:
        if isinstance(what, str):
            who = {"visitor_id": request.visitor_id, "visit_id": request.visit_id}
            make = offer
            if request.shown:
                make = begin

            lease = make(request.pool, id=new_id(self._now), number=what, now=self._now, **who)
        else:
            lease = what
        if isinstance(what, str):
            self.holders[what] = request.asker
        self.changed.append(lease)
        self.results[request.visitor_id, request.pool.id] = lease

    async def _room(self, pool: Pool, wanted: int) -> int:
        """How many of `wanted` numbers the pool's hourly limit allows; they are counted."""
        if pool.leases_per_hour is None:
            return wanted
        if pool.id not in self._rooms:
            begun = await self._session.leases.count_begun(pool.id, self._now - HOUR)
            self._rooms[pool.id] = max(0, pool.leases_per_hour - begun)
        allowed = min(wanted, self._rooms[pool.id])
        self._rooms[pool.id] -= allowed
        return allowed


@dataclass(slots=True)
class _Held:
    """The numbers of one pool held by the clients of a transaction."""

    numbers: int  # of the pool
    client_keys: Counter[str] = field(default_factory=Counter)
    networks: Counter[str] = field(default_factory=Counter)

    def count(self, asker: Asker | None) -> bool:
        """Count one more number for this client if it is below its share; returns whether it is."""
        if asker is None:
            return True
        if self.client_keys[asker.client_key] >= share(self.numbers):
            return False
        if self.networks[asker.network] >= network_share(self.numbers):
            return False
        self.client_keys[asker.client_key] += 1
        self.networks[asker.network] += 1
        return True


def is_held(lease: Lease, number: TrackingNumber, now: datetime) -> bool:
    """Whether the locked number is held by this lease, present or frozen."""
    return (
        lease.ends_at > now and number.pool_id == lease.pool_id and number.free_at == lease.ends_at
    )


async def free_after_call(session: Session, calls: Iterable[Call]) -> None:
    """End the leases of calls that have ended, where their pool wants the numbers back."""
    ended = {call.lease_id: call.ended_at for call in calls if call.lease_id and call.ended_at}
    leases = await session.get_many(Lease, list(ended))
    pools = await session.get_many(Pool, {lease.pool_id for lease in leases.values()})
    freeing = {pool.id for pool in pools.values() if pool.free_after_call}
    freed = [key for key, lease in leases.items() if lease.pool_id in freeing]
    if not freed:
        return
    numbers = await session.leases.lock_numbers({leases[key].number for key in freed})
    released = []
    for lease in (await session.get_many(Lease, freed)).values():
        number, at = numbers.get(lease.number), ended[lease.id]
        if number and at and is_held(lease, number, at):
            # leases in the past are unchanged
            released.append(release(lease, max(at, lease.seen_at)))
    await session.leases.save(released)
