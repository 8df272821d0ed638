"""Sends calls and sales to an analytics service, without spam and what a connection leaves out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from router.domain.delivery.call_event import read_call
from router.domain.delivery.codes import SendingCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Delivery, DeliveryKind, Result, Use
from router.domain.delivery.outcome import Outcome, record_of, request_of
from router.service.delivery.analytics import AnalyticsEvent, Working
from router.service.delivery.outcomes import Refused, SendResult
from router.service.delivery.qualified import as_changed, left_out, sent_before
from router.service.ports import Store

MOST_BEFORE = 200  # deliveries of one call


async def send_events(
    store: Store,
    account: Working,
    deliveries: Sequence[Delivery],
    connection: Connection,
    pages: str,
) -> SendResult:
    """Send what counts; what is left out says why in its receipt."""
    events: list[AnalyticsEvent] = []
    results: dict[str, Result] = {}
    for delivery in deliveries:
        try:
            event = await _sendable(store, delivery, connection, pages)
        except Refused as error:  # the others can still go
            results[delivery.key] = Result(use=Use.NEVER, outcome=error.outcome)
            continue
        if isinstance(event, Outcome):
            results[delivery.key] = Result(use=Use.USED, outcome=event)
        else:
            events.append(event)

    receipt = deliveries[0].receipt
    if not events:
        sent = SendResult(said=Outcome.of(SendingCode.NOTHING_TO_SEND))
    elif receipt is None:
        sent = await account.send(events)
    else:
        request = request_of(receipt) or receipt
        looks = min(pending.attempts for pending in deliveries)
        sent = await account.outcome(events, request, looks=looks)
    return replace(sent, results={**sent.results, **results})


async def _sendable(
    store: Store, delivery: Delivery, connection: Connection, pages: str
) -> AnalyticsEvent | Outcome:
    """The event of a delivery, or why it is not sent. Raises `Refused`."""
    event = event_of(delivery, pages)
    if event.sale:
        return event
    if delivery.kind is not DeliveryKind.CALL_QUALIFIED:
        if delivery.receipt is not None:
            return event
        return left_out(event.call, connection) or event

    async with store.read_inline() as session:
        mine = await session.deliveries.find(
            call_id=delivery.call_id, receiver_id=connection.id, limit=MOST_BEFORE
        )
    before = sent_before(mine, delivery, pages)
    if delivery.receipt is not None:
        return replace(event, again=bool(before))
    return as_changed(event, connection, before)


def event_of(delivery: Delivery, pages: str) -> AnalyticsEvent:
    """What a delivery says. Raises `Refused` for what no version of ours wrote."""
    try:
        call = read_call(delivery.payload, pages)
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(SendingCode.UNREADABLE_PAYLOAD, detail=repr(error)) from error
    sale: dict[str, Any] = {}
    if delivery.kind is DeliveryKind.SALE_MADE:
        sale = delivery.payload.get("sale", sale)

    return AnalyticsEvent(
        call=call, key=delivery.key, sale=sale, record=record_of(delivery.receipt)
    )
