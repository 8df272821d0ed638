"""Reasons to fail a delivery without an attempt: its receiver is gone, or it is too late."""

from datetime import datetime

from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import DEADLINE, Delivery, Webhook
from router.domain.delivery.receiver_kind import ReceiverKinds


def hopeless(
    delivery: Delivery, receiver: Webhook | Connection | None, kinds: ReceiverKinds, now: datetime
) -> str:
    """The reason not to attempt this delivery; None if there is none."""
    if receiver is None or not receiver.active:
        return f"the receiver '{delivery.receiver_id}' was removed or switched off"
    if not isinstance(receiver, Connection):
        return ""
    if now >= delivery.deadline_at and delivery.receipt is None:
        return _too_late(delivery, receiver, kinds)
    site_id = (delivery.payload.get("call") or {}).get("site")
    if receiver.site_id is not None and site_id not in {None, receiver.site_id}:
        return f"the receiver '{receiver.id}' is told of another site's calls by now"
    return ""


def _too_late(delivery: Delivery, receiver: Connection, kinds: ReceiverKinds) -> str:
    """Which limit is over: the analytics service's, or Ringtrace's."""
    until = f"{delivery.deadline_at:%Y-%m-%d %H:%M} UTC"
    if kinds.of(receiver).analytics:
        return f"too late: {receiver.kind} takes this until {until}"
    return f"too late: Ringtrace tried until {until}, {DEADLINE.days} days; it can be sent again"
