"""Adapter for Odoo: partners are contacts and companies, records of `crm.lead` are leads and
opportunities.

The call's id is in a custom field, which a search finds at once. The client ID is in a custom field
of both models.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from router.domain.delivery.catalogue import Field, Named, Pipeline
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind, Ref
from router.domain.phone import tail
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient, entity
from router.receivers.odoo.activities import OdooActivities
from router.receivers.odoo.api import LEAD, MODELS, PARTNER, Api, Row
from router.receivers.queried_crm import QueriedCrm
from router.service.delivery.ports import Draft

Term = list[Any]
_IS: dict[EntityKind, Term] = {
    EntityKind.CONTACT: ["is_company", "=", False],
    EntityKind.COMPANY: ["is_company", "=", True],
    EntityKind.LEAD: ["type", "=", "lead"],
    EntityKind.DEAL: ["type", "=", "opportunity"],
}


class Odoo(QueriedCrm):
    """The `Crm` over one Odoo database; options: see `receiver.py`."""

    system, uid, usual_field = "Odoo", "x_ringtrace_call", "x_ga_client_id"
    titles: ClassVar = dict.fromkeys(EntityKind, "name")
    phones, created = ("phone", "mobile"), "create_date"

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        options = connection.options
        self._api = Api(http, token["key"], options.get("database", ""), options.get("login", ""))
        super().__init__(connection, OdooActivities(self._api), EntityKind.CONTACT)

    async def create(self, draft: Draft) -> Ref:
        """Create a record with the call's id."""
        model, links = MODELS[draft.kind], draft.links
        values: dict[str, Any] = {"name": draft.title, self.uid: draft.call.id}
        if draft.call.caller:
            values["phone"] = draft.call.caller
        if draft.responsible:
            values["user_id"] = tools.number(draft.responsible)
        company, contact = links.get(EntityKind.COMPANY), links.get(EntityKind.CONTACT)
        if model == PARTNER:
            values["is_company"] = draft.kind is EntityKind.COMPANY
            if company:
                values["parent_id"] = int(company.id)
        else:
            values["type"] = "opportunity"
            if draft.kind is EntityKind.LEAD:
                values["type"] = "lead"
            values["description"] = tools.html_lines(f"{draft.text}\n{tools.mark(draft.call.id)}")
            partner = contact or company
            if partner:
                values["partner_id"] = int(partner.id)
        if draft.kind is EntityKind.DEAL and self.stage and draft.placed:
            values["stage_id"] = tools.number(self.stage, "stage")
        values |= await self._values(draft.kind, draft.values)
        return Ref(kind=draft.kind, id=str(await self._api.create(model, values)))

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of fields."""
        return tools.texts_of(await self._api.record(ref, fields), fields)

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these fields."""
        known = await self._values(ref.kind, values)
        with entity(ref):
            await self._api.call(MODELS[ref.kind], "write", ids=[int(ref.id)], vals=known)

    async def reach(self) -> None:
        """Test the access by a search in both models."""
        for model in (PARTNER, LEAD):
            await self._api.find(model, [["id", "=", 0]], [])

    async def fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        """The fields by their technical names."""
        return await self._api.fields(MODELS[kind], again)

    async def add_field(self, kind: EntityKind, name: str) -> None:
        """Add a field; this needs an administrator's key."""
        field = {"name": name, "field_description": name, "ttype": "char", "state": "manual"}
        model = await self._api.model_id(MODELS[kind])
        await self._api.create("ir.model.fields", {**field, "model_id": model})

    async def users(self, ids: Sequence[str]) -> list[Named]:
        """These users; those who have left are archived."""
        where = [["id", "in", [int(key) for key in ids if key.isdecimal()]]]
        rows = await self._api.find("res.users", where, ["name", "active"], archived=True)
        return tools.named(rows, active="active")

    async def pipelines(self) -> list[Pipeline] | None:
        """One pipeline with the stages of all sales teams."""
        rows = await self._api.find("crm.stage", [], ["name"])
        return tools.pipelines(reversed(rows))

    async def _values(self, kind: EntityKind, texts: Mapping[str, str]) -> dict[str, Any]:
        known = await tools.typed_values(kind, texts, self.fields_of)
        for name, value in known.items():
            if value is None:
                known[name] = False
        return known

    async def rows(self, kind: EntityKind, columns: Iterable[str], where: Term) -> Sequence[Row]:
        """Records that match a domain; a partner or a `crm.lead` record is of one kind or the
        other.
        """
        shown = (*columns, "active", "probability")
        return await self._api.find(MODELS[kind], [where, _IS[kind]], shown)

    def equal(self, column: str, text: str) -> Term:
        """A condition: the field has this value."""
        return [column, "=", text]

    def with_ending(self, columns: Sequence[str], phone: str) -> Term:
        """A condition: the phone ends like this. Odoo ignores spaces, brackets and dashes."""
        return ["phone_mobile_search", "like", tail(phone)]

    def owned_by(self, kind: EntityKind, owners: Sequence[Ref]) -> Iterator[Term]:
        """Conditions for records of these partners; each record has one partner."""
        yield ["partner_id", "in", [int(ref.id) for ref in owners]]

    def is_open(self, row: Row) -> bool:
        """Whether it is neither lost (archived) nor won (probability 100)."""
        return row.get("active") is not False and row.get("probability") != 100
