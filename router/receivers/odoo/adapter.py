"""Odoo: partners are contacts and companies, records of `crm.lead` are leads and opportunities.

What we create carries the call's id in a field of ours, which a search finds at once. The client ID
is in a custom field of both models.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Field
from router.domain.delivery.connection import SCENARIO_KINDS, Connection, Mode
from router.domain.delivery.crm_codes import OdooCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import tail
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient, entity
from router.receivers.odoo.api import Api, Row
from router.service.delivery.outcomes import EntityGone, ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft

UID = "x_ringtrace_call"
_PARTNER, _LEAD = "res.partner", "crm.lead"
_MODELS = {
    EntityKind.CONTACT: _PARTNER,
    EntityKind.COMPANY: _PARTNER,
    EntityKind.LEAD: _LEAD,
    EntityKind.DEAL: _LEAD,
}
_SHOWN = {
    _PARTNER: ("name", "phone", "mobile", "is_company"),
    _LEAD: ("name", "phone", "type", "probability", "active", "partner_id"),
}


class Odoo:
    """The `Crm` over one Odoo database; options: see `receiver.py`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        options, rules, own = connection.options, connection.rules, connection.mode is Mode.OWN
        where = options.get("database", ""), options.get("login", "")
        self._api = Api(http, token["key"], *where)
        self._field = options.get("field") or "x_ga_client_id"
        self._scenario = SCENARIO_KINDS[rules.scenario]
        kinds = self._scenario if own else rules.targets
        names = (self._field, *([UID] if own else []), *rules.fields.values())
        models = {_MODELS[kind]: kind for kind in (*kinds, EntityKind.CONTACT)}
        self._fields = tools.fields_of(models.values(), names)
        self.catalogue = tools.catalogue(kinds, self._fields_of, (self._field, UID))

    def client_id_field(self, _kind: EntityKind) -> str:
        """It has the same name in both models."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """What carries the call's id, in the order of the scenario."""
        found = dict[EntityKind, Ref]()
        for model in dict.fromkeys(_MODELS[kind] for kind in self._scenario):
            if UID in await self._api.fields(model):
                rows = await self._api.find(model, [[UID, "=", call_id]], _SHOWN[model])
                found |= {_kind(model, row): _ref(model, row) for row in rows}
        return [found[kind] for kind in self._scenario if kind in found]

    async def contacts(self, phone: str) -> list[Found]:
        """Partners with this phone, which Odoo compares without spaces, brackets and dashes."""
        return await self._found(_PARTNER, [_has(phone)], phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Leads and opportunities of these partners, or with this phone."""
        ids = [int(ref.id) for ref in contacts]
        where = ["|", ["partner_id", "in", ids], _has(phone)]
        return await self._found(_LEAD, where, phone, partners=ids)

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Partners with this phone, and leads and opportunities created in that time."""
        if call.caller is None:
            return []
        people = await self.contacts(call.caller)
        ids = [int(one.ref.id) for one in people]
        between = [["create_date", ">=", _time(since)], ["create_date", "<=", _time(until)]]
        where = ["|", ["partner_id", "in", ids], _has(call.caller), *between]
        return people + await self._found(_LEAD, where, call.caller, partners=ids)

    async def create(self, draft: Draft) -> Ref:
        """A record that carries the call's id."""
        model, links = _MODELS[draft.kind], draft.links
        values: dict[str, Any] = {"name": draft.title, UID: draft.call.id}
        values |= {"phone": draft.call.caller} if draft.call.caller else {}
        values |= {"user_id": tools.user_number(draft.responsible)} if draft.responsible else {}
        company, contact = links.get(EntityKind.COMPANY), links.get(EntityKind.CONTACT)
        if model == _PARTNER:
            values["is_company"] = draft.kind is EntityKind.COMPANY
            values |= {"parent_id": int(company.id)} if company else {}
        else:
            values["type"] = "lead" if draft.kind is EntityKind.LEAD else "opportunity"
            values["description"] = tools.html_note(draft.text, draft.call.id)
            partner = contact or company
            values |= {"partner_id": int(partner.id)} if partner else {}
        values |= await self._values(draft.kind, draft.values)
        return Ref(kind=draft.kind, id=str(await self._api.create(model, values)))

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """A message on the record, once per call, without notifications."""
        place = {"model": _MODELS[ref.kind], "res_id": int(ref.id)}
        where = [[name, "=", value] for name, value in place.items()]
        there = await self._api.find("mail.message", where, ["body"])
        if not tools.is_noted([one.get("body") for one in there], call_id):
            body = tools.html_note(text, call_id)
            message = {**place, "body": body, "message_type": "comment"}
            await self._api.create("mail.message", message)

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """As they are now; a record that was archived is still there."""
        where = [["id", "=", int(ref.id)], ["active", "in", [True, False]]]
        rows = await self._api.find(_MODELS[ref.kind], where, fields)
        if not rows:
            raise EntityGone(ref)
        texts = {name: _text(rows[0].get(name)) for name in fields}
        return {name: text for name, text in texts.items() if text}

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """These fields alone."""
        known = await self._values(ref.kind, values)
        with entity(ref):
            await self._api.call(_MODELS[ref.kind], "write", ids=[int(ref.id)], vals=known)

    async def check(self) -> list[Check]:
        """Whether the key opens both models, and their fields exist."""
        try:
            for model in (_PARTNER, _LEAD):
                await self._api.find(model, [["id", "=", 0]], [])
            checks = await tools.check_fields(self._fields, self._fields_of)
        except (ReceiverUnavailable, Refused) as error:
            return [Check(what="API key", well=False, fix=str(error))]
        return [Check(what="API key", well=True), *checks]

    async def prepare(self) -> list[str]:
        """Create the text fields that are missing; an administrator's key may do that."""
        return await tools.add_fields(self._fields, self._fields_of, self._add_field)

    async def _fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        return await self._api.fields(_MODELS[kind], again=again)

    async def _add_field(self, kind: EntityKind, name: str) -> None:
        models = await self._api.find("ir.model", [["model", "=", _MODELS[kind]]], ["model"])
        if not models:
            raise Refused(OdooCode.ODOO_HIDDEN, model=_MODELS[kind])
        field = {"name": name, "field_description": name, "ttype": "char", "state": "manual"}
        await self._api.create("ir.model.fields", {**field, "model_id": models[0]["id"]})

    async def _values(self, kind: EntityKind, texts: Mapping[str, str]) -> dict[str, Any]:
        known = await tools.typed_values(kind, texts, self._fields_of)
        return {name: False if value is None else value for name, value in known.items()}

    async def _found(
        self, model: str, where: list[Any], phone: str, partners: Sequence[int] = ()
    ) -> list[Found]:
        """Those that have the phone, or are of these partners, who have it."""
        rows = await self._api.find(model, where, [*_SHOWN[model], self._field, UID])
        found = {_ref(model, row): row for row in rows}
        named = {ref for ref, row in found.items() if _id(row.get("partner_id")) in partners}
        every = [self._one(ref, row, phone if ref in named else "") for ref, row in found.items()]
        return tools.with_phone(every, phone)

    def _one(self, ref: Ref, row: Row, phone: str) -> Found:
        phones = [_text(row.get(name)) for name in ("phone", "mobile")]
        at = tools.moment(row.get("create_date"))
        return Found(
            ref=ref,
            title=_text(row.get("name")),
            phones=(phone,) if phone else tuple(filter(None, phones)),
            created_at=at,
            open=row.get("active") is not False and row.get("probability") != 100,
            ours=bool(row.get(UID)),
            client_id=_text(row.get(self._field)) or None,
        )


def _has(phone: str) -> list[str]:
    return ["phone_mobile_search", "like", tail(phone)]


def _kind(model: str, row: Row) -> EntityKind:
    if model == _PARTNER:
        return EntityKind.COMPANY if row.get("is_company") else EntityKind.CONTACT
    return EntityKind.LEAD if row.get("type") == "lead" else EntityKind.DEAL


def _ref(model: str, row: Row) -> Ref:
    return Ref(kind=_kind(model, row), id=str(row["id"]))


def _id(value: Any) -> Any:
    """The id of a linked record, which Odoo writes as [id, name]."""
    return value[0] if isinstance(value, list) and value else value


def _text(value: Any) -> str:
    """An empty field is False."""
    return "" if value in (None, False) else str(value)


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
