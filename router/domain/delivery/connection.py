"""A connection to a CRM or an analytics service, with its rules. Either Ringtrace creates the
entities of a call (`own`), or the company's telephony does and Ringtrace only writes the client
ID into them (`telephony`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.backoff import backoff
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.outcome import Outcome
from router.domain.delivery.templates import Part
from router.domain.language import Language


class Mode(StrEnum):
    """Who creates entities."""

    OWN = "own"
    TELEPHONY = "telephony"


class Scenario(StrEnum):
    """What is created for a new caller, in mode `own`."""

    DEAL = "deal"
    CONTACT_DEAL = "contact_deal"
    LEAD = "lead"
    COMPANY_CONTACT_DEAL = "company_contact_deal"


class Repeat(StrEnum):
    """What is created for a caller with an open deal."""

    NOTE = "note"  # a note on the open deal
    DEAL = "deal"  # a new deal


class Missed(StrEnum):
    """What is created for a missed call."""

    CREATE = "create"  # the same as an answered one
    NOTE = "note"  # a note, only if the caller is known
    SKIP = "skip"


class Overwrite(StrEnum):
    """Whether a client ID that is already in the field is replaced, in mode `telephony`."""

    NEVER = "never"
    ALWAYS = "always"


SCENARIO_KINDS: Mapping[Scenario, tuple[EntityKind, ...]] = {
    Scenario.DEAL: (EntityKind.DEAL,),
    Scenario.CONTACT_DEAL: (EntityKind.CONTACT, EntityKind.DEAL),
    Scenario.LEAD: (EntityKind.LEAD,),
    Scenario.COMPANY_CONTACT_DEAL: (EntityKind.COMPANY, EntityKind.CONTACT, EntityKind.DEAL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How calls become entities. Times are seconds."""

    # own
    scenario: Scenario = Scenario.CONTACT_DEAL
    repeat: Repeat = Repeat.NOTE
    missed: Missed = Missed.CREATE
    shortest_talk: float = 0.0  # answered calls with a shorter talk time are spam
    ignored: tuple[str, ...] = ()  # ignored callers (E.164): the company's own phones, known spam
    # phone or destination → the CRM's user
    responsible: Mapping[str, str] = field(default_factory=dict)
    # telephony
    targets: tuple[EntityKind, ...] = (  # the preferred one first
        *(EntityKind.DEAL, EntityKind.LEAD, EntityKind.CONTACT, EntityKind.COMPANY),
    )
    before: float = 60.0  # accept entities created up to this long before the call
    # wait this long after the call before deciding: a second entity may appear
    settle: float = 10.0
    prefer: float = 60.0  # wait this long after the call for the first of `targets`
    wait: float = 900.0  # search this long after the call; then it needs review
    overwrite: Overwrite = Overwrite.NEVER
    # both
    # fact (see `call_event.FACTS`) → the CRM's own field
    fields: Mapping[str, str] = field(default_factory=dict)
    # required field of the CRM → text of new entities
    defaults: Mapping[str, str] = field(default_factory=dict)
    language: Language | None = None  # of what is written into the CRM; None: the site's
    # what it is for → template, where it is not the language's own
    templates: Mapping[Part, str] = field(default_factory=dict)
    task: bool = False  # a task in the CRM for each missed call
    task_user: str | None = None  # the CRM user who gets it if the caller is unknown
    recordings: bool = False  # own: into the CRM's list of calls, by a link
    recording_days: float = 90.0  # for which the link works


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One account; its token is stored with the secrets."""

    id: str
    kind: str  # its adapter: amocrm, bitrix24, …
    address: str  # of the account, e.g. https://example.amocrm.ru
    site_id: str | None = None  # None: calls of every site
    mode: Mode = Mode.OWN  # CRMs only
    rules: Rules = field(default_factory=Rules)
    # options of this kind, e.g. a pipeline
    options: Mapping[str, str] = field(default_factory=dict)
    active: bool = True
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverHealth:
    """The health of a receiver, by the outcomes of its last deliveries. One that does not answer is
    paused.
    """

    receiver_id: str
    next_at: datetime  # time of the next request, without a burst
    failures: int = 0  # attempts in a row without an answer
    refusals: int = 0  # deliveries in a row that it refused for good
    paused_until: datetime
    reason: Outcome | None = None  # of the last failure or refusal

    @property
    def failing(self) -> bool:
        """Whether the administrator should know: several failures in a row."""
        return max(self.failures, self.refusals) >= FAILURES


FAILURES = 3  # failures in a row after which the receiver is paused
FIRST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(minutes=10)


def reserve(
    health: ReceiverHealth, per_second: float, burst: int, now: datetime
) -> tuple[ReceiverHealth, timedelta]:
    """Reserve a slot for a request: the health afterwards, and how long to wait. A leaky bucket
    (GCRA): `burst` requests at once, then `per_second`.
    """
    step = timedelta(seconds=1 / per_second)
    place = max(health.next_at, now)
    return replace(health, next_at=place + step), max(timedelta(), place - step * (burst - 1) - now)


def failed(
    health: ReceiverHealth, reason: Outcome, now: datetime, least: timedelta = timedelta()
) -> ReceiverHealth:
    """It did not answer, or asked to wait for `least`."""
    if health.paused_until > now:  # concurrent attempts met the same failure
        return health
    failures = health.failures + 1
    rest = timedelta()
    if failures >= FAILURES:
        rest = backoff(failures - FAILURES + 1, FIRST_REST, LONGEST_REST)
    return replace(health, failures=failures, paused_until=now + max(rest, least), reason=reason)


def refused(health: ReceiverHealth, reason: Outcome, deliveries: int = 1) -> ReceiverHealth:
    """It refused these deliveries for good."""
    return replace(health, failures=0, refusals=health.refusals + deliveries, reason=reason)


def answered(health: ReceiverHealth, now: datetime) -> ReceiverHealth:
    """It answered without a result yet: earlier refusals still count."""
    reason = None
    if health.refusals:
        reason = health.reason
    return replace(health, failures=0, reason=reason, paused_until=now)


def recovered(health: ReceiverHealth, now: datetime) -> ReceiverHealth:
    """It accepted a delivery, or a person resends."""
    return replace(health, failures=0, refusals=0, reason=None, paused_until=now)
