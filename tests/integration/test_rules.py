"""Rules in the store: tried, applied to new and past calls, and taken back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.calls.call import Ending, Tag
from router.domain.calls.qualification import Subject
from router.domain.calls.saved_view import SavedView
from router.domain.calls.tagging import BY_RULES
from router.errors import Conflict, InvalidInput
from router.service.calls import rules as service
from router.service.calls.browse import show_call, tag_call, untag_call
from router.service.calls.missed_follow import follow_calls
from router.service.calls.qualification import decide, undo_decision
from router.service.calls.reviews import review_calls
from router.service.calls.rules import Wanted
from router.service.calls.tags import remove_tag, rename_tag, replace_due
from router.store.engine import SqlStore
from tests.integration.rules_world import LATER, a_call, everything, found, keep, tags, work
from tests.integration.store_calls import save
from tests.support.builders import NOON


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 3)


async def test_a_rule_applies_to_calls_from_now_on_and_again_when_they_change(
    store: SqlStore,
) -> None:
    await save(store, a_call("before", -5, talk_seconds=90))
    await keep(store, "talk_from=60", tag="Long  talk", target=True)
    await save(store, a_call("long", 1, talk_seconds=60), a_call("short", 2, talk_seconds=59))
    await work(store)
    assert await found(store, target=True) == {"long"}
    assert await tags(store, "before", "long", "short") == {"long": [("long talk", BY_RULES)]}

    await save(store, a_call("short", 2, talk_seconds=61), a_call("long", 1, talk_seconds=1))
    await work(store)
    assert await found(store, target=True) == {"short"} == await found(store, tag="long talk")


async def test_a_rule_is_tried_before_it_is_kept(store: SqlStore) -> None:
    await save(store, *(a_call(f"{n:02}", -n, talk_seconds=float(n)) for n in range(30)))
    trial = await service.try_rule(store, "talk_from=15&period=today")
    assert (trial.calls, trial.is_exact) == (15, True)
    assert [line.call.talk_seconds for line in trial.examples] == [float(n) for n in range(15, 25)]
    with pytest.raises(InvalidInput):
        await service.try_rule(store, "")


async def test_a_rule_reaches_past_calls_in_steps_and_is_taken_back_without_a_trace(
    store: SqlStore,
) -> None:
    names = [f"{n:02}" for n in range(20)]
    same_moment = [a_call(name, -n // 5, talk_seconds=float(n)) for n, name in enumerate(names)]
    await save(store, *same_moment)
    await tag_call(store, "rt1-12.0", "price", author="boris", now=NOON)
    before = await everything(store, names)

    rule = await keep(store, "talk_from=10", tag="price", target=True, review=True, past=True)
    assert await service.work_on_rules(store, LATER) == 3
    (view, *_) = [one for one in await service.list_rules(store) if one.rule.id == rule.id]
    assert (view.rule.past_done, view.rule.past_calls, view.calls) == (3, 10, 3)
    await work(store)
    wanted = set(names[10:])
    assert await found(store, target=True) == wanted == await found(store, tag="price")
    assert await found(store, to_review=True) == wanted
    await review_calls(store, ["rt1-15.0"], "anna", LATER)
    assert await found(store, to_review=True) == wanted - {"15"}

    await service.pause_rule(store, rule.id)
    with pytest.raises(Conflict, match="taken back"):
        await service.resume_rule(store, rule.id, LATER)
    await work(store)
    after = await everything(store, names)
    reviewed = replace(before[0]["rt1-15.0"], reviewed=True)
    assert after == ({**before[0], "rt1-15.0": reviewed}, {}, before[2])

    await service.resume_rule(store, rule.id, LATER)
    await save(store, a_call("new", 1, talk_seconds=10))
    await work(store)
    assert await found(store, target=True) == {"new"}
    await service.remove_rule(store, rule.id)
    await work(store)
    assert await found(store, target=True) == set()
    assert rule.id not in {one.rule.id for one in await service.list_rules(store)}


async def test_what_a_person_decided_beats_rules_for_ever(store: SqlStore) -> None:
    rule = await keep(store, "talk_from=60", tag="price", target=True)
    await save(store, *(a_call(name, 1, talk_seconds=90) for name in ("a", "b", "c", "d")))
    await work(store)
    who = {"author": "anna", "now": LATER}
    await untag_call(store, "rt1-a.0", "price", author="anna", now=LATER)
    await decide(store, "rt1-b.0", Subject.TARGET, wanted=False, **who)
    await tag_call(store, "rt1-c.0", "price", author="anna", now=LATER)
    await decide(store, "rt1-d.0", Subject.SPAM, wanted=True, **who)

    for _ in range(2):
        await work(store)
        assert await found(store, target=True) == {"a", "c"}
        assert await found(store, tag="price") == {"b", "c", "d"}
        assert await found(store, spam=True) == {"d"}
        await save(store, *(a_call(name, 1, talk_seconds=91) for name in ("a", "b", "c", "d")))

    reasons = (await show_call(store, "rt1-b.0")).reasons
    assert [one.name for one in reasons.setting("target")] == ["talk_from=60"]
    assert [one and one.author for one in (reasons.target, reasons.spam)] == ["anna", None]
    await service.remove_rule(store, rule.id)
    await work(store)
    assert await tags(store, "a", "b", "c", "d") == {"c": [("price", "anna")]}
    await undo_decision(store, "rt1-d.0", Subject.SPAM, LATER)
    assert await found(store, spam=True) == set()


async def test_a_tag_of_two_rules_stays_until_both_are_taken_back(store: SqlStore) -> None:
    one = await keep(store, "talk_from=60", tag="price")
    other = await keep(store, "ending=answered", tag="price")
    await save(store, a_call("a", 1, talk_seconds=90), a_call("b", 1, talk_seconds=9))
    await work(store)
    assert await found(store, tag="price") == {"a", "b"}
    await service.remove_rule(store, other.id)
    await work(store)
    assert await found(store, tag="price") == {"a"}
    await service.remove_rule(store, one.id)
    await work(store)
    assert await found(store, tag="price") == set()


async def test_a_rule_may_close_the_task_of_a_missed_caller(store: SqlStore) -> None:
    await keep(store, "wait_to=5&ending=abandoned", tag="not needed")
    missed = a_call("a", 1, ending=Ending.ABANDONED, caller="+74951112233", wait_seconds=4.0)
    async with store.write() as session:
        await session.calls.save([missed])
        await follow_calls(session, [missed])
    await work(store)
    async with store.read() as session:
        assert await session.missed.open(LATER, None, 5) == []


async def test_keys_are_a_condition(store: SqlStore) -> None:
    await keep(store, "keys=*7", tag="sale")
    await save(store, a_call("a", 1, keys="1 *7 22"), a_call("b", 1, keys="*71"), a_call("c", 1))
    await work(store)
    assert await found(store, tag="sale") == {"a"} == await found(store, keys="*7")


async def test_rules_views_and_refusals_follow_a_renamed_tag(store: SqlStore) -> None:
    sets = await keep(store, "talk_from=60", tag="price")
    asks = await keep(store, "tag=vip&tag=x", review=True)
    view = SavedView(
        id="v", name="v", query="not_tag=price", author="anna", created_at=NOON, changed_at=NOON
    )
    async with store.write() as session:
        await session.add(view)
    await save(store, a_call("a", 1, talk_seconds=90), a_call("b", 1, talk_seconds=90))
    await work(store)
    await untag_call(store, "rt1-b.0", "price", author="anna", now=LATER)
    await rename_tag(store, "price", "cost", LATER)
    await work(store)
    assert await tags(store, "a", "b") == {"a": [("cost", BY_RULES)]}

    await tag_call(store, "rt1-b.0", "vip", author="anna", now=LATER)
    await rename_tag(store, "vip", "gold", LATER)
    await work(store)
    assert (await service.get_rule(store, sets.id)).tag == "cost"
    assert (await service.get_rule(store, asks.id)).query == "tag=gold&tag=x"
    assert await found(store, to_review=True) == {"b"}
    async with store.read() as session:
        assert (await session.get(SavedView, "v")).query == "not_tag=cost"
    with pytest.raises(Conflict, match="talk_from=60"):
        await remove_tag(store, "cost", from_calls=True, now=LATER)


async def test_a_rule_taken_back_while_its_tag_is_renamed_leaves_none(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.service.calls.tags.AT_ONCE", 1)
    rule = await keep(store, "talk_from=60", tag="price")
    await save(store, *(a_call(name, 1, talk_seconds=90) for name in ("a", "b", "c")))
    await work(store)
    await rename_tag(store, "price", "cost", LATER)
    await service.remove_rule(store, rule.id)
    await work(store)
    while await replace_due(store):
        pass
    assert await tags(store, "a", "b", "c") == {}


async def test_merging_keeps_the_tag_of_a_person_when_the_rule_goes(store: SqlStore) -> None:
    rule = await keep(store, "talk_from=60", tag="cost")
    await save(store, a_call("a", 1, talk_seconds=90))
    await work(store)
    async with store.write() as session:
        tag = Tag(call_id="rt1-a.0", name="price", author="anna", at=NOON)
        await session.tags.add(tag)
    await rename_tag(store, "price", "cost", LATER)
    await service.remove_rule(store, rule.id)
    await work(store)
    assert await tags(store, "a") == {"a": [("cost", "anna")]}


async def test_a_rule_that_is_replaced_is_taken_back(store: SqlStore) -> None:
    old = await keep(store, "talk_from=60", target=True)
    await save(store, a_call("a", -1, talk_seconds=90), a_call("b", 1, talk_seconds=90))
    await work(store)
    now = LATER + timedelta(minutes=2)
    await keep(store, "talk_from=80", now, target=True, past=True, replaces=old.id)
    await work(store)
    assert await found(store, target=True) == {"a", "b"}
    wanted = Wanted(name=" ", query="talk_from=1", target=True)
    with pytest.raises(InvalidInput, match="name"):
        await service.keep_rule(store, wanted, author="anna", now=LATER)


async def test_a_minute_of_talk_makes_a_target_call_at_first(store: SqlStore) -> None:
    (view,) = await service.list_rules(store)
    rule = view.rule
    assert (rule.query, rule.target) == ("direction=incoming&talk_from=60", True)
