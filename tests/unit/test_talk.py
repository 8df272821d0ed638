"""With whom the caller talked: people, and not queues, announcements, other callers or a clock that
was set back.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.calls.call import Disposition, Ending, Hold, State
from router.domain.calls.folding import fold
from router.domain.calls.periods import with_holds
from tests.support.builders import later
from tests.support.scenes import CALLER, Scene, answered, course, outcomes


def queue() -> Scene:
    """The destination is a queue of the PBX: it answers at once and plays music."""
    return (
        Scene()
        .arrives()
        .local("q", "600")
        .answers("q;2", "q;1", CALLER)
        .meets("b1", "q;1", CALLER)
        .wait(8)
    )


def test_a_queue_that_answers_is_no_person() -> None:
    call = queue().over().ends("q;1").ends("q;2").call()
    assert (call.ending, call.disposition, call.answered_at) == (
        Ending.ABANDONED,
        Disposition.NO_ANSWER,
        None,
    )
    assert (round(call.wait_seconds), call.talk_seconds, call.answered_by) == (8, 0, None)
    closed = queue().over(by="").ends("q;1").ends("q;2").call()
    assert (closed.ending, closed.disposition) == (Ending.NO_ANSWER, Disposition.NO_ANSWER)


def test_the_member_of_a_queue_who_answers_behind_two_local_channels_is_the_person() -> None:
    scene = queue().local("m", "203").starts("203").wait(4).answers("203", "m;2", "m;1")
    scene.meets("b2", "m;1", "q;2").meets("b3", "203", "m;2").wait(20)
    call = scene.over().ends("q;1").ends("q;2").ends("m;1").ends("m;2").ends("203").call()
    assert (call.ending, call.answered_by, [leg.endpoint for leg in call.legs]) == (
        Ending.ANSWERED,
        "203",
        ["carrier", "203"],
    )
    assert course(call) == [("wait", 12), ("talk", 20)]


def test_an_announcement_before_anybody_answers_is_waited_in_and_abandoned() -> None:
    call = Scene().arrives().answers(CALLER).wait(12).over("").call()
    assert (call.ending, round(call.wait_seconds)) == (Ending.ABANDONED, 12)


def test_alone_in_a_conference_is_no_answer() -> None:
    call = (
        Scene()
        .arrives()
        .answers(CALLER)
        .meets("conf", CALLER, technology="softmix")
        .wait(30)
        .over("")
        .call()
    )
    assert (call.ending, call.answered_at) == (Ending.ABANDONED, None)


def test_a_conference_is_talk_while_a_colleague_who_dialled_in_is_there_and_may_go_on() -> None:
    scene = Scene().arrives().answers(CALLER).meets("room", CALLER, technology="softmix").wait(30)
    scene.starts("201", linkedid="201").answers("201").meets("room", "201", technology="softmix")
    scene.wait(20).leaves("201").starts("202", linkedid="202").wait(10)
    scene.meets("room", "202", technology="softmix").wait(5).over("")
    scene.starts("203", linkedid="203").meets("room", "203", technology="softmix")
    call = scene.call()
    assert (call.state, call.ending, call.answered_by, call.last_answered_by) == (
        State.ENDED,
        Ending.ANSWERED,
        "201",
        "202",
    )
    assert course(call) == [("wait", 30), ("talk", 20), ("hold", 10), ("talk", 5)]
    assert [leg.endpoint for leg in call.legs] == ["carrier", "201", "202"], "203 never met them"


def test_a_colleague_who_picks_up_the_ringing_call_answers_it() -> None:
    scene = Scene().arrives().starts("201").wait(3).starts("202", linkedid="202").answers("202")
    scene.row("PICKUP", "201").ends("201", 26).answers(CALLER).meets("b1", "202", CALLER).joins(
        "202"
    ).wait(9)
    call = scene.over().ends("202").row("LINKEDID_END", "202").call()
    assert (call.answered_by, round(call.wait_seconds), round(call.talk_seconds)) == ("202", 3, 9)
    assert call.transfers == ()


def test_two_outside_callers_whom_the_company_joins_are_two_calls_with_company_legs_of_their_own() -> (  # noqa: E501
    None
):
    scene = answered().wait(10)
    scene.arrives("other", "+79160000002").starts("201#2", linkedid="other").wait(2).answers(
        "201#2", "other"
    )
    scene.meets("b2", "201#2", "other").wait(5).attended("201", "201#2", "other").meets(
        "b1", "other"
    )
    scene.ends("201").ends("201#2").joins("other").wait(30).over(by="other").ends("other").row(
        "LINKEDID_END", "other"
    )
    one, two = fold(scene.rows)
    assert [(leg.role, leg.endpoint) for leg in one.legs] == [
        ("caller", "carrier"),
        ("company", "201"),
        ("other_caller", "carrier"),
        ("company", "201"),
    ]
    assert [leg.role for leg in two.legs].count("caller") == 1
    assert (one.ending, two.ending) == (Ending.ANSWERED, Ending.ANSWERED)
    assert outcomes(one)[0][:4] == ("attended", "+79160000002", "answered", "+79160000002")
    assert outcomes(two)[0][:4] == ("attended", "+79161234567", "answered", "+79161234567")
    assert (round(one.talk_seconds), round(one.hold_seconds)) == (40, 7)
    assert two.talk_seconds == pytest.approx(35, abs=0.1)


@pytest.mark.parametrize("step", [-3600.0, -35.0])
def test_a_clock_that_is_set_back_makes_no_time_negative(step: float) -> None:
    scene = answered().wait(10)
    at = len(scene.rows)
    scene.wait(20).over().ends("201")
    moved = [replace(row, at=row.at + timedelta(seconds=step)) for row in scene.rows[at:]]
    (call,) = fold([*scene.rows[:at], *moved])
    assert call.clock_stepped
    assert call.ended_at is not None
    assert call.ended_at >= call.arrived_at
    assert 0 <= call.talk_seconds <= 30.1
    assert all(period.ended_at >= period.started_at for period in call.periods)


def test_a_clock_that_is_right_is_not_flagged() -> None:
    scene = answered()
    assert not scene.wait(3).over().ends("201").call().clock_stepped


def test_what_another_phone_holds_is_talk_as_long_as_one_side_speaks() -> None:
    scene = answered().starts("202").answers("202").meets("b1", "202").wait(20)
    call = scene.over().ends("201").ends("202").call()
    one, two = (
        Hold(channel=scene.channel(who), started_at=later(7 + n))
        for n, who in enumerate(("201", "202"))
    )
    assert with_holds(call, [one]).hold_seconds == 0
    assert course(with_holds(call, [one, two]))[-1][0] == "hold"
