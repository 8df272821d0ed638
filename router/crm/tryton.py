"""Tryton 8 by its REST application: parties are contacts and companies, opportunities are leads and deals.

The call's id stands in an opportunity's reference and among a party's identifiers. The client ID stands in a field of
the company's own module (option `field`, by default `ga_client_id`), for Tryton's fields are code.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from router.domain.annotation import CallTold
from router.domain.connection import Connection
from router.domain.entity import EntityKind, Found, Ref
from router.domain.phone import same_phone, tail
from router.errors import ReceiverUnavailable
from router.outside import Outside
from router.service.crm import Check, Draft

_PARTY, _OPPORTUNITY = "party.party", "sale.opportunity"
_MODELS = {
    EntityKind.CONTACT: _PARTY,
    EntityKind.COMPANY: _PARTY,
    EntityKind.LEAD: _OPPORTUNITY,
    EntityKind.DEAL: _OPPORTUNITY,
}
_OPEN = {"lead", "opportunity"}
_FEW = 20


class Tryton:
    """The `Crm` over Tryton's REST application; options: `database`, `company`, `field`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], outside: Outside) -> None:
        self._outside = outside
        options = {"database": "tryton", "company": "1", "field": "ga_client_id", **connection.options}
        company = int(options["company"])
        self._field, self._base = options["field"], f"{options['database']}/rest/model"
        self._headers = {
            "Authorization": f"Bearer {token['key']}",
            "X-Tryton-Context": _packed({"company": company, "companies": [company]}),
        }

    def client_id_field(self, _kind: EntityKind) -> str:
        """The same in parties and opportunities."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """By reference and by identifier."""
        mark = _mark(call_id)
        parties = await self._find(_PARTY, [["identifiers.code", "=", mark]], ("name",))
        deals = await self._find(_OPPORTUNITY, [["reference", "=", mark]], ("party",))
        people = [Ref(kind=EntityKind.CONTACT, id=str(one["id"])) for one in parties]
        return people + [_ref(one) for one in deals]

    async def contacts(self, phone: str) -> list[Found]:
        """Parties with a phone that ends like this one."""
        where = [["contact_mechanisms.value_compact", "like", f"%{tail(phone)}"]]
        rows = await self._find(_PARTY, where, ("name", "create_date", "contact_mechanisms.value_compact"))
        found = [_party(row) for row in rows]
        return [one for one in found if any(same_phone(number, phone) for number in one.phones)]

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Opportunities of these parties."""
        if not contacts:
            return []
        where = [["party", "in", [int(ref.id) for ref in contacts]]]
        return [self._opportunity(row, (phone,)) for row in await self._opportunities(where)]

    async def appeared(self, call: CallTold, since: datetime, until: datetime) -> list[Found]:
        """Opportunities whose party has this phone, and such parties themselves."""
        if call.caller is None:
            return []
        between = [["create_date", ">=", _moment(since)], ["create_date", "<=", _moment(until)]]
        where = [["party.contact_mechanisms.value_compact", "like", f"%{tail(call.caller)}"], *between]
        found = [self._opportunity(row, (call.caller,)) for row in await self._opportunities(where)]
        return found + await self.contacts(call.caller)

    async def create(self, draft: Draft) -> Ref:
        """A party with its phone, or an opportunity of a party."""
        mark = _mark(draft.call.id)
        values: dict[str, Any] = dict(draft.values)
        if draft.kind in {EntityKind.CONTACT, EntityKind.COMPANY}:
            values |= {"name": draft.title, "identifiers": [["create", [{"code": mark}]]]}
            if draft.call.caller:
                phone = {"type": "phone", "value": draft.call.caller}
                values["contact_mechanisms"] = [["create", [phone]]]
        else:
            values |= {"description": draft.title, "reference": mark, "comment": draft.text}
            party = draft.links.get(EntityKind.COMPANY) or draft.links.get(EntityKind.CONTACT)
            if party and draft.kind is EntityKind.DEAL:
                values["party"] = int(party.id)
            if draft.responsible:
                values["employee"] = int(draft.responsible)
        made = await self._ask("POST", _MODELS[draft.kind], json=values)
        return Ref(kind=draft.kind, id=str(made["id"]))

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """A note on the record, once a call."""
        resource = f"{_MODELS[ref.kind]},{ref.id}"
        mark = f"\n[{_mark(call_id)}]"
        where = [["resource", "=", resource], ["message", "like", f"%{mark[1:]}"]]
        there = await self._find("ir.note", where, ("message",))
        if not there:
            await self._ask("POST", "ir.note", json={"resource": resource, "message": text + mark})

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """As they stand now."""
        row = await self._ask("GET", f"{_MODELS[ref.kind]}/{ref.id}", params=[("f", name) for name in fields])
        return {name: str(row[name]) for name in fields if row.get(name)}

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """These fields alone."""
        await self._ask("PUT", f"{_MODELS[ref.kind]}/{ref.id}", json=dict(values))

    async def check(self) -> list[Check]:
        """Whether the key opens both models, and the field is there."""
        checks = []
        for model in (_PARTY, _OPPORTUNITY):
            answer = await self._outside.ask(
                "GET",
                f"{self._base}/{model}",
                params=[("s", "1"), ("f", self._field)],
                headers=self._headers,
                accept=frozenset({400, 401, 403, 404}),
            )
            mend = f"give its user the right to read {model}, and add the field '{self._field}' to it by a module"
            checks.append(Check(what=f"{model} with {self._field}", well=answer.status == 200, mend=mend))
        return checks

    async def prepare(self) -> list[str]:
        """Nothing: Tryton's fields come with its modules."""
        return []

    async def _opportunities(self, where: list[Any]) -> list[dict[str, Any]]:
        return await self._find(_OPPORTUNITY, where, ("description", "state", "create_date", "party", self._field))

    def _opportunity(self, row: Mapping[str, Any], phones: tuple[str, ...]) -> Found:
        return Found(
            ref=_ref(row),
            title=row.get("description") or "",
            phones=phones,
            created_at=_read_moment(row.get("create_date")),
            open=row.get("state") in _OPEN,
            client_id=row.get(self._field) or None,
        )

    async def _find(self, model: str, where: list[Any], fields: Sequence[str]) -> list[dict[str, Any]]:
        params = [("d", _packed(where)), ("s", str(_FEW)), *(("f", name) for name in fields)]
        rows = await self._ask("GET", model, params=params)
        return rows if isinstance(rows, list) else []

    async def _ask(self, method: str, path: str, **request: Any) -> Any:
        answer = await self._outside.ask(method, f"{self._base}/{path}", headers=self._headers, **request)
        if answer.body is None:
            raise ReceiverUnavailable("Tryton did not answer in JSON: is the address that of its server?")
        return answer.body


def _ref(row: Mapping[str, Any]) -> Ref:
    return Ref(kind=EntityKind.DEAL if row.get("party") else EntityKind.LEAD, id=str(row["id"]))


def _party(row: Mapping[str, Any]) -> Found:
    numbers = (one.get("value_compact") for one in row.get("contact_mechanisms") or ())
    return Found(
        ref=Ref(kind=EntityKind.CONTACT, id=str(row["id"])),
        title=row.get("name") or "",
        phones=tuple(number for number in numbers if number),
        created_at=_read_moment(row.get("create_date")),
    )


def _mark(call_id: str) -> str:
    return f"ringtrace:{call_id}"


def _packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _moment(at: datetime) -> dict[str, Any]:
    at = at.astimezone(UTC)
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime", **{name: getattr(at, name) for name in names}}


def _read_moment(value: Any) -> datetime | None:
    if not isinstance(value, dict):
        return None
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    year, month, day, hour, minute, second, microsecond = (int(value.get(name, 0)) for name in names)
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
