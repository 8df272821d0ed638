"""The company passes a call on, or holds it: one call in the database, one recording, no gap."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, Ending, TransferKind, TransferOutcome
from router.domain.calls.call_filter import CallFilter
from router.domain.visitors.site import Destination
from router.service.calls.rules import Wanted, keep_rule
from tests.acceptance import sip
from tests.acceptance.audio import RATE, contains
from tests.acceptance.calling import (
    QUESTION,
    Voices,
    company_line,
    dial,
    greeting,
    heard_whole,
    somebody,
    the_call,
)
from tests.acceptance.sip_log import Message
from tests.acceptance.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_blind_transfer_is_one_call_with_one_recording(
    running: System, tmp_path: Path, voice: Voices
) -> None:
    lease = await running.lease()
    who = somebody(lease.number, voice, talk=9.0)
    async with company_line(
        running, tmp_path, sip.transfers_blind("202", speech=voice.company, after=5.0)
    ) as (office,):
        await dial(running, tmp_path, who)
        invites = (await office.stop()).invites
    assert [invite.dialled for invite in invites][1:] == ["202"], (
        "the transfer comes back to the company's telephony"
    )
    call = await the_call(running, who)
    assert (call.ending, call.verdict) == (Ending.ANSWERED, Verdict.EXACT)
    assert [(transfer.kind, transfer.to) for transfer in call.transfers] == [
        (TransferKind.BLIND, "202")
    ]
    assert call.transfers[0].outcome is TransferOutcome.ANSWERED
    assert call.talk_seconds + call.transfer_seconds > 8
    recording = await heard_whole(running, call, caller=False, company=False)
    sound = await running.listen(recording)
    # a word is missing while the second phone rings
    assert contains(sound[:, 0].copy(), QUESTION)[1] > 0.6
    for heard in (sound[: 5 * RATE, 1], sound[5 * RATE :, 1]):
        assert contains(heard.copy(), greeting()[: 3 * RATE])[1] > 0.5, (
            "the second phone begins as the first did"
        )


async def test_an_attended_transfer_is_one_call_with_one_recording(
    running: System, tmp_path: Path, voice: Voices
) -> None:
    lease = await running.lease()
    who = somebody(lease.number, voice, talk=9.0)
    async with company_line(
        running, tmp_path, sip.transfers_attended("202", speech=voice.company, after=4.0)
    ) as (office,):
        await dial(running, tmp_path, who)
        invites = (await office.stop()).invites
    assert "202" in [invite.dialled for invite in invites]
    call = await the_call(running, who)
    assert (call.ending, call.verdict) == (Ending.ANSWERED, Verdict.EXACT)
    (transfer,) = call.transfers
    assert (transfer.kind, transfer.to, transfer.outcome) == (
        TransferKind.ATTENDED,
        "202",
        TransferOutcome.ANSWERED,
    )
    assert call.hold_seconds > 0
    assert call.talk_seconds + call.hold_seconds + call.transfer_seconds > 8
    sound = await running.listen(await heard_whole(running, call, company=False))
    assert contains(sound[:, 1].copy(), greeting()[: 3 * RATE])[1] > 0.8, (
        "the first phone, until it holds the caller"
    )
    assert len([c for c in await running.calls() if c.caller == who.number]) == 1


async def test_a_hold_is_counted(running: System, tmp_path: Path, voice: Voices) -> None:
    lease = await running.lease()
    who = somebody(lease.number, voice)
    async with company_line(running, tmp_path, sip.holds(speech=voice.company, pause=2.0)) as (
        office,
    ):
        called = await dial(running, tmp_path, who)
        messages = (await office.stop()).messages
    (held, held_by), (resumed, resumed_by) = [
        offered_and_taken(messages, way) for way in ("a=sendonly", "a=sendrecv")
    ]
    call = await the_call(running, who)
    assert resumed - held_by - 0.1 < call.hold_seconds < resumed_by - held + 0.1
    assert 7.3 < call.talk_seconds + call.hold_seconds < called.lasted
    sound = await running.listen(await heard_whole(running, call, company=False))
    assert contains(sound[:, 1].copy(), greeting()[: 2 * RATE])[1] > 0.8


def offered_and_taken(messages: Sequence[Message], way: str) -> tuple[float, float]:
    """When a re-INVITE of this direction was sent, and when its answer came."""
    offer = next(
        message
        for message in messages
        if message.sent and message.first.startswith("INVITE ") and way in message.text
    )
    number = offer.header("CSeq")
    taken = [
        message.at
        for message in messages
        if not message.sent and message.first.startswith("SIP/2.0 200")
        if message.header("CSeq") == number and message.at >= offer.at
    ]
    return offer.at, taken[0]


async def test_a_transfer_by_keys_works_where_the_destination_allows_it_and_keys_trigger_a_rule(
    running: System, tmp_path: Path, voice: Voices
) -> None:
    rule = Wanted(name="Keys", query=urlencode({"keys": "##202"}), tag="by keys", target=True)
    await keep_rule(running.store, rule, author="anna", now=datetime.now(UTC))
    async with running.store.read() as session:
        plain = await session.get(Destination, "office")
    seven = tuple(replace(step, ring_seconds=7) for step in plain.steps)
    try:
        await running.direct(replace(plain, dtmf_transfer=True, steps=seven))
        lease = await running.lease()
        who = somebody(lease.number, voice, talk=14.0)
        keys = sip.transfers_by_keys(speech=voice.company, after=3.0)
        async with company_line(running, tmp_path, keys) as (office,):
            await dial(running, tmp_path, who)
            invites = (await office.stop()).invites
    finally:
        await running.direct(plain)
    assert [invite.dialled for invite in invites][1:2] == ["202"]
    call = await the_call(running, who)
    assert [transfer.kind for transfer in call.transfers][:1] == [TransferKind.BLIND]
    assert (call.ending, call.verdict) == (Ending.ANSWERED, Verdict.EXACT)
    assert len([c for c in await running.calls() if c.caller == who.number]) == 1
    assert call.keys == "##202"

    async def marked() -> list[Call]:
        return await running.calls(CallFilter(tag="by keys", target=True))

    (tagged,) = await running.until(marked, "no rule was triggered")
    assert tagged.id == call.id


@pytest.mark.parametrize(
    ("status", "ring", "outcome"),
    [
        ("486 Busy Here", 0.5, TransferOutcome.BUSY),
        ("603 Decline", 0.5, TransferOutcome.DECLINED),
        ("480 Temporarily Unavailable", sip.FOREVER, TransferOutcome.ABANDONED_RINGING),
    ],
)
async def test_a_caller_who_is_not_taken_after_a_transfer_is_lost_in_it(
    running: System, tmp_path: Path, status: str, ring: float, outcome: TransferOutcome
) -> None:
    lease = await running.lease()
    who = somebody(lease.number, talk=6.0)
    async with company_line(running, tmp_path, sip.loses_in_transfer(status, ring)) as (office,):
        await dial(running, tmp_path, who)
        took = await office.stop()
    assert [invite.dialled for invite in took.invites][1:] == ["202"]
    invited = took.invites[0].at
    referred = next(m.at for m in took.messages if m.first.startswith("SIP/2.0 202"))
    call = await the_call(running, who)
    assert (call.ending, [transfer.outcome for transfer in call.transfers]) == (
        Ending.LOST_IN_TRANSFER,
        [outcome],
    )
    assert 0.1 < call.talk_seconds < referred - invited + 0.1
    assert call.ended_at is not None
    parts = (call.wait_seconds, call.talk_seconds, call.hold_seconds, call.transfer_seconds)
    assert sum(parts) == pytest.approx((call.ended_at - call.arrived_at).total_seconds())
