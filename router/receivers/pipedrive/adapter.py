"""Adapter for Pipedrive: persons, organizations, deals and leads.

The call's id is in a text field, which Pipedrive does not keep unique. So an earlier attempt's
entity is looked for among the newest, which the list shows at once, and by the search, which is
late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from router.domain.delivery.catalogue import Field, Named, Pipeline
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient
from router.receivers.kept_tokens import fixed_token
from router.receivers.pipedrive.activities import PipedriveActivities
from router.receivers.pipedrive.api import FIELDS, Api, Row, place
from router.receivers.two_step_crm import TwoStepCrm
from router.service.delivery.crm_fill import PEOPLE
from router.service.delivery.ports import Draft

CONTACT, COMPANY, LEAD, DEAL = EntityKind


class Pipedrive(TwoStepCrm):
    """The `Crm` over one Pipedrive account; options: see `receiver.py`."""

    system, uid, usual_field = "Pipedrive", "Ringtrace call", "GA client ID"

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        self._api = Api(http, fixed_token(token))
        super().__init__(connection, PipedriveActivities(self._api))
        if LEAD in self.kinds:  # a lead needs a person
            self.kinds = list(dict.fromkeys((*self.kinds, CONTACT)))

    async def contacts(self, phone: str) -> list[Found]:
        """Persons with this phone, in the usual spellings, and their organizations."""
        ids = list[str]()
        for ending in tools.search_endings(phone):
            ids += await self._api.search(CONTACT, ending, "phone", exact=False)
        rows = {str(row["id"]): row for row in await self._api.by_ids(CONTACT, ids)}
        people = tools.with_phone([self._one(CONTACT, row) for row in rows.values()], phone)

        firms = [rows[person.ref.id].get("org_id") for person in people]
        companies = await self._api.by_ids(COMPANY, filter(None, firms))
        return people + [self._one(COMPANY, row, phone) for row in companies]

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Deals and leads of these persons and organizations."""
        found = dict[Ref, Found]()
        for ref in contacts:
            for kind in {DEAL, *self.kinds} - PEOPLE:
                rows = await self._api.newest(kind, ref)
                for row in rows:
                    entity = self._one(kind, row, phone)
                    found[entity.ref] = entity
        return [entity for entity in found.values() if not self.is_begun(entity.ref)]

    async def find_made(self, kind: EntityKind, call_id: str) -> Ref | None:
        """The entity with the call's id: among the newest, then by the search."""
        for row in await self._api.newest(kind):
            if row.get(self.uid) == call_id:
                return Ref(kind=kind, id=str(row["id"]))
        found = await self._api.search(kind, call_id, "custom_fields", exact=True)
        if not found:
            return None
        return Ref(kind=kind, id=found[0])

    async def insert(self, draft: Draft) -> Ref:
        """Create an entity with the fields that Pipedrive knows of a new one."""
        kind, call, links = draft.kind, draft.call, dict(draft.links)
        values: dict[str, Any] = {"title": draft.title}
        if kind in PEOPLE:
            values = {"name": draft.title}
        if draft.responsible:
            values["owner_id"] = tools.number(draft.responsible)
        if kind is CONTACT and call.caller:
            values["phones"] = [{"value": call.caller, "primary": True, "label": "work"}]
        if kind is DEAL and self.stage and draft.placed:
            values["stage_id"] = tools.number(self.stage, "stage")
        if kind is LEAD and CONTACT not in links:
            links[CONTACT] = self.begun(CONTACT, call.id) or await self.insert(self._person(draft))
        if kind is not COMPANY:
            for link in links.values():
                values |= place(kind, link)
        return await self._api.create(kind, values, {self.uid: call.id, **draft.values})

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of fields."""
        return tools.texts_of(await self._api.row(ref), fields)

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these fields."""
        await self._api.change(ref, values)

    async def reach(self) -> None:
        """Read the user of the token."""
        await self._api.ask("GET", "api/v1/users/me")

    async def fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        """The fields by code and by name."""
        return await self._api.fields_of(kind, again)

    async def add_field(self, kind: EntityKind, name: str) -> None:
        """Add a field; leads have the fields of deals."""
        wanted = {"field_name": name, "field_type": "varchar"}
        await self._api.ask("POST", FIELDS[kind], json=wanted)

    async def users(self, ids: Sequence[str]) -> list[Named]:
        """All users of the account."""
        return tools.named(await self._api.rows("api/v1/users"), active="active_flag")

    async def pipelines(self) -> list[Pipeline]:
        """Each pipeline with its stages."""
        return tools.pipelines(await self._api.rows("api/v2/stages", limit=500), "pipeline_id")

    def _person(self, draft: Draft) -> Draft:
        """The person of a lead: Pipedrive refuses a lead without one."""
        values = {name: text for name, text in draft.values.items() if name == self.field}
        return replace(draft, kind=CONTACT, title=draft.person or draft.title, values=values)

    def _one(self, kind: EntityKind, row: Row, phone: str = "") -> Found:
        phones = [str(phone.get("value")) for phone in tools.rows_of(row, "phones")]
        if phone:
            phones = [phone]
        return self.found(
            kind,
            row,
            title=str(row.get("name") or row.get("title") or ""),
            phones=tuple(phones),
            created_at=tools.moment(row.get("add_time")),
            open=row.get("status", "open") == "open" and not row.get("is_archived"),
        )
