"""Signs of spam: bursts whatever the order of calls, silent callers, lists as people write them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.calls.call import Call, Recording, RecordingState, State
from router.domain.calls.spam import (
    BadEntry,
    LineFault,
    bursts,
    entries_for,
    entry_id,
    is_silent,
    read_list,
)
from router.errors import InvalidInput
from tests.support.builders import NOON


def a_call(n: int, minutes: float, number: int, seconds: float = 10, **fields: Any) -> Call:
    arrived = NOON + timedelta(minutes=minutes)
    return Call(
        **{
            "id": f"c{n:03}",
            "did": "1",
            "trunk": "t",
            "number": f"+7495000000{number}",
            "caller": "+74951112233",
            "arrived_at": arrived,
            "ended_at": arrived + timedelta(seconds=seconds),
            "state": State.ENDED,
            **fields,
        }
    )


CALLS = st.lists(
    st.tuples(
        st.integers(0, 40).map(lambda half: half / 2), st.integers(1, 4), st.sampled_from((5, 60))
    ),
    max_size=14,
).map(lambda some: [a_call(n, *one) for n, one in enumerate(some)])


@given(CALLS, st.randoms())
def test_a_burst_is_found_whatever_the_order_of_its_calls(calls: list[Call], chance: Any) -> None:
    mixed = list(calls)
    chance.shuffle(mixed)
    found = bursts(mixed)
    assert found == bursts(calls)
    for call in calls:  # as each is looked at: by the calls that are near it
        near = [c for c in mixed if abs(c.arrived_at - call.arrived_at) <= timedelta(minutes=20)]
        assert (call.id in bursts(near)) == (call.id in found)
    shorts = {call.id for call in calls if call.ended_at == call.arrived_at + timedelta(seconds=5)}
    assert found <= shorts


def test_five_short_calls_to_three_numbers_in_ten_minutes_are_a_burst() -> None:
    five = [a_call(n, n * 2.5, 1 + n % 3) for n in range(5)]
    assert bursts(five) == {call.id for call in five}
    assert bursts(five[:4]) == set()
    assert bursts([a_call(n, n * 2.6, 1 + n % 3) for n in range(5)]) == set()
    assert bursts([a_call(n, n, 1 + n % 2) for n in range(9)]) == set()
    assert bursts([a_call(n, n, n % 5, 21) for n in range(9)]) == set()


@pytest.mark.parametrize(
    ("heard", "speech", "talk", "silent"),
    [
        (10.0, 0.0, 10.0, True),
        (10.0, 0.29, 10.0, True),
        (10.0, 0.5, 10.0, False),
        (4.0, 0.0, 4.0, False),
        (70.0, 0.0, 70.0, False),
        (10.0, None, 10.0, False),
    ],
)
def test_a_caller_without_a_word_is_silent(
    heard: float, speech: float | None, talk: float, silent: bool
) -> None:
    call = a_call(1, 0, 1, talk_seconds=talk)
    recording = Recording(
        call_id=call.id,
        spool_name="x",
        state=RecordingState.STORED,
        expected_seconds=heard,
        due_at=NOON,
        seconds=heard,
        caller_speech_seconds=speech,
    )
    assert is_silent(call, recording) is silent
    assert not is_silent(call, None)


def test_numbers_and_prefixes_are_read_in_any_spelling() -> None:
    assert entry_id("8 (495) 111-22-33", "RU") == "+74951112233"
    assert entry_id("+7 495 111*", "RU") == "+7495111*"
    assert entry_id("7495111*", "RU") == "+7495111*"
    assert entry_id("8495111*", "RU") == "+7495111*"
    assert {"+74951112233", "+7495*", "+74951112233*"} <= set(entries_for("+74951112233"))
    for wrong in ("", "*", "+74*", "abc", "7495*1"):
        with pytest.raises(InvalidInput):
            entry_id(wrong, "RU")


def test_a_list_names_its_bad_lines_and_keeps_the_good_ones() -> None:
    text = '\ufeffNumber;Note\n8 495 111-22-33;"robot; rings daily"\n\n=1+1;x\n\'+7495111*\nabc\n'
    assert list(read_list(text, "RU")) == [
        ("+74951112233", "robot; rings daily"),
        BadEntry(line=4, text="=1+1", fault=LineFault.NOT_A_NUMBER),
        ("+7495111*", ""),
        BadEntry(line=6, text="abc", fault=LineFault.NOT_A_NUMBER),
    ]
    assert list(read_list("+74951112233,a,b", "RU")) == [("+74951112233", "a b")]
    assert list(read_list("", "RU")) == []
