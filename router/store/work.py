"""Work that waits in the store: recordings to be shelved, deliveries to be made."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Exists, Select, Table, bindparam, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.calls.call import Recording, RecordingState
from router.domain.delivery.connection import Account
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState, replaced
from router.domain.delivery.entity import Entity
from router.service.ports import Waiting
from router.store import tables
from router.store.direct import DirectConnection
from router.store.records import TABLES, from_row, to_row

_recording, _delivery, _account = tables.recording, tables.delivery, tables.account
_entity, _call = tables.entity, tables.call
_WAITING = {Recording: RecordingState.WAITING, Delivery: DeliveryState.PENDING}


class Work:
    """The part of a session that knows what waits."""

    connection: AsyncConnection | DirectConnection

    if TYPE_CHECKING:

        async def _upsert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None: ...
        async def _add_absent(self, table: Any, row: dict[str, Any]) -> None: ...

    async def recordings(self, call_ids: Collection[str]) -> dict[str, Recording]:
        """The recordings of these calls, without their waveforms: those are ten times as long as
        all the rest.
        """
        rows = await self.connection.execute(_WITHOUT_PEAKS, {"calls": list(call_ids)})
        return {row.call_id: from_row(Recording, row) for row in rows}

    async def save_recordings(self, recordings: Sequence[Recording]) -> None:
        """Write recordings as they are now."""
        await self._upsert(_recording, [to_row(recording) for recording in recordings])

    async def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Write new deliveries; one whose key the receiver has already is not written again."""
        if not deliveries:
            return
        rows = await self.connection.execute(_PRESENT, {"keys": list({d.key for d in deliveries})})
        present = {(row.key, row.receiver_id) for row in rows}
        new = {
            (d.key, d.receiver_id): d for d in deliveries if (d.key, d.receiver_id) not in present
        }
        await self._upsert(_delivery, [to_row(delivery) for delivery in new.values()])

    async def due_recordings(self, now: datetime, limit: int) -> list[Recording]:
        """Recordings the worker should look at."""
        return await self._due(Recording, now, limit)

    async def due_deliveries(
        self, now: datetime, limit: int, receiver_id: str | None = None
    ) -> list[Delivery]:
        """Deliveries to be made now, to one receiver or to all, the oldest first; of a stream the
        first alone.
        """
        query = _due(_delivery, _WAITING[Delivery]).where(~_behind())
        if receiver_id is not None:
            query = query.where(_delivery.c.receiver_id == receiver_id)
        rows = await self.connection.execute(query, {"now": now, "most": limit})
        return [from_row(Delivery, row) for row in rows]

    async def replace_pending(self, delivery: Delivery) -> bool:
        """Put this payload into the delivery of the same call to the same receiver, if that has not
        been made yet.
        """
        mine = (_delivery.c.receiver_id == delivery.receiver_id) & (
            _delivery.c.call_id == delivery.call_id
        )
        mine &= _delivery.c.kind != DeliveryKind.SALE_MADE
        # What was given up lives again, for what was wrong with it may be so no more.
        anew = {"due_at": delivery.due_at, "deadline_at": delivery.deadline_at, "receipt": None}
        dead = update(_delivery).where(mine, _delivery.c.state == DeliveryState.DEAD)
        dead = dead.values(state=DeliveryState.PENDING, **anew)
        await self.connection.execute(dead)
        waiting = (
            select(_delivery).where(mine, _delivery.c.state != DeliveryState.DONE).with_for_update()
        )
        rows = [from_row(Delivery, row) for row in await self.connection.execute(waiting)]
        for one in rows:
            values = {"payload": replaced(one, delivery.payload), "revision": one.revision + 1}
            await self.connection.execute(_REPLACING, {"id_": one.id, **values})
        return bool(rows)

    async def hurry(self, receiver_id: str, now: datetime, due_at: datetime) -> int:
        """Let what has been looked at in vain, and nobody looks at just now, be due at `due_at`;
        how many.
        """
        waiting = (_delivery.c.state == DeliveryState.PENDING) & (_delivery.c.attempts > 0)
        free = _delivery.c.claimed_until.is_(None) | (_delivery.c.claimed_until <= now)
        mine = update(_delivery).where(
            _delivery.c.receiver_id == receiver_id, waiting, free, _delivery.c.due_at > due_at
        )
        return int((await self.connection.execute(mine.values(due_at=due_at))).rowcount)

    async def settle(self, taken: Delivery, outcome: Delivery) -> bool:
        """Write what came of a delivery, unless its payload was replaced meanwhile."""
        values = to_row(outcome)
        mine = {"id_": taken.id, "revision_": taken.revision}
        return (await self.connection.execute(_SETTLING, {**values, **mine})).rowcount > 0

    async def give_up(self, receiver_id: str, reason: str) -> int:
        """Wait no more for anything of this receiver; how many deliveries there were."""
        mine = (_delivery.c.receiver_id == receiver_id) & _delivery.c.state.in_(
            (DeliveryState.PENDING, DeliveryState.UNDECIDED)
        )
        query = update(_delivery).where(mine).values(state=DeliveryState.DEAD, last_error=reason)
        return (await self.connection.execute(query)).rowcount

    async def receivers_due(self) -> dict[str, datetime]:
        """For each receiver with pending deliveries: when the first of them is due."""
        rows = await self.connection.execute(_RECEIVERS_DUE)
        return {row[0]: max(row[1], row[2] or row[1]) for row in rows}

    async def lock_account(self, receiver_id: str, now: datetime) -> Account:
        """How this receiver fares; nobody else changes it before the transaction's end."""
        query = select(_account).where(_account.c.receiver_id == receiver_id).with_for_update()
        row = (await self.connection.execute(query)).first()
        if row is None:
            await self._add_absent(
                _account, to_row(Account(receiver_id=receiver_id, next_at=now, paused_until=now))
            )
            row = (await self.connection.execute(query)).one()
        return from_row(Account, row)

    async def save_account(self, account: Account) -> None:
        """Keep how it fares."""
        await self._upsert(_account, [to_row(account)])

    async def recent_entities(
        self, connection_id: str, caller: str, since: datetime
    ) -> list[Entity]:
        """What calls of this phone became there since then: a CRM's own search may not know it
        yet.
        """
        query = (
            select(_entity)
            .join(_call, _call.c.id == _entity.c.call_id)
            .where(
                _entity.c.connection_id == connection_id,
                _call.c.caller == caller,
                _entity.c.at > since,
            )
        )
        return [from_row(Entity, row) for row in await self.connection.execute(query)]

    async def deliveries(
        self,
        *,
        state: DeliveryState | None = None,
        receiver_id: str | None = None,
        call_id: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Delivery]:
        """Deliveries, the newest first, older than `before` (creation and id of the last one
        seen).
        """
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
        return [from_row(Delivery, row) for row in await self.connection.execute(query)]

    async def count_deliveries(self, state: DeliveryState, most: int) -> int:
        """How many are in this state; counted no further than to `most`."""
        some = select(_delivery.c.state).where(_delivery.c.state == state).limit(most).subquery()
        return (await self.connection.execute(select(func.count()).select_from(some))).scalar() or 0

    async def waiting(self) -> list[Waiting]:
        """What is pending, by receiver."""
        return [
            Waiting(**row._mapping) for row in await self.connection.execute(_PENDING_BY_RECEIVER)
        ]

    async def next_due(self, kind: type[Any]) -> datetime | None:
        """When the next recording or delivery is due."""
        moment: datetime | None = (
            await self.connection.execute(_next_due(TABLES[kind], _WAITING[kind]))
        ).scalar()
        return moment

    async def _due(self, kind: type[Any], now: datetime, limit: int) -> list[Any]:
        """Locked until the transaction ends, so that several workers never take the same one."""
        query = _due(TABLES[kind], _WAITING[kind])
        return [
            from_row(kind, row)
            for row in await self.connection.execute(query, {"now": now, "most": limit})
        ]


@cache
def _due(table: Table, waiting: str) -> Select[Any]:
    return (
        select(table)
        .where(table.c.state == waiting, table.c.due_at <= bindparam("now"))
        .order_by(table.c.due_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


@cache
def _next_due(table: Table, waiting: str) -> Select[Any]:
    return select(func.min(table.c.due_at)).where(table.c.state == waiting)


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
_WITHOUT_PEAKS = select(*(column for column in _recording.c if column.name != "peaks")).where(
    _recording.c.call_id.in_(bindparam("calls", expanding=True))
)
_PRESENT = select(_delivery.c.key, _delivery.c.receiver_id).where(
    _delivery.c.key.in_(bindparam("keys", expanding=True))
)


@cache
def _behind() -> Exists:
    """Whether an earlier delivery of the same stream still waits, or any is being carried out."""
    earlier = _delivery.alias("earlier")
    return exists(
        select(earlier.c.id).where(
            earlier.c.receiver_id == _delivery.c.receiver_id,
            earlier.c.stream == _delivery.c.stream,
            earlier.c.state == DeliveryState.PENDING,
            or_(
                (
                    tuple_(earlier.c.told_at, earlier.c.id)
                    < tuple_(_delivery.c.told_at, _delivery.c.id)
                )
                & earlier.c.receipt.is_(None),  # what the receiver works on keeps nothing back
                (earlier.c.claimed_until > bindparam("now")) & (earlier.c.id != _delivery.c.id),
            ),
        )
    )


def _receivers_due() -> Select[Any]:
    """Steps from receiver to receiver along the index: what waits for one that is down is not
    counted each time.
    """
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
        select(walk.c.id, first.scalar_subquery(), _account.c.paused_until)
        .join_from(walk, _account, _account.c.receiver_id == walk.c.id, isouter=True)
        .where(walk.c.id.is_not(None))
    )


_RECEIVERS_DUE = _receivers_due()
