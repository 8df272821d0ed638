"""Proofs of calls' visitors: taps, forms and codes, of all calls of a period."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Interval,
    Select,
    and_,
    func,
    literal,
    select,
    type_coerce,
)

from router.domain.attribution.calibration import TAP_BEFORE, Proof, Witness
from router.domain.attribution.terms import LOOK_BACK, Candidate, Evidence, Verdict
from router.domain.calls.call import Direction
from router.store import tables
from router.store.direct import AnyConnection

_call, _form, _lease, _fallback, _tap = (
    tables.call,
    tables.form,
    tables.lease,
    tables.fallback,
    tables.tap,
)
_visit = tables.visit
_MICROSECOND = timedelta(microseconds=1)
_EVIDENCE = {evidence.value: evidence for evidence in Evidence}


@dataclass(frozen=True, slots=True)
class SqlWitnesses:
    """The `Witnesses` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def find(
        self, site_id: str | None, since: datetime, until: datetime, most: int = 1_000_000
    ) -> list[Witness]:
        """Proofs of the calls of this period: taps just before, codes, forms with the caller's
        phone; the newest `most` of each kind.
        """
        came = _call.c.direction == Direction.INCOMING
        # A static number is shown to all, so others may have tapped it too.
        own = _call.c.verdict.is_distinct_from(Verdict.STATIC)
        tapped = (
            _call.c.number == _tap.c.number,
            own,
            came,
            *self._shortly_after(_tap.c.at, TAP_BEFORE),
        )
        filled = (
            _call.c.caller == _form.c.phone,
            came,
            *self._shortly_after(_form.c.at, LOOK_BACK),
        )
        coded = (
            _visit.c.code == _call.c.code,
            *self._shortly_after(_visit.c.started_at, LOOK_BACK),
        )
        taps = _tap.join(_call, and_(*tapped)).join(_visit, _visit.c.id == _tap.c.visit_id)
        forms = _form.join(_call, and_(*filled)).join(_visit, _visit.c.id == _form.c.visit_id)
        codes = _call.join(_visit, and_(*coded))
        queries = {
            Proof.TAP: self._newest(taps, _tap.c.at, since - TAP_BEFORE, until),
            Proof.FORM: self._newest(forms, _form.c.at, since - LOOK_BACK, until),
            Proof.CODE: self._newest(codes, _call.c.arrived_at, since, until).where(
                _call.c.code.is_not(None)
            ),
        }
        # it would read all calls to join and sort them
        if self.connection.dialect.name == "postgresql":
            for way in ("hashjoin", "mergejoin", "seqscan", "sort"):
                await self.connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        found: list[Witness] = []
        for proof, query in queries.items():
            arrived = _unindexed(_call.c.arrived_at)
            mine = query.where(arrived >= since, arrived < until)
            if site_id:
                mine = mine.where(_unindexed(_visit.c.site_id) == site_id)
            for row in await self.connection.execute(mine.limit(most)):
                found.append(_witness(row, proof))
        return found

    def _newest(self, rows: Any, at: Any, since: datetime, until: datetime) -> Select[Any]:
        """Calls and visitors of the same site that a proof brings together, the newest proof
        first.
        """
        query = select(_call.c.id, _call.c.candidates, _visit.c.visitor_id).select_from(rows)
        same_site = _unindexed(_call.c.site_id) == _unindexed(_visit.c.site_id)
        return query.where(at >= since, at < until, same_site).order_by(at.desc())

    def _shortly_after(self, at: Any, length: timedelta) -> tuple[Any, Any]:
        """The call arrived at `at` or later, by at most `length`."""
        if self.connection.dialect.name == "sqlite":
            at, arrived = type_coerce(at, BigInteger), type_coerce(_call.c.arrived_at, BigInteger)
            return arrived >= at, arrived <= at + literal(length // _MICROSECOND, BigInteger)
        return _call.c.arrived_at >= at, _call.c.arrived_at <= at + literal(length, Interval)


def _unindexed(column: Any) -> Any:
    """The column in a condition that databases must not look calls or visits up by: they know no
    better than to try.
    """
    return func.coalesce(column, column)


def _witness(row: Any, proof: Proof) -> Witness:
    # Not validated, because parsing all rows would take too long.
    candidates = (
        Candidate(**(candidate | {"evidence": tuple(_EVIDENCE[e] for e in candidate["evidence"])}))
        for candidate in row.candidates
    )
    return Witness(
        call_id=row.id, candidates=tuple(candidates), proof=proof, visitor_id=row.visitor_id
    )
