"""What a call was whose caller was parked."""

from router.domain.calls.call import Ending
from router.domain.calls.folding import fold
from tests.support.scenes import CALLER, Scene, answered, course, outcomes


def parked() -> Scene:
    scene = (
        answered().wait(10).blind("201", "700").meets("lot", CALLER, technology="holding_bridge")
    )
    return scene.row(
        "PARK_START", CALLER, parker_dial_string="PJSIP/201", parking_lot="default"
    ).wait(40)


def test_a_parked_caller_does_not_talk_and_is_picked_up_by_another_phone() -> None:
    scene = parked().starts("203", extension="701", linkedid="203").answers("203").leaves(CALLER)
    scene.meets("b2", "203", CALLER).joins("203").wait(20)
    call = scene.over().ends("203").row("LINKEDID_END", "203").call()
    assert outcomes(call) == [("blind", "700", "answered", "203", 40)]
    assert course(call) == [("wait", 5), ("talk", 10), ("transfer", 40), ("talk", 20)]
    assert call.last_answered_by == "203"


def test_a_parked_caller_comes_back_when_not_picked_up() -> None:
    scene = (
        parked()
        .leaves(CALLER)
        .starts("201#2")
        .wait(3)
        .answers("201#2")
        .meets("b2", "201#2", CALLER)
        .wait(5)
    )
    call = scene.over().ends("201#2").call()
    assert outcomes(call) == [("blind", "700", "returned", "201", 43)]
    assert call.ending is Ending.ANSWERED


def test_a_caller_who_hangs_up_in_the_parking_lot_is_lost() -> None:
    call = parked().over().call()
    assert outcomes(call) == [("blind", "700", "abandoned", None, 40)]
    assert call.ending is Ending.LOST_IN_TRANSFER


def test_a_transfer_to_the_parking_lot_is_one_transfer_whichever_row_is_written_first() -> None:
    scene = parked().over()
    at = next(place for place, row in enumerate(scene.rows) if row.event == "BLINDTRANSFER")
    park = next(place for place, row in enumerate(scene.rows) if row.event == "PARK_START")
    rows = [*scene.rows[:at], *scene.rows[at + 1 : park + 1], scene.rows[at]]
    (call,) = fold([*rows, *scene.rows[park + 1 :]])
    assert outcomes(call) == [("blind", "700", "abandoned", None, 40)]


def test_a_call_park_by_key_is_a_transfer_of_its_own_kind() -> None:
    scene = answered().wait(10).meets("lot", CALLER, technology="holding_bridge")
    scene.row("PARK_START", CALLER, parker_dial_string="PJSIP/201", parking_lot="default").ends(
        "201"
    ).wait(40)
    call = scene.over().call()
    assert outcomes(call) == [("park", "default", "abandoned", None, 40)]
    assert call.ending is Ending.LOST_IN_TRANSFER
