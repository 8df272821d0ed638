"""BottleCRM (`django-crm`): contacts, accounts, leads and deals.

What we create carries the call's id in a custom field, by which BottleCRM's lists are filtered at
once. A phone is looked up among the possible duplicates, whose spelling does not matter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from router.domain.delivery.catalogue import Field, Named, Pipeline
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import SHORTEST
from router.receivers import crm_tools as tools
from router.receivers.bottlecrm.activities import BottleActivities
from router.receivers.bottlecrm.api import MODELS, PATHS, Api, Row, custom_of
from router.receivers.custom_field_crm import CustomFieldCrm
from router.receivers.http import HttpClient, entity
from router.service.delivery.crm_fill import PEOPLE
from router.service.delivery.outcomes import Refused
from router.service.delivery.ports import Draft

_CLOSED = {"won", "lost", "closed", "converted"}  # kinds of stages, statuses of leads
_NAMES = tools.by_kind("first_name", "name", "title", "name")


class BottleCrm(CustomFieldCrm):
    """The `Crm` over one organization; options: see `receiver.py`."""

    system, uid, usual_field = "BottleCRM", "ringtrace_call", "ga_client_id"

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        self._api = Api(http, token["token"])
        super().__init__(connection, BottleActivities(self._api))

    async def made_for(self, call_id: str) -> list[Ref]:
        """By the field of ours, in the order of the scenario."""
        found = list[Ref]()
        for kind in self.scenario:
            rows = await self._api.find(kind, **{f"cf_{self.uid}": call_id})
            found += [Ref(kind=kind, id=str(row["id"])) for row in rows[:1]]
        return found

    async def contacts(self, phone: str) -> list[Found]:
        """Contacts and accounts with this phone."""
        contacts = await self._by_phone(EntityKind.CONTACT, phone)
        return contacts + await self._by_phone(EntityKind.COMPANY, phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Deals of these contacts and accounts, and leads with this phone where they are wanted."""
        deals = list[Found]()
        for ref in contacts:
            deals += [self._one(EntityKind.DEAL, row, phone) for row in await self._deals_of(ref)]
        if EntityKind.LEAD in self.kinds:
            deals += await self._by_phone(EntityKind.LEAD, phone)
        return tools.unique(deals)

    async def create(self, draft: Draft) -> Ref:
        """A record with the call's id. Accounts and deals need a name that no other has."""
        values, name = await self._values(draft), _NAMES[draft.kind]
        try:
            key = await self._api.create(draft.kind, {**values, name: draft.title})
        except Refused:  # perhaps of the name
            title = f"{draft.title[:150]} ({draft.call.id[-100:]})"
            key = await self._api.create(draft.kind, {**values, name: title})
        return Ref(kind=draft.kind, id=key)

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """As they are now."""
        return tools.texts_of(custom_of(await self._api.record(ref)), fields)

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """These fields alone."""
        known = await tools.typed_values(ref.kind, values, self.fields_of)
        with entity(ref):
            path = f"{PATHS[ref.kind]}/{ref.id}"
            await self._api.ask("PATCH", path, "error", json={"custom_fields": known})

    async def reach(self) -> None:
        """Only an administrator sees the records of others, and the list of users."""
        await self._api.ask("GET", "users", "active_users", params={"limit": 1})
        for kind in self.kinds:
            await self._api.ask("GET", PATHS[kind], "per_page", params={"limit": 1})

    async def fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        """Custom fields by their keys."""
        return await self._api.fields(MODELS[kind], again)

    async def add_field(self, kind: EntityKind, name: str) -> None:
        """An administrator's token may do that."""
        field = {"target_model": MODELS[kind], "key": name, "label": name, "field_type": "text"}
        await self._api.ask("POST", "custom-fields", "key", json=field)

    async def users(self, ids: Sequence[str]) -> list[Named]:
        """With those who have left."""
        found = await self._api.ask("GET", "users", "active_users", params={"limit": 1000})
        there = tools.rows_of(found, "active_users", "active_users", key="id")
        left = tools.rows_of(found, "inactive_users", "inactive_users", key="id")
        every = [{**row, "there": True} for row in there] + left
        return [one for one in tools.named(every, active="there") if one.id in ids]

    async def pipelines(self) -> list[Pipeline] | None:
        """The default one, in which new deals begin."""
        found = await self._api.ask("GET", "opportunities/pipelines", "pipelines")
        stages = []
        for pipeline in tools.rows_of(found, "pipelines"):
            if pipeline.get("is_default") is True:
                for row in tools.rows_of(pipeline, "stages", key="code"):
                    stages.append({"id": row["code"], "name": row.get("label")})
        return tools.pipelines(stages)

    async def _by_phone(self, kind: EntityKind, phone: str) -> list[Found]:
        return [self._one(kind, row) for row in await self._api.with_phone(kind, phone)]

    async def _deals_of(self, ref: Ref) -> list[Row]:
        """A contact's page names the newest ten."""
        if ref.kind is EntityKind.COMPANY:
            return await self._api.find(EntityKind.DEAL, account=ref.id)
        shown = tools.rows_of(await self._api.page(ref), "opportunities", key="id")
        return await self._api.records(EntityKind.DEAL, [str(row["id"]) for row in shown])

    async def _values(self, draft: Draft) -> dict[str, Any]:
        kind, links = draft.kind, draft.links
        await tools.field_called(self.uid, kind, self.fields_of)
        known = await tools.typed_values(kind, draft.values, self.fields_of)
        values: dict[str, Any] = {"custom_fields": {**known, self.uid: draft.call.id}}
        values["assigned_to"] = await self._api.claim_active(draft.responsible)
        if kind is not EntityKind.DEAL and len(draft.call.caller or "") > SHORTEST:
            values["phone"] = draft.call.caller
        if kind not in PEOPLE:
            values["description"] = draft.text
            values["contacts"] = tools.ids_of(links.values(), EntityKind.CONTACT)
        if EntityKind.COMPANY in links and kind in {EntityKind.CONTACT, EntityKind.DEAL}:
            values["account"] = links[EntityKind.COMPANY].id
        if kind is EntityKind.CONTACT:
            values["last_name"] = "-"  # it must have one
        if kind is EntityKind.LEAD:
            values["status"] = "assigned"  # as people's own
        if kind is EntityKind.DEAL and self.stage and draft.placed:
            values["stage"] = self.stage
        return values

    def _one(self, kind: EntityKind, row: Row, phone: str = "") -> Found:
        phones = [phone or str(row.get("phone") or "")]
        return self.found(
            kind,
            {**custom_of(row), "id": row["id"]},
            title=str(row.get(_NAMES[kind]) or ""),
            phones=tuple(filter(None, phones)),
            created_at=tools.moment(row.get("created_at")),
            open=not {row.get("stage_kind"), row.get("status")} & _CLOSED,
        )
