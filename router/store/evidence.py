"""What the store knows that tells whose call it was, and what was learned from it.

A caller's question may wait for none of this, but many calls are judged in one transaction:
statements are built once, walk one index each, and read no more rows than are weighed.
"""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from sqlalchemy import Select, bindparam, exists, func, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.attribution.hypotheses import DELAYS
from router.domain.attribution.model import Model
from router.domain.attribution.population import Span
from router.domain.attribution.terms import LOOK_BACK, Candidate, Suspect, Verdict
from router.domain.calls.call import Call
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import NumberKind
from router.service.ports import EarlierCall, NamedCall
from router.store import tables
from router.store.direct import DirectConnection
from router.store.records import MOST_KEYS, TABLES, batched, from_row

_lease, _visit, _tap, _form = tables.lease, tables.visit, tables.tap, tables.form
_showing, _shown_in = tables.showing, tables.visit.alias("shown_in")
_call, _number, _view, _model = tables.call, tables.number, tables.page_view, tables.model
_SUSPECTS = TypeAdapter(tuple[Suspect, ...])
_MODEL = TypeAdapter(Model)
MOST_FORMS = 20  # of one phone are looked at
# that one visitor leaves as their own: more, and it is somebody who types in other people's orders
MOST_PHONES = 2
_STRAY = (Verdict.UNKNOWN, Verdict.REPEAT)
_LEASE_FIELDS = tuple(_lease.c.keys())
_ORIGIN = (_visit.c.source, _visit.c.channel, _visit.c.region)

_then = _lease.alias("then")
# a tap counts within the visitor's own lease: afterwards no page of theirs shows the number
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
_HAD_ANOTHER = exists(  # of who comes back again and again, the newest lease speaks
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
    # a number that no page showed, nobody called
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
# Who never saw a number of ours until the call came cannot have called it.
_SAW_A_NUMBER = or_(
    exists(
        select(_lease.c.id).where(
            _lease.c.visitor_id == _visit.c.visitor_id,
            _lease.c.started_at <= bindparam("at"),
            or_(_lease.c.shown, _lease.c.ends_at > bindparam("at")),
        )
    ),
    exists(
        select(_showing.c.id)
        .join(_shown_in, _shown_in.c.id == _showing.c.visit_id)
        .where(
            _shown_in.c.visitor_id == _visit.c.visitor_id,
            _showing.c.number.is_not(None),
            _showing.c.at <= bindparam("at"),
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
_CALL_COLUMNS = (
    _call.c.id,
    _call.c.arrived_at,
    _call.c.number,
    _call.c.caller,
    _call.c.suspects,
    _call.c.origins,
)
_BY_PHONE = (
    select(*_CALL_COLUMNS)
    .where(_call.c.caller == bindparam("caller"), _call.c.arrived_at < bindparam("at"))
    .where(_call.c.site_id == bindparam("site"))
    .order_by(_call.c.arrived_at.desc())
    .limit(20)
)
_OF_HOLDERS = (
    select(_call.c.id, _call.c.visitor_id, _call.c.caller, _call.c.probability)
    .join(_lease, _lease.c.visitor_id == _call.c.visitor_id)
    .where(_lease.c.number == bindparam("number"))
    .where(_lease.c.started_at >= bindparam("first"), _lease.c.started_at <= bindparam("at"))
    .where(_call.c.arrived_at > bindparam("since"), _call.c.arrived_at < bindparam("at"))
    .distinct()
)
_KNOWN_PHONES = union(
    select(_call.c.caller).where(_call.c.caller.in_(bindparam("phones", expanding=True))),
    select(_form.c.phone).where(_form.c.phone.in_(bindparam("phones", expanding=True))),
)
_FIRST_CALLS = (
    select(_call.c.site_id, _call.c.caller, func.min(_call.c.arrived_at))
    .where(_call.c.caller.in_(bindparam("phones", expanding=True)))
    .group_by(_call.c.site_id, _call.c.caller)
)
_IDENTITIES = select(_call.c.id, _call.c.code, _call.c.visitor_id, _call.c.probability).where(
    _call.c.id.in_(bindparam("ids", expanding=True))
)


class EvidenceKept:
    """The part of a session that knows what tells of a caller."""

    connection: AsyncConnection | DirectConnection

    if TYPE_CHECKING:

        async def _upsert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None: ...

    async def holders(self, number: str, at: datetime, most: int) -> list[Candidate]:
        """The last `most` who had begun to hold the number by then, the newest first, with origin
        and last tap.
        """
        values = {"number": number, "at": at, "most": most, "since": at - LOOK_BACK}
        rows = await self.connection.execute(_HOLDERS, values)
        return [_holder(row) for row in rows.all()]

    async def leases_before(self, number: str, at: datetime, before: datetime) -> tuple[int, ...]:
        """How many leases of the number began before `before`, by how long ago that was `at`: see
        `DELAYS`.
        """
        # none is in the bins before it
        first = bisect_right(DELAYS, (at - before).total_seconds()) - 1
        if first == len(DELAYS) - 1:
            return ()
        edges = {
            f"edge{i}": min(at - timedelta(seconds=DELAYS[i]), before)
            for i in range(first, len(DELAYS))
        }
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
    ) -> list[Candidate]:
        """Who left this phone number on the site's pages, from a month before the call until
        `until`.

        Only visitors who had seen a number of the site when the call came (`at`), and left hardly
        any other phone.
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

    async def visit_by_code(self, site_id: str, code: str) -> Candidate | None:
        """The newest visit that was shown this promo code."""
        row = (await self.connection.execute(_CODES, {"site": site_id, "code": code})).first()
        return _known(row, code=True) if row else None

    async def calls_by_phone(self, site_id: str, caller: str, at: datetime) -> list[EarlierCall]:
        """Earlier calls of this phone to the site, the newest first."""
        rows = await self.connection.execute(
            _BY_PHONE, {"site": site_id, "caller": caller, "at": at}
        )
        return [_earlier(row) for row in rows]

    async def known_phones(self, phones: Collection[str]) -> set[str]:
        """Which of these phones have called before, or were left in a form."""
        found: set[str] = set()
        for some in batched(phones, MOST_KEYS):
            found |= set((await self.connection.execute(_KNOWN_PHONES, {"phones": some})).scalars())
        return found

    async def first_calls(self, phones: Collection[str]) -> dict[tuple[str | None, str], datetime]:
        """When each of these phones called each site for the first time."""
        found: dict[tuple[str | None, str], datetime] = {}
        for some in batched(phones, MOST_KEYS):
            rows = await self.connection.execute(_FIRST_CALLS, {"phones": some})
            found |= {(site, caller): at for site, caller, at in rows}
        return found

    async def calls_of_holders(
        self, number: str, first: datetime, since: datetime, before: datetime
    ) -> list[NamedCall]:
        """Calls of that time whose caller was named as somebody who has held this number from
        `first` on.
        """
        values = {"number": number, "first": first, "since": since, "at": before}
        rows = (await self.connection.execute(_OF_HOLDERS, values)).all()
        return [
            NamedCall(
                call_id=call_id, visitor_id=visitor_id, caller=caller, probability=probability
            )
            for call_id, visitor_id, caller, probability in rows
        ]

    async def judged_again(self, known: Collection[Call]) -> dict[str, Call]:
        """Those of these calls whose visitor was found anew since, as they are now."""
        if not known:
            return {}
        ours = {call.id: (call.code, call.visitor_id, call.probability) for call in known}
        rows = await self.connection.execute(_IDENTITIES, {"ids": list(ours)})
        changed = [
            row.id for row in rows if (row.code, row.visitor_id, row.probability) != ours[row.id]
        ]
        if not changed:
            return {}
        found = await self.connection.execute(select(TABLES[Call]).where(_call.c.id.in_(changed)))
        return {row.id: from_row(Call, row) for row in found}

    # What was learned

    async def model(self, site_id: str) -> tuple[Model, datetime] | None:
        """The site's model, and when it was learned."""
        row = (
            await self.connection.execute(select(_model).where(_model.c.site_id == site_id))
        ).first()
        return (_MODEL.validate_python(row._mapping["values"]), row.learned_at) if row else None

    async def save_model(self, site_id: str, model: Model, now: datetime) -> None:
        """Keep what was learned, instead of what was known before."""
        values = _MODEL.dump_python(model, mode="json")
        row = {"site_id": site_id, "learned_at": now, "calls": model.calls, "values": values}
        await self._upsert(_model, [row])

    async def lease_spans(self, site_id: str, since: datetime, until: datetime) -> list[Span]:
        """The site's leases that were begun in this time."""
        pools = select(tables.pool.c.id).where(tables.pool.c.site_id == site_id)
        query = select(_lease.c.started_at, _lease.c.seen_at, _lease.c.frozen_at).where(
            _lease.c.pool_id.in_(pools),
            _lease.c.started_at > since,
            _lease.c.started_at <= until,
            _lease.c.shown,
        )
        rows = await self.connection.execute(query)
        return [(row[0].timestamp(), row[1].timestamp(), row[2].timestamp()) for row in rows]

    async def calls_since(self, site_id: str, since: datetime) -> int:
        """How many calls the site has had since then."""
        query = select(func.count()).where(_call.c.site_id == site_id, _call.c.arrived_at > since)
        return int((await self.connection.execute(query)).scalar_one())

    async def mean_strays(self, site_id: str) -> float:
        """How many calls that no lease explains a dynamic number of the site has had, in the
        mean.
        """
        return float(
            (await self.connection.execute(_MEAN_STRAYS, {"site": site_id})).scalar() or 0.0
        )

    async def count_strays(self, numbers: Sequence[str]) -> None:
        """One more call to each of these numbers that no lease explains."""
        if numbers:
            await self.connection.execute(_ONE_MORE, [{"e164_": number} for number in numbers])

    async def recount_strays(self, site_id: str, since: datetime) -> None:
        """Count anew the calls since then that no lease explains, for each number of the site."""
        counted = (
            select(func.count())
            .where(
                _call.c.number == _number.c.e164,
                _call.c.arrived_at > since,
                _call.c.verdict.in_(_STRAY),
            )
            .scalar_subquery()
        )
        await self.connection.execute(
            update(_number).where(_number.c.site_id == site_id).values(strays=counted)
        )


_MEAN_STRAYS = select(func.avg(_number.c.strays)).where(
    _number.c.site_id == bindparam("site"), _number.c.kind == NumberKind.DYNAMIC
)
_ONE_MORE = (
    update(_number).where(_number.c.e164 == bindparam("e164_")).values(strays=_number.c.strays + 1)
)


@cache
def _leases_before(first: int) -> Select[Any]:
    """One count for each delay from the `first` bin on: every row of the index is looked at
    once.
    """
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


def _holder(row: Any) -> Candidate:
    # As our own code wrote it: parsing them all for each call would take longer than judging it.
    lease = Lease(**dict(zip(_LEASE_FIELDS, row, strict=False)))
    source, channel, region, tapped_at = row[len(_LEASE_FIELDS) :]
    return Candidate(
        lease=lease,
        visitor_id=lease.visitor_id,
        visit_id=lease.visit_id,
        source=source,
        channel=channel,
        region=region,
        tapped_at=tapped_at,
    )


def _known(row: Any, *, form: bool = False, code: bool = False) -> Candidate:
    return Candidate(
        lease=None,
        visitor_id=row.visitor_id,
        visit_id=row.id,
        source=row.source,
        channel=row.channel,
        region=row.region,
        form=form,
        code=code,
    )


def _earlier(row: Any) -> EarlierCall:
    return EarlierCall(
        call_id=row.id,
        at=row.arrived_at,
        number=row.number,
        caller=row.caller,
        suspects=_SUSPECTS.validate_python(row.suspects),
        origins=tuple((source, channel, share) for source, channel, share in row.origins),
    )
