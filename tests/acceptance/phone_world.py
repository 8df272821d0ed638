"""Phones that talk in numbered frames through Asterisk and the agent, and what the spool has of it:
no worker runs here.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from recordings import SpoolPair, is_settled
from router.domain.calls.call import Recording
from tests.acceptance.audio import from_sln
from tests.acceptance.calling import somebody, the_call
from tests.acceptance.rtp import read_numbers
from tests.acceptance.system import CARRIER, COMPANY, System, line, system
from tests.acceptance.talking_phone import PhoneCall, TalkingPhone

TALK = 1.2
CALLER, FIRST, SECOND, CONSULTING = 1, 2, 3, 4  # speakers


@dataclass(frozen=True, slots=True, kw_only=True)
class Phones:
    """A carrier and two lines of the company."""

    system: System
    carrier: TalkingPhone
    office: TalkingPhone
    second: TalkingPhone


@asynccontextmanager
async def phone_world(home: Path, own: dict[str, str] | None = None) -> AsyncIterator[Phones]:
    """All phones, known to an Asterisk with an agent; `own` are files of the administrator's, by
    their path below Asterisk's configuration.
    """
    async with AsyncExitStack() as stack:
        steps = ("PJSIP/head-office", "PJSIP/second")
        up = await stack.enter_async_context(system(home, company=steps))
        for name, text in (own or {}).items():
            path = up.settings.asterisk_home / "etc" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        carrier, office, second = [
            await stack.enter_async_context(
                TalkingPhone(up.settings.sip_port, host=host, seed=seed)
            )
            for seed, host in ((100, CARRIER), (200, COMPANY), (300, "127.0.0.4"))
        ]
        line(up, company=office.port, second=second.port)
        await up.start("asterisk", "agent")

        async def known() -> bool:
            contacts = await up.console("pjsip show contacts")
            return all(f"{phone.host}:{phone.port} " in contacts for phone in (office, second))

        await up.until(known, "the company's phones were not found")
        yield Phones(system=up, carrier=carrier, office=office, second=second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A call in progress, and what is left of it in the spool afterwards."""

    phones: Phones
    number: str
    caller: PhoneCall

    async def recorded(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Hang up; the numbers on the caller's side and on the company's."""
        await self.caller.hang_up()
        call = await the_call(self.phones.system, replace(somebody(""), number=self.number))
        async with self.phones.system.store.read() as session:
            recording = await session.get(Recording, call.id)
        pair = SpoolPair(directory=self.phones.system.settings.spool, name=recording.spool_name)

        async def settled() -> bool:
            return len(pair.files()) == 2 and is_settled(pair, quiet_seconds=0.3, now=time.time())

        await self.phones.system.until(settled, "the recording did not settle")
        return read_numbers(from_sln(pair.caller)), read_numbers(from_sln(pair.company))


def share(numbers: list[tuple[int, int]], speaker: int, sent: list[int]) -> float:
    """How much of what a speaker sent is there."""
    assert sent
    return len({number for who, number in numbers if who == speaker} & set(sent)) / len(sent)


@asynccontextmanager
async def talking(phones: Phones) -> AsyncIterator[tuple[Talk, PhoneCall]]:
    """A caller and the company's first phone, in talk."""
    lease = await phones.system.lease()
    number = somebody("").number
    dialling = asyncio.create_task(phones.carrier.call(lease.number, sender=number, speaker=CALLER))
    phone = await phones.office.rings(number)
    phone.say("180 Ringing")
    await phone.answer()
    caller = await dialling
    await asyncio.sleep(TALK)
    yield Talk(phones=phones, number=number, caller=caller), phone
    await caller.hang_up()


def after(call: PhoneCall, count: int) -> list[int]:
    """What a phone has sent since it had sent `count` frames, but the last tenth of a second."""
    return call.media.sent[count : len(call.media.sent) - 5]
