"""Changes of many calls at once, in batches of a transaction each: others write in between."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.calls.call import Tag
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.qualification import Subject
from router.domain.calls.review import Review
from router.domain.calls.tagging import tag_name
from router.service.calls.missed_follow import follow_tag
from router.service.calls.qualification import decide_calls, undo_decisions
from router.service.calls.selection import Selection, ids_in_batches
from router.service.calls.tag_decisions import tag_by_person, untag_by_person
from router.service.calls.tags import current_name
from router.service.ports import Session, Store

BATCH = 50  # calls of one transaction


class BulkAction(StrEnum):
    """What is done. Each has its change in `CHANGES`."""

    TAG = "tag"
    UNTAG = "untag"
    REVIEW = "review"
    UNREVIEW = "unreview"
    TARGET = "target"
    NOT_TARGET = "not_target"
    UNDO_TARGET = "undo_target"  # what people decided is taken back: rules count again
    SPAM = "spam"
    NOT_SPAM = "not_spam"
    UNDO_SPAM = "undo_spam"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOrder:
    """A change of many calls."""

    action: BulkAction
    value: str  # a tag
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """How many calls were chosen, and how many of them were changed: the others had it already."""

    chosen: int
    changed: int


# changes calls that are there; returns the ids of those that it changed
Change = Callable[[Session, Sequence[str], BulkOrder], Awaitable[list[str]]]


async def _tag(session: Session, call_ids: Sequence[str], order: BulkOrder) -> list[str]:
    name = await current_name(session, order.value)
    tagged = await _with_tag(session, call_ids, name)
    new = [call_id for call_id in call_ids if call_id not in tagged]
    tags = [Tag(call_id=call_id, name=name, author=order.author, at=order.at) for call_id in new]
    await tag_by_person(session, tags)
    await follow_tag(session, name, *new)
    return new


async def _untag(session: Session, call_ids: Sequence[str], order: BulkOrder) -> list[str]:
    tagged = await _with_tag(session, call_ids, order.value)
    await untag_by_person(session, tagged, order.value, author=order.author, now=order.at)
    await follow_tag(session, order.value, *tagged)
    return sorted(tagged)


async def _with_tag(session: Session, call_ids: Sequence[str], name: str) -> set[str]:
    present = await session.tags.of(call_ids)
    return {call_id for call_id, tags in present.items() if any(tag.name == name for tag in tags)}


async def _review(session: Session, call_ids: Sequence[str], order: BulkOrder) -> list[str]:
    reviews = [Review(call_id=call_id, person=order.author, at=order.at) for call_id in call_ids]
    return list(await session.reviews.add(reviews))


async def _unreview(session: Session, call_ids: Sequence[str], _: BulkOrder) -> list[str]:
    return list(await session.reviews.remove(call_ids))


def _decides(subject: Subject, *, wanted: bool) -> Change:
    """A person's decision, on the calls for which they have not decided so."""

    async def change(session: Session, call_ids: Sequence[str], order: BulkOrder) -> list[str]:
        decided = await _decided(session, call_ids, subject)
        new = [call_id for call_id in call_ids if decided.get(call_id) is not wanted]
        await decide_calls(session, new, subject, wanted=wanted, author=order.author, now=order.at)
        return new

    return change


def _undoes(subject: Subject) -> Change:
    async def change(session: Session, call_ids: Sequence[str], order: BulkOrder) -> list[str]:
        decided = sorted(await _decided(session, call_ids, subject))
        await undo_decisions(session, decided, subject, order.at)
        return decided

    return change


async def _decided(session: Session, call_ids: Sequence[str], subject: Subject) -> dict[str, bool]:
    """What people decided of these calls."""
    decided = {}
    for call_id, decisions in (await session.qualification.decisions(call_ids)).items():
        for decision in decisions:
            if decision.subject is subject:
                decided[call_id] = decision.wanted
    return decided


CHANGES: Mapping[BulkAction, Change] = {
    BulkAction.TAG: _tag,
    BulkAction.UNTAG: _untag,
    BulkAction.REVIEW: _review,
    BulkAction.UNREVIEW: _unreview,
    BulkAction.TARGET: _decides(Subject.TARGET, wanted=True),
    BulkAction.NOT_TARGET: _decides(Subject.TARGET, wanted=False),
    BulkAction.UNDO_TARGET: _undoes(Subject.TARGET),
    BulkAction.SPAM: _decides(Subject.SPAM, wanted=True),
    BulkAction.NOT_SPAM: _decides(Subject.SPAM, wanted=False),
    BulkAction.UNDO_SPAM: _undoes(Subject.SPAM),
}
DECISIONS = {
    BulkAction.TARGET: Subject.TARGET,
    BulkAction.NOT_TARGET: Subject.TARGET,
    BulkAction.SPAM: Subject.SPAM,
    BulkAction.NOT_SPAM: Subject.SPAM,
}
_OF_TAGS = {BulkAction.TAG, BulkAction.UNTAG}


async def change_calls(
    store: Store,
    selection: Selection,
    action: BulkAction,
    value: str,
    *,
    author: str,
    now: datetime,
) -> BulkResult:
    """Change the selected calls. Calls that were removed meanwhile are left out. Raises
    `InvalidInput`; what was done until another error stays done, and doing it again is harmless.
    """
    name = ""
    if action in _OF_TAGS:
        name = tag_name(value)

    order = BulkOrder(action=action, value=name, author=author, at=now)
    chosen = changed = 0
    async for call_ids in ids_in_batches(store, selection, BATCH):
        async with store.write() as session:
            await session.calls.lock()
            existing = await session.calls.matching(call_ids, CallFilter())
            found = [call_id for call_id in call_ids if call_id in existing]
            done = await CHANGES[action](session, found, order)
            if done:
                await session.calls.touch(*done)
        chosen, changed = chosen + len(found), changed + len(done)
        await asyncio.sleep(0)
    return BulkResult(chosen=chosen, changed=changed)


async def undo_change(
    store: Store, subject: Subject, *, author: str, at: datetime, now: datetime
) -> int:
    """Take back the decisions that this person made in one change at that time; returns how many.
    Calls for which somebody has decided since are left alone.
    """
    undone, done = 0, BATCH
    while done == BATCH:
        async with store.write() as session:
            await session.calls.lock()
            call_ids = await session.qualification.decided_at(subject, author, at, BATCH)
            await undo_decisions(session, call_ids, subject, now)
            done = len(call_ids)
        undone += done
        await asyncio.sleep(0)
    return undone
