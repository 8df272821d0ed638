"""What `doctor` asks the database about itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from router.domain.delivery import DeliveryState
from router.service.ports import Cursor
from router.store import tables
from router.store.engine import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the database is kept, and what in it waits for a person."""

    journal_mode: str | None  # SQLite's; None on PostgreSQL
    cursor: Cursor | None
    rejected_rows: int
    last_rejection: str | None
    pending: int  # deliveries
    next_due: datetime | None  # of the pending ones
    dead: int


async def examine(store: SqlStore, journal: str = "journal") -> Health:
    """Look at a database that is there and current, and how far `journal` was read. Raises `DatabaseUnavailable`."""
    rejected, delivery = tables.rejected_row, tables.delivery
    state = delivery.c.state
    async with store.read() as session:
        ask = session.connection
        mode = (await ask.exec_driver_sql("PRAGMA journal_mode")).scalar() if store.sqlite else None
        counts = {row[0]: row[1:] for row in await ask.execute(
            select(state, func.count(), func.min(delivery.c.due_at)).group_by(state)
        )}  # fmt: skip
        pending, next_due = counts.get(DeliveryState.PENDING, (0, None))
        last = select(rejected.c.reason).order_by(rejected.c.at.desc()).limit(1)
        return Health(
            journal_mode=mode,
            cursor=await session.cursor(journal),
            rejected_rows=(await ask.execute(select(func.count()).select_from(rejected))).scalar_one(),
            last_rejection=(await ask.execute(last)).scalar(),
            pending=pending,
            next_due=next_due,
            dead=counts.get(DeliveryState.DEAD, (0, None))[0],
        )
