"""Finds what calls count as: which rules match them, and what follows from that."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.calls.call import Call, Tag
from router.domain.calls.qualification import (
    Decision,
    FoundSign,
    Qualification,
    Subject,
    qualify,
    tags_of_rules,
)
from router.domain.calls.rules import Rule, RuleState
from router.domain.calls.tagging import BY_RULES
from router.errors import InvalidInput
from router.service.calls.missed_follow import follow_spam, follow_tag
from router.service.calls.rule_ports import Change
from router.service.calls.spam import count_again, exempt_caller, find_signs
from router.service.delivery.enqueue_qualified import enqueue_qualified
from router.service.ids import by_id
from router.service.ports import Session, Store

AT_ONCE = 100  # calls of one transaction
LAST = "~"  # after every id of a call


async def active_rules(session: Session) -> list[Rule]:
    """The rules that apply, the oldest first."""
    rules = await session.find(Rule, state=RuleState.ACTIVE)
    return sorted(rules, key=lambda rule: (rule.created_at, rule.id))


async def qualify_calls(session: Session, call_ids: Collection[str], now: datetime) -> list[str]:
    """Apply the rules to ended calls as they are now; returns the ids of those that changed."""
    if not call_ids:
        return []
    for rule in await active_rules(session):
        matching = await session.calls.matching(call_ids, rule.conditions())
        await session.qualification.match(rule.id, call_ids, matching)
    others = await find_signs(session, call_ids)
    return await settle(session, {*call_ids, *others}, now)


async def settle(session: Session, call_ids: Collection[str], now: datetime) -> list[str]:
    """Write what follows for these calls from rules, signs and decisions; returns the ids of those
    that changed.
    """
    rules = by_id(await active_rules(session))
    matches = await session.qualification.matches(call_ids)
    decisions = await session.qualification.decisions(call_ids)
    signs = await session.spam.counting(call_ids)
    before = await session.qualification.of(call_ids)

    new: list[Qualification] = []
    wanted: dict[str, set[str]] = {}
    for call_id in call_ids:
        mine = [rules[one] for one in sorted(matches.get(call_id, ())) if one in rules]
        decided = decisions.get(call_id, ())
        after = qualify(call_id, mine, decided, signs.get(call_id, ()))
        if after != before.get(call_id, Qualification(call_id=call_id)):
            new.append(after)
        wanted[call_id] = tags_of_rules(mine, decided)

    await session.qualification.save(new)
    retagged = await _retag(session, wanted, now)
    changed = {one.call_id for one in new} | {call_id for call_id, _ in retagged}
    await session.calls.touch(*changed)
    await enqueue_qualified(session, _counting_differently(new, before), now)
    for call_id, name in retagged:
        await follow_tag(session, name, call_id)
    for one in new:
        if one.spam != (one.call_id in before and before[one.call_id].spam):
            await follow_spam(session, one.call_id)
    return sorted(changed)


def _counting_differently(
    new: Iterable[Qualification], before: Mapping[str, Qualification]
) -> list[str]:
    """The calls that became a target call or spam, or are none any more."""

    def flags(one: Qualification | None) -> tuple[bool, bool]:
        if one:
            return (one.target, one.spam)
        return (False, False)

    return [one.call_id for one in new if flags(one) != flags(before.get(one.call_id))]


async def _retag(
    session: Session, wanted: Mapping[str, set[str]], now: datetime
) -> list[tuple[str, str]]:
    """Give calls the tags that rules want, and take away those that rules set and none wants."""
    tags = await session.tags.of(list(wanted))
    renamed = await session.tag_registry.replacements()
    changed: list[tuple[str, str]] = []
    for call_id, names in wanted.items():
        present = {tag.name: tag for tag in tags.get(call_id, ())}
        for name, tag in present.items():
            if tag.author == BY_RULES and renamed.get(name, name) not in names:
                await session.tags.remove(call_id, name)
                changed.append((call_id, name))
        missing = sorted(names - present.keys())
        new = [Tag(call_id=call_id, name=name, author=BY_RULES, at=now) for name in missing]
        await session.tags.add(*new)
        changed += [(call_id, name) for name in missing]
    return changed


async def follow_changes(store: Store, now: datetime) -> int:
    """Apply the rules to the next calls that changed; returns how many changes there were."""
    async with store.write() as session:
        await session.calls.lock()
        place = await session.qualification.place()
        changes = await session.qualification.changes(place, AT_ONCE)
        reached = Change(await session.calls.revision(), LAST)
        await qualify_calls(session, {change.call_id for change in changes}, now)
        if len(changes) == AT_ONCE:
            reached = changes[-1]
        else:  # what the rules changed just now is no news to them
            reached = Change(await session.calls.revision(), LAST)
        await session.qualification.set_place(reached)
    return len(changes)


async def decide(
    store: Store, call_id: str, subject: Subject, *, wanted: bool, author: str, now: datetime
) -> None:
    """A person decides whether this is a target call, or spam. Raises `NotFound`."""
    await decide_many(store, [call_id], subject, wanted=wanted, author=author, now=now)


async def decide_many(
    store: Store,
    call_ids: Sequence[str],
    subject: Subject,
    *,
    wanted: bool,
    author: str,
    now: datetime,
) -> None:
    """The same of several calls. Raises `NotFound`."""
    _check(subject)
    async with store.write() as session:
        await session.calls.lock()
        for call_id in call_ids:
            await session.get(Call, call_id)
        await decide_calls(session, call_ids, subject, wanted=wanted, author=author, now=now)


async def decide_calls(
    session: Session,
    call_ids: Iterable[str],
    subject: Subject,
    *,
    wanted: bool,
    author: str,
    now: datetime,
) -> list[str]:
    """Decide within a transaction; returns the ids of calls that changed by it."""
    ids = list(call_ids)
    made = [
        Decision(call_id=call_id, subject=subject, wanted=wanted, author=author, at=now)
        for call_id in ids
    ]
    await session.qualification.decide(*made)
    others = []
    for one in made:
        others.extend(await exempt_caller(session, one))

    changed = await settle(session, {*ids, *others}, now)
    await session.calls.touch(*(call_id for call_id in ids if call_id not in changed))
    return changed


async def undo_decision(store: Store, call_id: str, subject: Subject, now: datetime) -> None:
    """The rules count again. Raises `NotFound`."""
    _check(subject)
    async with store.write() as session:
        await session.calls.lock()
        await session.get(Call, call_id)
        await undo_decisions(session, [call_id], subject, now)


async def undo_decisions(
    session: Session, call_ids: Sequence[str], subject: Subject, now: datetime
) -> None:
    """The rules count again for these calls, within a transaction."""
    if not call_ids:
        return
    others: set[str] = set()
    for call in (await session.get_many(Call, call_ids)).values():
        await session.qualification.forget_decision(call.id, subject)
        if subject is Subject.SPAM:
            others.update(await count_again(session, call))
    await settle(session, {*call_ids, *others}, now)
    await session.calls.touch(*call_ids)


def _check(subject: Subject) -> None:
    if subject is Subject.TAG:
        raise InvalidInput("Tags are set and removed as tags.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """What a call counts as, and why."""

    qualification: Qualification
    target: Decision | None = None  # a person's
    spam: Decision | None = None
    rules: tuple[Rule, ...] = ()
    signs: tuple[FoundSign, ...] = ()

    def setting(self, what: str) -> list[Rule]:
        """The rules that set this."""
        return [rule for rule in self.rules if getattr(rule, what)]


async def reasons_of(session: Session, call_id: str) -> Reasons:
    """What a call counts as, and why."""
    qualification = (await session.qualification.of([call_id])).get(call_id)
    matches = (await session.qualification.matches([call_id])).get(call_id, set())
    decisions = (await session.qualification.decisions([call_id])).get(call_id, ())
    decided = {one.subject: one for one in decisions if one.subject is not Subject.TAG}
    return Reasons(
        qualification=qualification or Qualification(call_id=call_id),
        target=decided.get(Subject.TARGET),
        spam=decided.get(Subject.SPAM),
        signs=tuple((await session.spam.counting([call_id])).get(call_id, ())),
        rules=tuple(rule for rule in await active_rules(session) if rule.id in matches),
    )
