"""The demo's two phones: the first call is made by them, and afterwards somebody calls now and
then, so that the board and the list move.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from router.config import Settings
from router.demo.month.cast import NAMES, SITES
from router.demo.month.sound import Voices
from router.demo.set_up import CARRIER_ADDRESS
from router.demo.waiting import PATIENCE
from router.phone.errors import PhoneError
from router.phone.softphone import Softphone
from router.secrets import Secrets

log = structlog.get_logger()

Phones = tuple[Softphone, Softphone]

# seconds
_RINGS = (3.0, 12.0)
_TALKS = (30.0, 75.0)
_PAUSES = (20.0, 90.0)
_MISSED = 0.25  # share of calls


@asynccontextmanager
async def phones(
    settings: Settings, secrets: Secrets
) -> AsyncIterator[tuple[Softphone, Softphone]]:
    """The caller's, behind the carrier, and the company's."""
    port = settings.sip_port
    carrier = Softphone("127.0.0.1", port, "carrier", "", bind=CARRIER_ADDRESS, register=False)
    company = Softphone("127.0.0.1", port, "demo-company", secrets.first_password)
    async with carrier as mobile, company as office:
        yield mobile, office


async def keep_calling(settings: Settings, secrets: Secrets, voices: Voices) -> None:
    """Call the company again and again."""
    chance = random.Random()  # noqa: S311
    async with phones(settings, secrets) as (mobile, office):
        while True:
            await asyncio.sleep(chance.uniform(*_PAUSES))
            try:
                await one_call(mobile, office, voices, chance)
            except PhoneError as error:
                log.warning("demo_call_failed", reason=error.message)


async def one_call(
    mobile: Softphone, office: Softphone, voices: Voices, chance: random.Random
) -> None:
    """Somebody calls a number of a channel; the company answers or not. Raises `PhoneError`."""
    numbers = [number for site in SITES for number in site.static]
    outgoing = await mobile.call(
        chance.choice(numbers).lstrip("+"),
        caller_number=f"+7916{chance.randrange(10**7):07}",
        caller_name=chance.choice(("", *NAMES)),
    )
    try:
        incoming = await office.incoming(PATIENCE)
        await asyncio.sleep(chance.uniform(*_RINGS))
        if chance.random() < _MISSED:
            return
        await incoming.answer()
        await outgoing.answered(PATIENCE)
        talk = voices.talk(chance.uniform(*_TALKS), chance)
        await asyncio.gather(outgoing.say(talk.caller), incoming.say(talk.company))
    finally:
        await outgoing.hang_up()
