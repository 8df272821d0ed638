"""Writes what the receivers have to be told of calls, in the transaction of the fact."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from router.domain.call import Call
from router.domain.connection import Connection, Mode
from router.domain.delivery import DEADLINE, Delivery, DeliveryKind, Webhook, announce
from router.domain.telling import call_body
from router.domain.visit import Visit, Visitor
from router.service.ports import Session

# How long after the call these take anything of it; all others as long as anybody does.
CUT_OFFS = {"ga4": timedelta(hours=72), "metrica": timedelta(days=21), "google-ads": timedelta(days=90)}
ANALYTICS = frozenset(CUT_OFFS)
Body = dict[str, Any]


async def announce_calls(session: Session, calls: Sequence[Call], kind: DeliveryKind, now: datetime) -> None:
    """Tell every receiver of these calls, with their visitors; each call once of each kind and each visitor found."""
    webhooks = await session.find(Webhook, active=True) if calls else []
    connections = await session.find(Connection, active=True) if calls else []
    if not (webhooks or connections):
        return
    visitors = await session.get_many(Visitor, {call.visitor_id for call in calls if call.visitor_id})
    visits = await session.get_many(Visit, {call.visit_id for call in calls if call.visit_id})
    deliveries: list[Delivery] = []
    for call in calls:
        body = call_body(call, visitors.get(call.visitor_id or ""), visits.get(call.visit_id or ""))
        mark = (call.visit_id or "nobody") if kind is DeliveryKind.CALL_JUDGED else ""
        deliveries += [
            announce(webhook, kind, call.id, body, id=uuid.uuid4().hex, now=now, mark=mark)
            for webhook in webhooks
            if webhook.site_id in {None, call.site_id}
        ]
        for delivery in _to_connections(connections, call, body, mark, now):
            if not await session.replace_pending(delivery):
                deliveries.append(delivery)
    await session.add_deliveries(deliveries)


def _to_connections(
    connections: Sequence[Connection], call: Call, body: Body, mark: str, now: datetime
) -> Iterator[Delivery]:
    """A CRM is told anew when another visitor is found; analytics keep what they were told first."""
    for connection in connections:
        if connection.site_id not in {None, call.site_id} or not _has_use(connection, body):
            continue
        told_once = connection.kind in ANALYTICS
        delivery = announce(
            connection,
            DeliveryKind.CALL_ENDED,
            call.id,
            body,
            id=uuid.uuid4().hex,
            now=now,
            mark="" if told_once else mark,
        )
        yield replace(
            delivery,
            stream=_stream(connection, call),
            told_at=call.arrived_at,
            deadline_at=(call.ended_at or now) + CUT_OFFS[connection.kind]
            if told_once
            else now + _patience(connection),
        )


def _stream(connection: Connection, call: Call) -> str:
    """What goes in order: calls of one phone, so that the second finds the first's contact; else each call alone."""
    if connection.kind in ANALYTICS or connection.mode is Mode.TELEPHONY or call.caller is None:
        return call.id
    return call.caller


def _patience(connection: Connection) -> timedelta:
    wait = connection.rules.wait if connection.mode is Mode.TELEPHONY else 0.0
    return DEADLINE + timedelta(seconds=wait)


def _has_use(connection: Connection, body: Body) -> bool:
    """Whether there is anything in it for this receiver."""
    who = body["attribution"]
    clicks = (who["visit"] or {}).get("click_ids") or {}
    match connection.kind:
        case "ga4":
            return bool(who["ga_client_id"])
        case "metrica":
            return bool(who["ym_client_id"] or clicks.get("yclid"))
        case "google-ads":
            return any(clicks.get(name) for name in ("gclid", "gbraid", "wbraid"))
    return connection.mode is Mode.OWN or bool(who["ga_client_id"])
