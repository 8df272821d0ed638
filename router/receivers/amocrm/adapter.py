"""Adapter for amoCRM and Kommo, REST API v4.

Leads are deals; unsorted leads are leads. The client ID is written to a lead's field GCLIENTID, or
to a text field of our own; the call's id to a field of our own. The search lags and omits unsorted
leads, so the newest rows are read as well and phones are compared digit by digit.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Catalogue
from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Mode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.delivery.fix_codes import FixCode
from router.domain.delivery.outcome import Outcome
from router.receivers.amocrm.account import (
    Account,
    Row,
    embedded,
    identity,
    number,
)
from router.receivers.amocrm.calls import Calls, said
from router.receivers.amocrm.catalogue import read_catalogue
from router.receivers.amocrm.fields import (
    CLIENT_ID,
    MARK,
    TRACKING,
    WORDS,
    Fields,
    phone_field,
    value_in,
)
from router.receivers.amocrm.search import Search
from router.receivers.amocrm.tasks import PATHS, Tasks, place_of
from router.receivers.amocrm.unsorted import Unsorted, caller_of
from router.receivers.crm_tools import ids_of, mark
from router.receivers.http import HttpClient, entity
from router.receivers.json_body import filled
from router.receivers.kept_tokens import fixed_token
from router.receivers.remembered import Remembered
from router.service.delivery.outcomes import EntityGone, ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft

_OWNERS = (EntityKind.CONTACT, EntityKind.COMPANY)
_LATEST = 100  # newest rows, which the search may not know yet


class AmoCrm:
    """The `Crm` over an account; options: `pipeline`, `status`, `tag`, `field`, `contact_field`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        self._options, self._rules = connection.options, connection.rules
        self._account = Account(http, fixed_token(token))
        self._fields, self._unsorted = Fields(self._account), Unsorted(self._account)
        self.catalogue = Remembered(self._read_catalogue)
        self.tasks, self.calls = Tasks(self._account), Calls(self._account)
        self._search = Search(self._account, self._fields, self.client_id_field)
        self._own = connection.mode is Mode.OWN
        self._kinds = connection.rules.targets
        if self._own:
            self._kinds = SCENARIO_KINDS[connection.rules.scenario]

    def client_id_field(self, kind: EntityKind) -> str:
        """Only leads have statistics fields."""
        if PATHS[kind] == "leads":
            return self._options.get("field") or TRACKING
        return self._options.get("contact_field") or CLIENT_ID

    async def made_for(self, call_id: str) -> list[Ref]:
        """Finds them by our own field and among unsorted leads."""
        made = list[Ref]()
        for kind in self._kinds:
            made += await self._marked(kind, call_id)
        if EntityKind.LEAD not in self._kinds:
            return made

        unsorted = await self._unsorted.made_for(call_id)
        if unsorted:
            made.append(unsorted)
        return made

    async def contacts(self, phone: str) -> list[Found]:
        """Contacts and companies with this phone, in any format."""
        return await self._search.owners(await self._search.rows_of_owners(phone, _OWNERS))

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Leads of these contacts and companies, and the unsorted leads of this phone."""
        owners: list[Row] = []
        for kind in _OWNERS:
            which = [("filter[id][]", id_) for id_ in ids_of(contacts, kind)]
            if which:
                owners += await self._account.rows(PATHS[kind], [("with", "leads"), *which])
        waiting = [item.found() for item in await self._unsorted.newest() if item.has(phone)]
        return await self._search.leads_of(owners, phone, waiting) + waiting

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Unsorted leads, the contacts and companies with this phone, and their leads.

        Those that the telephony logged this call on are `exact`, unless it created a lead.
        """
        items = await self._unsorted.newest(since)
        waiting = [item.found(call) for item in items if item.is_of(call) or item.has(call.caller)]
        if call.caller is None:
            return waiting
        kinds = [kind for kind in _OWNERS if kind in (*self._rules.targets, EntityKind.CONTACT)]
        rows = await self._search.rows_of_owners(call.caller, kinds)
        leads = await self._search.leads_of([row for _, row in rows], call.caller, waiting)
        owners = await self._search.owners(rows)
        if any(deal.created_at and since <= deal.created_at <= until for deal in leads):
            return [*waiting, *leads, *owners]
        if leads:
            leads = await self._search.logged("leads", leads, call, until)
        if not any(lead.exact for lead in leads):
            for kind in kinds:
                owners = await self._search.logged(PATHS[kind], owners, call, until)
        return [*waiting, *leads, *owners]

    async def create(self, draft: Draft) -> Ref:
        """A contact or company with its phone, a lead of a contact, or an unsorted lead."""
        path = PATHS[draft.kind]
        values = filled(draft.values)
        values[MARK] = draft.call.id
        if path == "leads" and draft.text:
            values[WORDS] = draft.text
        await self._fields.need(path, MARK)
        row: dict[str, Any] = {
            "name": draft.title,
            "custom_fields_values": await self._fields.packed(path, values),
        }
        responsible = pipeline = None
        if draft.responsible:
            responsible = identity(draft.responsible, "responsible user")
        if draft.kind is EntityKind.LEAD:
            if draft.placed:
                pipeline = self._option("pipeline")
            return await self._unsorted.add(
                draft.call, row, caller_of(draft), pipeline, responsible
            )
        row["request_id"] = draft.call.id
        if responsible is not None:
            row["responsible_user_id"] = responsible
        if path == "leads":
            row |= await self._place(draft)
        elif draft.call.caller:
            row["custom_fields_values"].append(phone_field(draft.call.caller))
        made = number((await self._account.add(path, row)).get("id"))
        if made is None:
            raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="amoCRM", missing=path)
        return Ref(kind=draft.kind, id=str(made))

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """A note in the entity's feed, once per call."""
        path = f"{place_of(ref)}/notes"
        notes = await self._account.rows(
            path, [("filter[note_type][]", "common"), ("order[id]", "desc")]
        )
        if not any(mark(call_id) in said(row, "text") for row in notes):
            words = {
                "note_type": "common",
                "params": {"text": f"{text}\n{mark(call_id)}"},
                "request_id": call_id,
            }
            await self._account.add(path, words)

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of fields."""
        path = PATHS[ref.kind]
        with entity(ref):
            row = await self._account.ask("GET", place_of(ref))
        if not isinstance(row, dict) or row.get("is_deleted") is True:
            raise EntityGone(ref)
        saved = dict[str, str]()
        for name in fields:
            field = await self._fields.find(path, name)
            if field is not None:
                saved[name] = value_in(row, field)
        return filled(saved)

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these fields, then read them back: amoCRM may answer 200 without a change."""
        path, ours = PATHS[ref.kind], self.client_id_field(ref.kind)
        if ours in values and not await self._fields.find(path, ours):
            self._fields.forget()
            raise Refused(CrmCode.FIELD_MISSING, path=path, field=ours)
        packed = await self._fields.packed(path, values)
        if not packed:
            return
        try:
            await self._account.ask("PATCH", place_of(ref), json={"custom_fields_values": packed})
        except Refused:
            self._fields.forget()  # a field may have gone since they were read
            raise
        saved = await self.read(ref, list(values))
        lost = []
        for name, value in values.items():
            known, kept = await self._fields.find(path, name), saved.get(name, "")
            differs = name == ours and kept != value
            if known and (differs or bool(kept) != bool(value)):
                lost.append(name)
        if lost:
            raise Refused(CrmCode.FIELD_NOT_KEPT, system="amoCRM", fields=lost, entity=ref)

    async def check(self) -> list[Check]:
        """Check the token and our own fields."""
        try:
            await self._account.ask("GET", "account")
        except (ReceiverUnavailable, Refused) as error:
            return [Check.of(CheckCode.ACCESS, False, error.outcome, system="amoCRM")]
        checks = [Check.of(CheckCode.ACCESS, True, system="amoCRM")]
        fix = Outcome.of(FixCode.AS_ADMINISTRATOR)
        for path, name in self._needed():
            exists = await self._fields.find(path, name) is not None
            checks.append(Check.of(CheckCode.FIELD_OF, exists, fix, objects=path, field=name))
        return checks

    async def prepare(self) -> list[str]:
        """Create missing fields of our own."""
        made = []
        for path, name in self._needed():
            code = name
            if code == TRACKING:
                code = CLIENT_ID
            if code in {CLIENT_ID, MARK, WORDS} and not await self._fields.find(path, name):
                made.append(await self._fields.make(path, code))
        return [ref for ref in made if ref]

    def _needed(self) -> list[tuple[str, str]]:
        needed = [(PATHS[kind], self.client_id_field(kind)) for kind in self._kinds]
        if self._own:
            needed += [(PATHS[kind], MARK) for kind in self._kinds]
            needed += [("leads", WORDS)]
        return list(dict.fromkeys(needed))

    async def _read_catalogue(self, whole: bool) -> Catalogue:
        paths = {kind: PATHS[kind] for kind in self._kinds}
        return await read_catalogue(
            self._account, self._fields, paths, self._options, whole=whole and self._own
        )

    async def _marked(self, kind: EntityKind, call_id: str) -> list[Ref]:
        path = PATHS[kind]
        field = await self._fields.need(path, MARK)
        for params in ([("query", call_id)], [("order[id]", "desc")]):
            rows = await self._account.rows(path, params, most=_LATEST)
            made = []
            for row in rows:
                id_ = number(row.get("id"))
                if id_ is not None and value_in(row, field) == call_id:
                    made.append(Ref(kind=kind, id=str(id_)))
            if made:
                return made
        return []

    async def _place(self, draft: Draft) -> dict[str, Any]:
        """Pipeline, status and responsible user of a new lead."""
        contact, company = draft.links.get(EntityKind.CONTACT), draft.links.get(EntityKind.COMPANY)
        if (
            contact and company
        ):  # before the lead, so that the next attempt can complete an interrupted one
            await self._join(contact, company)
        linked = {"contacts": contact, "companies": company}
        inside: dict[str, Any] = {}
        for name, ref in linked.items():
            if ref:
                inside[name] = [{"id": identity(ref.id, ref.kind)}]
        if self._options.get("tag"):
            inside["tags"] = [{"name": self._options["tag"]}]
        place: dict[str, Any] = {"_embedded": inside}
        if not draft.placed:
            return place
        for name, option in (("pipeline_id", "pipeline"), ("status_id", "status")):
            chosen = self._option(option)
            if chosen is not None:
                place[name] = chosen
        return place

    async def _join(self, contact: Ref, company: Ref) -> None:
        """Link them, unless the contact already has a company; it can have only one."""
        row = await self._account.ask("GET", place_of(contact))
        if not embedded(row, "companies"):
            link = [
                {"to_entity_id": identity(company.id, "company"), "to_entity_type": "companies"}
            ]
            await self._account.ask("POST", f"{place_of(contact)}/link", json=link)

    def _option(self, name: str) -> int | None:
        given = self._options.get(name)
        if not given:
            return None
        return identity(given, name)
