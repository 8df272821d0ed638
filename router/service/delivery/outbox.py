"""Outbox: enqueues deliveries in the transaction of the event."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from router.domain.calls.call import Call, Direction, Recording, RecordingState
from router.domain.delivery.connection import Connection, Mode, ReceiverHealth
from router.domain.delivery.delivery import DEADLINE, Delivery, DeliveryKind, Webhook, new_delivery
from router.domain.delivery.entity import Entity
from router.domain.delivery.outcome import as_json
from router.domain.delivery.payload import call_body
from router.domain.delivery.receiver_kind import ReceiverKind, identifiers
from router.domain.ids import new_id
from router.domain.visitors.visit import Visit, Visitor
from router.service.ids import ids_of
from router.service.ports import Session

_OF_CALLS = {DeliveryKind.CALL_ENDED, DeliveryKind.CALL_ATTRIBUTED}
Body = dict[str, Any]


async def enqueue_calls(
    session: Session, calls: Sequence[Call], kind: DeliveryKind, now: datetime
) -> None:
    """Enqueue these calls for every receiver, once per call, kind and attributed visitor. Calls
    back are not sent: they are no contact that an advertisement brought.
    """
    calls = [call for call in calls if call.direction is Direction.INCOMING]
    if not calls:
        return
    webhooks = await session.find(Webhook, active=True)
    connections = await session.find(Connection, active=True)
    if not (webhooks or connections):
        return
    bodies = await call_bodies(session, calls)
    deliveries: list[Delivery] = []
    for call in calls:
        body = bodies[call.id]
        known = identifiers(body)
        again = kind is DeliveryKind.CALL_ATTRIBUTED
        by_visitor = by_moment = ""
        if again:  # a visitor that is found, lost and found again is sent to CRMs each time
            by_visitor, by_moment = call.visit_id or "nobody", now.isoformat()

        deliveries += _to_webhooks(webhooks, kind, call, body, by_visitor, now)
        for connection in _of_site(connections, call):
            receiver_kind = session.receiver_kinds.of(connection)
            useful = receiver_kind.can_use(connection, known)
            if not (useful or again):
                continue
            delivery = _to_connection(connection, receiver_kind, call, body, by_moment, now)
            # Unsent deliveries get the later attribution, even if it has no visitor.
            if not await session.deliveries.replace_pending(delivery) and (
                useful or await _was_told(session, connection, call)
            ):
                deliveries.append(delivery)
    await session.deliveries.add(deliveries)


async def enqueue_late_ids(session: Session, calls: Sequence[Call], now: datetime) -> None:
    """Enqueue calls again for receivers that got them without an identifier known now; once per
    set.
    """
    if not calls:
        return
    webhooks = await session.find(Webhook, active=True)
    connections = await session.find(Connection, active=True)
    if not (webhooks or connections):
        return
    bodies = await call_bodies(session, calls)
    deliveries: list[Delivery] = []
    for call in calls:
        body = bodies[call.id]
        ids = _ids(body)
        mark = f"ids-{hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:12]}"
        sent = await _ids_sent(session, call)
        lacking = [webhook for webhook in webhooks if sent.get(webhook.id) != ids]
        deliveries += _to_webhooks(lacking, DeliveryKind.CALL_ATTRIBUTED, call, body, mark, now)
        for connection in _of_site(connections, call):
            receiver_kind = session.receiver_kinds.of(connection)
            useful = receiver_kind.can_use(connection, identifiers(body))
            if sent.get(connection.id) == ids or not useful:
                continue
            delivery = _to_connection(connection, receiver_kind, call, body, mark, now)
            if delivery.deadline_at > now and not await session.deliveries.replace_pending(
                delivery
            ):
                deliveries.append(delivery)
    await session.deliveries.add(deliveries)


def _ids(body: Body) -> list[Any]:
    who = body["attribution"]
    visit = who["visit"] or {}
    clicks = sorted((visit.get("click_ids") or {}).items())
    return [
        who["ga_client_id"],
        who["ym_client_id"],
        visit.get("ga_session_id"),
        [list(pair) for pair in clicks],
    ]


async def _ids_sent(session: Session, call: Call) -> dict[str, list[Any]]:
    """The identifiers in the newest delivery of this call, by receiver."""
    kept = await session.deliveries.find(call_id=call.id, limit=200)
    newest_last = [delivery for delivery in reversed(kept) if delivery.kind in _OF_CALLS]
    return {delivery.receiver_id: _ids(delivery.payload) for delivery in newest_last}


def _of_site(connections: Sequence[Connection], call: Call) -> list[Connection]:
    return [connection for connection in connections if connection.site_id in {None, call.site_id}]


def _to_webhooks(
    webhooks: Sequence[Webhook],
    kind: DeliveryKind,
    call: Call,
    body: Body,
    mark: str,
    now: datetime,
) -> list[Delivery]:
    deliveries = []
    for webhook in webhooks:
        if webhook.site_id in {None, call.site_id}:
            deliveries.append(
                new_delivery(webhook, kind, call.id, body, id=new_id(now), now=now, mark=mark)
            )
    return deliveries


async def call_bodies(session: Session, calls: Sequence[Call]) -> dict[str, Body]:
    """The payload of each call, by its id."""
    visitors = await session.get_many(
        Visitor, {call.visitor_id for call in calls if call.visitor_id}
    )
    visits = await session.get_many(Visit, {call.visit_id for call in calls if call.visit_id})
    began = await session.earlier_calls.first({call.caller for call in calls if call.caller})
    tags = await session.tags.of(ids_of(calls))
    counts = await session.qualification.of(ids_of(calls))
    targets = {call_id for call_id, counted in counts.items() if counted.target}
    spam = {call_id for call_id, counted in counts.items() if counted.spam}

    def body(call: Call) -> Body:
        first = None
        if call.caller:
            first = call.arrived_at <= began.get((call.site_id, call.caller), call.arrived_at)

        return call_body(
            call,
            visitors.get(call.visitor_id or ""),
            visits.get(call.visit_id or ""),
            first=first,
            tags=[tag.name for tag in tags.get(call.id, ())],
            target=call.id in targets,
            spam=call.id in spam,
        )

    return {call.id: body(call) for call in calls}


def _to_connection(
    connection: Connection, kind: ReceiverKind, call: Call, body: Body, mark: str, now: datetime
) -> Delivery:
    """Enqueue for a connection: CRMs get updates of the attribution; analytics services only the
    first event.
    """
    deadline_at = now + _patience(connection)
    if kind.analytics:
        mark, deadline_at = "", (call.ended_at or now) + kind.cut_off

    delivery = new_delivery(
        connection,
        DeliveryKind.CALL_ENDED,
        call.id,
        body,
        id=new_id(now),
        now=now,
        mark=mark,
    )
    return replace(
        delivery,
        stream=_stream(connection, kind, call),
        event_at=call.arrived_at,
        due_at=kind.due(now),
        deadline_at=deadline_at,
    )


async def _was_told(session: Session, connection: Connection, call: Call) -> bool:
    """Whether a client ID may have been written that has to be removed."""
    if session.receiver_kinds.of(connection).analytics:
        return False
    kept = await session.find(Entity, call_id=call.id, connection_id=connection.id)
    return any(entity.client_id for entity in kept)


def _stream(connection: Connection, kind: ReceiverKind, call: Call) -> str:
    """The stream of a delivery: calls of one phone in mode own, so that the second finds the
    first's contact; otherwise each call.
    """
    if kind.analytics or connection.mode is Mode.TELEPHONY or call.caller is None:
        return call.id
    return call.caller


def _patience(connection: Connection) -> timedelta:
    wait = 0.0
    if connection.mode is Mode.TELEPHONY:
        wait = connection.rules.wait

    return DEADLINE + timedelta(seconds=wait)


async def enqueue_health(session: Session, health: ReceiverHealth, now: datetime) -> None:
    """Enqueue for every other webhook that this receiver fails, or has recovered."""
    kind = DeliveryKind.RECEIVER_RECOVERED
    if health.failing:
        kind = DeliveryKind.RECEIVER_FAILING

    about = {
        "id": health.receiver_id,
        "failures": health.failures,
        "refusals": health.refusals,
        "reason": as_json(health.reason),
        "paused_until": health.paused_until.isoformat(),
    }
    deliveries = []
    for webhook in await session.find(Webhook, active=True):
        if webhook.id == health.receiver_id:
            continue
        deliveries.append(
            new_delivery(
                webhook,
                kind,
                health.receiver_id,
                {"receiver": about},
                id=new_id(now),
                now=now,
                mark=now.isoformat(),
            )
        )

    await session.deliveries.add(deliveries)


async def enqueue_unrecorded(session: Session, calls: Sequence[Call], now: datetime) -> None:
    """Enqueue calls that Asterisk did not record for the CRMs that list calls."""
    came = [call for call in calls if call.direction is Direction.INCOMING]
    unrecorded = [call for call in came if call.spool_name is None]
    if not any(call.answered_at for call in unrecorded):
        return
    deliveries = list[Delivery]()
    for call in unrecorded:
        deliveries += await recording_deliveries(session, call, None, now)
    await session.deliveries.add(deliveries)


async def recording_deliveries(
    session: Session, call: Call, recording: Recording | None, now: datetime
) -> list[Delivery]:
    """A call with its recording to the CRMs whose lists of calls it goes into; an answered call
    goes there without a recording, too. No link is kept: it is signed when it is sent.
    """
    if call.answered_at is None and not _is_audible(recording):
        return []
    active = _of_site(await session.find(Connection, active=True), call)
    connections = [one for one in active if one.mode is Mode.OWN and one.rules.recordings]
    if not connections:
        return []
    body = (await call_bodies(session, [call]))[call.id]
    about = None
    if recording is not None:
        about = {"seconds": recording.seconds, "content_type": recording.content_type}

    body |= {"recording": about}
    made = []
    for connection in connections:
        delivery = new_delivery(
            connection, DeliveryKind.RECORDING_READY, call.id, body, id=new_id(now), now=now
        )
        stream = f"{call.id}:recording"
        made.append(replace(delivery, stream=stream, event_at=call.arrived_at))
    return made


def _is_audible(recording: Recording | None) -> bool:
    return recording is not None and recording.state is RecordingState.STORED
