"""A number whose page never shows it goes back soon; a visitor who sees it, taps it or leaves
keeps it for the hold.
"""

import pytest

from router.domain.attribution.terms import Verdict
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import DisplayLevel, Tap
from router.service.visitors.identities import Ids
from router.service.visitors.visits import VisitService
from router.store.engine import SqlStore
from tests.integration.test_attribution_of_calls import a_call, keep
from tests.integration.visit_world import ADS, SHOP, ask_for_page, everything, visit_service
from tests.support.builders import DID, NOON, dynamic, furnish, later


async def asked(store: SqlStore) -> tuple[VisitService, str, str]:
    """A page that has asked for a number, of which nothing more is heard: its visit and its
    lease.
    """
    await furnish(store, numbers=[dynamic()])
    desk = visit_service(store)
    arrived = await ask_for_page(desk, ADS)
    return desk, arrived.visit_id or "", arrived.numbers["main"].lease_id or ""


async def test_a_number_that_no_page_shows_is_free_after_half_a_minute(store: SqlStore) -> None:
    desk, _, _ = await asked(store)
    assert (await ask_for_page(desk, SHOP, later(5))).numbers["main"].level is DisplayLevel.OWN
    assert (await ask_for_page(desk, SHOP, later(30))).numbers["main"].number == DID


@pytest.mark.parametrize("how", ["alive", "tap", "left"])
async def test_a_visitor_who_shows_taps_or_leaves_within_seconds_keeps_the_attribution(
    store: SqlStore, how: str
) -> None:
    desk, visit_id, lease_id = await asked(store)
    who = await desk.recall(visit_id)
    match how:
        case "alive":
            await desk.stay(who, [lease_id], None, Ids(), "", later(5))
        case "tap":
            await desk.tapped(who, DID, later(5))
        case "left":
            await desk.left(who, [lease_id], later(5))
    assert (await ask_for_page(desk, SHOP, later(200))).numbers["main"].level is DisplayLevel.OWN
    [call] = await keep(store, a_call(at=60))
    assert call.source == "google"
    assert call.verdict in {Verdict.EXACT, Verdict.FROZEN}


async def test_a_visitor_whose_answers_come_too_late_holds_no_number_for_long(
    store: SqlStore,
) -> None:
    """They are known again by their cookie and open page after page, each of which shows the
    company's own.
    """
    await furnish(store, numbers=[dynamic()])
    desk = visit_service(store)
    first = await ask_for_page(desk, ADS)
    for at in (10, 20):
        await ask_for_page(desk, SHOP, later(at), visitor_id=first.visitor_id)
    [lease] = await everything(store, Lease)
    assert (lease.started_at, lease.ends_at) == (NOON, later(50))


async def test_who_was_never_shown_the_number_is_no_candidate(store: SqlStore) -> None:
    await asked(store)
    during, after = await keep(store, a_call(at=10, caller=None), a_call("c2", at=40, caller=None))
    assert during.verdict is Verdict.EXACT
    assert (after.verdict, after.candidates) == (Verdict.UNKNOWN, ())


async def test_a_tap_on_a_number_that_is_not_held_is_not_kept(store: SqlStore) -> None:
    desk, visit_id, _ = await asked(store)
    who = await desk.recall(visit_id)
    await desk.tapped(who, "+74950000002", later(5))
    await ask_for_page(desk, SHOP, later(40))
    await desk.tapped(who, DID, later(45))
    assert await everything(store, Tap) == []
