"""Adapter for EspoCRM: contacts, accounts, leads and opportunities.

The call's id is stored in a custom field, which a search finds at once. An administrator adds the
fields: API users have no right to. EspoCRM compares phones by their digits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from router.domain.delivery.catalogue import Field, Named
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import digits, tail
from router.receivers import crm_tools as tools
from router.receivers.espocrm.activities import EspoActivities
from router.receivers.espocrm.api import OBJECTS, Api, Row, a_name, plain
from router.receivers.http import HttpClient, Missing, entity
from router.receivers.queried_crm import QueriedCrm
from router.service.delivery.ports import Draft

_PEOPLE = {EntityKind.CONTACT, EntityKind.LEAD}
_OWNERS = {EntityKind.CONTACT: ("linkedWith", "contacts"), EntityKind.COMPANY: ("in", "accountId")}
_DIGITS = "phoneNumberNumeric"
_BECAME = {
    "createdContactId": EntityKind.CONTACT,
    "createdAccountId": EntityKind.COMPANY,
    "createdOpportunityId": EntityKind.DEAL,
}


class EspoCrm(QueriedCrm):
    """The `Crm` over one installation of EspoCRM; options: see `receiver.py`."""

    system, uid, usual_field = "EspoCRM", "cRingtraceCall", "cGaClientId"
    titles: ClassVar = dict.fromkeys(EntityKind, "name")
    phones, created, stage_field = ("phoneNumber",), "createdAt", "stage"

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        self._api = Api(http, token)
        super().__init__(connection, EspoActivities(self._api))
        self._days = timedelta(days=int(connection.options.get("days") or 30))

    async def create(self, draft: Draft) -> Ref:
        """Create a record with the call's id. Without such a field EspoCRM would drop the id
        silently.
        """
        kind, name, links = draft.kind, OBJECTS[draft.kind], draft.links
        await tools.field_called(self.uid, kind, self.fields_of)
        values: dict[str, Any] = {self.uid: draft.call.id}
        if kind in _PEOPLE:
            values["lastName"] = a_name(draft.title, 100)
        else:
            values["name"] = a_name(draft.title, 249)
        values["assignedUserId"] = draft.responsible
        if kind is EntityKind.DEAL:
            values |= await self._deal(draft)
        elif draft.call.caller:
            values["phoneNumber"] = draft.call.caller
        if kind in {EntityKind.DEAL, EntityKind.LEAD}:
            values["description"] = plain(draft.text)
        if EntityKind.COMPANY in links and kind in {EntityKind.DEAL, EntityKind.CONTACT}:
            values["accountId"] = links[EntityKind.COMPANY].id
        values |= await tools.typed_values(kind, draft.values, self.fields_of)
        return Ref(kind=kind, id=await self._api.create(name, values))

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of fields."""
        with entity(ref):
            row = await self._api.ask("GET", f"{OBJECTS[ref.kind]}/{ref.id}")
        return tools.texts_of(row, fields)

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these fields."""
        known = await tools.typed_values(ref.kind, values, self.fields_of)
        with entity(ref):
            await self._api.ask("PUT", f"{OBJECTS[ref.kind]}/{ref.id}", json=known)

    async def became(self, ref: Ref) -> list[Ref]:
        """What a converted lead became; EspoCRM does not keep what was merged."""
        if ref.kind is not EntityKind.LEAD:
            return []
        row = await self._api.ask("GET", f"{OBJECTS[ref.kind]}/{ref.id}")
        return [Ref(kind=kind, id=row[name]) for name, kind in _BECAME.items() if row.get(name)]

    async def reach(self) -> None:
        """Check the rights: a user who sees only records of their own misses the contacts of
        others.
        """
        rights = ["read", "edit", "stream"]
        if self._own:
            rights.append("create")
        for kind in self.kinds:
            await self._api.claim(OBJECTS[kind], *rights, levels=("all", "team", "yes"))

    async def fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        """By their system names."""
        return await self._api.fields(OBJECTS[kind], again)

    async def users(self, ids: Sequence[str]) -> list[Named]:
        """These users. A role that may see only some users gets no hint that others exist."""
        await self._api.claim("User", "read")
        where = {"type": "in", "attribute": "id", "value": list(ids)}
        rows = await self._api.rows("User", select=["name", "isActive"], where=[where])
        return tools.named(rows, active="isActive")

    async def rows(self, kind: EntityKind, columns: Iterable[str], where: Row) -> list[Row]:
        """Records. A list shows one phone of each; if that is another phone, all phones are
        read.
        """
        name, select = OBJECTS[kind], ["id", *columns, "stage", "status"]
        closed, found = await self._api.closed(name), list[Row]()
        for row in await self._api.rows(name, select=select, where=[where]):
            phone, state = (
                digits(str(row.get("phoneNumber"))),
                (row.get("stage"), row.get("status")),
            )
            shown = where["attribute"] != _DIGITS or phone.endswith(where["value"])
            with suppress(Missing):  # deleted meanwhile
                if not shown:
                    row = await self._api.ask("GET", f"{name}/{row['id']}")
                found.append({**row, "closed": closed & set(map(str, state))})
        return found

    def equal(self, column: str, text: str) -> Row:
        """A condition: the field has this value."""
        return {"type": "equals", "attribute": column, "value": text}

    def with_ending(self, columns: Sequence[str], phone: str) -> Row:
        """A condition: any phone of the record ends like this."""
        return {"type": "endsWith", "attribute": _DIGITS, "value": tail(phone)}

    def owned_by(self, kind: EntityKind, owners: Sequence[Ref]) -> Iterator[Row]:
        """Conditions for opportunities of these contacts and accounts; leads have neither."""
        if kind is not EntityKind.DEAL:
            return
        for owner, (type_, attribute) in _OWNERS.items():
            if ids := tools.ids_of(owners, owner):
                yield {"type": type_, "attribute": attribute, "value": ids}

    def is_open(self, row: Row) -> bool:
        """Whether the stage or status is open."""
        return not row.get("closed")

    def _one(self, kind: EntityKind, row: Row, phone: str = "") -> Found:
        shown = tools.rows_of(row.get("phoneNumberData"))
        numbers = [str(number) for number in tools.column(shown, "phoneNumber")]
        entity = super()._one(kind, row, phone)
        if numbers:
            return replace(entity, phones=tuple(numbers))
        return entity

    async def _deal(self, draft: Draft) -> Row:
        contact, ends = draft.links.get(EntityKind.CONTACT), draft.call.ended_at + self._days
        values: dict[str, Any] = {}
        if contact:
            values["contactsIds"] = [contact.id]
        for name, usual in (("amount", 0), ("closeDate", f"{ends:%Y-%m-%d}")):
            if await self._api.needs("Opportunity", name):
                values[name] = usual
        if self.stage and draft.placed:
            values["stage"] = self.stage
        return values
