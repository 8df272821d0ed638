"""A call: one validated record, folded from the CEL log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.attribution.terms import Candidate, Share, Verdict
from router.domain.delivery.outcome import Outcome


class State(StrEnum):
    """Where a call is now."""

    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


class Direction(StrEnum):
    """Who called."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"  # the company called back; `caller` is the customer


class Disposition(StrEnum):
    """Result of a call, in Asterisk's words."""

    ANSWERED = "ANSWERED"
    NO_ANSWER = "NO ANSWER"
    BUSY = "BUSY"
    FAILED = "FAILED"
    CONGESTION = "CONGESTION"


class Ending(StrEnum):
    """Why a call ended, in the supervisor's words."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REFUSED = "refused"
    ABANDONED_RINGING = "abandoned_ringing"
    ABANDONED_EARLY = "abandoned_early"  # before any phone of the company rang
    ABANDONED = (
        "abandoned"  # while waiting in a queue, a menu or an announcement, before a person answered
    )
    LOST_IN_TRANSFER = "lost_in_transfer"  # transferred, but no person took the call
    UNREACHABLE = "unreachable"  # no destination could be reached
    CUT = "cut"  # Asterisk died during the call
    NOT_LOGGED = (
        "not_logged"  # the call came, but is missing in the CEL log, e.g. because of a full disk
    )


class RoutedBy(StrEnum):
    """Who chose the destination."""

    AGENT = "agent"
    DIALPLAN = "dialplan"  # the last known destination, without the agent
    DEFAULT = "default"  # the default line, for an unknown DID


class TransferKind(StrEnum):
    """How the company transferred the call."""

    BLIND = "blind"
    ATTENDED = "attended"
    PARK = "park"  # with a key; a transfer to the parking lot's extension is blind


class TransferOutcome(StrEnum):
    """Result of a transfer."""

    ANSWERED = "answered"
    RETURNED = "returned"  # the person who transferred took the call back
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    FAILED = "failed"  # the target could not be called
    ABANDONED_RINGING = "abandoned_ringing"  # the caller hung up while it rang
    ABANDONED = (
        "abandoned"  # the caller hung up while waiting: in a queue, a parking lot, an announcement
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A transfer by the company."""

    kind: TransferKind
    at: datetime
    to: str  # the extension dialled, else the endpoint that took over
    # None: not known yet, or stored by an older version
    outcome: TransferOutcome | None = None
    answered_by: str | None = None  # the endpoint of the person who took the call
    wait_seconds: float = 0.0  # from the transfer until a person took the call, or until the end


class PeriodKind(StrEnum):
    """Kind of a period."""

    WAIT = "wait"  # before the first answer
    TALK = "talk"  # with a person
    HOLD = "hold"  # the caller is on hold, or alone during a consultation
    TRANSFER = "transfer"  # after a transfer, until a person takes the call


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A part of a call. Periods follow one another without a gap, from arrival to end."""

    kind: PeriodKind
    started_at: datetime
    ended_at: datetime
    channels: tuple[str, ...] = ()  # the persons' channels that shared a bridge with the caller

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return max(0.0, (self.ended_at - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A phone put the other side on hold."""

    channel: str
    started_at: datetime
    ended_at: datetime | None = None  # None: until the channel left


def endpoint(channel: str) -> str:
    """`PJSIP/company-0000002a` → `company`; `Local/202@office-0000001;1` → `202`."""
    address = channel.partition("/")[2].rpartition("-")[0]
    if channel.startswith("Local/"):
        return address.partition("@")[0]
    return address


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One channel's part in a call."""

    channel: str
    role: str  # caller · company · other_caller (another call from outside, joined to this one)
    step: int  # which step of the destination dialled it; 0 for the caller
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None  # Q.850

    @property
    def endpoint(self) -> str:
        """Whose channel it is, in Asterisk's words."""
        return endpoint(self.channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call: all channels that share a linkedid. Times are aware UTC, durations seconds."""

    id: str  # the linkedid of its first channel
    direction: Direction = Direction.INCOMING
    call_back_id: str | None = None  # of an outgoing call, as the next two
    answers_call_id: str | None = None  # the call that it answers
    started_by: str | None = None  # login
    did: str  # as dialled on the trunk, digits and + only
    trunk: str
    number: str | None = None  # the tracking number, E.164; None for an unknown DID
    site_id: str | None = None
    caller: str | None = None  # E.164; None for anonymous, short and unreadable ones
    caller_raw: str = ""
    # the caller withheld the number (Privacy: id), or sent none
    withheld: bool = False
    # where a phone of the company wanted to forward the call (302); not followed
    forwarded_to: str | None = None
    caller_name: str = ""
    arrived_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    state: State
    disposition: Disposition | None = None
    ending: Ending | None = None
    wait_seconds: float = 0.0
    talk_seconds: float = 0.0  # with a person
    hold_seconds: float = 0.0
    transfer_seconds: float = 0.0  # after transfers; these four add up to the whole call
    destination_id: str | None = None
    answered_by: str | None = None  # the endpoint of the person who answered first
    last_answered_by: str | None = None  # … and of the one who talked to the caller last
    routed_by: RoutedBy | None = None
    transfers: tuple[Transfer, ...] = ()
    periods: tuple[Period, ...] = ()  # empty in calls stored by an older version
    legs: tuple[Leg, ...] = ()
    spool_name: str | None = None  # the pair of files that MixMonitor writes
    clock_stepped: bool = False  # the clock was changed during the call: times are estimates
    verdict: Verdict | None = None
    probability: float | None = None  # of the named visitor, or of an unknown caller
    candidates: tuple[Candidate, ...] = ()  # the candidates, the likeliest first
    origins: tuple[Share, ...] = ()  # possible origins of the caller; the rest, up to 1, is unknown
    lease_id: str | None = None
    visitor_id: str | None = None
    visit_id: str | None = None
    source: str | None = None  # the caller's source: sometimes known although the visitor is not
    channel: str | None = None
    code: str | None = None  # the promo code from the caller, typed in by the employee
    caller_region: str | None = None  # in English, by the number
    caller_operator: str | None = None
    keys: str = ""  # that phones of the company pressed, e.g. "*7 1": a pause begins a group
    revision: int = 0  # grows with each change; pages ask for newer ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A word set on a call, by a person or by a rule."""

    call_id: str
    name: str
    author: str  # login, or "rule"
    at: datetime
    at_seconds: float | None = None  # a moment of the recording
    colour: str | None = None  # of the registered tag of this name; read, never written


class RecordingState(StrEnum):
    """Where a call's audio is."""

    WAITING = "waiting"  # the call has ended, the worker has not finished
    STORED = "stored"
    DISCARDED = "discarded"  # an unanswered call leaves no file
    MISSING = "missing"  # no file: no side sent audio, or the disk was full
    BROKEN = "broken"  # kept with its reason


Span = tuple[float, float]  # begin and end in seconds of a recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Parts of a recording that can be heard of."""

    silences: tuple[Span, ...] = ()  # of both sides together, two seconds or longer
    talk_overs: tuple[Span, ...] = ()  # a second or longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One call's audio: caller on the left, company on the right."""

    call_id: str
    spool_name: str
    state: RecordingState
    expected_seconds: float  # from the first answer to the end, by the CEL log
    due_at: datetime  # the worker processes it from this time on
    attempts: int = 0
    reason: Outcome | None = None  # why there is no audio, or not yet
    key: str | None = None  # in the recording storage
    content_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    seconds: float | None = None
    caller_speech_seconds: float | None = None
    caller_silence_seconds: float | None = None
    company_speech_seconds: float | None = None
    company_silence_seconds: float | None = None
    talk_over_seconds: float | None = None
    caller_longest_silence_seconds: float | None = None
    company_longest_silence_seconds: float | None = None
    shared_silence_seconds: float | None = None  # the longest of both sides together
    caller_level_dbfs: float | None = None  # root mean square, in dB below full scale
    company_level_dbfs: float | None = None
    peaks: tuple[tuple[float, ...], ...] = ()  # caller, company; each 0…1
    spans: Spans | None = None  # None: stored by an older version
    warnings: tuple[Outcome, ...] = ()
    stored_at: datetime | None = None
    links_revoked: int = 0  # how often the links that need no log-in were ended by hand
