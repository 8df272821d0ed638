"""Leases as intervals: what a sign of life, a goodbye and silence do to them."""

from datetime import datetime

import pytest

from router.domain.visitors.lease import (
    Lease,
    begin,
    leave,
    offer,
    offer_again,
    release,
    sign_of_life,
)
from tests.support.builders import DID, NOON, later, pool

POOL = pool(hold_seconds=600, freeze_seconds=300)


def new(at: datetime = NOON) -> Lease:
    return begin(POOL, id="l", number=DID, visitor_id="anna", visit_id="v", now=at)


def test_a_lease_lasts_for_the_hold_of_which_the_freeze_is_the_end() -> None:
    assert (new().started_at, new().frozen_at, new().ends_at) == (NOON, later(300), later(600))


def test_a_sign_of_life_counts_the_hold_again() -> None:
    kept = sign_of_life(new(), POOL, later(299))
    assert kept is not None
    assert (kept.started_at, kept.frozen_at, kept.ends_at) == (NOON, later(599), later(899))


@pytest.mark.parametrize(("hold", "freeze"), [(600, 300), (30, 0), (86_400, 3600)])
def test_a_number_that_no_page_shows_goes_back_within_half_a_minute(hold: int, freeze: int) -> None:
    some = pool(hold_seconds=hold, freeze_seconds=freeze)
    sent = offer(some, id="l", number=DID, visitor_id="anna", visit_id="v", now=NOON)
    assert (sent.shown, sent.frozen_at, sent.ends_at) == (False, later(30), later(30))
    assert sign_of_life(sent, some, later(30)) is None
    kept = sign_of_life(sent, some, later(29))
    assert kept is not None
    assert (kept.shown, kept.started_at, kept.ends_at) == (True, NOON, later(29 + hold))
    assert leave(sent, some, later(4)).ends_at == later(4 + freeze), (
        "who leaves within seconds has seen it"
    )
    assert offer_again(sent, later(20)).ends_at == later(50)


@pytest.mark.parametrize("seconds", [300, 599, 600, 10_000])
def test_a_lease_that_is_frozen_or_over_is_never_revived(seconds: float) -> None:
    assert sign_of_life(new(), POOL, later(seconds)) is None


def test_leaving_begins_the_freeze_unless_a_next_page_opens() -> None:
    left = leave(new(), POOL, later(10))
    assert (left.seen_at, left.frozen_at, left.ends_at) == (later(10), later(40), later(310))
    turned = sign_of_life(left, POOL, later(39))
    assert turned is not None
    assert (turned.id, turned.started_at, turned.frozen_at) == ("l", NOON, later(339))
    assert sign_of_life(left, POOL, later(40)) is None


@pytest.mark.parametrize(
    ("hold", "freeze", "turn"), [(60, 45, 15), (600, 5, 5), (600, 0, 0), (600, 300, 30)]
)
def test_a_page_is_turned_within_the_hold_and_the_freeze(
    hold: int, freeze: int, turn: float
) -> None:
    small = pool(hold_seconds=hold, freeze_seconds=freeze)
    lease = begin(small, id="l", number=DID, visitor_id="anna", visit_id="v", now=NOON)
    left = leave(lease, small, later(1))
    assert (left.frozen_at, left.ends_at) == (later(1 + turn), later(1 + freeze))


@pytest.mark.parametrize("seconds", [300, 700])
def test_leaving_late_changes_nothing(seconds: float) -> None:
    assert leave(new(), POOL, later(seconds)) == new()


@pytest.mark.parametrize(
    ("seconds", "frozen", "ends"), [(10, 10, 10), (400, 300, 400), (700, 300, 600)]
)
def test_a_released_lease_ends_at_once_and_never_later(
    seconds: float, frozen: float, ends: float
) -> None:
    freed = release(new(), later(seconds))
    assert (freed.frozen_at, freed.ends_at) == (later(frozen), later(ends))
