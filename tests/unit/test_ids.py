"""Ids of records."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from router.domain.ids import earliest, id_within, new_id

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@given(st.datetimes(datetime(1970, 1, 2), datetime(3000, 1, 1), timezones=st.just(UTC)))
def test_an_id_is_a_uuid_of_version_7_that_begins_with_its_time(moment: datetime) -> None:
    made = UUID(new_id(moment))
    assert (made.version, made.variant) == (7, RFC_4122)
    since = moment.timestamp() * 1000 - (made.int >> 80)
    assert abs(since) <= 1000


def test_an_id_within_another_is_of_its_time_and_the_same_each_time() -> None:
    visit, other = new_id(NOON), new_id(NOON)
    made = UUID(id_within(visit, "k1"))
    assert (made.version, made.variant) == (8, RFC_4122)
    assert id_within(visit, "k1") == made.hex
    assert earliest(NOON) <= made.hex < earliest(NOON + timedelta(milliseconds=2))
    assert len({made.hex, id_within(visit, "k2"), id_within(other, "k1")}) == 3


def test_ids_of_one_moment_are_in_the_order_in_which_they_were_made() -> None:
    made = [new_id(NOON) for _ in range(10_000)]  # more than the counter holds
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_requests_that_overtake_each_other_are_in_order() -> None:
    moments = [NOON + timedelta(days=1, milliseconds=-(n % 3)) for n in range(1000)]
    made = [new_id(moment) for moment in moments]
    assert made == sorted(made)


def test_threads_never_make_the_same_id() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(new_id, [NOON + timedelta(days=2)] * 5000))
    assert len(set(made)) == len(made)


def test_a_clock_that_was_set_back_is_followed() -> None:
    later = new_id(NOON + timedelta(days=3))
    assert new_id(NOON + timedelta(days=2, hours=23)) < later


def test_an_id_tells_nothing_of_the_next_one() -> None:
    tails = {new_id(NOON + timedelta(days=4))[17:] for _ in range(1000)}
    assert len(tails) == 1000


def test_ids_of_earlier_versions_sort_among_the_new_ones() -> None:
    old = f"{int(NOON.timestamp() * 1000):012x}" + "8" * 20
    before, after = new_id(NOON - timedelta(minutes=1)), new_id(NOON + timedelta(minutes=1))
    assert before < old < after
    assert len(before) == len(old)
    assert before < earliest(NOON) < old
