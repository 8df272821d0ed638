"""Rows fold to a call: how each kind of call comes out, at its end and on the way there."""

from dataclasses import replace
from typing import Any

import pytest

from router.domain.calls.call import (
    Call,
    Disposition,
    Ending,
    RoutedBy,
    State,
    TransferKind,
)
from router.domain.calls.folding import fold
from tests.support.builders import DID, NOON, Story, answered_call, later, missed_call


def only(story: Story, **options: Any) -> Call:
    (call,) = fold(story.rows, **options)
    return call


def dialled() -> Story:
    return Story().arrives().routed().dials()


ENDINGS = {
    "answered": (answered_call(), Ending.ANSWERED, Disposition.ANSWERED),
    "nobody came": (missed_call(), Ending.NO_ANSWER, Disposition.NO_ANSWER),
    "busy": (dialled().leg_ends(17).over("BUSY", 17), Ending.BUSY, Disposition.BUSY),
    "refused": (dialled().leg_ends(21).over("BUSY", 21), Ending.REFUSED, Disposition.BUSY),
    "refused, as Dial sees 603": (
        dialled().leg_ends(21).over("CONGESTION", 34),
        Ending.REFUSED,
        Disposition.BUSY,
    ),
    "caller gave up ringing": (
        dialled().wait(9).leg_ends(16).over("CANCEL", ring=1),
        Ending.ABANDONED_RINGING,
        Disposition.NO_ANSWER,
    ),
    "caller gave up early": (
        dialled().leg_ends(16).over("CANCEL"),
        Ending.ABANDONED_EARLY,
        Disposition.NO_ANSWER,
    ),
    "caller gave up before the route": (
        Story().arrives().over(),
        Ending.ABANDONED_EARLY,
        Disposition.NO_ANSWER,
    ),
    "no destination reached": (
        dialled().leg_ends(20).dials("second").leg_ends(38, "second").over("CHANUNAVAIL", 34),
        Ending.UNREACHABLE,
        Disposition.CONGESTION,
    ),
    "nothing set up": (
        Story().arrives().said("RINGTRACE_ROUTE", by="nobody").over("", 34),
        Ending.UNREACHABLE,
        Disposition.CONGESTION,
    ),
}


@pytest.mark.parametrize(("story", "ending", "disposition"), ENDINGS.values(), ids=ENDINGS)
def test_each_ending_is_distinguished_from_the_others(
    story: Story, ending: Ending, disposition: Disposition
) -> None:
    call = only(story)
    assert (call.ending, call.disposition, call.state) == (ending, disposition, State.ENDED)
    assert (call.answered_at is not None) == (ending is Ending.ANSWERED)
    assert call.ended_at is not None


@pytest.mark.parametrize(("story", "ending", "disposition"), ENDINGS.values(), ids=ENDINGS)
def test_a_call_has_no_ending_before_its_last_row(
    story: Story, ending: Ending, disposition: Disposition
) -> None:
    for count in range(2, len(story.rows)):
        (call,) = fold(story.rows[:count])
        assert (call.state is State.ENDED, call.ending, call.disposition, call.ended_at) == (
            False,
            None,
            None,
            None,
        )


def test_wait_is_arrival_to_answer_and_talk_is_answer_to_hang_up() -> None:
    call = only(answered_call(ring=5, talk=60))
    assert call.wait_seconds == pytest.approx(5, abs=0.1)
    assert call.talk_seconds == pytest.approx(60, abs=0.1)
    assert call.arrived_at == answered_call().rows[0].at


def test_a_call_that_was_not_answered_was_waiting_to_its_end() -> None:
    call = only(missed_call())
    assert call.wait_seconds == pytest.approx(20, abs=0.1)
    assert call.talk_seconds == 0


def test_who_called_what_and_how_it_was_routed_are_kept() -> None:
    call = only(answered_call(number="+79161234567", name="O'Brien"))
    assert (call.did, call.trunk, call.number, call.caller_raw, call.caller_name) == (
        DID[1:],
        "carrier",
        DID,
        "+79161234567",
        "O'Brien",
    )
    assert (call.destination_id, call.routed_by, call.answered_by) == (
        "office",
        RoutedBy.AGENT,
        "company",
    )
    assert call.spool_name == call.id


def test_an_announcement_before_the_company_answers_is_no_answer() -> None:
    call = only(dialled().add("ANSWER").wait(20).leg_ends(16).over("NOANSWER", ring=1))
    assert call.ending is Ending.NO_ANSWER
    assert call.answered_at is None


def test_the_music_of_a_holding_bridge_is_no_company() -> None:
    room = {"bridge_id": "h", "bridge_technology": "holding_bridge"}
    story = (
        dialled()
        .add("BRIDGE_ENTER", **room)
        .add("BRIDGE_ENTER", uniqueid="rt1-x.9", channel="PJSIP/x-9", **room)
    )
    assert only(story).answered_at is None


def test_two_phones_of_the_company_talking_to_each_other_are_no_answer() -> None:
    room = {"bridge_id": "b", "bridge_technology": "simple_bridge"}
    story = dialled()
    for serial in (8, 9):
        story.add("BRIDGE_ENTER", uniqueid=f"rt1-x.{serial}", channel=f"PJSIP/x-{serial}", **room)
    assert only(story).answered_at is None


def test_the_second_destination_answers_when_the_first_is_down() -> None:
    call = only(
        dialled()
        .leg_ends(20)
        .dials("second")
        .wait(2)
        .answered("second")
        .wait(9)
        .leg_ends(16)
        .over("ANSWER")
    )
    assert call.answered_by == "second"
    assert [(leg.role, leg.step, leg.cause) for leg in call.legs] == [
        ("caller", 0, 16),
        ("company", 1, 20),
        ("company", 2, 16),
    ]


def test_a_call_that_asterisk_did_not_survive_ends_where_the_cel_log_ends() -> None:
    story = dialled().wait(4).answered().wait(30)
    call = only(story.add("ANSWER"), cut_at=story.at)
    assert (call.ending, call.disposition, call.ended_at) == (
        Ending.CUT,
        Disposition.ANSWERED,
        story.at,
    )
    assert call.talk_seconds == pytest.approx(30, abs=0.1)
    assert all(leg.ended_at == story.at for leg in call.legs)
    ringing = only(dialled(), cut_at=later(9))
    assert (ringing.ending, ringing.disposition) == (Ending.CUT, Disposition.FAILED)


def test_a_call_whose_own_end_was_logged_is_not_cut() -> None:
    story = answered_call()
    assert fold(story.rows[:-1], cut_at=story.at)[0].ending is Ending.ANSWERED


def test_transfers_are_kept_with_their_kind() -> None:
    story = (
        dialled().answered().add("BLINDTRANSFER", extension="205", context="ringtrace-from-company")
    )
    story.add(
        "ATTENDEDTRANSFER", channel2_name="PJSIP/boss-00000009", transfer_target_channel_name=""
    )
    assert [(t.kind, t.to) for t in only(story).transfers] == [
        (TransferKind.BLIND, "205"),
        (TransferKind.ATTENDED, "boss"),
    ]


def test_the_inner_ends_of_a_local_channel_are_nobodys_phone() -> None:
    story = dialled().add("CHAN_START", uniqueid="rt1-x.5", channel="Local/205@from-company-0001;1")
    assert len(only(story).legs) == 2


def test_rows_without_a_carriers_call_are_no_call() -> None:
    story = Story().add("CHAN_START").add("ANSWER").add("CHAN_END").add("LINKEDID_END")
    assert fold(story.rows) == ()


def test_a_plus_and_a_percent_in_what_the_dialplan_said_stay_as_they_are() -> None:
    story = (
        Story().arrives().said("RINGTRACE_ROUTE", by="agent", number="+7495", destination="a%00b+c")
    )
    assert only(story).destination_id == "a%00b+c"


@pytest.mark.parametrize(
    "facts",
    [
        "",
        "step",
        "step=",
        "step=²",
        "step=" + "9" * 5000,
        "=&=&&",
        "step=-1",
        "step=1.5",
        "dial=%zz",
    ],
)
def test_nonsense_in_the_dialplans_words_breaks_nothing(facts: str) -> None:
    story = Story().arrives()
    for event in ("RINGTRACE_CALL", "RINGTRACE_ROUTE", "RINGTRACE_STEP", "RINGTRACE_END"):
        story.add(event, extra=facts)
    assert len(fold(story.rows)) == 1


def test_long_texts_are_cut_to_what_the_tables_keep() -> None:
    long = "x" * 5000
    story = (
        Story(number=long, name=long).add("CHAN_START").said("RINGTRACE_CALL", did=long, trunk=long)
    )
    call = only(story.said("RINGTRACE_ROUTE", by=long, number=long, destination=long, file=long))
    lengths = (
        call.did,
        call.trunk,
        call.caller_raw,
        call.caller_name,
        call.destination_id,
        call.spool_name,
    )
    assert [len(text or "") for text in lengths] == [40, 64, 80, 200, 40, 80]
    assert call.routed_by is None


def test_reading_the_same_rows_again_gives_the_same_call() -> None:
    story = answered_call()
    assert fold(story.rows) == fold([replace(row) for row in story.rows])
    assert only(story).id == story.linkedid
    assert story.rows[0].at > NOON


@pytest.mark.parametrize(
    ("number", "said", "withheld"), [("+79161234567", "", False), ("+79161234567", "1", True)]
)
def test_a_number_that_the_caller_withheld_is_marked(
    number: str, said: str, withheld: bool
) -> None:
    story = (
        Story(number=number).add("CHAN_START").said("RINGTRACE_CALL", did=DID[1:], withheld=said)
    )
    assert only(story.over("NOANSWER", 19)).withheld is withheld


@pytest.mark.parametrize("number", ["", "anonymous", "Anonymous"])
def test_a_caller_without_a_number_withheld_it(number: str) -> None:
    assert only(Story(number=number).arrives().over("NOANSWER", 19)).withheld


def test_where_a_phone_wanted_to_forward_is_kept() -> None:
    story = dialled().add("FORWARD", forward="89991112233")
    assert only(story.over("CHANUNAVAIL", 34)).forwarded_to == "89991112233"
