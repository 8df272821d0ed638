"""Processes opened pages: finds the visitor, continues or begins a visit, assigns numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from router.domain.ids import new_id
from router.domain.visitors.lease import TURN, Lease
from router.domain.visitors.promo_codes import draw_code
from router.domain.visitors.site import Pool
from router.domain.visitors.sources import brings_new_source
from router.domain.visitors.visit import VISIT_PAUSE, Fallback, PageView, Reason, Visit, Visitor
from router.service.ports import Session
from router.service.visitors.display import From, Shown, fall_back, shown
from router.service.visitors.identities import Said, store_ids
from router.service.visitors.leasing import NumberRequest, assign_numbers
from router.service.visitors.limits import Limits, take
from router.service.visitors.opened_page import Arrived, Page, new_visit, new_visitor

CODES_REST = timedelta(days=30)  # a promo code is not reused for this long
MOST_VIEWS = 200  # of one visit are noted


@dataclass(slots=True)
class _PageOpen:
    page: Page
    visitor: Visitor | None = None
    visit: Visit | None = None
    begun: bool = False  # the visit
    reason: Reason | None = None  # why there is no visit
    numbers: dict[str, Shown] = field(default_factory=dict)


class PageOpenService:
    """Processes the pages of one transaction."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def open_pages(self, session: Session, pages: Sequence[Page]) -> list[Arrived]:
        """An answer for each page."""
        now = max(page.now for page in pages)
        pages = await _with_left_visits(session, pages, now)
        batch = _Batch(session, now, self._limits)
        await batch.recognise(pages)
        await batch.receive(pages)
        await batch.give_numbers()
        return batch.answers()


class _Batch:
    def __init__(self, session: Session, now: datetime, limits: Limits) -> None:
        self._session, self._now, self._limits = session, now, limits
        self._visitors: dict[str, Visitor] = {}
        self._going: dict[str, Visit] = {}  # by visitor
        self._page_opens: list[_PageOpen] = []
        self._new: list[Visitor] = []
        self._fallbacks: list[Fallback] = []

    async def recognise(self, pages: Sequence[Page]) -> None:
        """Find known visitors and ongoing visits."""
        named = {}
        for page in pages:
            if page.visitor_id and page.refused is None:
                named[page.visitor_id] = page

        if not named:
            return
        found = await self._session.get_many(Visitor, [key for key in named if key])
        self._visitors = {
            key: visitor
            for key, visitor in found.items()
            if visitor.site_id == named[key].config.site.id
        }
        if self._visitors:
            self._going = await self._session.visits.going(self._visitors, self._now - VISIT_PAUSE)

    async def receive(self, pages: Sequence[Page]) -> None:
        """Give each page a visitor and a visit, or the reason for none."""
        codes = iter(await self._fresh_codes(sum(self._opens(page) for page in pages)))
        self._page_opens = [self._page_open(page, codes) for page in pages]

    def _opens(self, page: Page) -> bool:
        visit = self._going.get(page.visitor_id or "")
        return page.refused is None and (visit is None or brings_new_source(visit, page.source))

    def _page_open(self, page: Page, codes: Iterator[str]) -> _PageOpen:
        opens = self._opens(page)
        if page.refused or (opens and not self._may_begin(page)):
            return _PageOpen(page, reason=page.refused or Reason.CROWD)
        visitor = self._visitor(page)
        if opens:
            visit = self._going[visitor.id] = new_visit(page, visitor, next(codes, None), self._now)
        else:
            visit = self._going[visitor.id]
        return _PageOpen(page, visitor, visit, begun=opens)

    def _may_begin(self, page: Page) -> bool:
        nameless = page.client is not None and not page.visitor_id
        if not take(self._limits.visits, page.address, self._session):
            return False
        return not nameless or take(self._limits.nameless, page.client or "", self._session)

    def _visitor(self, page: Page) -> Visitor:
        known = self._visitors.get(page.visitor_id or "")
        if known is None:
            self._new.append(new_visitor(page, self._now))
            return self._new[-1]
        return known

    async def _fresh_codes(self, count: int) -> list[str]:
        """Unused promo codes."""
        codes: set[str] = set()
        while len(codes) < count:
            drawn = {draw_code() for _ in range(count - len(codes))}
            codes |= drawn - await self._session.visits.codes_in_use(drawn, self._now - CODES_REST)
        return list(codes)

    async def give_numbers(self) -> None:
        """Lock numbers first, then write; this order avoids deadlocks."""
        requests, requesters = [], []
        for page_open in self._page_opens:
            for pool in page_open.page.pools:
                if page_open.visitor is None or page_open.visit is None:
                    self._fall_back(page_open, pool, page_open.reason or Reason.CROWD)
                    continue
                requests.append(
                    NumberRequest(
                        pool=pool,
                        visitor_id=page_open.visitor.id,
                        visit_id=page_open.visit.id,
                        known=page_open.visitor.id in self._visitors,
                        of_this_visit=page_open.begun,
                        asker=page_open.page.asker,
                    )
                )
                requesters.append((page_open, pool))
        assignment = await assign_numbers(self._session, requests, self._now)
        for (page_open, pool), result in zip(requesters, assignment.results, strict=True):
            if isinstance(result, Lease):
                page_open.numbers[pool.id] = shown(result)
            else:
                self._fall_back(page_open, pool, result)
        await self._write()
        await self._session.leases.save(assignment.changed)

    def _fall_back(self, page_open: _PageOpen, pool: Pool, reason: Reason) -> None:
        came = page_open.visit or page_open.page.source
        place = From(source=came.source, medium=came.medium, channel=came.channel)
        visit_id = None
        if page_open.visit:
            visit_id = page_open.visit.id

        page_open.numbers[pool.id], kept = fall_back(
            page_open.page.config, pool, place, reason, visit_id, self._now
        )
        if take(self._limits.refusals, page_open.page.address, self._session):
            self._fallbacks.append(kept)

    async def _write(self) -> None:
        begun: dict[str, Visit] = {}
        going: set[str] = set()
        for page_open in self._page_opens:
            if page_open.visit is None:
                continue
            if page_open.begun:
                begun[page_open.visit.id] = page_open.visit
            else:
                going.add(page_open.visit.id)

        going -= begun.keys()
        await self._session.add(*self._new)
        await self._session.add(*begun.values())
        await store_ids(self._session, self._said(), going, self._now)
        seen = await self._session.visits.count_records(PageView, going)
        views = list[PageView]()
        for page_open in self._page_opens:
            views += self._view(page_open, seen)
        await self._session.add(*views)
        await self._session.add(*self._fallbacks)

    def _said(self) -> list[Said]:
        """Identifiers of known visitors."""
        said = []
        for page_open in self._page_opens:
            visitor, visit = page_open.visitor, page_open.visit
            if page_open.begun:
                visit = None
            if visitor and visitor.id in self._visitors:
                said.append(Said(visitor=visitor, visit=visit, ids=page_open.page.ids))
        return said

    def _view(self, page_open: _PageOpen, seen: Mapping[str, int]) -> list[PageView]:
        if page_open.visit is None or seen.get(page_open.visit.id, 0) >= MOST_VIEWS:
            return []
        if not take(self._limits.views, page_open.page.address, self._session):
            return []
        return [
            PageView(
                id=new_id(self._now),
                visit_id=page_open.visit.id,
                at=self._now,
                path=page_open.page.source.path,
            )
        ]

    def answers(self) -> list[Arrived]:
        """The answers."""
        return [_answer(page_open) for page_open in self._page_opens]


def _answer(page_open: _PageOpen) -> Arrived:
    answer = Arrived(numbers=page_open.numbers)
    if page_open.visitor:
        answer = replace(answer, visitor_id=page_open.visitor.id)
    if page_open.visit:
        answer = replace(answer, visit_id=page_open.visit.id, code=page_open.visit.code)
    return answer


async def _with_left_visits(session: Session, pages: Sequence[Page], now: datetime) -> list[Page]:
    """Pages of browsers that keep nothing get the visitor who just left a page of the site: same
    line and User-Agent, at most half a minute ago, referred by the site.
    """
    turned = set()
    for page in pages:
        if page.client and not page.visitor_id and page.source.within:
            turned.add(page.client)

    if not turned:
        return list(pages)
    left = await session.visits.left_visitors(list(turned), now - TURN, now)
    found = []
    for page in pages:
        if page.client in left and not page.visitor_id:
            page = replace(page, visitor_id=left[page.client])
        found.append(page)
    return found
