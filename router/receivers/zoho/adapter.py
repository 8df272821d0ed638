"""Zoho CRM: contacts, accounts, leads and deals.

What we create carries the call's id in a unique field, and is created by "upsert": done once more,
it is the same record. Zoho's search is late, so records are found by queries in COQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Field
from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Mode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient
from router.receivers.zoho.api import Api, Row
from router.service.delivery.outcomes import EntityGone, ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft

UID = "Ringtrace_Call"
CLOSED = "Closed Won,Closed Lost,Closed Lost to Competition"
_MODULES = {
    EntityKind.CONTACT: "Contacts",
    EntityKind.COMPANY: "Accounts",
    EntityKind.LEAD: "Leads",
    EntityKind.DEAL: "Deals",
}
_TITLES = {
    EntityKind.CONTACT: "Last_Name",
    EntityKind.COMPANY: "Account_Name",
    EntityKind.LEAD: "Last_Name",
    EntityKind.DEAL: "Deal_Name",
}
_NEWEST = "order by Created_Time desc limit 200"


class Zoho:
    """The `Crm` over one organization in Zoho CRM; options: see `receiver.py`."""

    def __init__(self, connection: Connection, _token: Mapping[str, str], http: HttpClient) -> None:
        options, rules, own = connection.options, connection.rules, connection.mode is Mode.OWN
        self._api = Api(http)
        self._field = options.get("field") or "GA_Client_ID"
        self._stage = options.get("stage") or "Qualification"
        self._closed = [name.strip() for name in (options.get("closed") or CLOSED).split(",")]
        self._scenario = SCENARIO_KINDS[rules.scenario]
        self._kinds = self._scenario if own else rules.targets
        names = (self._field, *([UID] if own else []), *rules.fields.values())
        self._fields = tools.fields_of(self._kinds, names)
        self.catalogue = tools.catalogue(self._kinds, self._fields_of, (self._field, UID))

    def client_id_field(self, _kind: EntityKind) -> str:
        """It has the same name in every module."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """By the unique field, in the order of the scenario."""
        found = list[Ref]()
        for kind in self._scenario:
            if UID in await self._api.fields(_MODULES[kind]):
                rows = await self._rows(kind, f"{UID} = {_quoted(call_id)}")
                found += [Ref(kind=kind, id=str(row["id"])) for row in rows[:1]]
        return found

    async def contacts(self, phone: str) -> list[Found]:
        """Contacts and accounts with this phone, as people may have written it."""
        contacts = await self._by_phone(EntityKind.CONTACT, phone)
        return contacts + await self._by_phone(EntityKind.COMPANY, phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Deals of these contacts and accounts, and leads with this phone."""
        found = dict[Ref, Found]()
        for kind, column in _owners():
            ids = ", ".join(_quoted(ref.id) for ref in contacts if ref.kind is kind)
            rows = await self._rows(EntityKind.DEAL, f"{column} in ({ids})") if ids else []
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
        """A record with the call's id; done once more, the same record."""
        kind, links = draft.kind, draft.links
        module = _MODULES[kind]
        values = await tools.typed_values(kind, draft.values, self._fields_of)
        values |= {UID: draft.call.id, _TITLES[kind]: draft.title}
        if draft.responsible:
            values["Owner"] = {"id": draft.responsible}
        if kind is EntityKind.DEAL:
            values |= {"Stage": self._stage, "Description": draft.text}
        elif draft.call.caller:
            values["Phone"] = draft.call.caller
        if kind is EntityKind.LEAD:
            values |= {"Company": draft.title, "Description": draft.text}
        for owner, column in _owners():
            if owner in links and column in await self._api.fields(module):
                values[column] = {"id": links[owner].id}
        once = {"duplicate_check_fields": [UID]}
        key, _ = await self._api.write("POST", f"{module}/upsert", values, **once)
        return Ref(kind=kind, id=key)

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """A note, once a call."""
        path = f"{_MODULES[ref.kind]}/{ref.id}/Notes"
        params = {"fields": "Note_Content", "sort_by": "Created_Time", "sort_order": "desc"}
        there = tools.rows_of((await self._api.ask("GET", path, params=params)).body, "data")
        if not tools.is_noted([one.get("Note_Content") for one in there], call_id):
            note = {"Note_Content": f"{text}\n{tools.mark(call_id)}"}
            await self._api.ask("POST", path, json={"data": [note]})

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """As they are now."""
        known = await self._api.fields(_MODULES[ref.kind])
        asked = ["id", *(name for name in fields if name in known)]
        row = await self._api.record(_MODULES[ref.kind], ref.id, asked)
        if row is None:
            raise EntityGone(ref)
        return {name: str(row[name]) for name in fields if row.get(name) not in (None, "")}

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """These fields alone."""
        module = _MODULES[ref.kind]
        known = await tools.typed_values(ref.kind, values, self._fields_of)
        _, there = await self._api.write("PUT", f"{module}/{ref.id}", known)
        if not there:
            raise EntityGone(ref)

    async def check(self) -> list[Check]:
        """Whether the grant opens each module, and its fields exist."""
        try:
            for kind in self._kinds:
                await self._rows(kind, "id is not null")
            checks = await tools.check_fields(self._fields, self._fields_of)
        except (ReceiverUnavailable, Refused) as error:
            return [Check(what="access to Zoho CRM", well=False, fix=str(error))]
        return [Check(what="access to Zoho CRM", well=True), *checks]

    async def prepare(self) -> list[str]:
        """Create the text fields that are missing."""
        return await tools.add_fields(self._fields, self._fields_of, self._add_field)

    async def _fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        return await self._api.fields(_MODULES[kind], again=again)

    async def _add_field(self, kind: EntityKind, name: str) -> None:
        await self._api.add_field(_MODULES[kind], name, unique=name == UID)

    async def _by_phone(self, kind: EntityKind, phone: str) -> list[Found]:
        known = await self._api.fields(_MODULES[kind])
        columns = [name for name in ("Phone", "Mobile") if name in known]
        endings = [_quoted(f"%{ending}") for ending in tools.search_endings(phone)]
        terms = [f"{column} like {ending}" for column in columns for ending in endings]
        rows = await self._rows(kind, _any(terms))
        return tools.with_phone([self._one(kind, row) for row in rows], phone)

    async def _rows(self, kind: EntityKind, where: str) -> list[Row]:
        shown = ("id", _TITLES[kind], "Phone", "Mobile", "Stage", "Created_Time", self._field, UID)
        return await self._api.query(_MODULES[kind], shown, where, _NEWEST)

    def _one(self, kind: EntityKind, row: Row, phone: str = "") -> Found:
        phones = [str(row[name]) for name in ("Phone", "Mobile") if row.get(name)]
        return Found(
            ref=Ref(kind=kind, id=str(row["id"])),
            title=str(row.get(_TITLES[kind]) or ""),
            phones=(phone,) if phone else tuple(phones),
            created_at=tools.moment(row.get("Created_Time")),
            open=row.get("Stage") not in self._closed,
            ours=bool(row.get(UID)),
            client_id=str(row.get(self._field) or "") or None,
        )


def _owners() -> Iterable[tuple[EntityKind, str]]:
    return (EntityKind.CONTACT, "Contact_Name"), (EntityKind.COMPANY, "Account_Name")


def _any(terms: Sequence[str]) -> str:
    """One of the conditions, which COQL wants in pairs."""
    joined = terms[0]
    for term in terms[1:]:
        joined = f"({joined} or {term})"
    return joined


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "").replace("'", "''") + "'"
