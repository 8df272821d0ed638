"""Where in its recording something of a call happens."""

from datetime import timedelta

import pytest

from router.domain.calls.call import Call, Spans
from router.domain.calls.marks import MarkKind, marks_of_course, marks_of_sound
from tests.support.web_calls import a_call
from tests.support.web_transfers import lost_in_transfer
from tests.support.web_world import Clock

NOW = Clock().now


@pytest.fixture
def call() -> Call:
    """Answered after 7 s, 53 s of talk, 22 s on hold, 31 s in a transfer that nobody answers."""
    return a_call("1", NOW, **lost_in_transfer(NOW))


def test_marks_count_from_the_answer(call: Call) -> None:
    found = list(marks_of_course(call, 106.0))
    assert [(mark.kind, mark.at_seconds, mark.seconds, mark.text) for mark in found] == [
        (MarkKind.ANSWER, 0, 0, "company"),
        (MarkKind.TRANSFER, 53, 0, "204"),
        (MarkKind.TRANSFER, 93, 0, "205"),
        (MarkKind.HOLD, 53, 22, ""),
    ]


def test_a_recording_that_lacks_the_wait_after_a_transfer_pauses_there(call: Call) -> None:
    found = list(marks_of_course(call, 75.5))
    assert [(mark.kind, mark.at_seconds) for mark in found if mark.kind is MarkKind.PAUSE] == [
        (MarkKind.PAUSE, 75)
    ]
    assert [mark.at_seconds for mark in found if mark.kind is MarkKind.TRANSFER] == [53, 75]


def test_a_call_without_an_answer_or_of_an_older_version_has_what_is_known() -> None:
    assert list(marks_of_course(a_call("1", NOW, answered_at=None), 0.0)) == []
    kinds = [mark.kind for mark in marks_of_course(a_call("1", NOW), 124.0)]
    assert kinds == [MarkKind.ANSWER]


def test_a_clock_that_was_set_back_puts_nothing_before_the_beginning(call: Call) -> None:
    early = a_call("1", NOW, **lost_in_transfer(NOW), answered_at=NOW + timedelta(minutes=5))
    assert min(mark.at_seconds for mark in marks_of_course(early, 106.0)) == 0


def test_only_silences_of_five_seconds_are_marks() -> None:
    spans = Spans(silences=((1.0, 4.0), (10.0, 16.5)), talk_overs=((5.0, 6.25),))
    assert [(mark.kind, mark.at_seconds, mark.seconds) for mark in marks_of_sound(spans)] == [
        (MarkKind.SILENCE, 10.0, 6.5),
        (MarkKind.TALK_OVER, 5.0, 1.25),
    ]
