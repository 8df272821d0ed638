"""A test event: a call of one minute without a visitor, which is in no report."""

from collections.abc import Mapping
from datetime import datetime

from router.domain.delivery.call_event import CallEvent
from router.service.delivery.analytics import AnalyticsEvent


def trial(now: datetime, facts: Mapping[str, str], *, sale: bool) -> AnalyticsEvent:
    """A call that ended `now`, or a sale from it; `facts` identify the visitor at the service."""
    call = CallEvent(
        id="ringtrace-check",
        site_id=None,
        caller=None,
        number=None,
        arrived_at=now,
        ended_at=now,
        answered=True,
        talk_seconds=60.0,
        destination_id=None,
        facts=facts,
        first=True,
    )
    if not sale:
        return AnalyticsEvent(call=call, key="call.ended:ringtrace-check", sale={})
    sold = {"value": 1.0, "currency": "USD", "at": now.isoformat()}
    return AnalyticsEvent(call=call, key="sale.made:ringtrace-check", sale=sold)
