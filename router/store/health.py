"""What `doctor` asks the database about itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from router.domain.delivery.delivery import DeliveryState
from router.service.calls.ports import Cursor
from router.store import tables
from router.store.engine import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the database is kept, and what in it waits for a person."""

    journal_mode: str | None  # SQLite's; None on PostgreSQL
    cursor: Cursor | None
    rejected_rows: int
    last_rejection: str | None
    rejected_at: datetime | None  # when the last one was set aside
    pending: int  # deliveries
    # of the pending ones, those of receivers that rest when the rest is over
    next_due: datetime | None
    dead: int
    undecided: int  # deliveries of which a person has to say which entity is meant


async def examine(store: SqlStore, journal: str = "journal") -> Health:
    """Look at a database that is there and current, and how far `journal` was read. Raises
    `DatabaseUnavailable`.
    """
    rejected, delivery = tables.rejected_row, tables.delivery
    state = delivery.c.state
    async with store.read() as session:
        ask = session.connection
        mode = (await ask.exec_driver_sql("PRAGMA journal_mode")).scalar() if store.sqlite else None
        counts = {
            row[0]: row[1] for row in await ask.execute(select(state, func.count()).group_by(state))
        }
        last = select(rejected.c.reason, rejected.c.at).order_by(rejected.c.at.desc()).limit(1)
        rejection = (await ask.execute(last)).first()
        return Health(
            journal_mode=mode,
            cursor=await session.cel_log.cursor(journal),
            rejected_rows=(
                await ask.execute(select(func.count()).select_from(rejected))
            ).scalar_one(),
            last_rejection=rejection.reason if rejection else None,
            rejected_at=rejection.at if rejection else None,
            pending=counts.get(DeliveryState.PENDING, 0),
            next_due=min((await session.deliveries.receivers_due()).values(), default=None),
            dead=counts.get(DeliveryState.DEAD, 0),
            undecided=counts.get(DeliveryState.UNDECIDED, 0),
        )
