"""What analytics services get in tests: Anna's call at noon within her session, and a sale
that came of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from router.service.delivery.senders import Told
from tests.support.builders import later
from tests.support.crm_calls import told

SESSION = str(int(later(-1200).timestamp()))


def event(id: str = "rt1-1.0", *, facts: Mapping[str, str] | None = None, **fields: Any) -> Told:  # noqa: A002
    """A call; `facts` instead of those of a visitor who is known to GA4."""
    known = {"session_id": SESSION, **told(id).facts} if facts is None else facts
    times = {"visited_at": later(-1200), "seen_at": later(-5)}
    return Told(call=told(id, **{**times, **fields, "facts": known}), key=f"call.ended:{id}")


def sale(of: Told, at: datetime, value: float = 4990.5) -> Told:
    """What the call was worth."""
    sold = {"value": value, "currency": "RUB", "at": at.isoformat(timespec="milliseconds")}
    return Told(call=of.call, key=f"sale.made:{of.call.id}:{sold['at']}", sale=sold)
