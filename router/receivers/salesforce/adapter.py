"""Adapter for Salesforce: contacts, accounts, leads and opportunities.

The call's id is in a unique field: Salesforce refuses a second record of the call, and the first is
used. An administrator adds the fields, because Salesforce hides fields that a program adds from
everyone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from router.domain.delivery.catalogue import Field, Named
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind, Ref
from router.domain.phone import digits, tail
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient, entity
from router.receivers.queried_crm import QueriedCrm
from router.receivers.salesforce.activities import SalesforceActivities
from router.receivers.salesforce.api import OBJECTS, Api, Row, quoted
from router.service.delivery.outcomes import Refused
from router.service.delivery.ports import Draft

_BECAME = {
    "ConvertedContactId": EntityKind.CONTACT,
    "ConvertedAccountId": EntityKind.COMPANY,
    "ConvertedOpportunityId": EntityKind.DEAL,
}
_ROLES = "SELECT OpportunityId FROM OpportunityContactRole WHERE ContactId IN ({})"
_OWNERS = {EntityKind.CONTACT: f"Id IN ({_ROLES})", EntityKind.COMPANY: "AccountId IN ({})"}


class Salesforce(QueriedCrm):
    """The `Crm` over one Salesforce organization; options: see `receiver.py`."""

    system, uid, usual_field = "Salesforce", "Ringtrace_Call__c", "GA_Client_ID__c"
    titles: ClassVar = tools.by_kind("LastName", "Name", "LastName", "Name")
    phones, created = ("Phone", "MobilePhone"), "CreatedDate"
    stage_field, usual_stage = "StageName", "Prospecting"

    def __init__(self, connection: Connection, _token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        self._api = Api(http)
        super().__init__(connection, SalesforceActivities(self._api))
        self._days = timedelta(days=int(connection.options.get("days") or 30))

    async def create(self, draft: Draft) -> Ref:
        """Create a record with the call's id; one that an earlier attempt created is used."""
        kind = draft.kind
        values: dict[str, Any] = {self.uid: draft.call.id, self.titles[kind]: draft.title}
        if draft.responsible:
            values["OwnerId"] = draft.responsible
        if kind is EntityKind.DEAL:
            values |= self._deal(draft)
        if kind is not EntityKind.DEAL and draft.call.caller:
            values["Phone"] = draft.call.caller
        if kind in {EntityKind.DEAL, EntityKind.LEAD}:
            values["Description"] = draft.text
        if kind is EntityKind.LEAD:
            values["Company"] = draft.title
        company = draft.links.get(EntityKind.COMPANY)
        if company and kind in {EntityKind.DEAL, EntityKind.CONTACT}:
            values["AccountId"] = company.id
        try:
            values |= await tools.typed_values(kind, draft.values, self.fields_of)
            key = await self._api.create(OBJECTS[kind], values)
        except Refused:  # perhaps only because it exists
            existing = await self.made(kind, draft.call.id)
            if existing is None:
                raise
            return existing
        return Ref(kind=kind, id=key)

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of fields."""
        known = await self.fields_of(ref.kind, False)
        asked = ["Id", *(field for field in fields if field in known)]
        with entity(ref):
            row = await self._api.record(OBJECTS[ref.kind], ref.id, asked)
        return tools.texts_of(row, fields)

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these fields."""
        known = await tools.typed_values(ref.kind, values, self.fields_of)
        with entity(ref):
            await self._api.change(OBJECTS[ref.kind], ref.id, known)

    async def became(self, ref: Ref) -> list[Ref]:
        """What a converted lead became, and the record into which this one was merged."""
        kinds = {"MasterRecordId": ref.kind, **_BECAME}
        where = f"Id = {quoted(ref.id)}"
        rows = await self._api.query(OBJECTS[ref.kind], kinds, where, deleted=True)
        found = list[Ref]()
        for row in rows:
            found += [Ref(kind=kind, id=row[name]) for name, kind in kinds.items() if row.get(name)]
        return found

    async def reach(self) -> None:
        """Reading the fields in checks needs the same right."""

    async def fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        """The fields by their API names."""
        return await self._api.fields(OBJECTS[kind], again)

    async def users(self, ids: Sequence[str]) -> list[Named]:
        """These users, who may have left. A queue may own leads, but is not a user."""
        where = f"Id IN ({', '.join(map(quoted, ids))})"
        rows = await self._api.query("User", ("Name", "IsActive"), where)
        return tools.named(rows, "Id", "Name", "IsActive")

    async def rows(self, kind: EntityKind, columns: Iterable[str], where: str) -> list[Row]:
        """Records by SOQL. Converted leads are left out: what was made of them is found by
        itself.
        """
        if kind is EntityKind.LEAD:
            where = f"IsConverted = false AND ({where})"
        rows = await self._api.query(OBJECTS[kind], (*columns, "IsClosed"), where)
        return [{**row, "id": row["Id"]} for row in rows]

    def equal(self, column: str, text: str) -> str:
        """A condition: the field has this value."""
        return f"{column} = {quoted(text)}"

    def with_ending(self, columns: Sequence[str], phone: str) -> str:
        """A condition: the phone ends like this, with any characters between the digits."""
        pattern = quoted("%" + "%".join(digits(tail(phone))) + "%")
        return " OR ".join(f"{name} LIKE {pattern}" for name in columns)

    def owned_by(self, kind: EntityKind, owners: Sequence[Ref]) -> Iterator[str]:
        """A condition for opportunities: the contact has a role, or the account is theirs; a
        lead has no contact.
        """
        if kind is not EntityKind.DEAL:
            return
        for owner, where in _OWNERS.items():
            if ids := [quoted(ref.id) for ref in owners if ref.kind is owner]:
                yield where.format(", ".join(ids))

    def is_open(self, row: Row) -> bool:
        """Whether the stage or status is open."""
        return row.get("IsClosed") is not True

    def _deal(self, draft: Draft) -> dict[str, str]:
        ends, contact = draft.call.ended_at + self._days, draft.links.get(EntityKind.CONTACT)
        values = {"StageName": self.stage_of(draft), "CloseDate": f"{ends:%Y-%m-%d}"}
        if contact:
            values["ContactId"] = contact.id
        return values
