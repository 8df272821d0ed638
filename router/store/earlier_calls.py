"""Earlier calls of a phone, and of visitors who held a number."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, func, select, union

from router.domain.attribution.terms import Candidate
from router.domain.calls.call import Direction
from router.service.calls.ports import EarlierCall, NamedCall
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import MOST_KEYS, batched

_call = tables.call

_lease, _form = tables.lease, tables.form
_CANDIDATES = TypeAdapter(tuple[Candidate, ...])
_CALL_COLUMNS = (
    _call.c.id,
    _call.c.arrived_at,
    _call.c.number,
    _call.c.caller,
    _call.c.candidates,
    _call.c.origins,
)
_BY_PHONE = (
    select(*_CALL_COLUMNS)
    .where(_call.c.caller == bindparam("caller"), _call.c.arrived_at < bindparam("at"))
    .where(_call.c.site_id == bindparam("site"), _call.c.direction == Direction.INCOMING)
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


@dataclass(frozen=True, slots=True)
class SqlEarlierCalls:
    """The `EarlierCalls` of `router.service.calls.ports`."""

    connection: AnyConnection

    async def by_phone(self, site_id: str, caller: str, at: datetime) -> list[EarlierCall]:
        """Earlier calls of this phone to the site, the newest first."""
        rows = await self.connection.execute(
            _BY_PHONE, {"site": site_id, "caller": caller, "at": at}
        )
        return [_earlier(row) for row in rows]

    async def by_holders(
        self, number: str, first: datetime, since: datetime, before: datetime
    ) -> list[NamedCall]:
        """Calls of that time attributed to a visitor who held this number from `first` on."""
        values = {"number": number, "first": first, "since": since, "at": before}
        rows = (await self.connection.execute(_OF_HOLDERS, values)).all()
        found = []
        for call_id, visitor_id, caller, probability in rows:
            found.append(
                NamedCall(
                    call_id=call_id, visitor_id=visitor_id, caller=caller, probability=probability
                )
            )
        return found

    async def known_phones(self, phones: Collection[str]) -> set[str]:
        """Which of these phones called before, or were entered in a form."""
        found: set[str] = set()
        for some in batched(phones, MOST_KEYS):
            found |= set((await self.connection.execute(_KNOWN_PHONES, {"phones": some})).scalars())
        return found

    async def first(self, phones: Collection[str]) -> dict[tuple[str | None, str], datetime]:
        """Time of the first call of each phone to each site."""
        found: dict[tuple[str | None, str], datetime] = {}
        for some in batched(phones, MOST_KEYS):
            rows = await self.connection.execute(_FIRST_CALLS, {"phones": some})
            found |= {(site, caller): at for site, caller, at in rows}
        return found


def _earlier(row: Any) -> EarlierCall:
    return EarlierCall(
        call_id=row.id,
        at=row.arrived_at,
        number=row.number,
        caller=row.caller,
        candidates=_CANDIDATES.validate_python(row.candidates),
        origins=tuple((source, channel, share) for source, channel, share in row.origins),
    )
