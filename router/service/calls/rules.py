"""Rules that supervisors write: tried, kept, applied to past calls and taken back."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from router.domain.calls.call_filter import CallFilter
from router.domain.calls.call_order import NEWEST
from router.domain.calls.rules import Rule, RuleState, check_actions, check_tags, rule_query
from router.domain.calls.saved_view import read_text
from router.domain.calls.tagging import tag_name
from router.domain.ids import new_id
from router.domain.text import one_line, storable
from router.errors import Conflict, InvalidInput
from router.service.calls.browse import MOST_COUNTED, CallLine, lines_of
from router.service.calls.qualification import AT_ONCE, active_rules, settle
from router.service.calls.tags import current_name
from router.service.ports import Session, Store

MOST_RULES = 100
MOST_NAME = 80  # letters
EXAMPLES = 10
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # of all calls


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A rule with the number of calls that it matches."""

    rule: Rule
    calls: int

    @property
    def is_busy(self) -> bool:
        """Whether it is being applied to past calls, or taken back."""
        taken_back = self.rule.state is not RuleState.ACTIVE and self.calls > 0
        return taken_back or self.rule.is_working or self.rule.state is RuleState.REMOVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a rule would do to past calls."""

    calls: int  # counted up to `MOST_COUNTED` and one more
    is_exact: bool  # all past calls were looked at
    examples: tuple[CallLine, ...]  # the newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person wants of a rule."""

    name: str = ""
    query: str
    tag: str = ""
    target: bool = False
    spam: bool = False
    review: bool = False
    past: bool = False  # apply it to past calls as well
    replaces: str | None = None  # another rule, which is taken back


async def list_rules(store: Store) -> list[RuleView]:
    """All rules, the oldest first; those that are being removed last."""
    async with store.read() as session:
        rules = await session.find(Rule)
        counts = await session.qualification.counts()
    ordered = sorted(
        rules, key=lambda rule: (rule.state is RuleState.REMOVED, rule.created_at, rule.id)
    )
    return [RuleView(rule=rule, calls=counts.get(rule.id, 0)) for rule in ordered]


async def get_rule(store: Store, rule_id: str) -> Rule:
    """One rule. Raises `NotFound`."""
    async with store.read() as session:
        return await session.get(Rule, rule_id)


async def try_rule(store: Store, query: str) -> Trial:
    """What these conditions would match among past calls. Raises `InvalidInput`."""
    wanted = replace(read_text(rule_query(query)).filter, since=None, until=None)
    async with store.survey() as session:
        found = await session.calls.page(
            wanted, NEWEST, before=None, limit=EXAMPLES + 1, bounded=True
        )
        calls, is_exact = len(found.calls), found.reached is None
        if calls > EXAMPLES:
            calls, is_exact = await session.calls.count_some(wanted, MOST_COUNTED + 1)
        examples = await lines_of(session, found.calls[:EXAMPLES])
    return Trial(calls=calls, is_exact=is_exact, examples=examples)


async def keep_rule(store: Store, wanted: Wanted, *, author: str, now: datetime) -> Rule:
    """Keep a rule: it applies to calls from now on. Raises `InvalidInput`, `NotFound`, and
    `Conflict` with other rules.
    """
    tag = None
    if wanted.tag.strip():
        tag = tag_name(wanted.tag)

    rule = Rule(
        id=new_id(now),
        name=one_line(storable(wanted.name), MOST_NAME),
        query=rule_query(wanted.query),
        tag=tag,
        target=wanted.target,
        spam=wanted.spam,
        review=wanted.review,
        author=author,
        created_at=now,
        since=now,
    )
    if not rule.name:
        raise InvalidInput("Give the rule a name.")
    check_actions(rule)
    past = None
    if wanted.past:
        past = await _count_past(store, rule)

    async with store.write() as session:
        await session.calls.lock()
        if rule.tag:
            rule = replace(rule, tag=await current_name(session, rule.tag))
        if wanted.replaces:
            await _stop(session, wanted.replaces, RuleState.REMOVED)
        others = [one for one in await session.find(Rule) if one.state is not RuleState.REMOVED]
        check_tags(rule, others)
        if len(others) >= MOST_RULES:
            raise Conflict(f"There are {MOST_RULES} rules already: remove one first.")
        if past is not None:
            rule = _begun(rule, past)

        await session.add(rule)
    return rule


async def _count_past(store: Store, rule: Rule) -> int:
    async with store.survey() as session:
        return await session.calls.count(_before(rule), MOST_COUNTED + 1)


def _before(rule: Rule) -> CallFilter:
    """The conditions of a rule among the calls that it has not reached."""
    return replace(rule.conditions(), since=None, until=rule.since)


def _begun(rule: Rule, calls: int) -> Rule:
    return replace(rule, past_at=rule.since, past_id="", past_calls=calls, past_done=0)


async def apply_to_past(store: Store, rule_id: str) -> Rule:
    """Apply a rule to all past calls, step by step. Raises `NotFound` and `Conflict`."""
    rule = await get_rule(store, rule_id)
    calls = await _count_past(store, rule)
    async with store.write() as session:
        await session.calls.lock()
        rule = await session.get(Rule, rule_id)
        if rule.state is not RuleState.ACTIVE:
            raise Conflict(f"The rule “{rule.name}” is switched off.")
        if not rule.is_working:
            rule = _begun(rule, calls)
            await session.change(rule)
    return rule


async def pause_rule(store: Store, rule_id: str) -> None:
    """Switch a rule off: what it set is taken back. Raises `NotFound`."""
    async with store.write() as session:
        await session.calls.lock()
        await _stop(session, rule_id, RuleState.PAUSED)


async def remove_rule(store: Store, rule_id: str) -> None:
    """Take back what a rule set, and then remove it. Raises `NotFound`."""
    async with store.write() as session:
        await session.calls.lock()
        await _stop(session, rule_id, RuleState.REMOVED)


async def _stop(session: Session, rule_id: str, state: RuleState) -> None:
    rule = await session.get(Rule, rule_id)
    if rule.state is not RuleState.REMOVED:
        await session.change(replace(rule, state=state, past_at=None))


async def resume_rule(store: Store, rule_id: str, now: datetime) -> None:
    """Switch a rule on again, for calls from now on. Raises `NotFound` and `Conflict`."""
    async with store.write() as session:
        await session.calls.lock()
        rule = await session.get(Rule, rule_id)
        if rule.state is RuleState.REMOVED:
            raise Conflict(f"The rule “{rule.name}” is being removed.")
        if (await session.qualification.counts()).get(rule_id):
            raise Conflict(f"The rule “{rule.name}” is being taken back: try again in a moment.")
        if rule.state is RuleState.PAUSED:
            check_tags(rule, await active_rules(session))
            await session.change(replace(rule, state=RuleState.ACTIVE, since=now))


async def work_on_rules(store: Store, now: datetime) -> int:
    """Apply one rule to its next past calls, or take it back on the next; returns how many calls
    there were, 1 for the last step.
    """
    async with store.read() as session:
        rule_id = await session.qualification.next_rule()
        rule = await session.peek(Rule, rule_id)
    if rule is None:
        return 0
    if rule.state is RuleState.ACTIVE:
        return await _go_back(store, rule, now)
    return await _take_back(store, rule.id, now)


async def _go_back(store: Store, rule: Rule, now: datetime) -> int:
    assert rule.past_at is not None
    wanted = replace(rule.conditions(), since=None)
    async with store.survey() as session:
        before = (rule.past_at, rule.past_id)
        found = await session.calls.positions(wanted, before=before, limit=AT_ONCE)

    async with store.write() as session:
        await session.calls.lock()
        present = await session.get(Rule, rule.id)
        if (present.past_at, present.past_id) != (rule.past_at, rule.past_id):
            return 1  # switched off or changed meanwhile
        reached = replace(present, past_done=present.past_done + len(found))
        if len(found) < AT_ONCE:
            reached = replace(reached, since=BEGINNING, past_at=None, past_id="")
        else:
            since, last_id = found[-1]
            reached = replace(reached, since=since, past_at=since, past_id=last_id)

        await session.change(reached)
        ids = [call_id for _, call_id in found]
        matching = set[str]()
        if ids:
            matching = await session.calls.matching(ids, reached.conditions())
        await session.qualification.match(rule.id, ids, matching)
        await settle(session, ids, now)
    return max(1, len(found))


async def _take_back(store: Store, rule_id: str, now: datetime) -> int:
    async with store.write() as session:
        await session.calls.lock()
        rule = await session.get(Rule, rule_id)
        if rule.state is RuleState.ACTIVE:
            return 1
        ids = await session.qualification.take_back(rule_id, AT_ONCE)
        await settle(session, ids, now)
        if rule.state is RuleState.REMOVED and len(ids) < AT_ONCE:
            await session.remove(Rule, rule_id)
    return max(1, len(ids))
