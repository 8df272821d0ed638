"""What analytics services get in tests: Anna's call at noon within her session, and a sale
that came of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from router.service.delivery.analytics import AnalyticsEvent
from tests.support.builders import later
from tests.support.crm_calls import call_event

SESSION = str(int(later(-1200).timestamp()))


def event(
    id: str = "rt1-1.0",  # noqa: A002
    *,
    facts: Mapping[str, str] | None = None,
    **fields: Any,
) -> AnalyticsEvent:
    """A call; `facts` instead of those of a visitor who is known to GA4."""
    known = {"session_id": SESSION, **call_event(id).facts} if facts is None else facts
    times = {"visited_at": later(-1200), "seen_at": later(-5)}
    return AnalyticsEvent(
        call=call_event(id, **{**times, **fields, "facts": known}), key=f"call.ended:{id}"
    )


def sale(of: AnalyticsEvent, at: datetime, value: float = 4990.5) -> AnalyticsEvent:
    """What the call was worth."""
    sold = {"value": value, "currency": "RUB", "at": at.isoformat(timespec="milliseconds")}
    return AnalyticsEvent(call=of.call, key=f"sale.made:{of.call.id}:{sold['at']}", sale=sold)
