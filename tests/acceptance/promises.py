"""What is promised of every call, whatever fails: once in the database, rightly attributed,
audible, sent once.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from router.bootstrap import now
from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, Ending, Recording, RecordingState
from router.domain.delivery.delivery import Webhook
from router.domain.visitors.lease import Lease
from router.receivers.webhook import webhook_secret
from tests.acceptance import sip
from tests.acceptance.audio import RATE
from tests.acceptance.calling import QUESTION, Voices, heard_whole, somebody, the_call
from tests.acceptance.receiver import Receiver
from tests.acceptance.system import CARRIER, System

SPEECH_SECONDS = len(QUESTION) / RATE


async def subscribe(running: System, name: str, receiver: Receiver) -> None:
    """Have every call sent to this receiver from now on."""
    receiver.secret = webhook_secret(running.secrets.webhook_key, name)
    await running.put(Webhook(id=name, url=receiver.url, created_at=now()))


async def kept(
    running: System,
    receiver: Receiver,
    leases: Mapping[sip.Caller, Lease],
    *,
    listen: Sequence[int] = (0, -1),
) -> list[Call]:
    """The calls of these callers, in their order, all promises kept; those at `listen` are heard
    whole.
    """
    calls = [await the_call(running, who) for who in leases]
    for call, lease in zip(calls, leases.values(), strict=True):
        assert (call.ending, call.verdict, call.lease_id) == (
            Ending.ANSWERED,
            Verdict.EXACT,
            lease.id,
        ), call
        assert call.visitor_id == lease.visitor_id
    for call, recording in zip(calls, await running.recorded(*calls, timeout=180), strict=True):
        assert recording.state is RecordingState.STORED, recording
        assert recording.seconds is not None
        # a busy machine loses packets
        assert recording.seconds > SPEECH_SECONDS * 0.7, f"{recording} of {call}"
    await asyncio.gather(*(heard_whole(running, calls[i]) for i in listen))
    await expect_deliveries(running, receiver, calls)
    return calls


async def expect_deliveries(
    running: System, receiver: Receiver, calls: Sequence[Call], *, timeout: float = 180.0
) -> None:
    """Each call, and each stored recording of it, had exactly one effect at the receiver."""
    facts = await facts_of(running, calls)

    async def look() -> bool:
        return facts <= receiver.effects.keys()

    await running.until(look, f"{len(facts)} facts were not told", timeout)
    assert {receiver.effects[fact] for fact in facts} == {1}
    assert all(attempt.signed for attempt in receiver.attempts)


async def facts_of(running: System, calls: Sequence[Call]) -> set[tuple[str, str]]:
    """What a receiver has to learn of these calls."""
    facts = {("call.ended", call.id) for call in calls}
    async with running.store.read() as session:
        for call in calls:
            recording = await session.peek(Recording, call.id)
            if recording is not None and recording.state is RecordingState.STORED:
                facts.add(("recording.ready", call.id))
    return facts


def crowd(running: System, work: Path, everybody: Iterable[sip.Caller], *, rate: float) -> sip.Sipp:
    """These callers, one after the other at `rate` a second."""
    return sip.callers(
        work / "crowd", running.settings.sip_port, list(everybody), rate=rate, host=CARRIER
    )


async def visitors(running: System, voice: Voices, count: int) -> dict[sip.Caller, Lease]:
    """Callers who speak, and the leases they call by: five visitors in turn."""
    leases = [await running.lease(f"{i}.{i}") for i in range(1, 6)]
    return {somebody(leases[i % 5].number, voice): leases[i % 5] for i in range(count)}
