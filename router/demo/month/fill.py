"""Fills a database with the invented month, once: a month that was begun is continued."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from router.demo.month.cast import SITES, WORD_LISTS, InventedSite
from router.demo.month.desk import work_at_the_desk
from router.demo.month.play import Play
from router.demo.month.sound import Voices
from router.demo.month.terms import DESTINATION, SYSTEM, Clock, Size, begun, file_of
from router.domain.calls.word_list import WordList
from router.domain.delivery.delivery import Webhook
from router.domain.visitors.site import Destination, NumberKind, Pool, Site, Step, TrackingNumber
from router.service.calls.ingest import CallIngest
from router.service.calls.ports import Cursor
from router.service.calls.routing import Routes
from router.service.ports import Store
from router.service.visitors.limits import Limits
from router.service.visitors.ports import VisitEnrichment
from router.service.visitors.visits import VisitService

SEED = 11
# the demo's CRM answers all, its shop system refuses some, its messenger is out of order
RECEIVERS = ("demo-sales", "demo-stock", "demo-messenger")
_DELIVERED_DAYS = 2  # the company connected its receivers so late


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Where the month is filled in, and with what."""

    store: Store
    enrichment: VisitEnrichment
    now: datetime
    size: Size = field(default_factory=Size)
    speech: Path | None = None  # Asterisk's prompts; without them nothing is recorded
    spool: Path | None = None
    receivers: str = ""  # the address under which they answer; empty: there are none
    progress: Callable[[int, int], None] = lambda _done, _all: None  # days


async def fill_month(filling: Filling) -> None:
    """Fill it, or continue after the last day that was begun."""
    store = filling.store
    async with store.read() as session:
        cursor = await session.cel_log.cursor(SYSTEM)
    end, days = begun(cursor) or (filling.now, 0)
    play = await _prepared(filling, end)

    for day in range(days, filling.size.days):
        filling.progress(day, filling.size.days)
        if filling.receivers and day == filling.size.days - _DELIVERED_DAYS:
            await _connect(filling, play.clock.now)
        await play.day(day)
    if days <= filling.size.days:
        await play.ingest.ready()
        desk = Cursor(file=file_of(end), offset=filling.size.days + 1)
        await play.ingest.ingest([], desk)
        await work_at_the_desk(store, end, SEED)
    filling.progress(filling.size.days, filling.size.days)


async def _prepared(filling: Filling, end: datetime) -> Play:
    store = filling.store
    routes = Routes(store)
    clock = Clock(end)
    voices = Voices(filling.speech) if filling.speech else None
    play = Play(
        visits=VisitService(store, filling.enrichment, Limits(), "demo"),
        ingest=CallIngest(store, lambda: routes.table, clock, "RU", SYSTEM),
        clock=clock,
        end=end,
        size=filling.size,
        seed=SEED,
        voices=voices,
        spool=filling.spool,
    )
    await _set_up(store, play.first_day - timedelta(days=1))
    await _move_receivers(filling)
    await routes.refresh()
    return play


async def _set_up(store: Store, at: datetime) -> None:
    """The company's sites, their pools and numbers, unless they are there."""
    async with store.write() as session:
        if await session.peek(Site, SITES[0].id) is not None:
            return
        line = Step(dial="PJSIP/demo-company")
        await session.add(
            Destination(id=DESTINATION, name="Company line", steps=(line,), created_at=at)
        )
        for site in SITES:
            await session.add(*_site(site, at))
        for name, phrases in WORD_LISTS.items():
            tag = name.replace("-", " ")
            await session.add(WordList(id=name, tag=tag, phrases=phrases, created_at=at))


def _site(site: InventedSite, at: datetime) -> list[Any]:
    common: dict[str, Any] = {"site_id": site.id, "free_at": at, "created_at": at}
    pool = Pool(
        id=site.pool_id,
        site_id=site.id,
        name="Visitors",
        replaces=(site.company_number,),
        created_at=at,
    )
    leased: dict[str, Any] = {"kind": NumberKind.DYNAMIC, "pool_id": pool.id}
    return [
        Site(
            id=site.id,
            name=site.name,
            origins=(site.origin,),
            destination_id=DESTINATION,
            contacts="/contacts",
            created_at=at,
        ),
        pool,
        *(TrackingNumber(e164=number, **common, **leased) for number in site.numbers),
        *(
            TrackingNumber(e164=number, kind=NumberKind.STATIC, channel=channel, **common)
            for number, channel in site.static.items()
        ),
    ]


async def _connect(filling: Filling, at: datetime) -> None:
    """The receivers of the first site's calls."""
    async with filling.store.write() as session:
        for name in RECEIVERS:
            url = f"{filling.receivers}/{name}"
            webhook = Webhook(id=name, url=url, site_id=SITES[0].id, created_at=at)
            if await session.peek(Webhook, name) is None:
                await session.add(webhook)


async def _move_receivers(filling: Filling) -> None:
    """Those that are there answer at another port after each start."""
    async with filling.store.write() as session:
        for name in RECEIVERS if filling.receivers else ():
            known = await session.peek(Webhook, name)
            if known is not None:
                await session.change(replace(known, url=f"{filling.receivers}/{name}"))
