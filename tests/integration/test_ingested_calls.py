"""A learned call: whose it was, how long it was held, how it ended and what follows from it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Ending, Recording, RecordingState, State
from router.domain.calls.clock_steps import ClockStep
from router.store.engine import SqlStore
from tests.integration.ingests import at, call_ingest, known, teach, the_call
from tests.support.builders import (
    DID,
    STATIC_DID,
    Clock,
    Story,
    answered_call,
    furnish,
    later,
    lease,
    missed_call,
    site,
    visit,
    visitor,
    webhook,
)

# Who it was


@pytest.mark.parametrize(
    ("arrives", "verdict"),
    [(10, Verdict.EXACT), (310, Verdict.FROZEN), (610, Verdict.STALE), (-10, Verdict.UNKNOWN)],
)
async def test_a_call_learned_a_week_later_is_attributed_as_in_its_moment(
    arrives: float, verdict: Verdict, store: SqlStore
) -> None:
    await furnish(store, visitor(), visit(), visitor("boris"), visit("boris-1", visitor_id="boris"))
    async with store.write() as session:
        await session.leases.save([lease()])
        week = {
            "started_at": later(604_800),
            "frozen_at": later(605_100),
            "ends_at": later(605_400),
        }
        await session.leases.save(
            [lease("lease-2", visitor_id="boris", visit_id="boris-1", **week)]
        )
    ingest = await call_ingest(store, Clock(later(604_900)))
    await ingest.ingest(answered_call(at=later(arrives)).rows, at(1))
    call = await the_call(store)
    assert call.verdict is verdict
    anna = None if verdict is Verdict.UNKNOWN else ("lease-1", "anna", "anna-1")
    assert (call.lease_id and (call.lease_id, call.visitor_id, call.visit_id)) == anna


async def test_a_call_to_a_static_number_is_its_channels(store: SqlStore) -> None:
    await furnish(store)
    await teach(store, answered_call(did=STATIC_DID[1:]))
    call = await the_call(store)
    assert (call.verdict, call.number, call.site_id) == (Verdict.STATIC, STATIC_DID, "shop")


async def test_an_unknown_did_is_nobodys_number_and_the_call_is_kept(store: SqlStore) -> None:
    await furnish(store)
    story = (
        Story(did="74999999999")
        .arrives()
        .routed(number="", by="default")
        .dials()
        .answered()
        .wait(9)
    )
    await teach(store, story.leg_ends(16).over("ANSWER"))
    call = await the_call(store)
    assert (call.verdict, call.number, call.site_id, call.did) == (
        Verdict.UNKNOWN,
        None,
        None,
        "74999999999",
    )
    assert call.destination_id == "office"


async def test_the_number_is_read_from_the_did_and_not_from_what_the_dialplan_says(
    store: SqlStore,
) -> None:
    await furnish(store)
    story = Story(did="84950000001").arrives().routed(number="+79990000000").dials()
    await teach(store, story)
    assert (await the_call(store)).number == DID


@pytest.mark.parametrize(
    ("raw", "caller"),
    [("+79161234567", "+79161234567"), ("89161234567", "+79161234567"), ("anonymous", None)],
)
async def test_the_caller_is_kept_in_one_form_with_the_raw_text_beside(
    raw: str, caller: str | None, store: SqlStore
) -> None:
    await furnish(store)
    await teach(store, answered_call(number=raw))
    call = await the_call(store)
    assert (call.caller, call.caller_raw) == (caller, raw)


# What follows from a call


async def test_each_call_that_ended_is_sent_to_the_receivers_of_its_site(store: SqlStore) -> None:
    receivers = [
        webhook("all"),
        webhook("mine", site_id="shop"),
        webhook("theirs", site_id="other"),
    ]
    await furnish(
        store, site("other"), *receivers, webhook("off", active=False), visitor(), visit()
    )
    async with store.write() as session:
        await session.leases.save([lease()])
    await teach(store, answered_call(0), Story(9).arrives())
    _, _, made, _ = await known(store)
    assert [(delivery.receiver_id, delivery.call_id) for delivery in made] == [
        ("all", answered_call().linkedid),
        ("mine", answered_call().linkedid),
    ]
    async with store.read() as session:
        body = (await session.deliveries.find())[0].payload
    assert body["attribution"]["ga_client_id"] == "123.456"
    assert body["attribution"]["visit"]["source"] == "google"
    assert (body["call"]["number"], body["call"]["ending"]) == (DID, "answered")


async def test_a_missed_call_is_tagged_and_an_answered_one_is_not(store: SqlStore) -> None:
    await furnish(store)
    await teach(store, answered_call(0), missed_call(10))
    _, _, _, tags = await known(store)
    assert {key: [tag.name for tag in some] for key, some in tags.items()} == {
        missed_call(10).linkedid: ["missed"]
    }


async def test_every_call_that_asterisk_recorded_waits_for_the_worker(store: SqlStore) -> None:
    await furnish(store)
    await teach(store, answered_call(0, talk=60), missed_call(10), Story(20).arrives().over())
    _, recordings, _, _ = await known(store)
    assert {
        (recording.call_id, round(recording.expected_seconds), recording.state)
        for recording in recordings
    } == {
        (answered_call(0).linkedid, 60, RecordingState.WAITING),
        (missed_call(10).linkedid, 0, RecordingState.WAITING),
    }


async def test_a_call_is_seen_from_its_first_row_on(store: SqlStore) -> None:
    await furnish(store)
    ingest, story = await call_ingest(store), Story().arrives()
    await ingest.ingest(story.rows, at(1))
    assert ((await the_call(store)).state, (await the_call(store)).verdict) == (
        State.RINGING,
        Verdict.UNKNOWN,
    )
    known_rows = len(story.rows)
    await ingest.ingest(story.routed().dials().answered().rows[known_rows:], at(2))
    assert (await the_call(store)).state is State.TALKING


# Hold


async def test_hold_is_the_time_in_which_the_company_held_the_caller(store: SqlStore) -> None:
    await furnish(store)
    clock = Clock()
    ingest = await call_ingest(store, clock)
    story = answered_call(ring=5, talk=100)
    company, caller = "PJSIP/company-00000001", story.caller["channel"]
    moments = [
        (2, company, True),  # while it rings: counts from the answer on
        (10, company, False),
        (20, company, True),
        (30, caller, True),  # the caller's own hold is not the company's
        (40, company, False),
        (50, caller, False),
        (60, "PJSIP/stranger-1", True),
        (100, company, True),  # never taken back: to the end
    ]
    for seconds, channel, held in moments:
        await ingest.hold(story.linkedid, channel, later(seconds), held=held)
    clock.now = later(500)
    await ingest.ingest(story.rows, at(1))
    call = await the_call(store)
    assert call.hold_seconds == pytest.approx(5 + 20 + 5, abs=0.1)
    assert call.talk_seconds == pytest.approx(100 - 30, abs=0.1)
    assert [period.kind for period in call.periods] == [
        "wait",
        "hold",
        "talk",
        "hold",
        "talk",
        "hold",
    ]


# Cut calls


async def test_calls_that_asterisk_did_not_survive_are_closed_once_and_marked(
    store: SqlStore,
) -> None:
    await furnish(store, webhook())
    cut, alive = (
        Story(0).arrives().routed().dials().answered().wait(30).add("ANSWER"),
        Story(10).arrives(),
    )
    ingest = await call_ingest(store)
    await ingest.ingest([*cut.rows, *alive.rows], at(1))
    assert await ingest.close_silent(frozenset({alive.linkedid})) == 1
    assert await ingest.close_silent(frozenset({alive.linkedid})) == 0
    calls, recordings, made, _ = await known(store)
    assert {call.id: call.ending for call in calls} == {
        cut.linkedid: Ending.CUT,
        alive.linkedid: None,
    }
    assert (
        [recording.call_id for recording in recordings]
        == [delivery.call_id for delivery in made]
        == [cut.linkedid]
    )
    assert next(iter((await call_ingest(store))._ledger)).id == alive.linkedid
    await ingest.ingest(cut.over("ANSWER").rows[-4:], at(2))
    assert {call.id: call.ending for call in (await known(store))[0]}[cut.linkedid] is Ending.CUT


async def test_a_call_of_which_something_was_just_heard_is_not_cut(store: SqlStore) -> None:
    await furnish(store)
    story = Story().arrives()
    ingest = await call_ingest(store, Clock(later(9)))
    await ingest.ingest(story.rows, at(1))
    assert await ingest.close_silent(frozenset()) == 0


@pytest.mark.parametrize("day", [timedelta(days=1), timedelta(days=-1)], ids=["forward", "back"])
async def test_a_clock_that_is_set_changes_neither_a_call_nor_its_hold_nor_does_a_restart(
    day: timedelta, store: SqlStore
) -> None:
    await furnish(store)
    story = answered_call(talk=60)
    talking = next(n for n, row in enumerate(story.rows) if row.event == "BRIDGE_ENTER") + 2
    moved = [replace(row, at=row.at + day) for row in story.rows[talking:]]
    answered = story.rows[talking - 1].at
    channel = next(row.channel for row in story.rows if row.channel.startswith("PJSIP/company"))
    ingest = await call_ingest(store)
    await ingest.ingest(story.rows[:talking], at(1))
    moment = answered + timedelta(seconds=9)
    ingest.clock_stepped(ClockStep(at=max(moment, moment + day / 2), ahead=day))
    for seconds, held in ((20, True), (30, False)):
        moment = answered + timedelta(seconds=seconds)
        await ingest.hold(story.linkedid, channel, moment + day, held=held)
    await ingest.ingest(moved[:1], at(2))

    await (await call_ingest(store)).ingest(moved[1:], at(3))
    call = await the_call(store)
    assert (round(call.talk_seconds), round(call.hold_seconds)) == (50, 10)
    assert call.clock_stepped
    async with store.read() as session:
        recording = await session.get(Recording, call.id)
    assert recording.expected_seconds == pytest.approx(60, abs=0.5)
