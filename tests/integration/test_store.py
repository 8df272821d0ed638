"""The store's promises, on SQLite and on PostgreSQL alike: what goes in comes out."""

from dataclasses import replace
from typing import Any

import pytest

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, Ending, State, Tag
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.folding import fold
from router.domain.visitors.site import Destination, Pool, Site, TrackingNumber
from router.errors import Conflict, NotFound
from router.service.calls.ports import RejectedRow
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import (
    DID,
    NOON,
    OTHER_DID,
    Story,
    answered_call,
    destination,
    dynamic,
    furnish,
    later,
    pool,
    site,
    static,
    visit,
    visitor,
    webhook,
)

# Records


async def test_every_kind_of_record_comes_back_as_it_went(store: SqlStore) -> None:
    records = [
        destination("sales", "PJSIP/a&PJSIP/b", "PJSIP/+7495@carrier", send_client_id=True),
        site(origins=("https://shop.example", "http://localhost:8000"), destination_id="sales"),
        pool(destination_id="sales"),
        dynamic(),
        static(channel="Щит на Тверской"),
        visitor(ga_session_id="17", ym_client_id="18"),
        visit(landing="https://shop.example/?a=1", click_ids={"gclid": "x", "yclid": "я"}),
        webhook(site_id="shop"),
    ]
    async with store.write() as session:
        await session.add(*records)
    async with store.read() as session:
        for record in records:
            key = record.e164 if isinstance(record, TrackingNumber) else record.id
            assert await session.get(type(record), key) == record


async def test_a_call_with_everything_in_it_comes_back_as_it_went(store: SqlStore) -> None:
    story = answered_call(number="+79161234567", name='O\'Brien "x", y; z 😀')
    folded = fold(story.rows)[0]
    full = replace(
        folded, verdict=Verdict.EXACT, lease_id="l", visitor_id="v", visit_id="w", hold_seconds=1.25
    )
    await save(store, full)
    async with store.read() as session:
        assert await session.get(Call, full.id) == replace(full, revision=1)


async def test_a_moment_keeps_its_microsecond(store: SqlStore) -> None:
    moments = [NOON.replace(microsecond=n) for n in (0, 1, 499_999, 999_999)]
    await save(store, *(call(f"c{i}", arrived_at=at) for i, at in enumerate(moments)))
    async with store.read() as session:
        assert [(await session.get(Call, f"c{i}")).arrived_at for i in range(4)] == moments


async def test_a_key_that_is_taken_and_one_that_is_missing_are_different_errors(
    store: SqlStore,
) -> None:
    await furnish(store)
    with pytest.raises(Conflict, match="site 'shop' already exists"):
        async with store.write() as session:
            await session.add(site())
    with pytest.raises(NotFound, match="no pool 'other'"):
        async with store.write() as session:
            await session.change(pool("other"))
    with pytest.raises(NotFound, match="no number"):
        async with store.write() as session:
            await session.remove(TrackingNumber, "+7000")


@pytest.mark.parametrize(("kind", "key"), [(Site, "shop"), (Destination, "office"), (Pool, "main")])
async def test_what_is_in_use_cannot_be_removed(kind: type[Any], key: str, store: SqlStore) -> None:
    await furnish(store)
    with pytest.raises(Conflict, match="still in use"):
        async with store.write() as session:
            await session.remove(kind, key)
    async with store.read() as session:
        assert await session.peek(kind, key) is not None


async def test_a_pool_of_a_site_that_is_not_there_is_refused(store: SqlStore) -> None:
    with pytest.raises(Conflict):
        async with store.write() as session:
            await session.add(pool(site_id="nowhere"))


async def test_the_configuration_revision_grows_with_each_change_and_only_then(
    store: SqlStore,
) -> None:
    async def revision() -> int:
        async with store.read() as session:
            return await session.configuration.revision()

    seen = [await revision()]
    await furnish(store)
    seen.append(await revision())
    async with store.write() as session:
        await session.add(visitor())
    assert await revision() == seen[-1]
    async with store.write() as session:
        await session.change(pool(hold_seconds=900))
    seen.append(await revision())
    async with store.write() as session:
        await session.remove(TrackingNumber, OTHER_DID)
    seen.append(await revision())
    assert seen == sorted(set(seen))


# Calls


async def test_pages_of_calls_that_arrived_in_the_same_moment_show_each_once(
    store: SqlStore,
) -> None:
    await save(
        store,
        *(call(f"c{i:02}") for i in range(25)),
        *(call(f"d{i}", arrived_at=later(i)) for i in (1, 2)),
    )
    seen: list[str] = []
    before = None
    async with store.read() as session:
        while page := await session.calls.find(CallFilter(), before=before, limit=4):
            seen += [call.id for call in page]
            before = (page[-1].arrived_at, page[-1].id)
    assert seen == ["d2", "d1", *(f"c{i:02}" for i in reversed(range(25)))]


async def test_what_changed_comes_in_whole_revisions(store: SqlStore) -> None:
    await save(store, *(call(f"a{i}") for i in range(3)))
    await save(store, *(call(f"b{i}") for i in range(3)))
    async with store.read() as session:
        assert {call.id for call in await session.calls.newer_than(0, limit=2)} == {
            "a0",
            "a1",
            "a2",
        }
        assert len(await session.calls.newer_than(0, limit=4)) == 6
        assert {call.id for call in await session.calls.newer_than(1)} == {"b0", "b1", "b2"}
        assert await session.calls.newer_than(2) == []


async def test_a_touched_call_is_new_again(store: SqlStore) -> None:
    await save(store, call("a"), call("b"))
    async with store.write() as session:
        await session.calls.touch("a")
    async with store.read() as session:
        assert [call.id for call in await session.calls.newer_than(1)] == ["a"]
    with pytest.raises(NotFound):
        async with store.write() as session:
            await session.calls.touch("nobody")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (CallFilter(), {"a", "b", "c"}),
        (CallFilter(site_id="shop"), {"a"}),
        (CallFilter(number=DID), {"a", "b"}),
        (CallFilter(verdict=Verdict.EXACT), {"a"}),
        (CallFilter(ending=Ending.NO_ANSWER, state=State.ENDED), {"b"}),
        (CallFilter(since=later(10)), {"b", "c"}),
        (CallFilter(until=later(10)), {"a"}),
        (CallFilter(since=later(10), until=later(20)), {"b"}),
        (CallFilter(tag="missed"), {"b"}),
        (CallFilter(text="Иван"), {"c"}),
        (CallFilter(text="100%_"), {"b"}),
        (CallFilter(text="916"), {"a"}),
        (CallFilter(text="%"), {"b"}),
    ],
)
async def test_calls_are_found_by_what_is_asked(
    wanted: CallFilter, found: set[str], store: SqlStore
) -> None:
    await save(
        store,
        call("a", number=DID, site_id="shop", caller="+79161234567", verdict=Verdict.EXACT),
        call("b", number=DID, ending=Ending.NO_ANSWER, caller_name="100%_x", arrived_at=later(10)),
        call("c", caller_name="Иванов", arrived_at=later(20)),
    )
    async with store.write() as session:
        await session.tags.add(Tag(call_id="b", name="missed", author="rule", at=NOON))
    async with store.read() as session:
        assert {call.id for call in await session.calls.find(wanted)} == found


async def test_a_tag_that_is_there_stays_as_it_was_first_set(store: SqlStore) -> None:
    await save(store, call())
    first = Tag(call_id="rt1-1.0", name="missed", author="rule", at=NOON)
    async with store.write() as session:
        await session.tags.add(first)
        await session.tags.add(replace(first, author="anna", at=later(5)))
        assert await session.tags.of(["rt1-1.0"]) == {"rt1-1.0": [first]}
        await session.tags.remove("rt1-1.0", "missed")
        await session.tags.remove("rt1-1.0", "missed")
        assert await session.tags.of(["rt1-1.0"]) == {}


# The CEL log's memory


async def test_the_rows_of_open_calls_come_back_as_they_went(store: SqlStore) -> None:
    one, two = Story(0, name='O\'Brien "x", 😀\n').arrives().routed().dials(), Story(5).arrives()
    async with store.write() as session:
        await session.cel_log.save_open_rows({one.linkedid: one.rows, two.linkedid: two.rows}, [])
    async with store.read() as session:
        assert await session.cel_log.open_rows() == {one.linkedid: one.rows, two.linkedid: two.rows}
    async with store.write() as session:
        await session.cel_log.save_open_rows({two.linkedid: two.routed().rows}, [one.linkedid])
    async with store.read() as session:
        assert await session.cel_log.open_rows() == {two.linkedid: two.rows}


async def test_a_row_set_aside_twice_is_kept_once(store: SqlStore) -> None:
    bad = RejectedRow(file="1:2@3", offset=7, text='"half', reason="not CSV", at=NOON)
    for _ in range(2):
        async with store.write() as session:
            await session.cel_log.set_aside([bad])


async def test_a_hold_lasts_until_the_same_channel_comes_back(store: SqlStore) -> None:
    async with store.write() as session:
        await session.holds.note("c", "PJSIP/a-1", NOON, held=True)
        await session.holds.note("c", "PJSIP/b-1", later(2), held=True)
        await session.holds.note("c", "PJSIP/a-1", later(5), held=False)
        await session.holds.note("c", "PJSIP/a-1", later(6), held=False)
        await session.holds.note("c", "PJSIP/" + "x" * 300, later(9), held=True)
        found = sorted(await session.holds.of(["c"]), key=lambda pair: pair[1].started_at)
    holds = [(key, hold.channel[:9], hold.started_at, hold.ended_at) for key, hold in found]
    assert holds == [
        ("c", "PJSIP/a-1", NOON, later(5)),
        ("c", "PJSIP/b-1", later(2), None),
        ("c", "PJSIP/xxx", later(9), None),
    ]
