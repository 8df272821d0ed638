"""Answers pages that open: finds the visitor, continues or begins a visit, assigns numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from router.domain.ids import new_id
from router.domain.visitors.lease import TURN, Lease
from router.domain.visitors.promo_codes import draw_code
from router.domain.visitors.site import Pool
from router.domain.visitors.sources import brings_new_source
from router.domain.visitors.visit import VISIT_PAUSE, PageView, Reason, Showing, Visit, Visitor
from router.service.ports import Session
from router.service.visitors.display import From, Shown, shown, step_down
from router.service.visitors.identities import Said, store_ids
from router.service.visitors.leasing import Wish, allot
from router.service.visitors.limits import Limits, take
from router.service.visitors.opened_page import Arrived, Page, new_visit, new_visitor

CODES_REST = timedelta(days=30)  # a promo code is nobody else's for so long
MOST_VIEWS = 200  # of one visit are noted


@dataclass(slots=True)
class _Guest:
    page: Page
    visitor: Visitor | None = None
    visit: Visit | None = None
    begun: bool = False  # the visit
    reason: Reason | None = None  # why there is no visit
    numbers: dict[str, Shown] = field(default_factory=dict)


class Door:
    """Lets pages in, those of one transaction together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def let_in(self, session: Session, pages: Sequence[Page]) -> list[Arrived]:
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
        self._guests: list[_Guest] = []
        self._new: list[Visitor] = []
        self._showings: list[Showing] = []

    async def recognise(self, pages: Sequence[Page]) -> None:
        """Whom of them we know, and whose visit goes on."""
        named = {
            page.visitor_id: page for page in pages if page.visitor_id and page.refused is None
        }
        if not named:
            return
        found = await self._session.get_many(Visitor, [key for key in named if key])
        self._visitors = {
            key: one for key, one in found.items() if one.site_id == named[key].setup.site.id
        }
        if self._visitors:
            self._going = await self._session.visits.going(self._visitors, self._now - VISIT_PAUSE)

    async def receive(self, pages: Sequence[Page]) -> None:
        """Each with a visitor and a visit, or with the reason why not."""
        codes = iter(await self._fresh_codes(sum(self._opens(page) for page in pages)))
        self._guests = [self._guest(page, codes) for page in pages]

    def _opens(self, page: Page) -> bool:
        visit = self._going.get(page.visitor_id or "")
        return page.refused is None and (visit is None or brings_new_source(visit, page.source))

    def _guest(self, page: Page, codes: Iterator[str]) -> _Guest:
        opens = self._opens(page)
        if page.refused or (opens and not self._may_begin(page)):
            return _Guest(page, reason=page.refused or Reason.CROWD)
        visitor = self._visitor(page)
        if opens:
            visit = self._going[visitor.id] = new_visit(page, visitor, next(codes, None), self._now)
        else:
            visit = self._going[visitor.id]
        return _Guest(page, visitor, visit, begun=opens)

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
        """Promo codes that no visit has now."""
        codes: set[str] = set()
        while len(codes) < count:
            drawn = {draw_code() for _ in range(count - len(codes))}
            codes |= drawn - await self._session.visits.codes_in_use(drawn, self._now - CODES_REST)
        return list(codes)

    async def give_numbers(self) -> None:
        """Lock numbers first, then write: everybody who writes keeps to this order, so nobody waits
        in a circle.
        """
        wishes, wishers = [], []
        for guest in self._guests:
            for pool in guest.page.pools:
                if guest.visitor is None or guest.visit is None:
                    self._step_down(guest, pool, guest.reason or Reason.CROWD)
                    continue
                wishes.append(
                    Wish(
                        pool=pool,
                        visitor_id=guest.visitor.id,
                        visit_id=guest.visit.id,
                        known=guest.visitor.id in self._visitors,
                        anew=guest.begun,
                        asker=guest.page.asker,
                    )
                )
                wishers.append((guest, pool))
        allotment = await allot(self._session, wishes, self._now)
        for (guest, pool), result in zip(wishers, allotment.results, strict=True):
            if isinstance(result, Lease):
                guest.numbers[pool.id] = shown(result)
            else:
                self._step_down(guest, pool, result)
        await self._write()
        await self._session.leases.save(allotment.changed)

    def _step_down(self, guest: _Guest, pool: Pool, reason: Reason) -> None:
        came = guest.visit or guest.page.source
        place = From(source=came.source, medium=came.medium, channel=came.channel)
        visit_id = guest.visit.id if guest.visit else None
        guest.numbers[pool.id], kept = step_down(
            guest.page.setup, pool, place, reason, visit_id, self._now
        )
        if take(self._limits.refusals, guest.page.address, self._session):
            self._showings.append(kept)

    async def _write(self) -> None:
        begun = [guest.visit for guest in self._guests if guest.visit and guest.begun]
        going = {guest.visit.id: guest for guest in self._guests if guest.visit and not guest.begun}
        going = {
            key: guest for key, guest in going.items() if all(key != visit.id for visit in begun)
        }
        await self._session.add(*self._new)
        await self._session.add(*begun)
        await store_ids(self._session, self._said(), going, self._now)
        seen = await self._session.visits.count_records(PageView, going) if going else {}
        await self._session.add(
            *(view for guest in self._guests for view in self._view(guest, seen))
        )
        await self._session.add(*self._showings)

    def _said(self) -> list[Said]:
        """What pages said of visitors whom the store knows already."""
        return [
            Said(
                visitor=guest.visitor,
                visit=None if guest.begun else guest.visit,
                ids=guest.page.ids,
            )
            for guest in self._guests
            if guest.visitor and guest.visitor.id in self._visitors
        ]

    def _view(self, guest: _Guest, seen: Mapping[str, int]) -> list[PageView]:
        if guest.visit is None or seen.get(guest.visit.id, 0) >= MOST_VIEWS:
            return []
        if not take(self._limits.views, guest.page.address, self._session):
            return []
        return [
            PageView(
                id=new_id(self._now),
                visit_id=guest.visit.id,
                at=self._now,
                path=guest.page.source.path,
            )
        ]

    def answers(self) -> list[Arrived]:
        """What each page is told."""
        return [
            Arrived(
                visitor_id=guest.visitor.id if guest.visitor else None,
                visit_id=guest.visit.id if guest.visit else None,
                code=guest.visit.code if guest.visit else None,
                numbers=guest.numbers,
            )
            for guest in self._guests
        ]


async def _with_left_visits(session: Session, pages: Sequence[Page], now: datetime) -> list[Page]:
    """The pages, those of browsers that keep nothing with the visitor who has just left a page of
    the site.

    The same line and User-Agent, half a minute at most, and a page of the site that led here: the
    page was turned.
    """
    turned = {
        page.client for page in pages if page.client and not page.visitor_id and page.source.within
    }
    if not turned:
        return list(pages)
    left = await session.visits.left_visitors(
        [client for client in turned if client], now - TURN, now
    )
    return [
        replace(page, visitor_id=left[page.client])
        if page.client in left and not page.visitor_id
        else page
        for page in pages
    ]
