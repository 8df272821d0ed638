"""Salesforce: contacts, accounts, leads and opportunities.

What we create carries the call's id in a unique field: a second record of the call is refused, and
the first is taken. An administrator adds the fields, because Salesforce hides those that a program
adds from everyone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Field
from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Mode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import digits, tail
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient, entity
from router.receivers.salesforce.api import Api, Row
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft

UID = "Ringtrace_Call__c"
OBJECTS = {
    EntityKind.CONTACT: "Contact",
    EntityKind.COMPANY: "Account",
    EntityKind.LEAD: "Lead",
    EntityKind.DEAL: "Opportunity",
}
_TITLES = {EntityKind.CONTACT: "LastName", EntityKind.LEAD: "LastName"}
_PHONES = ("Phone", "MobilePhone")
_WHO = {EntityKind.CONTACT, EntityKind.LEAD}  # a task names people and things in two fields


class Salesforce:
    """The `Crm` over one Salesforce organization; options: see `receiver.py`."""

    def __init__(self, connection: Connection, _token: Mapping[str, str], http: HttpClient) -> None:
        options, rules, own = connection.options, connection.rules, connection.mode is Mode.OWN
        self._api = Api(http)
        self._field = options.get("field") or "GA_Client_ID__c"
        self._stage = options.get("stage") or "Prospecting"
        self._days = timedelta(days=int(options.get("days") or 30))
        self._scenario = SCENARIO_KINDS[rules.scenario]
        self._kinds = self._scenario if own else rules.targets
        names = (self._field, *([UID] if own else []), *rules.fields.values())
        self._fields = tools.fields_of(self._kinds, names)
        self.catalogue = tools.catalogue(self._kinds, self._fields_of, (self._field, UID))

    def client_id_field(self, _kind: EntityKind) -> str:
        """It has the same name in every object."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """By the unique field, in the order of the scenario."""
        found = [await self._made(kind, call_id) for kind in self._scenario]
        return [ref for ref in found if ref is not None]

    async def contacts(self, phone: str) -> list[Found]:
        """Contacts and accounts with this phone, however it is written."""
        contacts = await self._by_phone(EntityKind.CONTACT, phone)
        return contacts + await self._by_phone(EntityKind.COMPANY, phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Opportunities of these contacts and accounts, and leads with this phone."""
        found = dict[Ref, Found]()
        for kind in (EntityKind.CONTACT, EntityKind.COMPANY):
            ids = ", ".join(_quoted(ref.id) for ref in contacts if ref.kind is kind)
            where = f"AccountId IN ({ids})"
            if kind is EntityKind.CONTACT:
                roles = (
                    f"SELECT OpportunityId FROM OpportunityContactRole WHERE ContactId IN ({ids})"  # noqa: S608
                )
                where = f"Id IN ({roles})"
            rows = await self._rows(EntityKind.DEAL, where) if ids else []
            deals = (self._one(EntityKind.DEAL, row, phone) for row in rows)
            found |= {one.ref: one for one in deals}
        leads = EntityKind.LEAD in self._kinds
        more = await self._by_phone(EntityKind.LEAD, phone) if leads else []
        return [*found.values(), *more]

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Everything with this phone; when it was created decides."""
        if call.caller is None:
            return []
        people = await self.contacts(call.caller)
        return people + await self.deals([one.ref for one in people], call.caller)

    async def create(self, draft: Draft) -> Ref:
        """A record with the call's id; one that an earlier attempt created is taken."""
        kind, links = draft.kind, draft.links
        values: dict[str, Any] = {UID: draft.call.id, _TITLES.get(kind, "Name"): draft.title}
        values |= {"OwnerId": draft.responsible} if draft.responsible else {}
        if kind is EntityKind.DEAL:
            ends = draft.call.ended_at + self._days
            values |= {"StageName": self._stage, "CloseDate": f"{ends:%Y-%m-%d}"}
            contact = links.get(EntityKind.CONTACT)
            values |= {"ContactId": contact.id} if contact else {}
        elif draft.call.caller:
            values["Phone"] = draft.call.caller
        if kind in {EntityKind.DEAL, EntityKind.LEAD}:
            values["Description"] = draft.text
        if kind is EntityKind.LEAD:
            values["Company"] = draft.title
        company = links.get(EntityKind.COMPANY)
        if company and kind in {EntityKind.DEAL, EntityKind.CONTACT}:
            values["AccountId"] = company.id
        try:
            values |= await tools.typed_values(kind, draft.values, self._fields_of)
            key = await self._api.create(OBJECTS[kind], values)
        except Refused:  # perhaps only because it is there
            there = await self._made(kind, draft.call.id)
            if there is None:
                raise
            return there
        return Ref(kind=kind, id=key)

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """A completed task, as Salesforce logs calls; once a call."""
        place = "WhoId" if ref.kind in _WHO else "WhatId"
        tasks = await self._api.query("Task", ["Description"], f"{place} = {_quoted(ref.id)}")
        if not tools.is_noted([one.get("Description") for one in tasks], call_id):
            subject = (text.splitlines() or [""])[0][:255]
            task = {"Subject": subject, "Description": f"{text}\n{tools.mark(call_id)}"}
            await self._api.create("Task", {**task, "Status": "Completed", place: ref.id})

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """As they are now."""
        name = OBJECTS[ref.kind]
        known = await self._api.fields(name)
        asked = ["Id", *(field for field in fields if field in known)]
        with entity(ref):
            row = await self._api.record(name, ref.id, asked)
        return {field: str(row[field]) for field in fields if row.get(field) not in (None, "")}

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """These fields alone."""
        known = await tools.typed_values(ref.kind, values, self._fields_of)
        with entity(ref):
            await self._api.change(OBJECTS[ref.kind], ref.id, known)

    async def check(self) -> list[Check]:
        """Whether the app opens each object, and its fields exist and are shown."""
        try:
            checks = await tools.check_fields(self._fields, self._fields_of)
        except (ReceiverUnavailable, Refused) as error:
            return [Check(what="access to Salesforce", well=False, fix=str(error))]
        return [Check(what="access to Salesforce", well=True), *checks]

    async def prepare(self) -> list[str]:
        """Nothing: an administrator adds the fields and decides who sees them."""
        return []

    async def _fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        return await self._api.fields(OBJECTS[kind], again=again)

    async def _made(self, kind: EntityKind, call_id: str) -> Ref | None:
        if UID not in await self._api.fields(OBJECTS[kind]):
            return None
        rows = await self._rows(kind, f"{UID} = {_quoted(call_id)}")
        return Ref(kind=kind, id=str(rows[0]["Id"])) if rows else None

    async def _by_phone(self, kind: EntityKind, phone: str) -> list[Found]:
        known = await self._api.fields(OBJECTS[kind])
        pattern = _quoted("%" + "%".join(digits(tail(phone))) + "%")
        terms = [f"{name} LIKE {pattern}" for name in _PHONES if name in known]
        where = " OR ".join(terms)
        if kind is EntityKind.LEAD:
            where = f"IsConverted = false AND ({where})"
        rows = await self._rows(kind, where)
        return tools.with_phone([self._one(kind, row) for row in rows], phone)

    async def _rows(self, kind: EntityKind, where: str) -> list[Row]:
        shown = (_TITLES.get(kind, "Name"), *_PHONES, "IsClosed", "CreatedDate")
        return await self._api.query(OBJECTS[kind], (*shown, self._field, UID), where)

    def _one(self, kind: EntityKind, row: Row, phone: str = "") -> Found:
        phones = [str(row[name]) for name in _PHONES if row.get(name)]
        return Found(
            ref=Ref(kind=kind, id=str(row["Id"])),
            title=str(row.get(_TITLES.get(kind, "Name")) or ""),
            phones=(phone,) if phone else tuple(phones),
            created_at=tools.moment(row.get("CreatedDate")),
            open=row.get("IsClosed") is not True,
            ours=bool(row.get(UID)),
            client_id=str(row.get(self._field) or "") or None,
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
