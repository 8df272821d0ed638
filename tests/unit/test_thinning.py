"""Less detail of a call with too many rows: its facts stay the same."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from router.domain.calls.folding import fold
from router.domain.calls.ledger import Row
from router.domain.calls.thinning import thin
from tests.support.builders import Story, later

ROOM = {"bridge_id": "room", "bridge_technology": "softmix"}


def guest(serial: int, come: float, go: float, channel: str = "PJSIP/desk") -> list[Row]:
    """Somebody who is in the conference for so long."""
    story = Story(serial, at=later(come), channel=f"{channel}-{serial:08x}")
    story.add("CHAN_START").add("ANSWER").add("BRIDGE_ENTER", **ROOM)
    story.at = later(go)
    return story.add("BRIDGE_EXIT", **ROOM).add("CHAN_END").add("LINKEDID_END").rows


def meeting(guests: Sequence[list[Row]], ends: float = 1000) -> list[Row]:
    """A caller in a conference with these guests."""
    call = Story(0).arrives().routed().add("ANSWER").add("BRIDGE_ENTER", **ROOM)
    call.at = later(ends)
    call.add("BRIDGE_EXIT", **ROOM).over("ANSWER")
    return sorted([*call.rows, *(row for rows in guests for row in rows)], key=lambda row: row.at)


def thinned(rows: Sequence[Row], most: int) -> list[Row]:
    """The rows of a call that is thinned before its last row comes."""
    less = thin(rows[:-1], most)
    assert len(less) <= most
    return [*less, rows[-1]]


def facts_of(rows: Sequence[Row]) -> object:
    (call,) = fold(rows)
    kinds = [(period.kind, round(period.seconds)) for period in call.periods]
    joined = [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1][0] != kind[0]]
    times = call.wait_seconds, call.talk_seconds, call.hold_seconds
    return (
        tuple(round(seconds) for seconds in times),
        [kind for kind, _ in joined],
        call.ending,
        call.answered_at,
    )


def test_people_who_come_and_go_while_others_are_there_are_left_out_first() -> None:
    stays = guest(1, 10, 400), guest(2, 390, 700), guest(3, 800, 950)
    shorter = [guest(10 + n, 20 + n, 21 + n) for n in range(300)]
    whole = meeting([*stays, *shorter])
    less = thinned(whole, 200)
    assert facts_of(less) == facts_of(whole)
    assert {rows[0].uniqueid for rows in stays} <= {row.uniqueid for row in less}


def test_an_announcer_counts_as_nobody() -> None:
    people = [guest(10 + n, 20 + 9 * n, 25 + 9 * n) for n in range(50)]
    announcers = [guest(100 + n, 19, 900, "CBAnn/room") for n in range(50)]
    whole = meeting([*people, *announcers])
    less = thinned(whole, 350)
    assert facts_of(less) == facts_of(whole)


def test_phones_that_rang_in_vain_are_left_out_before_those_that_answered() -> None:
    call = Story(0).arrives().routed()
    for _ in range(500):
        call.dials("busy").leg_ends(17, "busy")
    call.dials("desk").wait(5).answered("desk").wait(60).leg_ends(16, "desk").over("ANSWER")
    less = thinned(call.rows, 100)
    assert facts_of(less)[0] == facts_of(call.rows)[0]  # type: ignore[index]
    assert fold(less)[0].answered_by == "desk"


@pytest.mark.parametrize("event", ["BRIDGE_ENTER", "ANSWER", "SOMETHING_OF_YOURS"])
def test_one_channel_that_writes_without_end_keeps_its_call(event: str) -> None:
    call = Story(0).arrives().routed().dials().wait(5).answered()
    for _ in range(5000):
        call.add(event, **ROOM)
    call.wait(60).leg_ends(16).over("ANSWER")
    less = thinned(call.rows, 100)
    (kept,) = fold(less)
    assert (kept.ending, kept.ended_at) == ("answered", call.rows[-2].at)


def test_what_is_short_enough_stays_whole() -> None:
    rows = meeting([guest(1, 10, 400)])
    assert thin(rows, len(rows)) == rows
    other = replace(rows[0], event="SOMETHING_OF_YOURS")
    assert thin([*rows, other], len(rows)) == rows
