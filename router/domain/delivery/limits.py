"""Reasons to fail a delivery without an attempt: its receiver is gone, or it is too late."""

from datetime import datetime

from router.domain.delivery.codes import SendingCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import DEADLINE, Delivery, Webhook
from router.domain.delivery.outcome import Outcome
from router.domain.delivery.receiver_kind import ReceiverKinds


def hopeless(
    delivery: Delivery, receiver: Webhook | Connection | None, kinds: ReceiverKinds, now: datetime
) -> Outcome | None:
    """The reason not to attempt this delivery; None if there is none."""
    if receiver is None or not receiver.active:
        return Outcome.of(SendingCode.RECEIVER_REMOVED, receiver=delivery.receiver_id)
    if not isinstance(receiver, Connection):
        return None
    if now >= delivery.deadline_at and delivery.receipt is None:
        return _too_late(delivery, receiver, kinds)
    site_id = (delivery.payload.get("call") or {}).get("site")
    if receiver.site_id is not None and site_id not in {None, receiver.site_id}:
        return Outcome.of(SendingCode.OTHER_SITE, receiver=receiver.id)
    return None


def _too_late(delivery: Delivery, receiver: Connection, kinds: ReceiverKinds) -> Outcome:
    """Which limit is over: the analytics service's, or Ringtrace's."""
    until = delivery.deadline_at
    if kinds.of(receiver).analytics:
        return Outcome.of(SendingCode.CUT_OFF, receiver_kind=receiver.kind, until=until)
    return Outcome.of(SendingCode.DEADLINE, until=until, days=DEADLINE.days)
