"""One attempt to send deliveries of a receiver, and its effect on the receiver's health."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from router.domain.delivery.codes import SendingCode
from router.domain.delivery.connection import Account, answered, failed, recovered, refused
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
    NotYet,
    Receiver,
    ReceiverUnavailable,
    Refused,
    Sender,
    Taken,
    Undecided,
)
from router.service.ports import Session

log = structlog.get_logger()

LONGEST_ATTEMPT = 240.0  # seconds; shorter than the claim, so that two workers never send the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The result of a request: an outcome for each delivery."""

    outcomes: Sequence[Delivery] = ()
    taken: Taken | None = None
    trouble: ReceiverUnavailable | None = None
    refusal: Outcome | None = None
    answered: bool = False


async def attempt(
    courier: Sender, clock: Clock, deliveries: Sequence[Delivery], receiver: Receiver
) -> Attempt:
    """Send once. Raises `DatabaseUnavailable`: then the result is unknown, and the claim
    expires.
    """
    try:
        async with asyncio.timeout(LONGEST_ATTEMPT):
            taken = await courier.take(deliveries, receiver)
        return Attempt(
            outcomes=[_taken(one, taken, clock()) for one in deliveries], taken=taken, answered=True
        )
    except TimeoutError:
        trouble = ReceiverUnavailable(SendingCode.NOT_DONE_IN_TIME, seconds=round(LONGEST_ATTEMPT))
    except ReceiverUnavailable as error:
        trouble = error
    except Refused as error:
        outcomes = [_refused(one, error.outcome, clock()) for one in deliveries]
        return Attempt(outcomes=outcomes, refusal=error.outcome)
    except NotYet as error:
        outcomes = [postpone(one, error.outcome, error.pause, clock()) for one in deliveries]
        return Attempt(outcomes=outcomes, answered=True)
    except Undecided as error:
        outcomes = [leave_to_person(one, error.outcome, error.candidates) for one in deliveries]
        return Attempt(outcomes=outcomes, answered=True)
    except DatabaseUnavailable:
        raise
    except Exception as error:
        # a bug stops this one, not the worker
        log.exception("delivery_broke", key=deliveries[0].key)
        fault = Outcome.of(SendingCode.INTERNAL_ERROR, detail=repr(error))
        return Attempt(outcomes=[fail(one, fault, clock()) for one in deliveries])
    outcomes = [fail(one, trouble.outcome, clock(), least=trouble.pause) for one in deliveries]
    return Attempt(outcomes=outcomes, trouble=trouble)


def _refused(delivery: Delivery, reason: Outcome, now: datetime) -> Delivery:
    """Failed; but a wrong choice by a person needs review again."""
    if delivery.chosen is None:
        return fail(delivery, reason, now, final=True)
    chosen = Outcome.of(CrmCode.CHOICE_REFUSED, entity=delivery.chosen, reason=reason)
    return leave_to_person(delivery, chosen, delivery.candidates)


def _taken(delivery: Delivery, taken: Taken, now: datetime) -> Delivery:
    result = taken.results.get(delivery.key)
    if result is not None:
        return settle(delivery, result, now)
    if taken.look_in is not None:
        place = taken.records.get(delivery.key)
        receipt = taken.said if place is None else at_place(taken.said, place)
        return accept(delivery, receipt, taken.look_in, now)
    return succeed(delivery, taken.said, now)


async def keep_health(session: Session, receiver_id: str, tried: Attempt, now: datetime) -> None:
    """Update the receiver's health; notify webhooks when it begins to fail and when it recovers."""
    before = await session.receivers.lock(receiver_id, now)
    after = _health_after(before, tried, now)
    if after == before:
        return

    await session.receivers.save(after)
    if after.failing != before.failing:
        log.warning(
            "receiver_failing" if after.failing else "receiver_recovered",
            receiver=receiver_id,
            reason=after.reason and str(after.reason),
        )
        await enqueue_health(session, after, now)


def _health_after(account: Account, tried: Attempt, now: datetime) -> Account:
    if tried.trouble is not None:
        return failed(account, tried.trouble.outcome, now, tried.trouble.pause)
    if tried.refusal is not None:
        return refused(account, tried.refusal, len(tried.outcomes))
    if tried.taken is not None:
        reasons = [one.outcome for one in tried.taken.results.values() if one.use is Use.NEVER]
        if reasons and len(reasons) == len(tried.outcomes):
            return refused(account, reasons[0], len(reasons))
        return recovered(account, now) if account.failures or account.refusals else account
    return answered(account, now) if account.failures and tried.answered else account
