"""What a call counts as: a target call, spam, one to review; and the tags that rules give it.

It follows from the rules that match the call, the signs of spam on it, and the decisions of people,
which beat both for ever. Nothing else is remembered, so taking any of them back takes back exactly
what it did.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from router.domain.calls.rules import Rule


class Subject(StrEnum):
    """What a person decides of a call."""

    TARGET = "target"
    SPAM = "spam"
    TAG = "tag"  # only that it shall not have the tag: one that it has is kept as a tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's decision on a call."""

    call_id: str
    subject: Subject
    name: str = ""  # of the tag
    wanted: bool
    author: str  # login, or a token's name
    at: datetime


class Sign(StrEnum):
    """Why a call looks like spam."""

    BLOCKED = "blocked"  # the caller is on the block list
    BURST = "burst"  # many short calls to several numbers in a short time
    NEVER_LEASED = "never_leased"  # no visitor was ever shown the number
    SILENT = "silent"  # the caller said nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSign:
    """A sign of spam on a call, and what was found."""

    call_id: str
    sign: Sign
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """What a call counts as."""

    call_id: str
    target: bool = False
    spam: bool = False
    to_review: bool = False  # a rule asks for a review


def qualify(
    call_id: str,
    rules: Collection[Rule],
    decisions: Iterable[Decision] = (),
    signs: Collection[FoundSign] = (),
) -> Qualification:
    """What a call counts as; `rules` are those that match it, `signs` those that count."""
    decided = {one.subject: one.wanted for one in decisions if one.subject is not Subject.TAG}
    spam = decided.get(Subject.SPAM, bool(signs) or any(rule.spam for rule in rules))
    target = not spam and any(rule.target for rule in rules)
    return Qualification(
        call_id=call_id,
        target=decided.get(Subject.TARGET, target),
        spam=spam,
        to_review=any(rule.review for rule in rules),
    )


def tags_of_rules(rules: Iterable[Rule], decisions: Iterable[Decision] = ()) -> set[str]:
    """The tags that rules give a call, without those that a person refused."""
    refused = {one.name for one in decisions if one.subject is Subject.TAG and not one.wanted}
    return {rule.tag for rule in rules if rule.tag} - refused
