"""Calls through a running system: a company line that speaks, callers that speak, and what must be
true afterwards.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from router.domain.calls.call import Call, Recording, RecordingState
from router.domain.calls.call_filter import CallFilter
from tests.acceptance import audio, sip
from tests.acceptance.system import CARRIER, COMPANY, System, line

QUESTION = audio.from_pcap()  # what callers say: 7 s of real speech


@cache
def greeting() -> audio.Samples:
    """What the company says: unlike the caller's words."""
    return audio.spoken(
        "You have reached the company. How may I help you today, and what is your order number?"
    )


@dataclass(frozen=True, slots=True)
class Voices:
    """Files for SIPp to speak."""

    caller: Path
    company: Path


def voices(directory: Path) -> Voices:
    """Write both voices once."""
    return Voices(
        caller=audio.to_alaw(QUESTION, directory / "caller.alaw"),
        company=audio.to_alaw(greeting(), directory / "company.alaw"),
    )


@asynccontextmanager
async def company_line(
    running: System, work: Path, behaviour: sip.Company, *, second: sip.Company | None = None
) -> AsyncIterator[list[sip.Sipp]]:
    """The company's phones, known to Asterisk; with a second line where the destination names
    one.
    """
    async with sip.company(
        work / "company", running.settings.sip_port, behaviour, host=COMPANY
    ) as office:
        if second is None:
            line(running, company=office.port)
            await _known(running, office)
            yield [office]
            return
        async with sip.company(
            work / "second", running.settings.sip_port, second, host="127.0.0.4"
        ) as other:
            line(running, company=office.port, second=other.port)
            await _known(running, office, other)
            yield [office, other]


async def _known(running: System, *phones: sip.Sipp) -> None:
    """Asterisk has read the trunks: it knows where these phones are."""
    await running.console("module reload res_pjsip.so")

    async def look() -> bool:
        contacts = await running.console("pjsip show contacts")
        return all(f"{phone.host}:{phone.port} " in contacts for phone in phones)

    await running.until(look, "the company's phones were not found")


async def dial(
    running: System, work: Path, who: sip.Caller, *, host: str = CARRIER, timeout: float = 180.0
) -> sip.Result:
    """One call by `who`, from its first INVITE to its end."""
    async with sip.caller(work / "caller", running.settings.sip_port, who, host=host) as caller:
        return await caller.finished(timeout)


async def the_call(running: System, who: sip.Caller, *, timeout: float = 180.0) -> Call:
    """The one ended call of this caller's number."""

    async def look() -> Call | None:
        theirs = CallFilter(caller=who.number)
        mine = [call for call in await running.calls(theirs) if call.ended_at]
        assert len(mine) < 2, "a call is in the database once"
        return mine[0] if mine else None

    return await running.until(look, f"the call of {who.number} did not end", timeout)


async def heard_whole(
    running: System, call: Call, *, caller: bool = True, company: bool = True
) -> Recording:
    """The call's recording is in the storage, each side whole and on its own channel."""
    (recording,) = await running.recorded(call)
    assert recording.state is RecordingState.STORED, recording
    sound = await running.listen(recording)
    left, right = sound[:, 0].copy(), sound[:, 1].copy()
    if caller:
        assert audio.is_whole(left, QUESTION)
        assert audio.contains(right, QUESTION)[1] < 0.4
    if company:
        assert audio.is_whole(right, greeting())
        assert audio.contains(left, greeting())[1] < 0.4
    return recording


_next = iter(range(1, 10_000))


def somebody(did: str, voice: Voices | None = None, **fields: object) -> sip.Caller:
    """A caller whose number no other caller of this run has."""
    who = sip.Caller(
        did=did, number=f"+7916{next(_next):07}", talk=8.0, speech=voice and voice.caller
    )
    return replace(who, **fields)  # type: ignore[arg-type]
