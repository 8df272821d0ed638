"""Registered tags: offered with a colour and a key, renamed, merged and removed.

A tag that is renamed or removed is replaced on its calls in batches: the first at once, the others
by the worker. Meanwhile, the old name sets the new tag.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from router.domain.calls.call_filter import CallFilter
from router.domain.calls.tagging import (
    SET_BY_RULES,
    CountedTag,
    RegisteredTag,
    TagColour,
    tag_name,
)
from router.errors import Conflict, InvalidInput, NotFound
from router.service.calls.tag_names import check_unset, follow_rename
from router.service.ports import Session, Store

AT_ONCE = 200  # calls of one transaction
MOST_LISTED = 500
MOST_OFFERED = 60
PAUSE = 0.02  # seconds between two transactions


async def list_tags(store: Store, containing: str = "") -> list[CountedTag]:
    """Registered tags, then the most frequent others."""
    async with store.survey() as session:
        return await session.tag_registry.counted(containing.casefold(), MOST_LISTED)


async def show_tag(store: Store, name: str) -> CountedTag:
    """One tag, registered or not. Raises `InvalidInput`."""
    name = tag_name(name)
    async with store.read() as session:
        calls = await session.tag_registry.count(name)
        tag = await session.tag_registry.find(name)
    if tag is None:
        return CountedTag(name=name, calls=calls)
    return CountedTag(
        name=name, calls=calls, colour=tag.colour, digit=tag.digit, replaced_by=tag.replaced_by
    )


async def offered_tags(store: Store) -> list[RegisteredTag]:
    """The tags to offer on each call, those with a key first."""
    async with store.read() as session:
        return await session.tag_registry.offered(MOST_OFFERED)


async def register_tag(
    store: Store,
    name: str,
    *,
    colour: TagColour = TagColour.GREY,
    digit: int | None = None,
    now: datetime,
) -> RegisteredTag:
    """Offer a tag with this colour and key; another tag with the key loses it."""
    name = tag_name(name)
    if digit is not None and not 1 <= digit <= 9:
        raise InvalidInput(f"The key of a tag is 1 to 9, not {digit}.")
    async with store.write() as session:
        await session.calls.lock()
        before = await session.tag_registry.find(name)
        if before and before.replaced_by is not None:
            raise Conflict(f"The tag '{name}' is being replaced: try again in a moment.")
        tag = RegisteredTag(name=name, colour=colour, digit=digit, created_at=now)
        if before:
            tag = replace(tag, created_at=before.created_at)

        await _take_digit(session, tag)
        await session.tag_registry.save(tag)
        await _touch_newest(session, name)
    return tag


async def _take_digit(session: Session, tag: RegisteredTag) -> None:
    for other in await session.tag_registry.all():
        if tag.digit is not None and other.digit == tag.digit and other.name != tag.name:
            await session.tag_registry.save(replace(other, digit=None))


async def _touch_newest(session: Session, name: str) -> None:
    """Open lists show the new colour."""
    newest = await session.calls.find(CallFilter(tag=name), limit=AT_ONCE)
    await session.calls.touch(*(call.id for call in newest))


async def rename_tag(store: Store, name: str, new: str, now: datetime) -> None:
    """Rename a tag on all its calls; if there is a tag of the new name, both become one. Raises
    `NotFound`, and `Conflict` for a tag that is set by a rule or is being replaced.
    """
    name, new = tag_name(name), tag_name(new)
    if name == new:
        return
    if new in SET_BY_RULES:
        raise Conflict(f"The tag '{new}' is set by a rule: other tags cannot become it.")
    async with store.write() as session:
        await session.calls.lock()
        before = await _replaceable(session, name, now)
        target = await session.tag_registry.find(new)
        if target and target.replaced_by is not None:
            raise Conflict(f"The tag '{new}' is being replaced: try again in a moment.")
        if target is None and await session.tag_registry.find(name):
            await session.tag_registry.save(replace(before, name=new))
        replaced = replace(before, digit=None, replaced_by=new, replaced_at=now)
        await session.tag_registry.save(replaced)
        await follow_rename(session, name, new)
    await replace_some(store, name)


async def remove_tag(store: Store, name: str, *, from_calls: bool, now: datetime) -> None:
    """Offer a tag no longer; `from_calls` also removes it from all calls. Raises `NotFound`, and
    `Conflict` for a tag that is being replaced, or is set by a rule and should leave its calls.
    """
    name = tag_name(name)
    async with store.write() as session:
        await session.calls.lock()
        if not from_calls:
            tag = await session.tag_registry.find(name)
            if tag is None:
                raise NotFound(f"There is no registered tag '{name}'.")
            if tag.replaced_by is not None:
                raise Conflict(f"The tag '{name}' is being replaced: try again in a moment.")
            await session.tag_registry.remove(name)
            await _touch_newest(session, name)
            return
        before = await _replaceable(session, name, now)
        await check_unset(session, name)
        removed = replace(before, digit=None, replaced_by="", replaced_at=now)
        await session.tag_registry.save(removed)
    await replace_some(store, name)


async def _replaceable(session: Session, name: str, now: datetime) -> RegisteredTag:
    """The tag if it can be replaced; one that is not registered was created now."""
    if name in SET_BY_RULES:
        raise Conflict(f"The tag '{name}' is set by a rule: it cannot be renamed or removed.")
    tag = await session.tag_registry.find(name)
    if tag is None and not await session.tag_registry.count(name):
        raise NotFound(f"There is no tag '{name}'.")
    if tag and tag.replaced_by is not None:
        raise Conflict(f"The tag '{name}' is being replaced: try again in a moment.")
    return tag or RegisteredTag(name=name, created_at=now)


async def replace_some(store: Store, name: str) -> int:
    """Replace a tag on its next calls; returns how many there were."""
    async with store.write() as session:
        await session.calls.lock()  # no call gets the old tag meanwhile
        tag = await session.tag_registry.find(name)
        if tag is None or tag.replaced_by is None:
            return 0
        call_ids: Sequence[str] = await session.tag_registry.replace(name, tag.replaced_by, AT_ONCE)
        await session.calls.touch(*call_ids)
        if len(call_ids) < AT_ONCE:
            await session.tag_registry.remove(name)
    return len(call_ids)


async def replace_due(store: Store) -> int:
    """Replace each tag that waits for it on its next calls; returns the number of calls."""
    async with store.read() as session:
        waiting = [tag for tag in await session.tag_registry.all() if tag.replaced_by is not None]
    done = 0
    for tag in waiting:
        done += await replace_some(store, tag.name)
        await asyncio.sleep(PAUSE)
    return done


async def current_name(session: Session, name: str) -> str:
    """The name under which a tag is set now. Raises `Conflict` while it is being removed."""
    tag = await session.tag_registry.find(name)
    if tag is None or tag.replaced_by is None:
        return name
    if not tag.replaced_by:
        raise Conflict(f"The tag '{name}' is being removed: try again in a moment.")
    return await current_name(session, tag.replaced_by)
