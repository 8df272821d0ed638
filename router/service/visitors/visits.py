"""Use cases of the page's script: visit, heartbeat, numbers, taps, forms, goodbye."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from router.domain.attribution.late_evidence import form_with
from router.domain.ids import id_within, new_id
from router.domain.phone import caller_number, parse_number
from router.domain.visitors.client_key import asker, keyed
from router.domain.visitors.lease import Lease, leave, sign_of_life
from router.domain.visitors.offering import Place, fitting_pools
from router.domain.visitors.site import Pool, RefusedOrigin, UnchangedPage
from router.domain.visitors.sources import read_source
from router.domain.visitors.url import clean
from router.domain.visitors.visit import Form, Reason, Tap, Visit, Visitor
from router.errors import InvalidInput, NotFound
from router.service.ids import ids_of
from router.service.ports import Session, Store
from router.service.visitors.display import Shown
from router.service.visitors.group_commit import GroupCommit
from router.service.visitors.heartbeat import HeartbeatService, PageHeartbeat
from router.service.visitors.identities import NO_IDS, Ids, Said, store_ids
from router.service.visitors.leasing import is_held
from router.service.visitors.limits import Limits, take
from router.service.visitors.opened_page import Arrived, Page
from router.service.visitors.page_counts import PageCounts
from router.service.visitors.page_open import PageOpenService
from router.service.visitors.ports import VisitEnrichment
from router.service.visitors.site_config import SiteConfig, Sites

MAX_PATH = 500  # characters
MOST_REPORTED = 50  # taps, or forms, of one visit are noted


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The message of a page that opens."""

    url: str
    referrer: str | None = None
    visitor_id: str | None = None
    ids: Ids = field(default_factory=Ids)
    parameters: dict[str, str] = field(default_factory=dict)
    pools: Sequence[str] = ()  # found on the page
    consent: bool = False
    keeps_nothing: bool = False  # the browser keeps neither cookies nor storage
    withdrawn: bool = False  # the visitor refused or withdrew consent
    address: str = ""  # of the browser
    user_agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A visit by its key."""

    config: SiteConfig
    visit: Visit
    visitor: Visitor


def path_of(path: str) -> str:
    """Clean the path of a page."""
    return clean(path.partition("?")[0].partition("#")[0], MAX_PATH)


class VisitService:
    """Use cases of the script, with their caches."""

    def __init__(
        self, store: Store, enrichment: VisitEnrichment, limits: Limits, key: str = ""
    ) -> None:
        self._store, self._enrichment = store, enrichment
        self._limits = limits
        self._key = key  # of the hashes of addresses
        self._arrivals = GroupCommit(store, PageOpenService(limits).open_pages)
        self._heartbeats = GroupCommit(store, HeartbeatService(limits).keep)
        self.sites = Sites(store)
        self.refusals = PageCounts(store, RefusedOrigin)
        self.unchanged = PageCounts(store, UnchangedPage)

    async def arrive(self, config: SiteConfig, arrival: Arrival, now: datetime) -> Arrived:
        """A page was opened: begin or continue a visit, and assign numbers."""
        site = config.site
        browser = self._enrichment.browsers(arrival.user_agent)
        place = self._place(arrival.address)
        source = read_source(
            arrival.url,
            arrival.referrer,
            site.origins,
            site.source_rules,
            self._enrichment.referrers,
            site.errand_hosts,
        )
        refused = None
        if arrival.withdrawn or (site.consent and not arrival.consent):
            refused = Reason.NO_CONSENT

        if browser and browser.robot:
            refused = Reason.ROBOT

        client = None
        if arrival.keeps_nothing:
            client = keyed(f"{arrival.address} {arrival.user_agent}", self._key)

        page = Page(
            config=config,
            now=now,
            address=arrival.address,
            asker=asker(arrival.address, self._key),
            client=client,
            visitor_id=arrival.visitor_id,
            ids=arrival.ids,
            source=source,
            browser=browser,
            place=place,
            parameters=arrival.parameters,
            pools=_wanted(config, arrival.pools, place),
            refused=refused,
        )
        return await self._arrivals(page)

    async def recall(self, visit_id: str) -> Present:
        """The visit of this key. Raises `NotFound`."""
        async with self._store.read_inline() as session:
            found = await session.visits.with_visitor(visit_id)
        if found is None:
            raise NotFound("There is no such visit: open the page again.")
        visit, visitor = found
        return Present(config=await self.sites.get(visitor.site_id), visit=visit, visitor=visitor)

    async def give_numbers(
        self, who: Present, pools: Sequence[str], address: str, now: datetime, ids: Ids = NO_IDS
    ) -> dict[str, Shown]:
        """Assign numbers that the page requests later, by pool."""
        place = Place(country=who.visit.country, region=who.visit.region, city=who.visit.city)
        wanted = ids_of(_wanted(who.config, pools, place))
        return await self._heartbeats(self._stay(who, address, now, pool_ids=wanted, ids=ids))

    async def stay(
        self,
        who: Present,
        leases: Sequence[str],
        path: str | None,
        ids: Ids,
        address: str,
        now: datetime,
    ) -> dict[str, Shown]:
        """Heartbeat; returns the numbers that changed, by pool."""
        if path:
            path = path_of(path)

        return await self._heartbeats(
            self._stay(who, address, now, lease_ids=leases, path=path, ids=ids)
        )

    async def tapped(
        self, who: Present, number: str, now: datetime, ids: Ids = NO_IDS, key: str | None = None
    ) -> None:
        """The visitor tapped a number: a heartbeat if they hold it, otherwise ignored. A tap that
        comes again under its key is stored once. Raises `InvalidInput` for an invalid number.
        """
        e164 = parse_number(number, who.config.site.region)
        tap = Tap(id=_id_of(who, key, now), visit_id=who.visit.id, number=e164, at=now)
        async with self._store.write() as session:
            lease = await _held_by(session, who, e164, now)
            await store_ids(session, [_said(who, ids)], [], now)
            if lease is None or (await session.peek(Tap, tap.id)) is not None:
                return
            await _add(session, tap)
            pool = who.config.pools.get(lease.pool_id)
            if pool and (kept := sign_of_life(lease, pool, now)):
                await session.leases.save([kept])

    async def left_phone(
        self,
        who: Present,
        phone: str,
        now: datetime,
        ids: Ids = NO_IDS,
        address: str = "",
        key: str | None = None,
    ) -> None:
        """The visitor entered a phone number in a form; the worker processes its earlier calls, so
        that the response time does not reveal whether the phone has called. Forms beyond a
        line's limit, and a form that comes again under its key, are silently ignored.
        Raises `InvalidInput` for an invalid number.
        """
        e164 = caller_number(phone, who.config.site.region)
        if e164 is None:
            raise InvalidInput(f"'{phone[:40]}' is not a phone number: write it as +74951234567")
        form = Form(id=_id_of(who, key, now), visit_id=who.visit.id, phone=e164, at=now)
        async with self._store.write() as session:
            await store_ids(session, [_said(who, ids)], [], now)
            if await session.peek(Form, form.id):
                return
            if take(self._limits.forms, address, session) and await _add(session, form):
                await session.late_evidence.add([form_with(e164, who.config.site.id, now)])

    async def left(
        self, who: Present, lease_ids: Sequence[str], now: datetime, ids: Ids = NO_IDS
    ) -> None:
        """The page was left: freeze its leases. A late goodbye changes nothing."""
        async with self._store.write() as session:
            named = await session.get_many(Lease, lease_ids)
            mine = {}
            for key, lease in named.items():
                if lease.visitor_id == who.visitor.id:
                    mine[key] = lease

            numbers = await session.leases.lock_numbers({lease.number for lease in mine.values()})
            ended = []
            for lease in (await session.get_many(Lease, mine)).values():
                number, pool = numbers.get(lease.number), who.config.pools.get(lease.pool_id)
                if number and pool and is_held(lease, number, now):
                    ended.append(leave(lease, pool, now))

            await store_ids(session, [_said(who, ids)], [who.visit.id], now)
            await session.leases.save(ended)

    def _stay(self, who: Present, address: str, now: datetime, **more: Any) -> PageHeartbeat:
        line = asker(address, self._key)
        return PageHeartbeat(
            config=who.config,
            visit=who.visit,
            visitor=who.visitor,
            address=address,
            asker=line,
            now=now,
            **more,
        )

    def _place(self, address: str) -> Place:
        found = self._enrichment.places(address)
        if not found:
            return Place()
        return Place(country=found.country, region=found.region, city=found.city)


async def _held_by(session: Session, who: Present, e164: str, now: datetime) -> Lease | None:
    """The visitor's lease of this number, if they hold it now; locks the number."""
    number = await session.leases.lock_number(e164)
    if number is None:
        return None
    for lease in (await session.leases.newest([who.visitor.id])).values():
        if lease.number == e164 and is_held(lease, number, now):
            return lease
    return None


def _id_of(who: Present, key: str | None, now: datetime) -> str:
    """The id of an event of this visit."""
    if key:
        return id_within(who.visit.id, key)
    return new_id(now)


async def _add(session: Session, reported: Tap | Form) -> bool:
    """Store an event of a visit, unless it already has too many."""
    seen = await session.visits.count_records(type(reported), [reported.visit_id])
    if seen.get(reported.visit_id, 0) >= MOST_REPORTED:
        return False
    await session.add(reported)
    return True


def _said(who: Present, ids: Ids) -> Said:
    return Said(visitor=who.visitor, visit=who.visit, ids=ids)


def _wanted(config: SiteConfig, pools: Sequence[str], place: Place) -> list[Pool]:
    found = [pool for key in dict.fromkeys(pools) if (pool := config.pools.get(key))]
    return fitting_pools(found, place)
