"""Calls with what is known of each."""

from datetime import datetime

from router.domain.attribution.terms import Evidence, Verdict
from router.domain.calls.call import (
    Direction,
    Disposition,
    Ending,
    PeriodKind,
    RoutedBy,
    State,
    TransferKind,
    TransferOutcome,
)
from router.domain.calls.tagging import TagColour
from router.web.api.models.base import Answer


class Transfer(Answer):
    """The company passed the call on."""

    kind: TransferKind
    """Kind of transfer."""

    at: datetime
    """When (UTC)."""

    to: str
    """The extension dialled, else the endpoint that took over."""

    outcome: TransferOutcome | None
    """Outcome; null: not known yet."""

    answered_by: str | None
    """The endpoint of the person who took the call."""

    wait_seconds: float
    """Seconds from the transfer until a person took the call, or until the end."""


class Period(Answer):
    """A part of a call; periods follow one another without a gap."""

    kind: PeriodKind
    """Kind of period."""

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
    """The lease; null: known only by a code, a form or an earlier call."""

    visitor_id: str
    """The visitor."""

    visit_id: str
    """The visit."""

    probability: float
    """How likely it is that this visitor called, 0 to 1."""

    evidence: tuple[Evidence, ...]
    """Evidence for and against it."""


class Call(Answer):
    """A call. Moments are UTC, durations seconds."""

    id: str
    """Asterisk's linkedid."""

    direction: Direction
    """`outgoing`: the company called back, and `caller` is the customer."""

    call_back_id: str | None
    """The call back that made this call, see `/call-backs/{id}`."""

    answers_call_id: str | None
    """The call that a call back answers."""

    started_by: str | None
    """Login of the user who called back."""

    did: str
    """The number as dialled on the trunk; of a call back, the number that the customer saw."""

    trunk: str
    """The trunk by which the call came."""

    number: str | None
    """The tracking number (E.164); null: the dialled number is not a tracking number."""

    site_id: str | None
    """The site of the number."""

    caller: str | None
    """The caller's number (E.164); null: withheld, short or not a phone number."""

    caller_raw: str
    """The caller's number as the trunk sent it."""

    withheld: bool
    """Whether the caller withheld the number, or sent none."""

    forwarded_to: str | None
    """Where a company phone wanted to forward the call; not followed."""

    caller_name: str
    """The caller's name as the trunk sent it."""

    arrived_at: datetime
    """When the call came (UTC)."""

    answered_at: datetime | None
    """When the company first answered (UTC)."""

    ended_at: datetime | None
    """When it ended (UTC); null: ongoing."""

    state: State
    """State of the call."""

    disposition: Disposition | None
    """Result, in Asterisk's words."""

    ending: Ending | None
    """Why it ended."""

    wait_seconds: float
    """Seconds from the arrival to the first answer, or to the end."""

    talk_seconds: float
    """Seconds with a person."""

    hold_seconds: float
    """Seconds on hold."""

    transfer_seconds: float
    """Seconds after transfers; the four durations add up to the whole call."""

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
    """Periods of the call; empty in calls stored by an older version."""

    legs: tuple[Leg, ...]
    """The channels that took part."""

    clock_stepped: bool
    """Whether the clock was changed during the call: times are estimates."""

    verdict: Verdict | None
    """How the call was matched to a visitor."""

    probability: float | None
    """Probability of the named visitor, or of an unknown caller; 0 to 1."""

    candidates: tuple[Candidate, ...]
    """Visitors who may have called, the likeliest first."""

    origins: tuple[tuple[str | None, str | None, float], ...]
    """`[source, channel, share]`: possible origins of the call. The rest, up to 1, is unknown."""

    lease_id: str | None
    """The lease that led to the call."""

    visitor_id: str | None
    """The visitor named."""

    visit_id: str | None
    """The visit named."""

    source: str | None
    """Traffic source; sometimes known although the visitor is not."""

    channel: str | None
    """Channel; sometimes known although the visitor is not."""

    code: str | None
    """Promo code that the caller read out."""

    caller_region: str | None
    """Region of the caller's number, in English."""

    caller_operator: str | None
    """Operator of the caller's number, in English."""

    keys: str
    """Keys that phones of the company pressed (DTMF), in groups, e.g. `*7 1`."""

    revision: int
    """Grows with each change of any call; pass it as `after`."""


class Tag(Answer):
    """A word set on a call."""

    call_id: str
    """The call."""

    name: str
    """The word."""

    author: str
    """The login, the token's name, `rule` (of Ringtrace) or `rule:desk` (of supervisors)."""

    at: datetime
    """When it was set (UTC)."""

    at_seconds: float | None
    """A moment of the recording, in seconds; null: the tag is of the whole call."""

    colour: TagColour | None
    """Its colour, if it is registered."""


class Review(Answer):
    """A person has reviewed a call."""

    person: str
    """The login, or the token's name."""

    at: datetime
    """When (UTC)."""
