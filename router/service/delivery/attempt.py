"""One attempt to send deliveries of a receiver, and its effect on the receiver's health."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from router.domain.delivery.codes import SendingCode
from router.domain.delivery.connection import ReceiverHealth, answered, failed, recovered, refused
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import (
    Delivery,
    Use,
    accept,
    fail,
    leave_to_person,
    postpone,
    settle,
    succeed,
)
from router.domain.delivery.outcome import Outcome, at_place
from router.errors import DatabaseUnavailable
from router.service.clock import Clock
from router.service.delivery.outbox import enqueue_health
from router.service.delivery.outcomes import (
    NeedsReview,
    NotYet,
    Receiver,
    ReceiverUnavailable,
    Refused,
    Sender,
    SendResult,
)
from router.service.ports import Session

log = structlog.get_logger()

LONGEST_ATTEMPT = 240.0  # seconds; shorter than the claim, so that two workers never send the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The result of a request: an outcome for each delivery."""

    outcomes: Sequence[Delivery] = ()
    sent: SendResult | None = None
    trouble: ReceiverUnavailable | None = None
    refusal: Outcome | None = None
    answered: bool = False


async def attempt(
    sender: Sender, clock: Clock, deliveries: Sequence[Delivery], receiver: Receiver
) -> Attempt:
    """Send once. Raises `DatabaseUnavailable`: then the result is unknown, and the claim
    expires.
    """
    try:
        async with asyncio.timeout(LONGEST_ATTEMPT):
            sent = await sender.send(deliveries, receiver)
        return Attempt(
            outcomes=[_after(delivery, sent, clock()) for delivery in deliveries],
            sent=sent,
            answered=True,
        )
    except TimeoutError:
        trouble = ReceiverUnavailable(SendingCode.NOT_DONE_IN_TIME, seconds=round(LONGEST_ATTEMPT))
    except ReceiverUnavailable as error:
        trouble = error
    except Refused as error:
        outcomes = [_refused(delivery, error.outcome, clock()) for delivery in deliveries]
        return Attempt(outcomes=outcomes, refusal=error.outcome)
    except NotYet as error:
        outcomes = [
            postpone(delivery, error.outcome, error.pause, clock()) for delivery in deliveries
        ]
        return Attempt(outcomes=outcomes, answered=True)
    except NeedsReview as error:
        outcomes = [
            leave_to_person(delivery, error.outcome, error.candidates) for delivery in deliveries
        ]
        return Attempt(outcomes=outcomes, answered=True)
    except DatabaseUnavailable:
        raise
    except Exception as error:
        # a bug stops this one, not the worker
        log.exception("delivery_broke", key=deliveries[0].key)
        fault = Outcome.of(SendingCode.INTERNAL_ERROR, detail=repr(error))
        return Attempt(outcomes=[fail(delivery, fault, clock()) for delivery in deliveries])
    outcomes = [
        fail(delivery, trouble.outcome, clock(), least=trouble.pause) for delivery in deliveries
    ]
    return Attempt(outcomes=outcomes, trouble=trouble)


def _refused(delivery: Delivery, reason: Outcome, now: datetime) -> Delivery:
    """Failed; but a wrong choice by a person needs review again."""
    if delivery.chosen is None:
        return fail(delivery, reason, now, final=True)
    chosen = Outcome.of(CrmCode.CHOICE_REFUSED, entity=delivery.chosen, reason=reason)
    return leave_to_person(delivery, chosen, delivery.candidates)


def _after(delivery: Delivery, sent: SendResult, now: datetime) -> Delivery:
    result = sent.results.get(delivery.key)
    if result is not None:
        return settle(delivery, result, now)
    if sent.look_in is not None:
        place = sent.records.get(delivery.key)
        if place is None:
            receipt = sent.said
        else:
            receipt = at_place(sent.said, place)

        return accept(delivery, receipt, sent.look_in, now)
    return succeed(delivery, sent.said, now)


async def keep_health(session: Session, receiver_id: str, tried: Attempt, now: datetime) -> None:
    """Update the receiver's health; notify webhooks when it begins to fail and when it recovers."""
    before = await session.receivers.lock(receiver_id, now)
    after = _health_after(before, tried, now)
    if after == before:
        return

    await session.receivers.save(after)
    if after.failing != before.failing:
        happened = "receiver_recovered"
        if after.failing:
            happened = "receiver_failing"

        log.warning(
            happened,
            receiver=receiver_id,
            reason=after.reason and str(after.reason),
        )
        await enqueue_health(session, after, now)


def _health_after(health: ReceiverHealth, tried: Attempt, now: datetime) -> ReceiverHealth:
    if tried.trouble is not None:
        return failed(health, tried.trouble.outcome, now, tried.trouble.pause)
    if tried.refusal is not None:
        return refused(health, tried.refusal, len(tried.outcomes))
    if tried.sent is not None and tried.sent.fault is not None:
        return refused(health, tried.sent.fault, len(tried.outcomes))
    if tried.sent is not None:
        reasons = [
            result.outcome for result in tried.sent.results.values() if result.use is Use.NEVER
        ]
        if reasons and len(reasons) == len(tried.outcomes):
            return refused(health, reasons[0], len(reasons))
        if health.failures or health.refusals:
            return recovered(health, now)
        return health
    if health.failures and tried.answered:
        return answered(health, now)
    return health
