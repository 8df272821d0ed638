"""Sets up the demo: a site, a pool of numbers, a destination, a receiver."""

from datetime import datetime
from typing import Any

from router import bootstrap
from router.asterisk.trunks import Side, Trunk, TrunkKind, Trunks
from router.config import Settings
from router.demo.facts import (
    CERTAINTY,
    RECEIVER,
)
from router.demo.month.speech_server import speech_rule
from router.demo.visitor import COMPANY_NUMBER
from router.domain.access import Scope
from router.domain.delivery.delivery import Webhook
from router.domain.visitors.site import Destination, NumberKind, Pool, Site, Step, TrackingNumber
from router.secrets import Secrets
from router.service.admin.access import set_scopes
from router.store.engine import SqlStore

NUMBERS = ("+74950000001", "+74950000002")

CARRIER_ADDRESS = "127.0.0.2"  # loopback has room for a carrier of its own


async def set_up(
    store: SqlStore, settings: Settings, secrets: Secrets, outside: str, *, transcribes: bool
) -> None:
    """`outside`: the address of the company's page, its CRM and its speech to text."""
    now = bootstrap.now()
    steps = (Step(dial="PJSIP/demo-company"),)
    things: list[Any] = [
        Destination(
            id="demo-office", name="The office", steps=steps, send_client_id=True, created_at=now
        ),
        Site(
            id="demo",
            name="Demo shop",
            origins=(outside,),
            destination_id="demo-office",
            certainty=CERTAINTY,
            created_at=now,
        ),
        _pool(now),
        *(_number(e164, now) for e164 in NUMBERS),
        Webhook(id=RECEIVER, url=f"{outside}/ringtrace", site_id="demo", created_at=now),
    ]
    if transcribes:
        things.append(speech_rule(outside, now))
    async with store.write() as session:
        for thing in things:
            if isinstance(thing, TrackingNumber):
                if await session.peek(TrackingNumber, thing.e164) is None:
                    await session.add(thing)
            elif await session.peek(type(thing), thing.id) is None:
                await session.add(thing)
            else:
                await session.change(thing)
    await set_scopes(store, bootstrap.FIRST_LOGIN, [Scope.CALLS_LISTEN])
    trunks = Trunks(settings.ringtrace_etc)
    for trunk in trunks.all():  # in its own home: rewritten in this version's format
        trunks.remove(trunk.name)
    trunks.add(Trunk(name="demo-carrier", kind=TrunkKind.IP, host=CARRIER_ADDRESS))
    trunks.add(
        Trunk(name="demo-company", kind=TrunkKind.ACCOUNT, side=Side.COMPANY),
        secrets.first_password,
    )


def _pool(now: datetime) -> Pool:
    return Pool(
        id="demo-pool",
        site_id="demo",
        name="Everybody",
        hold_seconds=60,
        freeze_seconds=30,
        replaces=(COMPANY_NUMBER,),
        free_after_call=True,  # the demo may be played again and again
        created_at=now,
    )


def _number(e164: str, now: datetime) -> TrackingNumber:
    return TrackingNumber(
        e164=e164,
        site_id="demo",
        kind=NumberKind.DYNAMIC,
        pool_id="demo-pool",
        free_at=now,
        created_at=now,
    )
