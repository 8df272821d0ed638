"""An account of the company's at a CRM or at an analytics service, and by which rules it is told of
calls.

Either we create what a call needs (`own`), or the company's telephony does and we only write the
client ID into what it created (`telephony`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.backoff import backoff
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.templates import Part
from router.domain.delivery.transfer_words import Language


class Mode(StrEnum):
    """Who creates entities."""

    OWN = "own"
    TELEPHONY = "telephony"


class Scenario(StrEnum):
    """What a new caller becomes, in mode `own`."""

    DEAL = "deal"
    CONTACT_DEAL = "contact_deal"
    LEAD = "lead"
    COMPANY_CONTACT_DEAL = "company_contact_deal"


class Repeat(StrEnum):
    """What a call becomes while a deal of its caller is open."""

    NOTE = "note"  # an event on the open deal
    DEAL = "deal"  # a new deal


class Missed(StrEnum):
    """What a call becomes that nobody answered."""

    CREATE = "create"  # the same as an answered one
    NOTE = "note"  # an event, and only if the caller is known
    SKIP = "skip"


class Overwrite(StrEnum):
    """What happens to a client ID that stands there already, in mode `telephony`."""

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
    shortest_talk: float = 0.0  # an answered call that was shorter is spam
    ignored: tuple[
        str, ...
    ] = ()  # callers (E.164) nobody is told of: the company's own phones, known spam
    # phone or destination → the CRM's user
    responsible: Mapping[str, str] = field(default_factory=dict)
    # telephony
    targets: tuple[EntityKind, ...] = (  # the wanted one first
        *(EntityKind.DEAL, EntityKind.LEAD, EntityKind.CONTACT, EntityKind.COMPANY),
    )
    before: float = 60.0  # an entity may have been created so long before the call reached us
    # after the call's end, until which nothing is decided: a second entity may yet appear
    settle: float = 10.0
    prefer: float = 60.0  # after the call's end, until which we wait for the first of `targets`
    wait: float = 900.0  # after the call's end, until it is listed for a person
    overwrite: Overwrite = Overwrite.NEVER
    # both
    # fact (see `call_event.FACTS`) → the CRM's own field
    fields: Mapping[str, str] = field(default_factory=dict)
    # required field of the CRM → text of new entities
    defaults: Mapping[str, str] = field(default_factory=dict)
    language: Language = Language.ENGLISH  # of what is written into the CRM
    # what it is for → template, where it is not the language's own
    templates: Mapping[Part, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One account. Its token is a secret, kept elsewhere."""

    id: str
    kind: str  # which adapter speaks to it: amocrm, bitrix24, …
    address: str  # of the account, e.g. https://example.amocrm.ru
    site_id: str | None = None  # None: calls of every site
    mode: Mode = Mode.OWN  # of a CRM; analytics have none
    rules: Rules = field(default_factory=Rules)
    # what this kind alone needs, e.g. a pipeline
    options: Mapping[str, str] = field(default_factory=dict)
    active: bool = True
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The health of a receiver, by the outcomes of its last deliveries. One that does not answer is
    paused.
    """

    receiver_id: str
    next_at: datetime  # the next request's place, if none went in a burst
    failures: int = 0  # attempts in a row without an answer
    refusals: int = 0  # deliveries in a row that it refused for good
    paused_until: datetime
    reason: str | None = None  # of the last failure or refusal

    @property
    def failing(self) -> bool:
        """Whether the administrator has to know: several in a row went wrong."""
        return max(self.failures, self.refusals) >= FAILURES


FAILURES = 3  # one after the other, from which on the account is paused
FIRST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(minutes=10)


def reserve(
    account: Account, per_second: float, burst: int, now: datetime
) -> tuple[Account, timedelta]:
    """A place in the row of requests: the account after it, and how long to wait for it.

    As in the leaky bucket of the ATM forum (GCRA): `burst` requests may go at once, then
    `per_second`.
    """
    step = timedelta(seconds=1 / per_second)
    place = max(account.next_at, now)
    return replace(account, next_at=place + step), max(
        timedelta(), place - step * (burst - 1) - now
    )


def failed(account: Account, reason: str, now: datetime, least: timedelta = timedelta()) -> Account:
    """It did not answer, or asked for patience of `least`."""
    if account.paused_until > now:  # several at once met the same trouble
        return account
    failures = account.failures + 1
    rest = (
        backoff(failures - FAILURES + 1, FIRST_REST, LONGEST_REST)
        if failures >= FAILURES
        else timedelta()
    )
    return replace(
        account, failures=failures, paused_until=now + max(rest, least), reason=reason[:300]
    )


def refused(account: Account, reason: str, deliveries: int = 1) -> Account:
    """It answered, and refused these deliveries for good."""
    return replace(account, failures=0, refusals=account.refusals + deliveries, reason=reason[:300])


def answered(account: Account, now: datetime) -> Account:
    """It answered, but nothing is done yet: earlier refusals still count."""
    reason = account.reason if account.refusals else None
    return replace(account, failures=0, reason=reason, paused_until=now)


def recovered(account: Account, now: datetime) -> Account:
    """It took a delivery, or a person says that it will."""
    return replace(account, failures=0, refusals=0, reason=None, paused_until=now)
