"""A page after it opened, in a visitor's name: signs of life, taps, forms, leaving."""

import pytest

from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import DisplayLevel, Form, PageView, Tap, Visit, Visitor
from router.errors import InvalidInput, NotFound
from router.service.visitors.display import Shown
from router.service.visitors.identities import Ids
from router.store.engine import SqlStore
from tests.integration.visit_world import SHOP, everything, open_page, opened, visit_service
from tests.support.builders import DID, NOON, dynamic, furnish, later


async def test_signs_of_life_keep_the_number_and_tell_only_what_changed(store: SqlStore) -> None:
    desk, who, arrived = await opened(store)
    lease_id = arrived.numbers["main"].lease_id
    ids = Ids(ym_client_id="77", ga_session_id="5")
    assert await desk.stay(who, [lease_id], "/contacts?phone=1", ids, "", later(200)) == {}
    changed = await desk.stay(
        await desk.recall(who.visit.id), [lease_id], None, Ids(), "", later(600)
    )
    assert changed["main"].number == DID
    assert changed["main"].lease_id != lease_id  # it was frozen: a new lease of the same number
    [visitor], [visit] = await everything(store, Visitor), await everything(store, Visit)
    assert (visitor.ym_client_id, visit.ga_session_id, visit.seen_at) == ("77", "5", later(600))
    assert {view.path for view in await everything(store, PageView)} == {"/tyres", "/contacts"}


async def test_a_number_that_another_visitor_has_by_now_is_replaced(store: SqlStore) -> None:
    await furnish(store, numbers=[dynamic()])
    desk = visit_service(store)
    arrived = await open_page(desk)
    who = await desk.recall(arrived.visit_id or "")
    await open_page(desk, SHOP, later(700))
    changed = await desk.stay(
        who, [arrived.numbers["main"].lease_id or ""], None, Ids(), "", later(800)
    )
    assert changed == {"main": Shown(DisplayLevel.OWN)}


async def test_leases_of_others_are_not_kept_and_not_left(store: SqlStore) -> None:
    desk, who, _ = await opened(store)
    theirs = (await open_page(desk)).numbers["main"].lease_id or ""
    before = await everything(store, Lease)
    assert await desk.stay(who, [theirs, "none"], None, Ids(), "", later(10)) == {}
    await desk.left(who, [theirs, "none"], later(10))
    assert await everything(store, Lease) == before


async def test_a_number_asked_for_later_is_given_then(store: SqlStore) -> None:
    await furnish(store)
    desk = visit_service(store)
    arrived = await open_page(desk, pools=[])
    assert arrived.numbers == {}
    given = await desk.give_numbers(
        await desk.recall(arrived.visit_id or ""), ["main", "none"], "", later(5)
    )
    assert [shown.number for shown in given.values()] == [DID]


async def test_leaving_begins_the_freeze(store: SqlStore) -> None:
    desk, who, arrived = await opened(store)
    await desk.left(who, [arrived.numbers["main"].lease_id or ""], later(20))
    await desk.left(who, [arrived.numbers["main"].lease_id or ""], later(90))
    [lease] = await everything(store, Lease)
    assert (lease.seen_at, lease.frozen_at, lease.ends_at) == (later(20), later(50), later(320))


async def test_taps_and_forms_are_kept_in_one_spelling_and_not_without_end(store: SqlStore) -> None:
    desk, who, _ = await opened(store)
    await desk.left_phone(who, "8 (916) 123-45-67", NOON)
    for _ in range(55):
        await desk.tapped(who, DID, NOON)
    assert [form.phone for form in await everything(store, Form)] == ["+79161234567"]
    assert len(await everything(store, Tap)) == 50
    for wrong in ("", "abc", "1", "٣" * 70):
        with pytest.raises(InvalidInput):
            await desk.left_phone(who, wrong, NOON)


async def test_no_more_than_two_hundred_pages_of_a_visit_are_noted(store: SqlStore) -> None:
    desk, who, _ = await opened(store)
    for i in range(210):
        await desk.stay(who, [], f"/{i}/" + "x" * 600, Ids(), "", NOON)
    views = await everything(store, PageView)
    assert len(views) == 200
    assert max(len(view.path) for view in views) == 500


async def test_an_unknown_visit_is_not_found(store: SqlStore) -> None:
    with pytest.raises(NotFound):
        await visit_service(store).recall("none")
