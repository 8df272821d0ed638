"""What has to be told to another system, once: written with the fact, carried out later."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

DEADLINE = timedelta(days=3)  # a receiver may be down over a weekend
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)


class DeliveryKind(StrEnum):
    """What is told."""

    CALL_ENDED = "call.ended"
    CALL_JUDGED = "call.judged"  # another visitor was found since: a promo code was typed in, a form came
    RECORDING_READY = "recording.ready"
    MAIL_RECEIVED = "mail.received"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"  # given up; a person may send it again


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver of ours: an address that is told of calls. Its secret is derived, never stored here."""

    id: str
    url: str
    site_id: str | None = None  # None means calls of every site
    active: bool = True
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing to tell one outside system once; `key` is what the receiver recognises it by."""

    id: str
    key: str  # e.g. call.ended:pbx-1768912345.42; the same on every attempt
    receiver_id: str
    call_id: str | None  # None: it tells of mail
    kind: DeliveryKind
    payload: dict[str, Any]
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    due_at: datetime
    deadline_at: datetime
    created_at: datetime
    done_at: datetime | None = None
    last_error: str | None = None
    receipt: str | None = None  # the receiver's answer: status and the beginning of its body


def succeed(delivery: Delivery, receipt: str, now: datetime) -> Delivery:
    """The receiver took it."""
    return replace(
        delivery,
        state=DeliveryState.DONE,
        attempts=delivery.attempts + 1,
        done_at=now,
        receipt=receipt[:500],
        last_error=None,
    )


def fail(delivery: Delivery, reason: str, now: datetime, *, final: bool = False) -> Delivery:
    """It was not taken: try again after an exponential pause with jitter, or give up at the deadline.

    `final` says that trying again cannot help (the receiver refuses what we send).
    """
    attempts = delivery.attempts + 1
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311
    dead = final or now + pause >= delivery.deadline_at
    return replace(
        delivery,
        state=DeliveryState.DEAD if dead else DeliveryState.PENDING,
        attempts=attempts,
        due_at=now + pause,
        last_error=reason[:500],
    )


def resend(delivery: Delivery, now: datetime) -> Delivery:
    """Send once more by hand, under the same key."""
    return replace(delivery, state=DeliveryState.PENDING, due_at=now, deadline_at=now + DEADLINE, done_at=None)


def announce(
    webhook: Webhook,
    kind: DeliveryKind,
    subject: str,
    payload: dict[str, Any],
    *,
    id: str,  # noqa: A002
    now: datetime,
    mark: str = "",
) -> Delivery:
    """A new delivery of `payload` to `webhook`, due at once; `subject` is the ID of what it tells of.

    `mark` tells apart what may be told of one subject several times.
    """
    key = ":".join(part for part in (kind, subject, mark) if part)
    return Delivery(
        id=id,
        key=key,
        receiver_id=webhook.id,
        call_id=None if kind is DeliveryKind.MAIL_RECEIVED else subject,
        kind=kind,
        payload={"schema": 1, "event": str(kind), "key": key, "created_at": now.isoformat(), **payload},
        due_at=now,
        deadline_at=now + DEADLINE,
        created_at=now,
    )
