"""A customer whose call was missed, and a person of the company with a phone, beside a running
Asterisk and agent.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from router import bootstrap
from router.asterisk.trunks import Cli, Trunk, TrunkKind, Trunks
from router.domain.access import Person, Role, Scope
from router.domain.calls.call import Call, Ending, State
from router.domain.calls.call_back import CallBack, CallBackState
from router.service.calls import call_backs
from router.service.calls.missed_follow import follow_calls
from tests.acceptance.phone_world import Phones, phone_world
from tests.acceptance.system import CARRIER, STATIC
from tests.acceptance.talking_phone import PhoneCall

LOGIN = "anna"
_next = iter(range(1, 10_000))


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A customer, their missed call, and the call back to them."""

    phones: Phones
    number: str
    missed: Call
    back: CallBack

    async def state(self, wanted: CallBackState) -> CallBack:
        """The call back, when it is that far."""

        async def look() -> CallBack | None:
            async with self.phones.system.store.read() as session:
                back = await session.get(CallBack, self.back.id)
            return back if back.state is wanted else None

        return await self.phones.system.until(look, f"the call back was not {wanted}")

    async def phone_rings(self) -> PhoneCall:
        """The person's phone."""
        phone = await self.phones.second.rings(self.number)
        phone.say("180 Ringing")
        return phone

    async def rings(self) -> PhoneCall:
        """The customer's phone, behind the carrier, which shows our number."""
        customer = await self.phones.carrier.rings(STATIC)
        customer.say("180 Ringing")
        return customer

    async def made(self) -> Call:
        """The call that was made, when it has ended."""

        async def look() -> Call | None:
            async with self.phones.system.store.read() as session:
                back = await session.get(CallBack, self.back.id)
                call = await session.peek(Call, back.made_call_id or "")
            return call if call and call.state is State.ENDED else None

        return await self.phones.system.until(look, "the call back was not in the list of calls")


@asynccontextmanager
async def desk_world(home: Path, own: dict[str, str] | None = None) -> AsyncIterator[Phones]:
    """Phones, a carrier that takes calls, and a person who may call back."""
    async with phone_world(home, own) as phones:
        trunk = Trunk(
            name="carrier",
            kind=TrunkKind.IP,
            host=f"{CARRIER}:{phones.carrier.port}",
            match=(CARRIER,),
            cli=Cli.PASS,
        )
        Trunks(phones.system.settings.ringtrace_etc).change(trunk)
        await phones.system.console("module reload res_pjsip.so")

        async def known() -> bool:
            contacts = await phones.system.console("pjsip show contacts")
            return f"{CARRIER}:{phones.carrier.port} " in contacts

        async def ingests() -> bool:
            async with phones.system.store.read() as session:
                beats = await session.heartbeats.all()
            return any(beat.name.startswith("ingest ") for beat in beats)

        await phones.system.until(known, "the carrier was not found")
        await phones.system.until(ingests, "the ingest did not start")
        await set_person(phones)
        yield phones


async def set_person(phones: Phones, **changes: Any) -> Person:
    """The person who calls back."""
    values: dict[str, Any] = {
        "login": LOGIN,
        "password_hash": "",
        "role": Role.SUPERVISOR,
        "created_at": bootstrap.now(),
        "phone": "PJSIP/second",
        "scopes": (Scope.CALLS_CALL, Scope.CALLS_LISTEN),
        **changes,
    }
    person = Person(**values)
    async with phones.system.store.write() as session:
        known = await session.peek(Person, LOGIN)
        await (session.change if known else session.add)(person)
    return person


async def called_back(phones: Phones, **person: Any) -> Customer:
    """A missed call of a new customer, whom the person calls back."""
    store, now = phones.system.store, bootstrap.now()
    number = f"+7916{next(_next):07}"
    missed = Call(
        id=f"{phones.system.settings.system_name}-1.{number[5:]}",
        did=STATIC,
        trunk="carrier",
        number=STATIC,
        site_id="shop",
        caller=number,
        caller_raw=number,
        arrived_at=now - timedelta(minutes=5),
        ended_at=now - timedelta(minutes=4),
        state=State.ENDED,
        ending=Ending.NO_ANSWER,
        wait_seconds=60.0,
    )
    async with store.write() as session:
        await session.calls.save([missed])
        await follow_calls(session, [missed])
    who = await set_person(phones, **person)
    rules = replace(phones.system.settings.call_back_rules("RU"), per_minute=60)
    back = await call_backs.ask(store, rules, who, missed.id, now, missed.id)
    return Customer(phones=phones, number=number, missed=missed, back=back)


async def heard(phones: Phones, ear: PhoneCall, speaker: int) -> None:
    """This phone has heard half a second of a speaker."""

    async def look() -> bool:
        return sum(who == speaker for who, _ in ear.media.heard) >= 25

    await phones.system.until(look, f"speaker {speaker} was not heard")


async def quiet(phones: Phones) -> None:
    """Every channel is gone."""

    async def look() -> bool:
        return "0 active channels" in await phones.system.console("core show channels count")

    await phones.system.until(look, "channels did not end")
    await asyncio.sleep(0)
