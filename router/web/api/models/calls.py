"""Calls with what is known of each."""

from datetime import datetime

from router.domain.attribution.terms import Evidence, Verdict
from router.domain.calls.call import (
    Disposition,
    Ending,
    PeriodKind,
    RoutedBy,
    State,
    TransferKind,
    TransferOutcome,
)
from router.web.api.models.base import Answer


class Transfer(Answer):
    """The company passed the call on."""

    kind: TransferKind
    """How it was passed on."""

    at: datetime
    """When (UTC)."""

    to: str
    """The extension dialled, else the endpoint that took over."""

    outcome: TransferOutcome | None
    """What came of it; null: not yet known."""

    answered_by: str | None
    """The endpoint of the person who took the call."""

    wait_seconds: float
    """Seconds from the transfer until a person took the call, or until the end."""


class Period(Answer):
    """A part of a call; periods follow one another without a gap."""

    kind: PeriodKind
    """What the caller was doing."""

    started_at: datetime
    """When it began (UTC)."""

    ended_at: datetime
    """When it ended (UTC)."""

    channels: tuple[str, ...]
    """Asterisk's channels of the persons in a bridge with the caller."""


class Leg(Answer):
    """One channel's part in a call."""

    channel: str
    """Asterisk's name of the channel."""

    role: str
    """`caller`, `company` or `other_caller`."""

    step: int
    """The destination's step that dialled it; 0 for the caller."""

    started_at: datetime
    """When it began (UTC)."""

    answered_at: datetime | None
    """When it was answered (UTC)."""

    ended_at: datetime | None
    """When it ended (UTC)."""

    cause: int | None
    """Hang-up cause (Q.850)."""


class Candidate(Answer):
    """A visitor who may have called."""

    lease_id: str | None
    """The lease; null: known by the code, a form or an earlier call alone."""

    visitor_id: str
    """The visitor."""

    visit_id: str
    """The visit."""

    probability: float
    """How likely it is that this visitor called, 0 to 1."""

    evidence: tuple[Evidence, ...]
    """What speaks for it or against it."""


class Call(Answer):
    """A call. Moments are UTC, durations seconds."""

    id: str
    """Asterisk's linkedid."""

    did: str
    """The number as dialled on the trunk."""

    trunk: str
    """The trunk by which the call came."""

    number: str | None
    """The tracking number (E.164); null: the number dialled is not one of ours."""

    site_id: str | None
    """The site of the number."""

    caller: str | None
    """The caller's number (E.164); null: withheld, short or not a phone number."""

    caller_raw: str
    """The caller's number as the trunk sent it."""

    withheld: bool
    """Whether the caller asked that the number is not shown, or sent none."""

    forwarded_to: str | None
    """Where a phone of the company wanted to forward the call; it is not followed."""

    caller_name: str
    """The caller's name as the trunk sent it."""

    arrived_at: datetime
    """When the call came (UTC)."""

    answered_at: datetime | None
    """When the company first answered (UTC)."""

    ended_at: datetime | None
    """When it ended (UTC); null: it goes on."""

    state: State
    """Where the call is now."""

    disposition: Disposition | None
    """How it came out, in Asterisk's words."""

    ending: Ending | None
    """Why it ended."""

    wait_seconds: float
    """Seconds from the arrival to the first answer, or to the end."""

    talk_seconds: float
    """Seconds with a person."""

    hold_seconds: float
    """Seconds on hold."""

    transfer_seconds: float
    """Seconds behind transfers; the four durations add up to the whole call."""

    destination_id: str | None
    """The destination that the call was routed to."""

    answered_by: str | None
    """The endpoint of the person who answered first."""

    last_answered_by: str | None
    """The endpoint of the person who talked to the caller last."""

    routed_by: RoutedBy | None
    """Who chose the destination."""

    transfers: tuple[Transfer, ...]
    """Transfers in their order."""

    periods: tuple[Period, ...]
    """The course of the call; empty in calls stored by an older version."""

    legs: tuple[Leg, ...]
    """The channels that took part."""

    clock_stepped: bool
    """Whether the clock was set during the call: its times are estimates."""

    verdict: Verdict | None
    """How the call was matched to a visitor."""

    probability: float | None
    """Of the visitor named, or of an unknown caller when none is named; 0 to 1."""

    candidates: tuple[Candidate, ...]
    """Visitors who may have called, the likeliest first."""

    origins: tuple[tuple[str | None, str | None, float], ...]
    """`[source, channel, share]`: where the call may have come from. What is missing to 1 is
    unknown."""

    lease_id: str | None
    """The lease that led to the call."""

    visitor_id: str | None
    """The visitor named."""

    visit_id: str | None
    """The visit named."""

    source: str | None
    """Traffic source; known at times when the visitor is not."""

    channel: str | None
    """Channel; known at times when the visitor is not."""

    code: str | None
    """Promo code that the caller read out."""

    caller_region: str | None
    """Region that the caller's number was given to, in English."""

    caller_operator: str | None
    """Operator that the caller's number was given to, in English."""

    revision: int
    """Grows with each change of any call: ask for calls changed `after` it."""


class Tag(Answer):
    """A word set on a call."""

    call_id: str
    """The call."""

    name: str
    """The word."""

    author: str
    """The login, the token's name, or `rule`."""

    at: datetime
    """When it was set (UTC)."""
