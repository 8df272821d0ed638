"""Writes what the receivers have to be told of calls, in the transaction of the fact."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from router.domain.call import Call
from router.domain.delivery import DeliveryKind, Webhook, announce
from router.domain.telling import call_body
from router.domain.visit import Visit, Visitor
from router.service.ports import Session


async def announce_calls(session: Session, calls: Sequence[Call], kind: DeliveryKind, now: datetime) -> None:
    """Tell every webhook of these calls, with their visitors; each call once of each kind and each visitor found."""
    webhooks = await session.find(Webhook, active=True) if calls else []
    if not webhooks:
        return
    visitors = await session.get_many(Visitor, {call.visitor_id for call in calls if call.visitor_id})
    visits = await session.get_many(Visit, {call.visit_id for call in calls if call.visit_id})
    deliveries = []
    for call in calls:
        body = call_body(call, visitors.get(call.visitor_id or ""), visits.get(call.visit_id or ""))
        found = call.visit_id or "nobody"
        mark = found if kind is DeliveryKind.CALL_JUDGED else ""
        deliveries += [
            announce(webhook, kind, call.id, body, id=uuid.uuid4().hex, now=now, mark=mark)
            for webhook in webhooks
            if webhook.site_id in {None, call.site_id}
        ]
    await session.add_deliveries(deliveries)
