"""Deliveries in the store, and which of them are due."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Exists, Select, bindparam, exists, func, or_, select, tuple_, update

from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState, replaced
from router.domain.delivery.outcome import Outcome
from router.service.delivery.ports import Waiting
from router.store import tables
from router.store.direct import AnyConnection
from router.store.due import due_rows, next_due
from router.store.records import from_rows, to_row, to_rows
from router.store.writing import upsert

_delivery, _health = tables.delivery, tables.receiver_health


@dataclass(frozen=True, slots=True)
class SqlDeliveries:
    """The `Deliveries` of `router.service.delivery.ports`."""

    connection: AnyConnection

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        """Add new deliveries, except those whose key the receiver already has."""
        if not deliveries:
            return
        rows = await self.connection.execute(_PRESENT, {"keys": list({d.key for d in deliveries})})
        present = {(row.key, row.receiver_id) for row in rows}
        new = {}
        for d in deliveries:
            if (d.key, d.receiver_id) not in present:
                new[(d.key, d.receiver_id)] = d

        await upsert(self.connection, _delivery, to_rows(new.values()))

    async def due(
        self, now: datetime, limit: int, receiver_id: str | None = None
    ) -> list[Delivery]:
        """Due deliveries of one receiver or of all, oldest first; only the first of each stream."""
        query = due_rows(_delivery, DeliveryState.PENDING).where(~_behind())
        if receiver_id is not None:
            query = query.where(_delivery.c.receiver_id == receiver_id)
        rows = await self.connection.execute(query, {"now": now, "most": limit})
        return from_rows(Delivery, rows)

    async def replace_pending(self, delivery: Delivery) -> bool:
        """Replace the payload of the unsent delivery of the same call to the same receiver."""
        mine = (_delivery.c.receiver_id == delivery.receiver_id) & (
            _delivery.c.call_id == delivery.call_id
        )
        mine &= _delivery.c.kind.notin_([DeliveryKind.SALE_MADE, DeliveryKind.RECORDING_READY])
        # A failed delivery becomes pending again, because the cause may be gone.
        pending = {"due_at": delivery.due_at, "deadline_at": delivery.deadline_at, "receipt": None}
        failed = update(_delivery).where(mine, _delivery.c.state == DeliveryState.FAILED)
        failed = failed.values(state=DeliveryState.PENDING, **pending)
        await self.connection.execute(failed)
        waiting = (
            select(_delivery).where(mine, _delivery.c.state != DeliveryState.DONE).with_for_update()
        )
        rows = from_rows(Delivery, await self.connection.execute(waiting))
        for former in rows:
            values = {
                "payload": replaced(former, delivery.payload),
                "revision": former.revision + 1,
            }
            await self.connection.execute(_REPLACING, {"id_": former.id, **values})
        return bool(rows)

    async def hurry(self, receiver_id: str, now: datetime, due_at: datetime) -> int:
        """Make waiting deliveries that are not claimed due at `due_at`; returns their number."""
        waiting = (_delivery.c.state == DeliveryState.PENDING) & (_delivery.c.attempts > 0)
        free = _delivery.c.claimed_until.is_(None) | (_delivery.c.claimed_until <= now)
        mine = update(_delivery).where(
            _delivery.c.receiver_id == receiver_id, waiting, free, _delivery.c.due_at > due_at
        )
        return int((await self.connection.execute(mine.values(due_at=due_at))).rowcount)

    async def settle(self, taken: Delivery, outcome: Delivery) -> bool:
        """Save the outcome of a delivery, unless its payload was replaced meanwhile."""
        values = to_row(outcome)
        mine = {"id_": taken.id, "revision_": taken.revision}
        return (await self.connection.execute(_SETTLING, {**values, **mine})).rowcount > 0

    async def give_up(self, receiver_id: str, reason: Outcome) -> int:
        """Fail all pending deliveries of this receiver; returns their number."""
        mine = (_delivery.c.receiver_id == receiver_id) & _delivery.c.state.in_(
            (DeliveryState.PENDING, DeliveryState.NEEDS_REVIEW)
        )
        failed = {"state": DeliveryState.FAILED, "last_error": asdict(reason)}
        return (
            await self.connection.execute(update(_delivery).where(mine).values(failed))
        ).rowcount

    async def receivers_due(self) -> dict[str, datetime]:
        """For each receiver with pending deliveries: when the first of them is due."""
        rows = await self.connection.execute(_RECEIVERS_DUE)
        return {row[0]: max(row[1], row[2] or row[1]) for row in rows}

    async def find(
        self,
        *,
        state: DeliveryState | None = None,
        receiver_id: str | None = None,
        call_id: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Delivery]:
        """Deliveries, newest first, older than `before` (creation and id of the last one)."""
        query = (
            select(_delivery)
            .order_by(_delivery.c.created_at.desc(), _delivery.c.id.desc())
            .limit(limit)
        )
        wanted = {
            _delivery.c.state: state,
            _delivery.c.receiver_id: receiver_id,
            _delivery.c.call_id: call_id,
        }
        query = query.where(
            *(column == value for column, value in wanted.items() if value is not None)
        )
        if before:
            query = query.where(tuple_(_delivery.c.created_at, _delivery.c.id) < before)
        return from_rows(Delivery, await self.connection.execute(query))

    async def count(self, state: DeliveryState, most: int) -> int:
        """How many are in this state, counted up to `most`."""
        some = select(_delivery.c.state).where(_delivery.c.state == state).limit(most).subquery()
        return (await self.connection.execute(select(func.count()).select_from(some))).scalar() or 0

    async def waiting(self) -> list[Waiting]:
        """Pending deliveries, by receiver."""
        return [
            Waiting(**row._mapping) for row in await self.connection.execute(_PENDING_BY_RECEIVER)
        ]

    async def next_due(self) -> datetime | None:
        """When the next delivery is due."""
        return await next_due(self.connection, _delivery, DeliveryState.PENDING)


_PENDING_BY_RECEIVER = (
    select(
        _delivery.c.receiver_id,
        func.count().label("deliveries"),
        func.min(_delivery.c.due_at).label("due_at"),
    )
    .where(_delivery.c.state == DeliveryState.PENDING)
    .group_by(_delivery.c.receiver_id)
    .order_by(_delivery.c.receiver_id)
)
_REPLACING = update(_delivery).where(_delivery.c.id == bindparam("id_"))
_SETTLING = update(_delivery).where(
    _delivery.c.id == bindparam("id_"), _delivery.c.revision == bindparam("revision_")
)
_PRESENT = select(_delivery.c.key, _delivery.c.receiver_id).where(
    _delivery.c.key.in_(bindparam("keys", expanding=True))
)


@cache
def _behind() -> Exists:
    """Whether an earlier delivery of the same stream is pending, or any is being sent."""
    earlier = _delivery.alias("earlier")
    return exists(
        select(earlier.c.id).where(
            earlier.c.receiver_id == _delivery.c.receiver_id,
            earlier.c.stream == _delivery.c.stream,
            earlier.c.state == DeliveryState.PENDING,
            or_(
                (
                    tuple_(earlier.c.event_at, earlier.c.id)
                    < tuple_(_delivery.c.event_at, _delivery.c.id)
                )
                & earlier.c.receipt.is_(
                    None
                ),  # deliveries being processed by the receiver block nothing
                (earlier.c.claimed_until > bindparam("now")) & (earlier.c.id != _delivery.c.id),
            ),
        )
    )


def _receivers_due() -> Select[Any]:
    """Skips from receiver to receiver in the index, without reading all pending rows of one."""
    pending = _delivery.c.state == DeliveryState.PENDING
    walk = (
        select(func.min(_delivery.c.receiver_id).label("id"))
        .where(pending)
        .cte("receivers", recursive=True)
    )
    following = select(func.min(_delivery.c.receiver_id)).where(
        pending, _delivery.c.receiver_id > walk.c.id
    )
    walk = walk.union_all(select(following.scalar_subquery()).where(walk.c.id.is_not(None)))
    first = select(func.min(_delivery.c.due_at)).where(
        pending, _delivery.c.receiver_id == walk.c.id
    )
    return (
        select(walk.c.id, first.scalar_subquery(), _health.c.paused_until)
        .join_from(walk, _health, _health.c.receiver_id == walk.c.id, isouter=True)
        .where(walk.c.id.is_not(None))
    )


_RECEIVERS_DUE = _receivers_due()
