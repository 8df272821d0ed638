"""Rules: what they set together, and that what is taken back leaves nothing behind."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.calls.call import Call, Leg, State
from router.domain.calls.call_query import CallQuery
from router.domain.calls.keys import PressedKey, with_keys
from router.domain.calls.qualification import (
    Decision,
    Qualification,
    Subject,
    qualify,
    tags_of_rules,
)
from router.domain.calls.rules import (
    Rule,
    check_actions,
    check_tags,
    renamed,
    rule_query,
    with_tag_renamed,
)
from router.domain.calls.saved_view import written_text
from router.errors import Conflict, InvalidInput
from tests.support.builders import NOON

TAGS = ("price", "complaint", "wholesale")


def rule(id: str = "r1", **fields: object) -> Rule:  # noqa: A002
    base = Rule(id=id, name=id, query="talk_from=60", author="anna", created_at=NOON, since=NOON)
    return replace(base, **fields)  # type: ignore[arg-type]


def decision(subject: Subject, *, wanted: bool, name: str = "") -> Decision:
    return Decision(call_id="c", subject=subject, name=name, wanted=wanted, author="boris", at=NOON)


RULES = st.builds(
    rule,
    id=st.text("abc", min_size=1, max_size=2),
    tag=st.sampled_from((None, *TAGS)),
    target=st.booleans(),
    spam=st.booleans(),
    review=st.booleans(),
)
DECISIONS = st.builds(
    decision,
    st.sampled_from(list(Subject)),
    wanted=st.booleans(),
    name=st.sampled_from(TAGS),
)


@given(st.lists(RULES), st.lists(RULES), st.lists(DECISIONS), st.randoms())
def test_rules_that_are_taken_back_leave_nothing_whatever_their_order(
    kept: list[Rule], taken_back: list[Rule], decisions: list[Decision], chance: object
) -> None:
    both = [*kept, *taken_back]
    chance.shuffle(both)  # type: ignore[attr-defined]
    left = [one for one in both if any(one is mine for mine in kept)]
    assert qualify("c", left, decisions) == qualify("c", kept, decisions)
    assert tags_of_rules(left, decisions) == tags_of_rules(kept, decisions)
    assert qualify("c", both, decisions) == qualify("c", both[::-1], decisions)


@given(st.lists(RULES))
def test_a_persons_decision_beats_every_rule(rules: list[Rule]) -> None:
    for wanted in (True, False):
        target = qualify("c", rules, [decision(Subject.TARGET, wanted=wanted)])
        assert target.target is wanted
        assert qualify("c", rules, [decision(Subject.SPAM, wanted=wanted)]).spam is wanted
    refused = [decision(Subject.TAG, wanted=False, name=name) for name in TAGS]
    assert tags_of_rules(rules, refused) == set()


def test_spam_is_no_target_call_unless_a_person_says_so() -> None:
    rules = [rule(target=True), rule("r2", spam=True)]
    assert qualify("c", rules) == Qualification(call_id="c", spam=True)
    not_spam = [decision(Subject.SPAM, wanted=False)]
    assert qualify("c", rules, not_spam) == Qualification(call_id="c", target=True)


@pytest.mark.parametrize("text", ["", "period=7d", "since=2026-01-01", "junk=1"])
def test_a_rule_has_conditions(text: str) -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        rule_query(text)


@pytest.mark.parametrize("text", ["spam=no", "talk_from=5&target=yes", "to_review=yes"])
def test_a_rule_does_not_depend_on_what_rules_decide(text: str) -> None:
    with pytest.raises(InvalidInput, match="set by rules"):
        rule_query(text)


def test_times_are_no_conditions_of_a_rule() -> None:
    assert rule_query("period=7d&talk_from=60&keys=*7") == "talk_from=60&keys=%2A7"


@pytest.mark.parametrize(
    "wrong",
    [rule(), rule(target=True, spam=True), rule(tag="missed"), rule(tag="<b>")],
)
def test_a_rule_that_sets_nothing_or_both_is_refused(wrong: Rule) -> None:
    with pytest.raises(InvalidInput):
        check_actions(wrong)


@pytest.mark.parametrize("query", ["tag=price", "not_tag=price&talk_from=9", "tag=-", "not_tag=-"])
def test_a_rule_does_not_ask_for_a_tag_that_a_rule_sets(query: str) -> None:
    setting, asking = rule(tag="price"), rule("r2", query=query, review=True)
    check_tags(asking, ())
    with pytest.raises(Conflict, match="price"):
        check_tags(asking, [setting])
    with pytest.raises(Conflict, match="price"):
        check_tags(setting, [asking])
    with pytest.raises(Conflict, match="price"):
        check_tags(replace(asking, tag="price"), ())


@given(st.lists(st.sampled_from(TAGS), min_size=1, unique=True), st.booleans())
def test_a_renamed_tag_is_asked_for_by_its_new_name(names: list[str], excluded: bool) -> None:
    name = "not_tag" if excluded else "tag"
    before = written_text(CallQuery.read([("talk_from", "5"), *((name, one) for one in names)]))
    after = with_tag_renamed(before, TAGS[0], TAGS[1])
    wanted = [TAGS[1] if one == TAGS[0] else one for one in names]
    assert after == written_text(
        CallQuery.read([("talk_from", "5"), *((name, one) for one in wanted)])
    )


def test_only_rules_that_name_a_tag_change_with_it() -> None:
    rules = [rule(tag="price"), rule("r2", query="tag=price", review=True), rule("r3", tag="x")]
    assert [(one.id, one.tag, one.query) for one in renamed(rules, "price", "cost")] == [
        ("r1", "cost", "talk_from=60"),
        ("r2", None, "tag=cost"),
    ]


def pressed(*keys: tuple[float, str, str]) -> list[PressedKey]:
    return [
        PressedKey(channel=channel, at=NOON + timedelta(seconds=at), key=key)
        for at, channel, key in keys
    ]


def test_keys_of_the_company_are_kept_in_groups_and_the_callers_are_not() -> None:
    legs = [
        Leg(channel=channel, role=role, step=0, started_at=NOON)
        for channel, role in (("PJSIP/carrier-1", "caller"), ("PJSIP/maria-2", "company"))
    ]
    call = Call(id="c", did="1", trunk="t", arrived_at=NOON, state=State.ENDED, legs=tuple(legs))
    keys = pressed(
        (1, "PJSIP/maria-2", "*"),
        (2, "PJSIP/maria-2", "7"),
        (2.5, "PJSIP/carrier-1", "4"),
        (9, "PJSIP/maria-2", "1"),
        (20, "PJSIP/maria-2", "*"),
        (21, "PJSIP/maria-2", "7"),
    )
    assert with_keys(call, keys).keys == "*7 1"
    assert with_keys(call, keys[::-1]).keys == "*7 1"
    assert with_keys(call, ()).keys == ""
