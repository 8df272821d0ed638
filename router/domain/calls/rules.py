"""Rules that supervisors write: conditions on calls, and what is set on the calls that match.

A rule is a set of calls. What it sets is never stored as such: a call is what the rules that match
it, the signs of spam and the decisions of people make of it together (`qualification`), so that a
rule that is taken back leaves nothing behind.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from router.domain.calls.call_filter import Among, CallFilter
from router.domain.calls.saved_view import read_text, written_text
from router.domain.calls.tagging import SET_BY_RULES, tag_name
from router.errors import Conflict, InvalidInput

# What rules decide: a rule whose conditions asked for it could take itself back.
OUTCOMES = ("target", "spam", "to_review")


class RuleState(StrEnum):
    """Whether a rule applies."""

    ACTIVE = "active"
    PAUSED = "paused"  # what it set is taken back
    REMOVED = "removed"  # the same, and then the rule itself goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Sets something on the calls that match its conditions."""

    id: str
    name: str
    query: str  # conditions as an address of the list says them, without times
    tag: str | None = None  # set on the calls
    target: bool = False  # they are target calls
    spam: bool = False
    review: bool = False  # a person should review them
    state: RuleState = RuleState.ACTIVE
    author: str
    created_at: datetime
    since: datetime  # it applies to calls that arrived then or later
    # The way through past calls, the newest first: None when it is over.
    past_at: datetime | None = None
    past_id: str = ""
    past_calls: int = 0  # how many there were at the start
    past_done: int = 0

    @property
    def is_working(self) -> bool:
        """Whether it is being applied to past calls."""
        return self.past_at is not None

    def conditions(self) -> CallFilter:
        """Its conditions, with the time from which it applies."""
        wanted = read_text(self.query).wanted(UTC, self.since.date())
        return replace(wanted, since=self.since, until=None)


def check_actions(rule: Rule) -> None:
    """Raises `InvalidInput` for a rule that sets nothing, or both target call and spam."""
    if rule.tag is not None:
        tag_name(rule.tag)
        if rule.tag in SET_BY_RULES:
            raise InvalidInput(f"The tag '{rule.tag}' is set by Ringtrace itself.")
    if not (rule.tag or rule.target or rule.spam or rule.review):
        raise InvalidInput("Choose what the rule sets: a tag, target call, spam or review.")
    if rule.target and rule.spam:
        raise InvalidInput("A call cannot be a target call and spam.")


def rule_query(text: str) -> str:
    """The conditions of a rule as they are kept: without times, which would end one day. Raises
    `InvalidInput` for none, and for conditions on what rules decide.
    """
    query = replace(read_text(text), period=None, since=None, until=None)
    if query.is_empty:
        raise InvalidInput("Choose at least one condition: a rule never applies to all calls.")
    if any(getattr(query.filter, name) is not None for name in OUTCOMES):
        raise InvalidInput(
            "Target call, spam and “asked for review” are set by rules: they cannot be conditions."
        )
    return written_text(query)


def check_tags(rule: Rule, others: Iterable[Rule]) -> None:
    """Raises `Conflict` if the conditions of a rule ask for a tag that a rule sets: what the rules
    make of a call must not depend on their order.
    """
    rules = (rule, *(other for other in others if other.id != rule.id))
    for setting in rules:
        for asking in rules:
            if setting.tag is not None and _asks_for(asking, setting.tag):
                raise Conflict(
                    f"The tag '{setting.tag}' is set by the rule “{setting.name}”, so it cannot"
                    f" be a condition of the rule “{asking.name}”."
                )


def _asks_for(rule: Rule, tag: str) -> bool:
    asked = read_text(rule.query).filter.among("tag")
    return asked is not None and bool({tag, ""} & set(asked.values))


def with_tag_renamed(text: str, old: str, new: str) -> str:
    """A stored query that asks for the new name of a tag."""
    query = read_text(text)
    asked = query.filter.among("tag")
    if asked is None or old not in asked.values:
        return text

    names = dict[str, None]()
    for name in asked.values:
        if name == old:
            name = new
        names[name] = None
    return written_text(query.with_filter("tag", Among(tuple(names), asked.excluded)))


def renamed(rules: Iterable[Rule], old: str, new: str) -> Iterator[Rule]:
    """The rules that name a tag, with its new name."""
    for rule in rules:
        query = with_tag_renamed(rule.query, old, new)
        tag = rule.tag
        if tag == old:
            tag = new
        if (query, tag) != (rule.query, rule.tag):
            yield replace(rule, query=query, tag=tag)
