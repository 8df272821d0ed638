"""A CEL log in any order, doubled or torn, becomes calls whose times add up."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.calls.call import PeriodKind, State
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Row
from router.domain.calls.periods import Mark, periods
from tests.support.builders import NOON, answered_call, later

TEXT = st.text(max_size=8)
TRANSFERRING = {"BLINDTRANSFER", "ATTENDEDTRANSFER"}
EVENTS = st.sampled_from(
    sorted(
        {row.event for row in answered_call().rows}
        | {"BRIDGE_EXIT", "PICKUP", "PARK_START", *TRANSFERRING}
    )
)
EXTRA = st.dictionaries(
    st.sampled_from(
        ["extra", "bridge_id", "bridge_technology", "hangupcause", "extension", "channel2_name"]
    ),
    TEXT
    | st.integers(-99, 99)
    | st.booleans()
    | st.just("did=1&step=2&by=agent&status=BUSY&ring=1"),
)
ROWS = st.builds(
    Row,
    event=EVENTS,
    at=st.integers(0, 10**9).map(lambda n: later(n / 1000)),
    uniqueid=st.sampled_from("abc"),
    linkedid=st.sampled_from("abc"),
    channel=TEXT,
    caller_number=TEXT,
    caller_name=TEXT,
    extra=EXTRA,
)


@given(st.lists(ROWS, max_size=30), st.booleans())
def test_no_cel_log_whatever_it_says_makes_folding_fail(rows: list[Row], cut: bool) -> None:
    calls = fold(rows, cut_at=later(10**6) if cut else None)
    callers = {row.uniqueid for row in rows if row.event == "RINGTRACE_CALL"}
    assert len({call.id for call in calls}) == len(calls) <= len(callers)
    assert bool(calls) == bool(callers)
    for call in calls:
        until = call.ended_at or call.periods[-1].ended_at
        parts = (call.wait_seconds, call.talk_seconds, call.hold_seconds, call.transfer_seconds)
        assert min(parts) >= 0
        assert sum(parts) == pytest.approx((until - call.arrived_at).total_seconds())
        assert (
            (call.state is State.ENDED) == (call.ending is not None) == (call.ended_at is not None)
        )


def test_what_happens_after_the_caller_is_gone_is_no_part_of_the_call() -> None:
    wait = Mark(at=NOON, channels=(), answered=False, transferred=False)
    talk = Mark(at=later(10), channels=("PJSIP/office-1",), answered=True, transferred=False)
    after = replace(talk, at=later(100), channels=())
    course = periods([wait, talk, after], later(20))
    assert [(period.kind, period.seconds) for period in course] == [
        (PeriodKind.WAIT, 10),
        (PeriodKind.TALK, 10),
    ]


def test_a_channel_that_ends_before_its_call_begins_makes_a_call_of_no_time() -> None:
    row = Row(event="CHAN_END", at=NOON, uniqueid="a", linkedid="a", channel="PJSIP/c-1")
    [call] = fold([row, replace(row, event="RINGTRACE_CALL", at=later(1))], cut_at=later(9))
    assert (call.arrived_at, call.ended_at, call.wait_seconds) == (later(1), later(1), 0)


def test_a_clock_that_jumps_between_centuries_makes_folding_fail_as_little() -> None:
    rows = answered_call().rows * 20
    years = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2286, 11, 20, tzinfo=UTC))
    for row in (rows, list(reversed(rows))):
        jumping = [replace(one, at=years[n % 2]) for n, one in enumerate(row)]
        assert all(call.talk_seconds >= 0 for call in fold(jumping))
