"""Searches an amoCRM account for the contacts, companies and leads of a phone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import tail
from router.receivers.amocrm.account import Account, Row, embedded, moment, number, text
from router.receivers.amocrm.calls import logged_on
from router.receivers.amocrm.fields import MARK, Fields, phones_in, value_in
from router.receivers.amocrm.tasks import PATHS
from router.receivers.crm_tools import has_phone

_CLOSED = {142, 143}  # won and lost, the same in every pipeline
_FEW = 50  # newest leads per caller


class Search:
    """Searches one account."""

    def __init__(
        self,
        account: Account,
        fields: Fields,
        client_id_field: Callable[[EntityKind], str],
    ) -> None:
        self._account, self._fields = account, fields
        self._client_id_field = client_id_field

    async def rows_of_owners(
        self, phone: str, kinds: Sequence[EntityKind]
    ) -> list[tuple[EntityKind, Row]]:
        """Contacts and companies with this phone; search finds the digits in any field."""
        asked = [("query", tail(phone)), ("with", "leads")]
        found: list[tuple[EntityKind, Row]] = []
        for kind in kinds:
            rows = _whole(await self._account.rows(PATHS[kind], asked))
            found += [(kind, row) for row in rows if has_phone(phones_in(row), phone)]
        return found

    async def owners(self, rows: Sequence[tuple[EntityKind, Row]]) -> list[Found]:
        """These rows as entities."""
        return [await self._found(kind, row, phones_in(row)) for kind, row in rows]

    async def leads_of(
        self, people: Sequence[Row], phone: str, waiting: Sequence[Found]
    ) -> list[Found]:
        """The newest leads of these contacts and companies, except those already found as
        unsorted.
        """
        known = {item.ref.id for item in waiting}
        ids = set[int]()
        for row in people:
            for lead in embedded(row, "leads"):
                id_ = number(lead.get("id"))
                if id_ is not None and str(id_) not in known:
                    ids.add(id_)
        newest = sorted(ids, reverse=True)[:_FEW]
        if not newest:
            return []
        rows = await self._account.rows("leads", [("filter[id][]", str(id_)) for id_ in newest])
        there = [row for row in _whole(rows) if not row.get("is_deleted")]
        return [await self._found(EntityKind.DEAL, row, (phone,)) for row in there]

    async def logged(
        self, path: str, found: list[Found], call: CallEvent, until: datetime
    ) -> list[Found]:
        """Mark as exact those entities on which the telephony logged the call."""
        noted = await logged_on(self._account, path, call, until)
        marked = []
        for entity in found:
            if PATHS[entity.ref.kind] == path and entity.ref.id in noted:
                entity = replace(entity, exact=True)
            marked.append(entity)
        return marked

    async def _found(self, kind: EntityKind, row: Row, phones: tuple[str, ...]) -> Found:
        path = PATHS[kind]
        field = await self._fields.find(path, self._client_id_field(kind))
        mark, client_id = await self._fields.find(path, MARK), None
        if field:
            client_id = value_in(row, field) or None
        return Found(
            ref=Ref(kind=kind, id=text(row.get("id"))),
            title=text(row.get("name")),
            phones=phones,
            created_at=moment(row.get("created_at")),
            open=number(row.get("status_id")) not in _CLOSED,
            ours=bool(mark and value_in(row, mark)),
            client_id=client_id,
        )


def _whole(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if number(row.get("id")) is not None]
