"""What has to be told to another system, once: written with the fact, carried out later."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from router.domain.backoff import backoff
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import Found, Ref
from router.domain.text import one_line

DEADLINE = timedelta(days=3)  # a receiver may be down over a weekend
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
FIRST_REPEAT, LONGEST_REPEAT = timedelta(hours=1), timedelta(days=1)
RECORD = "; record "  # in a receipt of many: the place of this one among them
MOST_CANDIDATES = 10
MOST_SAID = 500  # letters kept of what another system said
MOST_FORMER = 20
FORMER = "former"  # in a payload: those that it replaced when they may have been told already


class DeliveryKind(StrEnum):
    """What is told."""

    CALL_ENDED = "call.ended"
    # another visitor was found since (a promo code, a form), or an identifier of theirs
    CALL_JUDGED = "call.judged"
    RECORDING_READY = "recording.ready"
    MAIL_RECEIVED = "mail.received"
    SALE_MADE = "sale.made"  # the API told what a call was worth
    RECEIVER_FAILING = "receiver.failing"  # it does not answer, or refuses what it is sent
    RECEIVER_RECOVERED = "receiver.recovered"


class Use(StrEnum):
    """What a service made of one record of many."""

    USED = "used"
    COUNTED_BEFORE = "counted before"  # an attempt whose answer was lost brought it
    LATER = "later"  # it cannot use it yet
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a service made of one record, in words too."""

    use: Use
    said: str


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"  # given up; a person may send it again
    UNDECIDED = "undecided"  # a person has to say which entity is meant
    DROPPED = "dropped"  # a person said that it need not be told


_OF_CALLS = frozenset(DeliveryKind) - {
    DeliveryKind.MAIL_RECEIVED,
    DeliveryKind.RECEIVER_FAILING,
    DeliveryKind.RECEIVER_RECOVERED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver of ours: an address that is told of calls. Its secret is derived, never stored
    here.
    """

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
    """One thing to tell one outside system once; `key` is what the receiver recognises it by."""

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
    last_error: str | None = None
    receipt: str | None = None  # the receiver's answer; while pending: it took it, and works on it
    # deliveries of one stream go one after the other, by the moments they tell of
    stream: str | None = None
    told_at: datetime | None = None  # the moment that is told of
    claimed_until: datetime | None = None  # a worker carries it out just now
    revision: int = 0  # of the payload: a later fact replaces one that has not been sent
    candidates: tuple[Found, ...] = ()  # among which a person has to choose
    chosen: Ref | None = None  # what a person said


def succeed(delivery: Delivery, receipt: str, now: datetime) -> Delivery:
    """The receiver took it."""
    return replace(
        delivery,
        state=DeliveryState.DONE,
        attempts=delivery.attempts + 1,
        done_at=now,
        receipt=_shown(receipt),
        last_error=None,
    )


def accept(delivery: Delivery, receipt: str, pause: timedelta, now: datetime) -> Delivery:
    """The receiver took it and works on it: after the pause it is asked what came of it."""
    waits = postpone(delivery, "", pause, now)
    return replace(waits, receipt=_shown(receipt), last_error=None)


def settle(delivery: Delivery, outcome: Outcome, now: datetime) -> Delivery:
    """A service said what it made of this one."""
    match outcome.use:
        case Use.USED | Use.COUNTED_BEFORE:
            return succeed(delivery, outcome.said, now)
        case Use.LATER:
            return repeat(delivery, outcome.said, now)
        case Use.NEVER:
            return fail(delivery, outcome.said, now, final=True)


def repeat(delivery: Delivery, reason: str, now: datetime) -> Delivery:
    """The service cannot use it yet: send it again after a pause as long as the time since it
    began, or give up.
    """
    pause = min(max(now - delivery.created_at, FIRST_REPEAT), LONGEST_REPEAT)
    waits = fail(delivery, reason, now, least=pause)
    # what it is asked from then on is counted from there
    return replace(waits, receipt=None, attempts=0)


def request_of(receipt: str | None) -> str | None:
    """What the receipts of one request have in common."""
    return receipt if receipt is None else receipt.rpartition(RECORD)[0] or receipt


def record_of(receipt: str | None) -> int | None:
    """The place in its request that a receipt tells of, from 0."""
    _, named, place = (receipt or "").rpartition(RECORD)
    return (
        int(place) if named and place.isdecimal() and place.isascii() and len(place) < 6 else None
    )


def fail(
    delivery: Delivery,
    reason: str,
    now: datetime,
    *,
    final: bool = False,
    least: timedelta = timedelta(),
) -> Delivery:
    """It was not taken: try again after an exponential pause with jitter, or give up at the
    deadline.

    `final` says that trying again cannot help (the receiver refuses what we send); `least` is what
    the receiver asked us to wait.
    """
    attempts = delivery.attempts + 1
    pause = max(backoff(attempts, FIRST_PAUSE, LONGEST_PAUSE), least)
    dead = final or now + pause >= delivery.deadline_at
    return replace(
        delivery,
        state=DeliveryState.DEAD if dead else DeliveryState.PENDING,
        attempts=attempts,
        due_at=now + pause,
        last_error=_shown(reason),
    )


def postpone(delivery: Delivery, reason: str, pause: timedelta, now: datetime) -> Delivery:
    """Nothing went wrong, but what is waited for is not there yet."""
    return replace(
        delivery, attempts=delivery.attempts + 1, due_at=now + pause, last_error=_shown(reason)
    )


def leave_to_person(delivery: Delivery, reason: str, candidates: Sequence[Found]) -> Delivery:
    """Nobody but a person can say which entity is meant."""
    return replace(
        delivery,
        state=DeliveryState.UNDECIDED,
        attempts=delivery.attempts + 1,
        last_error=_shown(reason),
        candidates=tuple(_harmless(one) for one in candidates[:MOST_CANDIDATES]),
        chosen=None,
    )


def _shown(text: str) -> str:
    """What another system said, fit for the database and for a page."""
    return one_line(text, MOST_SAID)


def _harmless(one: Found) -> Found:
    client_id = None if one.client_id is None else _shown(one.client_id)
    phones = tuple(_shown(phone) for phone in one.phones)
    sane = one.created_at is not None and 1970 < one.created_at.year < 3000
    created_at = one.created_at if sane else None
    return replace(
        one, title=_shown(one.title), phones=phones, client_id=client_id, created_at=created_at
    )


def choose(delivery: Delivery, ref: Ref, now: datetime) -> Delivery:
    """A person said which entity is meant."""
    return replace(resend(delivery, now), chosen=ref)


def resend(delivery: Delivery, now: datetime) -> Delivery:
    """Send once more by hand, under the same key."""
    until = now + DEADLINE
    return replace(
        delivery,
        state=DeliveryState.PENDING,
        due_at=now,
        deadline_at=until,
        done_at=None,
        receipt=None,
    )


def drop(delivery: Delivery) -> Delivery:
    """A person said that it need not be told."""
    return replace(delivery, state=DeliveryState.DROPPED, candidates=(), chosen=None)


def replaced(delivery: Delivery, payload: dict[str, Any]) -> dict[str, Any]:
    """What is told instead of its payload; what an attempt may have told before goes along."""
    former = [*delivery.payload.get(FORMER, ())]
    if delivery.attempts or delivery.claimed_until is not None:
        former.append({name: part for name, part in delivery.payload.items() if name != FORMER})
    return {**payload, FORMER: former[-MOST_FORMER:]} if former else payload


def announce(
    receiver: Webhook | Connection,
    kind: DeliveryKind,
    subject: str,
    payload: dict[str, Any],
    *,
    id: str,  # noqa: A002
    now: datetime,
    mark: str = "",
) -> Delivery:
    """A new delivery of `payload` to `receiver`, due at once; `subject` is the ID of what it tells
    of.

    `mark` tells apart what may be told of one subject several times.
    """
    key = ":".join(part for part in (kind, subject, mark) if part)
    return Delivery(
        id=id,
        key=key,
        receiver_id=receiver.id,
        call_id=subject if kind in _OF_CALLS else None,
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
