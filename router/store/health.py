"""Queries of `doctor` about the database."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from router.domain.delivery.delivery import DeliveryState
from router.service.calls.ports import Cursor
from router.store import tables
from router.store.engine import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """State of the database, and rows that need a person."""

    journal_mode: str | None  # SQLite's; None on PostgreSQL
    cursor: Cursor | None
    rejected_rows: int
    last_rejection: str | None
    rejected_at: datetime | None  # time of the last one
    pending: int  # deliveries
    # pending ones; those of paused receivers when the pause is over
    next_due: datetime | None
    failed: int
    needs_review: int  # deliveries that need review


async def examine(store: SqlStore, cel_log: str = "cel_log") -> Health:
    """Examine a current database, and the cursor of `cel_log`. Raises `DatabaseUnavailable`."""
    rejected, delivery = tables.rejected_row, tables.delivery
    state = delivery.c.state
    async with store.read() as session:
        ask = session.connection
        mode = None
        if store.sqlite:
            mode = (await ask.exec_driver_sql("PRAGMA journal_mode")).scalar()

        by_state = await ask.execute(select(state, func.count()).group_by(state))
        counts = {row[0]: row[1] for row in by_state}
        last = select(rejected.c.reason, rejected.c.at).order_by(rejected.c.at.desc()).limit(1)
        reason, rejected_at = (await ask.execute(last)).first() or (None, None)
        return Health(
            journal_mode=mode,
            cursor=await session.cel_log.cursor(cel_log),
            rejected_rows=(
                await ask.execute(select(func.count()).select_from(rejected))
            ).scalar_one(),
            last_rejection=reason,
            rejected_at=rejected_at,
            pending=counts.get(DeliveryState.PENDING, 0),
            next_due=min((await session.deliveries.receivers_due()).values(), default=None),
            failed=counts.get(DeliveryState.FAILED, 0),
            needs_review=counts.get(DeliveryState.NEEDS_REVIEW, 0),
        )


async def is_read_only(store: SqlStore) -> bool:
    """Whether the server takes no changes, like a replica. Raises `DatabaseUnavailable`."""
    if store.sqlite:
        return False
    async with store.read() as session:
        shown = await session.connection.exec_driver_sql(
            "SELECT current_setting('default_transaction_read_only') = 'on' OR pg_is_in_recovery()"
        )
        return bool(shown.scalar_one())
