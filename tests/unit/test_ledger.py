"""The ledger: which rows belong together, and when a call is over."""

from dataclasses import replace

from router.domain.calls.ledger import Ledger, Row
from tests.support.builders import Story, answered_call, later


def take(ledger: Ledger, *rows: Row) -> list[tuple[str, int, bool]]:
    for row in rows:
        ledger.add(row)
    groups, _ = ledger.touched()
    ledger.settle()
    return sorted((group.id, len(group.rows), group.over) for group in groups)


def test_a_call_is_over_only_with_its_last_row() -> None:
    story, ledger = answered_call(), Ledger()
    for count, row in enumerate(story.rows[:-1], 1):
        assert take(ledger, row) == [(story.linkedid, count, False)]
    assert take(ledger, story.rows[-1]) == [(story.linkedid, len(story.rows), True)]
    assert list(ledger) == []


def test_calls_at_the_same_time_stay_apart() -> None:
    one, two = answered_call(0), answered_call(10)
    mixed = [row for pair in zip(one.rows, two.rows, strict=True) for row in pair]
    assert take(Ledger(), *mixed) == sorted((s.linkedid, len(s.rows), True) for s in (one, two))


def test_only_calls_that_changed_are_touched() -> None:
    one, two, ledger = Story(0).arrives(), Story(5).arrives(), Ledger()
    take(ledger, *one.rows, *two.rows)
    two.routed()
    assert take(ledger, two.rows[-1]) == [(two.linkedid, 3, False)]
    assert ledger.touched() == ([], [])


def test_the_ledger_goes_on_from_the_rows_it_had() -> None:
    story = answered_call()
    ledger = Ledger({story.linkedid: story.rows[:5]})
    assert ledger.touched() == ([], [])
    assert take(ledger, *story.rows[5:]) == [(story.linkedid, len(story.rows), True)]


def consultation() -> tuple[Story, Story]:
    """The company calls a colleague while the caller waits: a second linkedid."""
    call = Story(0).arrives().routed().dials().wait(3).answered()
    ask = Story(7, at=later(10), number="company", name="", channel="PJSIP/company-0007")
    ask.add("CHAN_START").add("CHAN_START", uniqueid="rt1-x.8", channel="PJSIP/boss-0008").add(
        "ANSWER"
    )
    return call, ask


def test_calls_that_a_transfer_joins_become_one() -> None:
    call, ask = consultation()
    ledger = Ledger()
    take(ledger, *call.rows, *ask.rows)
    moved = replace(ask.rows[-1], event="BRIDGE_ENTER", linkedid=call.linkedid, uniqueid="rt1-x.8")
    ledger.add(moved)
    touched, absorbed = ledger.touched()
    assert [group.id for group in touched] == [call.linkedid]
    assert absorbed == [ask.linkedid]
    assert [row.at for row in touched[0].rows] == sorted(
        row.at for row in [*call.rows, *ask.rows, moved]
    )


def test_a_linkedid_whose_channels_moved_on_does_not_end_their_call() -> None:
    """Asterisk ends the second linkedid the moment its channels join the first, before any row of
    theirs there.
    """
    call, ask = consultation()
    end = replace(ask.rows[-1], event="LINKEDID_END")
    moved = replace(ask.rows[-1], event="BRIDGE_ENTER", linkedid=call.linkedid, uniqueid="rt1-x.8")
    results = []
    for cuts in (False, True):
        ledger = Ledger()
        for row in [*call.rows, *ask.rows, end, moved]:
            ledger.add(row)
            if cuts:
                ledger.settle()
        results.append([[row.event for row in group.rows] for group in ledger])
    assert results[0] == results[1]
    assert len(results[0]) == 1


def test_a_call_whose_channels_are_gone_and_of_which_nothing_is_heard_is_cut() -> None:
    story, ledger = Story(0).arrives(), Ledger()
    take(ledger, *story.rows)
    assert ledger.silent(frozenset({story.linkedid}), later(60)) == []
    assert ledger.silent(frozenset({"rt1-other.1"}), story.rows[-1].at) == []
    assert [group.id for group in ledger.silent(frozenset({"rt1-other.1"}), later(60))] == [
        story.linkedid
    ]


def test_a_call_that_is_over_stays_until_it_is_written_down() -> None:
    story, ledger = answered_call(), Ledger()
    for row in story.rows:
        ledger.add(row)
    assert [group.id for group in ledger.touched()[0]] == [story.linkedid]
    assert story.linkedid in ledger
    ledger.settle()
    assert story.linkedid not in ledger


def test_calls_that_become_one_keep_their_order_though_the_clock_was_set_back() -> None:
    call, ask = consultation()
    after_step = [replace(row, at=later(index - 3600)) for index, row in enumerate(ask.rows)]
    moved = replace(
        after_step[-1], event="BRIDGE_ENTER", linkedid=call.linkedid, uniqueid="rt1-x.8"
    )
    ledger = Ledger()
    for row in [*call.rows, *after_step, moved]:
        ledger.add(row)
    (group,) = ledger
    ours = [row for row in group.rows if row.linkedid == call.linkedid and row is not moved]
    assert ours == call.rows
    assert group.rows[-1] == moved


def conference(technology: str = "softmix") -> tuple[Story, Story]:
    """A caller and a colleague who dialled in, each under a linkedid of their own."""
    call, colleague = Story(0).arrives().routed(), Story(7, channel="PJSIP/boss-0007")
    colleague.add("CHAN_START").add("ANSWER")
    for story in (call, colleague):
        story.add("BRIDGE_ENTER", bridge_id="room", bridge_technology=technology)
    return call, colleague


def test_who_meets_in_a_conference_is_of_one_group_until_all_have_left() -> None:
    call, colleague = conference()
    ledger = Ledger()
    (group,) = take(ledger, *call.rows, *colleague.rows)
    assert group[1:] == (len(call.rows) + len(colleague.rows), False)
    call.add("CHAN_END").add("LINKEDID_END")
    assert [over for *_, over in take(ledger, *call.rows[-2:])] == [False]
    colleague.add("CHAN_END").add("LINKEDID_END")
    assert [over for *_, over in take(ledger, *colleague.rows[-2:])] == [True]
    later_call, _ = conference()
    assert [size for _, size, _ in take(ledger, *later_call.rows)] == [len(later_call.rows)]


def test_who_waits_in_one_parking_lot_stays_apart() -> None:
    call, other = conference("holding_bridge")
    groups = take(Ledger(), *call.rows, *other.rows)
    assert [size for _, size, _ in groups] == [len(call.rows), len(other.rows)]


def test_a_room_that_is_never_empty_does_not_keep_all_who_were_ever_in_it() -> None:
    ledger = Ledger()

    def enters(serial: int, minutes: int) -> Story:
        story = Story(serial, at=later(60 * minutes)).arrives()
        return story.add("BRIDGE_ENTER", bridge_id="room", bridge_technology="softmix")

    host = Story(1, channel="PJSIP/boss-0001").add("CHAN_START")
    host.add("BRIDGE_ENTER", bridge_id="room", bridge_technology="softmix")
    take(ledger, *host.rows)
    stays = enters(2, 1)
    take(ledger, *stays.rows)
    for serial in range(3, 503):
        guest = enters(serial, serial).add("CHAN_END").add("LINKEDID_END")
        if serial == 400:
            stays.at = guest.at
            take(ledger, *stays.add("CHAN_END").add("LINKEDID_END").rows[-2:])
        take(ledger, *guest.rows)
    (group,) = ledger
    assert len(group.rows) < 1_200
    assert host.linkedid in ledger
    assert stays.linkedid not in ledger

    last = enters(999, 999)
    take(ledger, *last.rows)
    assert [row for row in group.rows if row.linkedid == host.linkedid] == host.rows
    assert last.linkedid in ledger
