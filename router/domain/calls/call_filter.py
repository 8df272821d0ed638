"""Filters for calls, the same for pages, API, commands, exports and rules."""

from dataclasses import dataclass, fields
from datetime import datetime

from router.domain.calls.hours import Hours


@dataclass(frozen=True, slots=True)
class Among:
    """One of `values`; with `excluded`, none of them. An empty value means: not known."""

    values: tuple[str, ...]
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """At least `least` and at most `most`; None is no limit."""

    least: float | None = None
    most: float | None = None


Choice = str | Among
CHOICES = (
    "site_id",
    "number",
    "caller",
    "source",
    "campaign",
    "term",
    "channel",
    "destination_id",
    "employee",
    "scored",
    "ending",
    "verdict",
    "state",
    "direction",
    "tag",
    "visitor_id",
)
RANGES = ("wait", "talk", "silence", "talk_over", "probability", "score")
FLAGS = ("first", "reviewed", "recorded", "commented", "target", "spam", "to_review")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Filter for calls; None means any."""

    site_id: Choice | None = None
    number: Choice | None = None  # tracking number, E.164
    caller: Choice | None = None  # E.164
    source: Choice | None = None
    campaign: Choice | None = None
    term: Choice | None = None
    channel: Choice | None = None
    destination_id: Choice | None = None
    employee: Choice | None = None  # who answered first or talked last
    scored: Choice | None = None  # the employee whose score the call has
    ending: Choice | None = None
    verdict: Choice | None = None
    state: Choice | None = None
    direction: Choice | None = None
    tag: Choice | None = None
    visitor_id: Choice | None = None

    wait: Range | None = None  # seconds, as the next three
    talk: Range | None = None
    silence: Range | None = None  # the longest
    talk_over: Range | None = None
    probability: Range | None = None  # 0…1, of the named visitor
    score: Range | None = None  # 0…100

    first: bool | None = None  # the first call of this phone to the site
    reviewed: bool | None = None
    recorded: bool | None = None
    commented: bool | None = None
    target: bool | None = None  # a target call
    spam: bool | None = None
    to_review: bool | None = None  # a rule asks for a review, and there is none

    keys: str | None = None  # pressed on a phone of the company, e.g. *7
    entity: str | None = None  # the id of a CRM record of the call
    since: datetime | None = None
    until: datetime | None = None
    hours: Hours | None = None  # of the day, at arrival
    # search text: see `router.domain.calls.search`
    text: str | None = None

    def among(self, name: str) -> Among | None:
        """The choice of this name, in its general form."""
        choice: Choice | None = getattr(self, name)
        if isinstance(choice, str):
            return Among((str(choice),))
        return choice

    @property
    def is_empty(self) -> bool:
        """Whether every call matches."""
        return all(getattr(self, field.name) is None for field in fields(self))
