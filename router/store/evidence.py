"""Evidence for attribution. Many calls are attributed in one transaction: statements are built
once, use one index each, and read only the rows that are weighed.
"""

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, or_, select

from router.domain.attribution.hypotheses import DELAYS
from router.domain.attribution.terms import LOOK_BACK, CandidateFacts
from router.domain.visitors.lease import Lease
from router.store import tables
from router.store.direct import AnyConnection

_lease, _visit, _tap, _form = tables.lease, tables.visit, tables.tap, tables.form
_fallback, _shown_in = tables.fallback, tables.visit.alias("shown_in")
_view = tables.page_view
MOST_FORMS = 20  # earlier calls per phone
# phones per visitor: with more, an employee types in customers' orders
MOST_PHONES = 2
_LEASE_FIELDS = tuple(_lease.c.keys())
_ORIGIN = (_visit.c.source, _visit.c.channel, _visit.c.region)

_then = _lease.alias("then")
# a tap counts within the visitor's lease: afterwards no page shows them the number
_HELD_THEN = exists(
    select(_then.c.id)
    .where(
        _then.c.visitor_id == _lease.c.visitor_id,
        _then.c.number == bindparam("number"),
        _then.c.started_at <= _tap.c.at,
        _then.c.ends_at > _tap.c.at,
    )
    .correlate(_lease, _tap)
)
_LAST_TAP = (
    select(func.max(_tap.c.at))
    .where(
        _tap.c.visit_id == _lease.c.visit_id,
        _tap.c.number == bindparam("number"),
        _tap.c.at <= bindparam("at"),
        _tap.c.at > bindparam("since"),
        _HELD_THEN,
    )
    .scalar_subquery()
)
_newer = _lease.alias("newer")
_HAD_ANOTHER = exists(  # of a returning visitor the newest lease counts
    select(_newer.c.id).where(
        _newer.c.visitor_id == _lease.c.visitor_id,
        _newer.c.number == _lease.c.number,
        _newer.c.started_at > _lease.c.started_at,
        _newer.c.started_at <= bindparam("at"),
        or_(_newer.c.shown, _newer.c.ends_at > bindparam("at")),
    )
)
_HOLDERS = (
    select(*_lease.c, *_ORIGIN, _LAST_TAP)
    .join(_visit, _visit.c.id == _lease.c.visit_id)
    .where(
        _lease.c.number == bindparam("number"),
        _lease.c.started_at <= bindparam("at"),
        ~_HAD_ANOTHER,
    )
    # a number that no page showed cannot be called
    .where(or_(_lease.c.shown, _lease.c.ends_at > bindparam("at")))
    .order_by(_lease.c.started_at.desc(), _lease.c.ends_at.desc(), _lease.c.id)
    .limit(bindparam("most"))
)
_CONTACTS = (
    select(_view.c.visit_id)
    .where(
        _view.c.visit_id.in_(bindparam("visits", expanding=True)),
        _view.c.at <= bindparam("at"),
        func.substr(_view.c.path, 1, bindparam("length")) == bindparam("start"),
    )
    .distinct()
)
_other_form, _other_visit = _form.alias("other_form"), _visit.alias("other_visit")
_PHONES_LEFT = (
    select(func.count(_other_form.c.phone.distinct()))
    .join(_other_visit, _other_visit.c.id == _other_form.c.visit_id)
    .where(_other_visit.c.visitor_id == _visit.c.visitor_id, _other_form.c.at <= bindparam("until"))
    .scalar_subquery()
)
# A visitor who saw no number of the site before the call cannot be the caller.
_SAW_A_NUMBER = or_(
    exists(
        select(_lease.c.id).where(
            _lease.c.visitor_id == _visit.c.visitor_id,
            _lease.c.started_at <= bindparam("at"),
            or_(_lease.c.shown, _lease.c.ends_at > bindparam("at")),
        )
    ),
    exists(
        select(_fallback.c.id)
        .join(_shown_in, _shown_in.c.id == _fallback.c.visit_id)
        .where(
            _shown_in.c.visitor_id == _visit.c.visitor_id,
            _fallback.c.number.is_not(None),
            _fallback.c.at <= bindparam("at"),
        )
    ),
)
_FORMS = (
    select(_visit.c.id, _visit.c.visitor_id, *_ORIGIN)
    .join(_form, _form.c.visit_id == _visit.c.id)
    .join(tables.visitor, tables.visitor.c.id == _visit.c.visitor_id)
    .where(
        _form.c.phone == bindparam("phone"),
        _form.c.at <= bindparam("until"),
        _form.c.at > bindparam("since"),
    )
    .where(
        tables.visitor.c.site_id == bindparam("site"), _PHONES_LEFT <= MOST_PHONES, _SAW_A_NUMBER
    )
    .order_by(_form.c.at.desc())
    .limit(MOST_FORMS)
)
_CODES = (
    select(_visit.c.id, _visit.c.visitor_id, *_ORIGIN)
    .join(tables.visitor, tables.visitor.c.id == _visit.c.visitor_id)
    .where(_visit.c.code == bindparam("code"), tables.visitor.c.site_id == bindparam("site"))
    .order_by(_visit.c.started_at.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class SqlEvidence:
    """The `Evidence` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def holders(self, number: str, at: datetime, most: int) -> list[CandidateFacts]:
        """The last `most` holders of the number by then, newest first, with origin and last tap."""
        values = {"number": number, "at": at, "most": most, "since": at - LOOK_BACK}
        rows = await self.connection.execute(_HOLDERS, values)
        return [_holder(row) for row in rows.all()]

    async def leases_before(self, number: str, at: datetime, before: datetime) -> tuple[int, ...]:
        """How many leases of the number began before `before`, by how long ago that was `at`: see
        `DELAYS`.
        """
        # the bins before it are empty
        first = bisect_right(DELAYS, (at - before).total_seconds()) - 1
        if first == len(DELAYS) - 1:
            return ()
        edges = {}
        for i in range(first, len(DELAYS)):
            edges[f"edge{i}"] = min(at - timedelta(seconds=DELAYS[i]), before)

        row = (
            await self.connection.execute(_leases_before(first), {"number": number, **edges})
        ).one()
        return (*(0 for _ in range(first)), *row)

    async def contacts_seen(self, visits: Collection[str], start: str, at: datetime) -> set[str]:
        """Which of these visits had opened a page whose path begins with `start`."""
        values = {"visits": list(visits), "start": start, "length": len(start), "at": at}
        return set((await self.connection.execute(_CONTACTS, values)).scalars())

    async def visits_by_form(
        self, site_id: str, phone: str, at: datetime, until: datetime
    ) -> list[CandidateFacts]:
        """Visitors who entered this phone number in a form, from a month before the call until
        `until`. Only visitors who had seen a number of the site before the call (`at`), and
        entered few other phones.
        """
        values = {
            "site": site_id,
            "phone": phone,
            "at": at,
            "since": at - LOOK_BACK,
            "until": until,
        }
        rows = await self.connection.execute(_FORMS, values)
        return [_known(row, form=True) for row in rows]

    async def visit_by_code(self, site_id: str, code: str) -> CandidateFacts | None:
        """The newest visit that was shown this promo code."""
        row = (await self.connection.execute(_CODES, {"site": site_id, "code": code})).first()
        if not row:
            return None
        return _known(row, code=True)


@cache
def _leases_before(first: int) -> Select[Any]:
    """One count for each delay from the `first` bin on; reads each index row once."""
    return select(
        *(
            select(func.count())
            .where(
                _lease.c.number == bindparam("number"),
                _lease.c.started_at < bindparam(f"edge{index}"),
                _lease.c.started_at >= bindparam(f"edge{index + 1}"),
                _lease.c.shown,
            )
            .scalar_subquery()
            for index in range(first, len(DELAYS) - 1)
        )
    )


def _holder(row: Any) -> CandidateFacts:
    # Not validated, because parsing all rows for each call would take longer than attribution.
    lease = Lease(**dict(zip(_LEASE_FIELDS, row, strict=False)))
    source, channel, region, tapped_at = row[len(_LEASE_FIELDS) :]
    return CandidateFacts(
        lease=lease,
        visitor_id=lease.visitor_id,
        visit_id=lease.visit_id,
        source=source,
        channel=channel,
        region=region,
        tapped_at=tapped_at,
    )


def _known(row: Any, *, form: bool = False, code: bool = False) -> CandidateFacts:
    return CandidateFacts(
        lease=None,
        visitor_id=row.visitor_id,
        visit_id=row.id,
        source=row.source,
        channel=row.channel,
        region=row.region,
        form=form,
        code=code,
    )
