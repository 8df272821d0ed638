"""Outbox entry: written in the event's transaction, delivered later, exactly once per key."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from router.domain.backoff import backoff
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import Found, Ref
from router.domain.delivery.outcome import Outcome
from router.domain.text import one_line

DEADLINE = timedelta(days=3)  # a receiver may be down over a weekend
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
FIRST_REPEAT, LONGEST_REPEAT = timedelta(hours=1), timedelta(days=1)
MOST_CANDIDATES = 10
MOST_SHOWN = 500  # letters of a candidate's title
MOST_FORMER = 20
FORMER = "former"  # in a payload: earlier payloads that may have been sent


class DeliveryKind(StrEnum):
    """Kind of event."""

    CALL_ENDED = "call.ended"
    # the attribution changed (a promo code, a form), or an identifier became known
    CALL_ATTRIBUTED = "call.attributed"
    CALL_QUALIFIED = "call.qualified"  # it became a target call or spam, or is none any more
    RECORDING_READY = "recording.ready"
    MAIL_RECEIVED = "mail.received"
    SALE_MADE = "sale.made"  # a sale was reported through the API
    RECEIVER_FAILING = "receiver.failing"  # it does not answer, or refuses deliveries
    RECEIVER_RECOVERED = "receiver.recovered"


class Use(StrEnum):
    """How a service used one record."""

    USED = "used"
    COUNTED_BEFORE = "counted before"  # an earlier attempt, whose answer was lost, succeeded
    LATER = "later"  # it cannot be used yet
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a service used one record, with its message."""

    use: Use
    outcome: Outcome


class DeliveryState(StrEnum):
    """State of a delivery."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"  # a person can resend it
    NEEDS_REVIEW = "needs_review"  # a person has to choose the entity
    DISMISSED = "dismissed"  # by a person


_OF_CALLS = frozenset(DeliveryKind) - {
    DeliveryKind.MAIL_RECEIVED,
    DeliveryKind.RECEIVER_FAILING,
    DeliveryKind.RECEIVER_RECOVERED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook: an address that gets events. Its secret is derived, not stored here."""

    id: str
    url: str
    site_id: str | None = None  # None means calls of every site
    active: bool = True
    created_at: datetime


def shown(webhook: Webhook) -> Webhook:
    """A webhook without the password in its address: older versions took such addresses."""
    address = urlsplit(webhook.url)
    if "@" not in address.netloc:
        return webhook
    hidden = address._replace(netloc=f"…@{address.netloc.rpartition('@')[2]}")
    return replace(webhook, url=hidden.geturl())


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one receiver; the receiver recognises repetitions by `key`."""

    id: str
    key: str  # e.g. call.ended:pbx-1768912345.42; the same on every attempt
    receiver_id: str
    call_id: str | None  # None: it is about mail or a receiver
    kind: DeliveryKind
    payload: dict[str, Any]
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    due_at: datetime
    deadline_at: datetime
    created_at: datetime
    done_at: datetime | None = None
    last_error: Outcome | None = None
    receipt: Outcome | None = None  # while pending: accepted, being processed
    # deliveries of one stream are sent one at a time, in the order of their moments
    stream: str | None = None
    event_at: datetime | None = None  # time of the event
    claimed_until: datetime | None = None  # a worker is sending it
    revision: int = 0  # version of the payload: a later fact replaces an unsent one
    candidates: tuple[Found, ...] = ()  # for a person to choose from
    chosen: Ref | None = None  # chosen by a person

    @property
    def answer(self) -> Outcome | None:
        """What was said last."""
        return self.last_error or self.receipt


def succeed(delivery: Delivery, receipt: Outcome, now: datetime) -> Delivery:
    """The receiver accepted it."""
    return replace(
        delivery,
        state=DeliveryState.DONE,
        attempts=delivery.attempts + 1,
        done_at=now,
        receipt=receipt,
        last_error=None,
    )


def accept(delivery: Delivery, receipt: Outcome, pause: timedelta, now: datetime) -> Delivery:
    """The receiver accepted it and is processing it: after the pause its result is requested."""
    waits = postpone(delivery, receipt, pause, now)
    return replace(waits, receipt=receipt, last_error=None)


def settle(delivery: Delivery, result: Result, now: datetime) -> Delivery:
    """Apply the result that a service reported."""
    match result.use:
        case Use.USED | Use.COUNTED_BEFORE:
            return succeed(delivery, result.outcome, now)
        case Use.LATER:
            return repeat(delivery, result.outcome, now)
        case Use.NEVER:
            return fail(delivery, result.outcome, now, final=True)


def repeat(delivery: Delivery, reason: Outcome, now: datetime) -> Delivery:
    """The service cannot use it yet: retry after a pause as long as the time since the start, or
    fail.
    """
    pause = min(max(now - delivery.created_at, FIRST_REPEAT), LONGEST_REPEAT)
    waits = fail(delivery, reason, now, least=pause)
    # later requests are counted from then on
    return replace(waits, receipt=None, attempts=0)


def fail(
    delivery: Delivery,
    reason: Outcome,
    now: datetime,
    *,
    final: bool = False,
    least: timedelta = timedelta(),
) -> Delivery:
    """The attempt failed: retry after an exponential pause with jitter, or fail at the deadline.
    `final`: retrying cannot help (the receiver refuses the data); `least`: the pause that the
    receiver asked for.
    """
    attempts = delivery.attempts + 1
    pause = max(backoff(attempts, FIRST_PAUSE, LONGEST_PAUSE), least)
    state = DeliveryState.PENDING
    if final or now + pause >= delivery.deadline_at:
        state = DeliveryState.FAILED
    return replace(
        delivery,
        state=state,
        attempts=attempts,
        due_at=now + pause,
        last_error=reason,
    )


def postpone(delivery: Delivery, reason: Outcome, pause: timedelta, now: datetime) -> Delivery:
    """Not a failure: the awaited entity does not exist yet."""
    return replace(delivery, attempts=delivery.attempts + 1, due_at=now + pause, last_error=reason)


def leave_to_person(delivery: Delivery, reason: Outcome, candidates: Sequence[Found]) -> Delivery:
    """A person has to choose the entity."""
    return replace(
        delivery,
        state=DeliveryState.NEEDS_REVIEW,
        attempts=delivery.attempts + 1,
        last_error=reason,
        candidates=tuple(_harmless(entity) for entity in candidates[:MOST_CANDIDATES]),
        chosen=None,
    )


def _harmless(entity: Found) -> Found:
    client_id, created_at = entity.client_id, entity.created_at
    if client_id is not None:
        client_id = one_line(client_id, MOST_SHOWN)
    if created_at is not None and not 1970 < created_at.year < 3000:
        created_at = None

    phones = tuple(one_line(phone, MOST_SHOWN) for phone in entity.phones)
    title = one_line(entity.title, MOST_SHOWN)
    return replace(entity, title=title, phones=phones, client_id=client_id, created_at=created_at)


def choose(delivery: Delivery, ref: Ref, now: datetime) -> Delivery:
    """A person chose the entity."""
    return replace(resend(delivery, now), chosen=ref)


def resend(delivery: Delivery, now: datetime) -> Delivery:
    """Resend manually, with the same key."""
    until = now + DEADLINE
    return replace(
        delivery,
        state=DeliveryState.PENDING,
        due_at=now,
        deadline_at=until,
        done_at=None,
        receipt=None,
    )


def dismiss(delivery: Delivery) -> Delivery:
    """A person dismissed it."""
    return replace(delivery, state=DeliveryState.DISMISSED, candidates=(), chosen=None)


def replaced(delivery: Delivery, payload: dict[str, Any]) -> dict[str, Any]:
    """The new payload, including those that an attempt may have sent before."""
    former = [*delivery.payload.get(FORMER, ())]
    if delivery.attempts or delivery.claimed_until is not None:
        former.append({name: part for name, part in delivery.payload.items() if name != FORMER})
    if former:
        return {**payload, FORMER: former[-MOST_FORMER:]}
    return payload


def new_delivery(
    receiver: Webhook | Connection,
    kind: DeliveryKind,
    subject: str,
    payload: dict[str, Any],
    *,
    id: str,  # noqa: A002
    now: datetime,
    mark: str = "",
) -> Delivery:
    """A new delivery of `payload` to `receiver`, due at once; `subject` is the ID of its object.
    `mark` distinguishes several events of one subject.
    """
    key = ":".join(part for part in (kind, subject, mark) if part)
    call_id = None
    if kind in _OF_CALLS:
        call_id = subject
    return Delivery(
        id=id,
        key=key,
        receiver_id=receiver.id,
        call_id=call_id,
        kind=kind,
        payload={
            "schema": 1,
            "event": str(kind),
            "key": key,
            "created_at": now.isoformat(),
            **payload,
        },
        due_at=now,
        deadline_at=now + DEADLINE,
        created_at=now,
    )
