"""The registry of tags, and its changes on many calls."""

import asyncio
from datetime import timedelta

import pytest

from router.domain.calls.call import Tag
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.tagging import TagColour
from router.errors import Conflict, InvalidInput, NotFound
from router.service.calls import tags as service
from router.service.calls.browse import tag_call
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

CALLS = 30


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 7)


async def tagged(store: SqlStore, name: str, *numbers: int) -> None:
    """Set a tag on calls; those that are missing are saved first."""
    async with store.write() as session:
        await session.tags.add(
            *(
                Tag(call_id=f"rt1-{n}.0", name=name, author="anna", at=NOON, at_seconds=float(n))
                for n in numbers
            )
        )


async def some_calls(store: SqlStore) -> None:
    await save(
        store, *(call(f"rt1-{n}.0", arrived_at=NOON + timedelta(minutes=n)) for n in range(CALLS))
    )


async def calls_of(store: SqlStore, name: str) -> int:
    async with store.read() as session:
        return await session.calls.count(CallFilter(tag=name), 1000)


async def finished(store: SqlStore) -> None:
    """What the worker does."""
    while await service.replace_due(store):
        pass


async def test_a_renamed_tag_has_its_new_name_on_every_call_with_author_and_moment(
    store: SqlStore,
) -> None:
    await some_calls(store)
    await tagged(store, "sale", *range(20))
    await service.register_tag(store, "Sale", colour=TagColour.GREEN, digit=1, now=NOON)
    await service.rename_tag(store, "sale", "Sold  out", NOON)
    assert await calls_of(store, "sold out") == 7
    async with store.read() as session:
        revision = await session.calls.revision()
        assert await session.tag_registry.next_due() == NOON

    await finished(store)
    assert (await calls_of(store, "sale"), await calls_of(store, "sold out")) == (0, 20)
    async with store.read() as session:
        assert await session.tag_registry.next_due() is None
        (tag,) = (await session.tags.of(["rt1-19.0"]))["rt1-19.0"]
        changed = await session.calls.newer_than(revision)
    assert (tag.author, tag.at_seconds, tag.colour) == ("anna", 19.0, TagColour.GREEN)
    assert len(changed) >= 13  # so that open pages show it
    (offered,) = await service.offered_tags(store)
    assert (offered.name, offered.digit) == ("sold out", 1)


async def test_merged_tags_are_one_and_a_call_that_had_both_keeps_the_one_it_has(
    store: SqlStore,
) -> None:
    await some_calls(store)
    await tagged(store, "complaint", *range(10))
    await tagged(store, "angry", *range(5, 15))
    await service.register_tag(store, "complaint", colour=TagColour.RED, now=NOON)
    await service.rename_tag(store, "angry", "complaint", NOON)
    await finished(store)
    counted = {tag.name: tag.calls for tag in await service.list_tags(store)}
    assert counted == {"complaint": 15}
    (offered,) = await service.offered_tags(store)
    assert offered.colour is TagColour.RED


async def test_a_removed_tag_leaves_every_call(store: SqlStore) -> None:
    await some_calls(store)
    await tagged(store, "junk", *range(12))
    await service.remove_tag(store, "junk", from_calls=True, now=NOON)
    with pytest.raises(Conflict):
        await tag_call(store, "rt1-1.0", "junk", author="anna", now=NOON)
    await finished(store)
    assert await service.list_tags(store) == []
    await tag_call(store, "rt1-1.0", "junk", author="anna", now=NOON)
    assert await calls_of(store, "junk") == 1


async def test_a_tag_that_is_offered_no_longer_stays_on_its_calls(store: SqlStore) -> None:
    await some_calls(store)
    await tagged(store, "sale", 1)
    await service.register_tag(store, "sale", now=NOON)
    await service.remove_tag(store, "sale", from_calls=False, now=NOON)
    assert (await service.offered_tags(store), await calls_of(store, "sale")) == ([], 1)
    with pytest.raises(NotFound):
        await service.remove_tag(store, "sale", from_calls=False, now=NOON)


async def test_the_old_name_sets_the_new_tag_while_calls_are_renamed(
    store: SqlStore, other_store: SqlStore
) -> None:
    await some_calls(store)
    await tagged(store, "sale", *range(20))
    await service.rename_tag(store, "sale", "sold", NOON)

    async def tag_others() -> None:
        for n in range(20, CALLS):
            tag = await tag_call(other_store, f"rt1-{n}.0", "sale", author="boris", now=NOON)
            assert tag.name in {"sold", "sale"}  # the old name is free again at the end

    await asyncio.gather(finished(store), tag_others())
    names = {tag.name: tag.calls for tag in await service.list_tags(store)}
    assert names["sold"] + names.get("sale", 0) == CALLS
    assert names["sold"] >= 20


async def test_a_tag_set_by_a_rule_is_neither_renamed_nor_removed_from_calls(
    store: SqlStore,
) -> None:
    await some_calls(store)
    await tagged(store, "missed", 1)
    await tagged(store, "sale", 2)
    for name, new in (("missed", "lost"), ("sale", "missed")):
        with pytest.raises(Conflict):
            await service.rename_tag(store, name, new, NOON)
    with pytest.raises(Conflict):
        await service.remove_tag(store, "missed", from_calls=True, now=NOON)
    with pytest.raises(NotFound):
        await service.rename_tag(store, "none", "some", NOON)
    with pytest.raises(InvalidInput):
        await service.rename_tag(store, "sale", "<b>", NOON)


async def test_a_key_is_of_one_tag(store: SqlStore) -> None:
    await service.register_tag(store, "sale", digit=1, now=NOON)
    await service.register_tag(store, "complaint", digit=1, now=NOON)
    offered = {tag.name: tag.digit for tag in await service.offered_tags(store)}
    assert offered == {"complaint": 1, "sale": None}
    with pytest.raises(InvalidInput):
        await service.register_tag(store, "spam", digit=10, now=NOON)
