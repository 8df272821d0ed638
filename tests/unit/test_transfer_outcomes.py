"""What a call was: with whom the caller talked, what came of each transfer, and how the call ended
then.
"""

from datetime import timedelta

import pytest

from router.domain.calls.call import Disposition, Ending, Hold, TransferOutcome
from router.domain.calls.folding import fold
from router.domain.calls.periods import with_holds
from router.domain.delivery.call_event import read_call
from router.domain.delivery.payload import call_body
from router.receivers.target_calls import TargetRule
from tests.support.scenes import CALLER, Scene, answered, course, outcomes


def ringing() -> Scene:
    """201 has talked for ten seconds and transferred the caller to 202, whose phone is called."""
    return answered().wait(10).blind("201", "202").starts("202")


def in_queue() -> Scene:
    """201 has talked for ten seconds and transferred the caller to a queue, which calls its
    member.
    """
    return answered().wait(10).blind("201", "600").local("m", "203").starts("203")


LOST: dict[str, tuple[Scene, TransferOutcome]] = {
    "still rings": (
        ringing().wait(8).ends("202").over("CANCEL", ring=1),
        TransferOutcome.ABANDONED_RINGING,
    ),
    "busy": (
        ringing().ends("202", 17).over("BUSY", by="", cause=17),
        TransferOutcome.BUSY,
    ),
    "busy, and the caller hears the tone for a while": (
        ringing().ends("202", 17).wait(6).over("ANSWER"),
        TransferOutcome.BUSY,
    ),
    "declined": (
        answered()
        .wait(10)
        .blind("201", "202")
        .starts("202")
        .wait(2)
        .ends("202", 21)
        .over("CHANUNAVAIL", by="", cause=21),
        TransferOutcome.DECLINED,
    ),
    "nobody comes": (
        ringing().wait(60).ends("202").over("NOANSWER", by="", cause=19),
        TransferOutcome.NO_ANSWER,
    ),
    "phone not there": (
        ringing().ends("202", 20).over("CHANUNAVAIL", by="", cause=20),
        TransferOutcome.FAILED,
    ),
    "no such extension": (
        answered().wait(10).blind("201", "999").over(by="", cause=1),
        TransferOutcome.FAILED,
    ),
    "an announcement, and the caller hangs up": (
        answered().wait(10).blind("201", "400").wait(8).over(),
        TransferOutcome.ABANDONED,
    ),
    "an announcement to its end": (
        answered().wait(10).blind("201", "400").wait(8).over(by=""),
        TransferOutcome.NO_ANSWER,
    ),
    "a queue whose member does not answer, and the caller hangs up": (
        in_queue().wait(15).ends("203").ends("m;1").ends("m;2").wait(20).over(),
        TransferOutcome.ABANDONED,
    ),
    "a queue, and the caller hangs up while a member is rung": (
        answered()
        .wait(10)
        .blind("201", "600")
        .local("m", "203")
        .starts("203")
        .wait(5)
        .ends("203", 26)
        .ends("m;1")
        .over()
        .ends("m;2"),
        TransferOutcome.ABANDONED_RINGING,
    ),
}


@pytest.mark.parametrize(("scene", "outcome"), LOST.values(), ids=LOST)
def test_a_transfer_that_is_not_taken_is_lost_and_no_talk(
    scene: Scene, outcome: TransferOutcome
) -> None:
    call = scene.call()
    assert (call.ending, call.disposition) == (Ending.LOST_IN_TRANSFER, Disposition.ANSWERED)
    assert [transfer.outcome for transfer in call.transfers] == [outcome]
    assert call.talk_seconds == pytest.approx(10, abs=0.1)
    assert (call.answered_by, call.last_answered_by, call.transfers[0].answered_by) == (
        "201",
        "201",
        None,
    )
    assert call.transfer_seconds == pytest.approx(call.transfers[0].wait_seconds, abs=0.02)


def test_a_transfer_row_written_after_the_bridge_was_left_is_the_same() -> None:
    scene = ringing().wait(8).ends("202").over("CANCEL", ring=1)
    at = next(place for place, row in enumerate(scene.rows) if row.event == "BLINDTRANSFER")
    rows = [*scene.rows[:at], *scene.rows[at + 1 : at + 3], scene.rows[at], *scene.rows[at + 3 :]]
    (call,) = fold(rows)
    assert (call.ending, outcomes(call)[0][2]) == (
        Ending.LOST_IN_TRANSFER,
        TransferOutcome.ABANDONED_RINGING,
    )


def test_a_colleague_who_takes_a_transfer_talks_and_is_the_last() -> None:
    scene = ringing().wait(4).answers("202").meets("b2", "202", CALLER)
    call = scene.wait(20).over().ends("202").call()
    assert outcomes(call) == [("blind", "202", "answered", "202", 4)]
    assert course(call) == [("wait", 5), ("talk", 10), ("transfer", 4), ("talk", 20)]
    assert (call.ending, call.answered_by, call.last_answered_by) == (Ending.ANSWERED, "201", "202")


def test_a_transfer_that_rings_in_vain_can_return() -> None:
    scene = ringing().wait(15).ends("202")
    scene.starts("201#2").wait(3).answers("201#2").meets("b2", "201#2", CALLER).wait(5)
    call = scene.over().ends("201#2").call()
    assert outcomes(call) == [("blind", "202", "returned", "201", 18)]
    assert (call.ending, call.last_answered_by) == (Ending.ANSWERED, "201")


def test_the_trunk_of_a_pbx_that_takes_its_own_transfer_has_not_returned_it() -> None:
    scene = answered("pbx").wait(10).blind("pbx", "202").starts("pbx#2").wait(3)
    call = scene.answers("pbx#2").meets("b2", "pbx#2", CALLER).wait(5).over().ends("pbx#2").call()
    assert outcomes(call) == [("blind", "202", "answered", "pbx", 3)]


def test_three_transfers_in_a_row_have_an_outcome_each() -> None:
    scene = answered()
    for first, second, talk in (("201", "202", 10), ("202", "203", 20)):
        scene.wait(talk).blind(first, second).starts(second).wait(2).answers(second).meets(
            second, second, CALLER
        )
    call = (
        scene.wait(30)
        .blind("203", "204")
        .starts("204")
        .wait(7)
        .ends("204")
        .over("CANCEL", ring=1)
        .call()
    )
    assert [(to, outcome, by) for _, to, outcome, by, _ in outcomes(call)] == [
        ("202", "answered", "202"),
        ("203", "answered", "203"),
        ("204", "abandoned_ringing", None),
    ]
    assert (call.ending, call.last_answered_by) == (Ending.LOST_IN_TRANSFER, "203")
    assert call.talk_seconds == pytest.approx(60, abs=0.1)
    assert call.transfer_seconds == pytest.approx(2 + 2 + 7, abs=0.1)


def consultation() -> Scene:
    """201 opens a second line to 202, talks there for 8 of 12 seconds, and has said nothing of
    hold.
    """
    scene = (
        answered()
        .wait(10)
        .starts("201#2", extension="202", linkedid="201#2")
        .starts("202", linkedid="201#2")
    )
    return scene.wait(4).answers("202", "201#2").meets("b2", "202", "201#2").wait(8)


def test_an_attended_transfer_is_hold_while_the_company_consults() -> None:
    scene = (
        consultation().attended("201", "201#2", "202").meets("b2", CALLER).ends("201").ends("201#2")
    )
    call = (
        scene.row("LINKEDID_END", "201#2").joins("202").wait(30).over(by="202").ends("202").call()
    )
    assert outcomes(call) == [("attended", "202", "answered", "202", 0)]
    assert course(call) == [("wait", 5), ("talk", 10), ("hold", 12), ("talk", 30)]
    assert (call.ending, call.answered_by, call.last_answered_by) == (Ending.ANSWERED, "201", "202")


def test_an_attended_transfer_that_is_given_up_is_no_transfer() -> None:
    scene = consultation().ends("202").ends("201#2").row("LINKEDID_END", "201#2").wait(6)
    call = scene.over().ends("201").call()
    assert (call.transfers, call.ending) == ((), Ending.ANSWERED)
    begun, until = call.periods[1].started_at, call.periods[1].ended_at
    held = Hold(
        channel=scene.channel("201"),
        started_at=begun + timedelta(seconds=10),
        ended_at=until - timedelta(seconds=6),
    )
    assert course(with_holds(call, [held])) == [
        ("wait", 5),
        ("talk", 10),
        ("hold", 12),
        ("talk", 6),
    ]


def test_a_transfer_before_the_colleague_answers_rings_on_and_may_be_lost() -> None:
    scene = (
        answered()
        .wait(10)
        .starts("201#2", extension="202", linkedid="201#2")
        .starts("202", linkedid="201#2")
    )
    scene.wait(4).attended("201", "201#2", "202").leaves(CALLER).ends("201").ends("201#2")
    call = scene.joins("202").wait(9).ends("202").over("CANCEL", ring=1).call()
    assert outcomes(call) == [("attended", "202", "abandoned_ringing", None, 9)]
    assert course(call) == [("wait", 5), ("talk", 10), ("hold", 4), ("transfer", 9)]
    assert call.ending is Ending.LOST_IN_TRANSFER


def test_a_consultation_by_keys_leaves_the_caller_alone_and_names_no_local_channel() -> None:
    scene = answered().wait(10).local("c", "202").meets("b2", "c;1", "201").starts("202").wait(2)
    scene.answers("202", "c;2", "c;1").meets("b3", "202", "c;2").wait(5)
    scene.meets("b1", "c;1").leaves("201").attended("201", "201", "c;1").ends("201")
    call = scene.wait(30).over().ends("c;1").ends("c;2").ends("202").call()
    assert outcomes(call) == [("attended", "202", "answered", "202", 0)]
    assert course(call) == [("wait", 5), ("talk", 10), ("hold", 7), ("talk", 30)]
    assert [leg.endpoint for leg in call.legs] == ["carrier", "201", "202"]


def test_a_transfer_into_a_conference_is_taken_once_another_person_is_there() -> None:
    scene = (
        answered().wait(10).blind("201", "800").meets("conf", CALLER, technology="softmix").wait(15)
    )
    scene.starts("bot", channel="CBAnn/800-00000001;2").meets(
        "conf", "bot", technology="softmix"
    ).wait(5)
    scene.starts("203", extension="800", linkedid="203").answers("203").meets(
        "conf", "203", technology="softmix"
    )
    call = scene.joins("203").wait(30).ends("203").wait(4).ends("bot").over().call()
    assert outcomes(call) == [("blind", "800", "answered", "203", 20)]
    assert course(call) == [("wait", 5), ("talk", 10), ("transfer", 20), ("talk", 30), ("hold", 4)]


@pytest.mark.parametrize("row_comes", ["before", "after"])
def test_a_transfer_into_a_conference_of_others_is_taken_by_them_at_once(row_comes: str) -> None:
    scene = answered().wait(10)
    for who in ("203", "204"):
        scene.starts(who, extension="800", linkedid=who).answers(who)
        scene.meets("conf", who, technology="softmix")
    at = len(scene.rows)
    scene.blind("201", "800").meets("conf", CALLER, technology="softmix")
    if row_comes == "after":  # two threads write the rows of the caller and of the transferor
        scene.rows.append(scene.rows.pop(at))
    call = scene.joins("203").joins("204").wait(30).over().ends("203").ends("204").call()
    assert outcomes(call) == [("blind", "800", "answered", "203", 0)]
    assert (call.ending, call.last_answered_by) == (Ending.ANSWERED, "204")
    assert course(call) == [("wait", 5), ("talk", 10), ("talk", 30)]


def test_ringing_behind_a_transfer_makes_no_call_a_target_of_analytics() -> None:
    lost = ringing().wait(60).ends("202").over("CANCEL", ring=1).call()
    taken = (
        ringing()
        .wait(60)
        .answers("202")
        .meets("b2", "202", CALLER)
        .wait(21)
        .over()
        .ends("202")
        .call()
    )
    for call, target in ((lost, False), (taken, True)):
        payload = call_body(call, None, None)
        counted = read_call(payload, "https://calls.example")
        assert TargetRule(seconds=30).counts(counted) is target
        assert payload["call"]["transfers"][0]["outcome"] == call.transfers[0].outcome
