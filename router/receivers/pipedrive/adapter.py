"""Pipedrive: persons, organizations, deals and leads.

What we create carries the call's id in a text field, which Pipedrive does not keep unique: an
earlier attempt's entity is looked for among the newest, which the list shows at once, and in the
search, which is late. The text of a call is a note; an entity without it is completed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Mode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient
from router.receivers.kept_tokens import fixed_token
from router.receivers.pipedrive.api import Api, Row, text_of
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft

UID = "Ringtrace call"
_KEYS = {
    EntityKind.CONTACT: "person_id",
    EntityKind.COMPANY: "org_id",
    EntityKind.DEAL: "deal_id",
    EntityKind.LEAD: "lead_id",
}
_NOTED = {EntityKind.DEAL, EntityKind.LEAD}  # whose text is a note
_PEOPLE = {EntityKind.CONTACT, EntityKind.COMPANY}


class Pipedrive:
    """The `Crm` over one Pipedrive account; options: see `receiver.py`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        options, rules, own = connection.options, connection.rules, connection.mode is Mode.OWN
        self._api = Api(http, fixed_token(token))
        self._field = options.get("field") or "GA client ID"
        self._stage = int(options["stage"]) if options.get("stage") else None
        kinds = SCENARIO_KINDS[rules.scenario] if own else rules.targets
        people = (EntityKind.CONTACT,) if EntityKind.LEAD in kinds else ()  # a lead is of a person
        self._kinds = list(dict.fromkeys((*kinds, *people)))
        self._deals = {EntityKind.DEAL, *kinds} - _PEOPLE
        names = (self._field, *([UID] if own else []), *rules.fields.values())
        self._fields = tools.fields_of(self._kinds, names)
        self.catalogue = tools.catalogue(self._kinds, self._api.fields, (self._field, UID))
        self._scenario = SCENARIO_KINDS[rules.scenario]
        self._begun: dict[tuple[EntityKind, str], Ref] = {}  # by an attempt that was interrupted

    def client_id_field(self, _kind: EntityKind) -> str:
        """It has the same name in every kind."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """What carries the call's id; what is not complete is left out, and `create` goes on."""
        found = list[Ref]()
        for kind in self._kinds:
            ref = await self._made(kind, call_id)
            if ref is None:
                continue
            if kind in self._scenario and (kind in _PEOPLE or await self._noted(ref, call_id)):
                found.append(ref)
            else:
                self._begun[kind, call_id] = ref
        return found

    async def contacts(self, phone: str) -> list[Found]:
        """Persons with this phone, as people may have written it, and their organizations."""
        ids = list[str]()
        for ending in tools.search_endings(phone):
            ids += await self._api.search(EntityKind.CONTACT, ending, "phone", exact=False)
        rows = {str(row["id"]): row for row in await self._api.by_ids(EntityKind.CONTACT, ids)}
        people = [await self._found(EntityKind.CONTACT, row) for row in rows.values()]
        people = tools.with_phone(people, phone)

        firms = [rows[one.ref.id]["org_id"] for one in people if rows[one.ref.id].get("org_id")]
        companies = await self._api.by_ids(EntityKind.COMPANY, firms)
        return people + [await self._found(EntityKind.COMPANY, row, phone) for row in companies]

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Open deals and leads of these persons and organizations."""
        begun = set(self._begun.values())
        found = await self._of(contacts, phone, status="open")
        return [one for one in found if one.ref not in begun]

    async def create(self, draft: Draft) -> Ref:
        """An entity with the call's id, then its note."""
        kind, call = draft.kind, draft.call
        ref = self._begun.pop((kind, call.id), None)
        if ref is None:
            values = await self._values(draft)
            ref = await self._api.create(kind, values, {UID: call.id, **draft.values})
        if kind in _NOTED:
            await self.note(ref, draft.text, call.id)
        return ref

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """A note, once a call."""
        if not await self._noted(ref, call_id):
            place = ref.id if ref.kind is EntityKind.LEAD else int(ref.id)
            note = {"content": tools.html_note(text, call_id), _KEYS[ref.kind]: place}
            await self._api.ask("POST", "api/v1/notes", json=note)

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Persons with this phone, their deals and leads; when each was created decides."""
        if call.caller is None:
            return []
        people = await self.contacts(call.caller)
        return people + await self._of([one.ref for one in people], call.caller)

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """As they are now."""
        row = await self._api.row(ref)
        texts = {name: await self._text(ref.kind, row, name) for name in fields}
        return {name: text for name, text in texts.items() if text}

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """These fields alone."""
        await self._api.change(ref, values)

    async def check(self) -> list[Check]:
        """Whether the token opens the account, and its fields and stage exist."""
        try:
            await self._api.ask("GET", "api/v1/users/me")
            checks = await tools.check_fields(self._fields, self._api.fields)
        except (ReceiverUnavailable, Refused) as error:
            return [Check(what="API token", well=False, fix=str(error))]
        if self._stage is not None:
            stages = {row.get("id") for row in await self._api.rows("api/v2/stages", limit=500)}
            fix = "set the option 'stage' to the ID of a stage, or leave it empty"
            what = f"stage {self._stage}"
            checks.append(Check(what=what, well=self._stage in stages, fix=fix))
        return [Check(what="API token", well=True), *checks]

    async def prepare(self) -> list[str]:
        """Create the text fields that are missing."""
        return await tools.add_fields(self._fields, self._api.fields, self._api.add_field)

    async def _text(self, kind: EntityKind, row: Row, name: str) -> str:
        return text_of(row, (await self._api.fields(kind)).get(name))

    async def _values(self, draft: Draft) -> dict[str, object]:
        """What Pipedrive itself knows of a new entity."""
        kind, links = draft.kind, draft.links
        values: dict[str, object] = {"name" if kind in _PEOPLE else "title": draft.title}
        if draft.responsible:
            values["owner_id"] = tools.user_number(draft.responsible)
        if kind is EntityKind.CONTACT:
            values |= _phones(draft.call)
        if kind in {EntityKind.CONTACT, EntityKind.DEAL} and EntityKind.COMPANY in links:
            values["org_id"] = int(links[EntityKind.COMPANY].id)
        if kind in _NOTED and EntityKind.CONTACT in links:
            values["person_id"] = int(links[EntityKind.CONTACT].id)
        elif kind is EntityKind.LEAD:
            values["person_id"] = int((await self._person(draft)).id)
        if kind is EntityKind.DEAL and self._stage is not None:
            values["stage_id"] = self._stage
        return values

    async def _person(self, draft: Draft) -> Ref:
        """The person of a lead: Pipedrive takes no lead without one."""
        call = draft.call
        begun = self._begun.pop((EntityKind.CONTACT, call.id), None)
        if begun is not None:
            return begun
        own = {UID: call.id, **({self._field: call.client_id} if call.client_id else {})}
        values = {"name": draft.person or draft.title, **_phones(call)}
        return await self._api.create(EntityKind.CONTACT, values, own)

    async def _made(self, kind: EntityKind, call_id: str) -> Ref | None:
        for row in await self._api.newest(kind):
            if await self._text(kind, row, UID) == call_id:
                return Ref(kind=kind, id=str(row["id"]))
        found = await self._api.search(kind, call_id, "custom_fields", exact=True)
        return Ref(kind=kind, id=found[0]) if found else None

    async def _noted(self, ref: Ref, call_id: str) -> bool:
        params = {_KEYS[ref.kind]: ref.id, "sort": "add_time DESC", "limit": 100}
        notes = tools.rows_of(await self._api.ask("GET", "api/v1/notes", params=params), "data")
        return tools.is_noted([note.get("content") for note in notes], call_id)

    async def _of(self, contacts: Iterable[Ref], phone: str, **where: str) -> list[Found]:
        found = dict[Ref, Found]()
        for ref in contacts:
            for kind in self._deals:
                key, status = _KEYS[ref.kind], where if kind is EntityKind.DEAL else {}
                if (kind, key) == (EntityKind.LEAD, "org_id"):
                    key = "organization_id"
                for row in await self._api.newest(kind, **{key: ref.id}, **status):
                    one = await self._found(kind, row, phone)
                    found[one.ref] = one
        return list(found.values())

    async def _found(self, kind: EntityKind, row: Row, phone: str = "") -> Found:
        phones = [str(one.get("value")) for one in tools.rows_of(row, "phones")]
        return Found(
            ref=Ref(kind=kind, id=str(row["id"])),
            title=str(row.get("name") or row.get("title") or ""),
            phones=tuple([phone] if phone else phones),
            created_at=tools.moment(row.get("add_time")),
            open=row.get("status", "open") == "open" and not row.get("is_archived"),
            ours=bool(await self._text(kind, row, UID)),
            client_id=await self._text(kind, row, self._field) or None,
        )


def _phones(call: CallEvent) -> dict[str, object]:
    if call.caller is None:
        return {}
    return {"phones": [{"value": call.caller, "primary": True, "label": "work"}]}
