"""Rules, and what calls count as."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from router.domain.calls.rules import RuleState
from router.service.calls.rules import MOST_NAME, RuleView, Trial, Wanted
from router.web.api.models.base import Answer, Body

Query = Annotated[str, Field(min_length=1, max_length=4000)]


class Rule(Answer):
    """Sets something on each call that matches its conditions."""

    id: str
    """The rule's id."""

    name: str
    """Its name."""

    query: str
    """Its conditions, as the address of the list of calls says them."""

    tag: str | None
    """The tag that it sets."""

    target: bool
    """Whether it makes target calls."""

    spam: bool
    """Whether it marks calls as spam."""

    review: bool
    """Whether it asks for a review."""

    state: RuleState
    """`paused` and `removed`: what it set is taken back."""

    author: str
    """The login, or `api:` and the token's name."""

    created_at: datetime
    """When it was kept (UTC)."""

    since: datetime
    """It applies to calls that arrived then or later (UTC)."""

    is_working: bool
    """Whether it is being applied to past calls."""

    past_calls: int
    """How many of them match, counted up to 10,001."""

    past_done: int
    """How many of them are done."""


class CountedRule(Answer):
    """A rule, and how many calls it matches."""

    rule: Rule
    """The rule."""

    calls: int
    """How many calls it matches now; of one that is taken back, how many are left."""

    @classmethod
    def of_view(cls, view: RuleView) -> Self:
        """The same from the service's view."""
        return cls.of({"rule": Rule.of(view.rule), "calls": view.calls})


class Conditions(Body):
    """Conditions to try."""

    query: Query
    """Filters as the address of the list of calls says them, e.g. `talk_from=60&site=shop`."""


class Tried(Answer):
    """What conditions match among past calls."""

    calls: int
    """How many calls match, counted up to 10,001."""

    is_exact: bool
    """Whether all past calls were looked at; otherwise at least so many match."""

    examples: tuple[str, ...]
    """The ids of the newest ten."""

    @classmethod
    def of_trial(cls, trial: Trial) -> Self:
        """The same from the service's value."""
        ids = [line.call.id for line in trial.examples]
        return cls.of({"calls": trial.calls, "is_exact": trial.is_exact, "examples": ids})


class NewRule(Body):
    """A rule to keep."""

    name: Annotated[str, Field(min_length=1, max_length=MOST_NAME)]
    """Its name."""

    query: Query
    """Its conditions; times are left out."""

    tag: Annotated[str, Field(max_length=40)] = ""
    """A tag to set."""

    target: bool = False
    """Make target calls."""

    spam: bool = False
    """Mark the calls as spam; not together with `target`."""

    review: bool = False
    """Ask for a review."""

    past: bool = False
    """Apply it to past calls as well."""

    replaces: Annotated[str | None, Field(max_length=40)] = None
    """Another rule, which is removed."""

    def wanted(self) -> Wanted:
        """The same for the service."""
        return Wanted(**self.fields())


class Decided(Body):
    """A decision on a call."""

    wanted: bool
    """Whether it is one."""
