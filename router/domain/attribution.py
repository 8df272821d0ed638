"""Who it was that called: a verdict from the lease ledger at the moment of the call, never a guess."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.lease import Lease
from router.domain.site import NumberKind, TrackingNumber

LOOK_BACK = timedelta(days=30)  # a number written down is dialled days later; after a month it says nothing


class Verdict(StrEnum):
    """How a call was matched to a visitor."""

    EXACT = "exact"  # the visitor was on the page
    FROZEN = "frozen"  # the visitor had left, the number was still theirs alone
    STALE = "stale"  # the lease was over and nobody else had the number since
    STATIC = "static"  # the number stands for a channel, not for a visitor
    UNKNOWN = "unknown"  # nothing is known; an answer like the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A verdict and the lease it rests on."""

    verdict: Verdict
    lease: Lease | None = None


def attribute(number: TrackingNumber | None, last_lease: Lease | None, at: datetime) -> Attribution:
    """Judge a call at `at`, given the last lease of the number called that began at or before `at`.

    `number` is None when it is not set up, or not any more; its leases outlive it.
    """
    if number is not None and number.kind is NumberKind.STATIC:
        return Attribution(verdict=Verdict.STATIC)
    if last_lease is None or at >= last_lease.ends_at + LOOK_BACK:
        return Attribution(verdict=Verdict.UNKNOWN)
    if at < last_lease.frozen_at:
        return Attribution(verdict=Verdict.EXACT, lease=last_lease)
    if at < last_lease.ends_at:
        return Attribution(verdict=Verdict.FROZEN, lease=last_lease)
    return Attribution(verdict=Verdict.STALE, lease=last_lease)
