"""What analytics are sent of spam and target calls, and what happens when that changes later.

The services cannot take back a call. One that counts later is sent then; one that counts no longer
stays counted, and its receipt says so.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from router.domain.delivery.analytics_codes import VisitorCode
from router.domain.delivery.call_event import CallEvent, read_call
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState
from router.domain.delivery.outcome import Outcome
from router.service.delivery.analytics import AnalyticsEvent

TARGET_CALLS = "target_calls"  # the option of a connection:
BY_RULES, ONLY = "rules", "only"  # target calls are those of the rules; and only they are sent
_LEFT_OUT = {VisitorCode.LEFT_OUT_SPAM, VisitorCode.LEFT_OUT_NOT_TARGET}
_LEFT_OUT |= {VisitorCode.LEFT_OUT_BY_RULE, VisitorCode.VISITOR_FORGOTTEN}
_OF_CALL = {DeliveryKind.CALL_ENDED, DeliveryKind.CALL_QUALIFIED}


def left_out(call: CallEvent, connection: Connection) -> Outcome | None:
    """Why a call is not sent; None: it is."""
    if call.spam:
        return Outcome.of(VisitorCode.LEFT_OUT_SPAM)
    if connection.options.get(TARGET_CALLS) == ONLY and not call.target:
        return Outcome.of(VisitorCode.LEFT_OUT_NOT_TARGET)
    return None


def sent_before(deliveries: Iterable[Delivery], delivery: Delivery, pages: str) -> list[CallEvent]:
    """What the service was sent of this call, as it was then."""
    found = []
    for one in deliveries:
        said = one.receipt
        accepted = one.state is DeliveryState.DONE or said is not None
        if one.id == delivery.id or one.kind not in _OF_CALL or not accepted:
            continue
        if said is not None and said.code in _LEFT_OUT | {VisitorCode.NOTHING_CHANGED}:
            continue
        with suppress(KeyError, TypeError, ValueError):  # of another version
            found.append(read_call(one.payload, pages))
    return found


def as_changed(
    event: AnalyticsEvent, connection: Connection, before: Sequence[CallEvent]
) -> AnalyticsEvent | Outcome:
    """What is sent of a call that counts differently than `before`, or why nothing is."""
    why = left_out(event.call, connection)
    if not before:
        return why or event
    by_rules = connection.options.get(TARGET_CALLS) in {BY_RULES, ONLY}
    was_target = by_rules and any(call.target for call in before)
    if why is not None or (was_target and not event.call.target):
        return Outcome.of(VisitorCode.COUNTED_ALREADY)
    if by_rules and event.call.target and not was_target:
        return replace(event, again=True)
    return Outcome.of(VisitorCode.NOTHING_CHANGED)
