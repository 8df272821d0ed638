"""Adapter for HubSpot: contacts, companies, deals, leads, and calls that the telephony logs.

Objects are created by upsert, so that no create is done twice: each carries the call's id in the
unique property `ct_call_uid`. A deal is linked to the other objects, to its contact last: a deal
without a contact was interrupted and is upserted again. HubSpot refuses a lead without a contact,
so both are created together; the contact is found by its phone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Catalogue
from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Mode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import display, same_phone, tail
from router.receivers.crm_tools import ids_of, with_phone
from router.receivers.http import HttpClient
from router.receivers.hubspot.activities import Calls, Tasks, as_html, has_mark
from router.receivers.hubspot.api import MOST_FILTERS, Api, Record
from router.receivers.hubspot.asked import a_filter, every, is_finished, milliseconds
from router.receivers.hubspot.catalogue import read_catalogue
from router.receivers.hubspot.rows import PHONES, UID, found_in, name_of, shown
from router.receivers.hubspot.setup import Setup
from router.receivers.hubspot.types import TYPES
from router.receivers.json_body import filled
from router.receivers.kept_tokens import fixed_token
from router.receivers.remembered import Remembered
from router.service.delivery.catalogue import users_named
from router.service.delivery.outcomes import EntityGone, Refused
from router.service.delivery.ports import Check, Draft

_LAST_STEP = {EntityKind.DEAL: "contacts,companies", EntityKind.LEAD: "notes"}  # see `is_finished`
_LEAD_TO_PRIMARY_CONTACT = 578
_OWNERS = (EntityKind.CONTACT, EntityKind.COMPANY)
_CALCULATED = (  # HubSpot's normalised phones: digits without the country
    "hs_searchable_calculated_phone_number",
    "hs_searchable_calculated_mobile_number",
)
# how long after its end a call's record may be dated
_STAMPED_LATE = timedelta(seconds=60)
_FIRST_STAGE = ("default", "appointmentscheduled")  # of a new account's deals


class Hubspot:
    """The `Crm` over HubSpot's API; options: `pipeline`, `stage`, `field`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        given = filled(connection.options)
        pipeline, stage = _FIRST_STAGE
        options = {"pipeline": pipeline, "stage": stage, "field": "ga_client_id", **given}
        self._field, self._stage = options["field"], (options["pipeline"], options["stage"])
        self._api, own = Api(http, fixed_token(token)), connection.mode is Mode.OWN
        self._scenario = SCENARIO_KINDS[connection.rules.scenario]
        kinds, fields = connection.rules.targets, {self._field: "Google client ID"}
        if own:
            kinds, fields = self._scenario, {**fields, UID: "Ringtrace call"}
        types = tuple(dict.fromkeys(TYPES[kind] for kind in (*kinds, EntityKind.CONTACT)))
        fields |= {name: f"Ringtrace {fact}" for fact, name in connection.rules.fields.items()}
        self._setup = Setup(self._api, types, fields, UID, own=own)
        self._kinds, self._own, self._rules = kinds, own, connection.rules
        self.catalogue = Remembered(self._read_catalogue)
        self.tasks, self.calls = Tasks(self._api), Calls(self._api)
        self._targets = tuple(
            kind for kind in connection.rules.targets if kind is not EntityKind.CONTACT
        )

    def client_id_field(self, _kind: EntityKind) -> str:
        """The same property in every kind."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """Finds them by the unique property, without the search's delay. Unfinished objects are
        left out.
        """
        found: list[Ref] = []
        for kind in self._scenario:
            links = _LAST_STEP.get(kind, "")
            record = await self._api.get(TYPES[kind], call_id, [UID], by=UID, with_links=links)
            if record is not None and is_finished(record, links, found):
                found.append(Ref(kind=kind, id=record.id))
        return found

    async def contacts(self, phone: str) -> list[Found]:
        """Contacts and companies, by HubSpot's normalised phones and by the phones as typed; the
        oldest first.
        """
        ending = f"*{tail(phone)}"
        where = [[a_filter(name, "CONTAINS_TOKEN", ending)] for name in (*_CALCULATED, *PHONES)]
        rows = await self._api.search(
            "contacts", where, "createdate", *shown(EntityKind.CONTACT, self._field)
        )
        found = [self._found(EntityKind.CONTACT, row) for row in rows]
        if await self._setup.opens("companies"):
            found += await self._companies(phone)
        return with_phone(found, phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """The deals of these contacts and companies, and the contacts' leads if we create leads."""
        deals = set[str]()
        for kind in _OWNERS:
            deals |= await self._linked(kind, ids_of(contacts, kind), "deals")
        rows = await self._read(EntityKind.DEAL, deals)
        found = [self._found(EntityKind.DEAL, row, (phone,)) for row in rows]
        if EntityKind.LEAD in self._scenario:
            people = ids_of(contacts, EntityKind.CONTACT)
            leads = await self._linked(EntityKind.CONTACT, people, "leads")
            rows = await self._read(EntityKind.LEAD, leads)
            found += [self._found(EntityKind.LEAD, row, (phone,)) for row in rows]
        return found

    async def create(self, draft: Draft) -> Ref:
        """Create an object with the call's id; repeating it returns the same object."""
        if draft.kind is EntityKind.LEAD:
            return await self._create_lead(draft)
        key = await self._upsert(draft, draft.call.id)
        if draft.kind is EntityKind.DEAL:
            await self._tie(
                key, draft.links.get(EntityKind.COMPANY), draft.links.get(EntityKind.CONTACT)
            )
        return Ref(kind=draft.kind, id=key)

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """Add a note to the record, once per call."""
        mark, kind = f"[ringtrace:{call_id}]", TYPES[ref.kind]
        if await has_mark(self._api, kind, ref.id, "notes", "hs_note_body", mark):
            return
        values = {
            "hs_timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "hs_note_body": as_html(f"{text}\n{mark}"),
        }
        await self._api.create("notes", values, ref.id, await self._api.link_type("notes", kind))

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Objects associated with the telephony's record of the call, and contacts with this phone
        and their deals.

        HubSpot itself associates the record, also with a deal that was created meanwhile for the
        record's contact.
        """
        if call.caller is None:
            return []
        kinds = []
        for kind in self._targets:
            if kind is EntityKind.DEAL or await self._setup.opens(TYPES[kind]):
                kinds.append(kind)
        records = await self._records(call.caller, since, call.ended_at + _STAMPED_LATE)
        named = every(await self._api.linked("calls", records, "contacts"))
        known = await self.contacts(call.caller)
        contacts = [person for person in known if person.ref.kind is EntityKind.CONTACT]
        people = {person.ref.id: person for person in contacts}
        for row in await self._read(EntityKind.CONTACT, named - people.keys()):
            people[row.id] = self._found(EntityKind.CONTACT, row)
        found = [replace(person, exact=key in named) for key, person in people.items()]
        firms: set[str] = set()  # on which the call was logged
        for kind in sorted(kinds, key=lambda kind: kind is not EntityKind.COMPANY):
            recorded = every(await self._api.linked("calls", records, TYPES[kind]))
            if kind is EntityKind.COMPANY:
                firms |= recorded
            linked = await self._api.linked("contacts", people, TYPES[kind])
            theirs = set[str]()
            for contact in named:
                theirs.update(linked.get(contact, ()))
            if kind is EntityKind.DEAL:
                theirs |= await self._linked(EntityKind.COMPANY, firms, "deals")
            for row in await self._read(kind, recorded | theirs | every(linked)):
                fresh = row.created_at is not None and since <= row.created_at <= until
                exact = row.id in recorded or (row.id in theirs and fresh)
                found.append(replace(self._found(kind, row, (call.caller,)), exact=exact))
        return found

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of properties; reading by id has no delay."""
        row = await self._api.get(TYPES[ref.kind], ref.id, fields)
        if row is None:
            raise EntityGone(ref)
        return {name: row.properties[name] for name in fields if name in row.properties}

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these properties."""
        await self._api.change(TYPES[ref.kind], ref.id, values)

    async def check(self) -> list[Check]:
        """Check the scopes, the properties and the stage of new deals."""
        return await self._setup.check()

    async def prepare(self) -> list[str]:
        """Create the client ID's property, and the unique one for the call's id in mode own."""
        return await self._setup.prepare()

    async def _read_catalogue(self, whole: bool) -> Catalogue:
        open_types = await self._setup.open_types()
        types = {kind: TYPES[kind] for kind in self._kinds if TYPES[kind] in open_types}
        stage = None
        if whole and self._own:
            stage = self._stage
        return await read_catalogue(self._api, types, users_named(self._rules), stage)

    async def _upsert(self, draft: Draft, uid: str) -> str:
        values = {**self._values(draft), **draft.values}
        return (await self._api.upsert(TYPES[draft.kind], uid, UID, values)).id

    def _values(self, draft: Draft) -> dict[str, str]:
        values = {name_of(draft.kind): draft.title}
        if draft.kind in {EntityKind.CONTACT, EntityKind.COMPANY} and draft.call.caller:
            values["phone"] = draft.call.caller
        if draft.kind is EntityKind.DEAL:
            pipeline, stage = _FIRST_STAGE
            if draft.placed:
                pipeline, stage = self._stage
            values |= {"pipeline": pipeline, "dealstage": stage, "description": draft.text}
        if draft.responsible:
            values["hubspot_owner_id"] = draft.responsible
        return values

    async def _tie(self, deal: str, company: Ref | None, contact: Ref | None) -> None:
        """Link the deal to the others, its contact last, and a new company to the contact."""
        if company is not None:
            await self._api.link("deals", deal, "companies", company.id)
            if contact is not None and EntityKind.COMPANY in self._scenario:
                await self._api.link("contacts", contact.id, "companies", company.id)
        if contact is not None:
            await self._api.link("deals", deal, "contacts", contact.id)

    async def _create_lead(self, draft: Draft) -> Ref:
        """Create the lead with its contact. The contact is known by its phone: a second lead
        within the search's delay finds the same one.
        """
        call = draft.call
        contact = draft.links.get(EntityKind.CONTACT)
        if contact is None:
            person, uid = self._person_of(draft), call.id
            if call.caller:
                uid = f"tel:{call.caller}"
            contact = Ref(kind=EntityKind.CONTACT, id=await self._upsert(person, uid))
            if EntityKind.COMPANY in draft.links:  # HubSpot refuses a lead without a contact
                company = draft.links[EntityKind.COMPANY]
                await self._api.link("contacts", contact.id, "companies", company.id)
        values = {UID: call.id, **self._values(draft), **draft.values}
        try:
            made = await self._api.create("leads", values, contact.id, _LEAD_TO_PRIMARY_CONTACT)
        except Refused:  # perhaps only because it exists
            lead = await self._api.get("leads", call.id, [UID], by=UID)
            if lead is None:
                raise
            made = lead
        ref = Ref(kind=EntityKind.LEAD, id=made.id)
        await self.note(ref, draft.text, call.id)  # leads have no text of their own
        return ref

    def _person_of(self, draft: Draft) -> Draft:
        """The contact of a lead."""
        values, call = dict[str, str](), draft.call
        if self._field in draft.values:
            values[self._field] = draft.values[self._field]
        title = draft.person or call.caller or "Hidden number"
        return replace(draft, kind=EntityKind.CONTACT, title=title, values=values)

    async def _companies(self, phone: str) -> list[Found]:
        """Companies with this phone: HubSpot does not normalise a company's phone, so the search
        tries it whole and in groups.
        """
        words = re.findall(r"\d+", display(phone))[1:][-MOST_FILTERS:]
        where = [[a_filter("phone", "CONTAINS_TOKEN", f"*{tail(phone)}")]]
        if words:
            where.append([a_filter("phone", "CONTAINS_TOKEN", word) for word in words])
        names = shown(EntityKind.COMPANY, self._field)
        rows = await self._api.search("companies", where, "createdate", *names)
        return [self._found(EntityKind.COMPANY, row) for row in rows]

    async def _linked(self, kind: EntityKind, ids: Iterable[str], to: str) -> set[str]:
        return every(await self._api.linked(TYPES[kind], ids, to))

    async def _records(self, phone: str, since: datetime, until: datetime) -> list[str]:
        """The telephony's records of calls from this phone at that time."""
        ending = a_filter("hs_call_from_number", "CONTAINS_TOKEN", f"*{tail(phone)}")
        between = {
            **a_filter("hs_timestamp", "BETWEEN", milliseconds(since)),
            "highValue": milliseconds(until),
        }
        rows = await self._api.search(
            "calls", [[ending, between]], "hs_timestamp", "hs_call_from_number"
        )
        found = []
        for row in rows:
            if same_phone(row.properties.get("hs_call_from_number", ""), phone):
                found.append(row.id)
        return found

    async def _read(self, kind: EntityKind, ids: Iterable[str]) -> list[Record]:
        return await self._api.read_newest(TYPES[kind], ids, shown(kind, self._field))

    def _found(self, kind: EntityKind, row: Record, phones: tuple[str, ...] = ()) -> Found:
        return found_in(kind, row, self._field, phones)
