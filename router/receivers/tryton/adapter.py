"""Adapter for Tryton 8, by its REST application: parties are contacts and companies, opportunities
are leads and deals.

The call's id is in an opportunity's reference, or among a party's identifiers. The client ID is in
a field of the company's own module (option `field`, by default `ga_client_id`), because Tryton's
fields are code. Tryton has no conditional write: a value that another program writes in the
milliseconds between our read and our write is lost, although Tryton's history has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Catalogue, Field
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.crm_codes import TrytonCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers.crm_tools import mark, with_phone
from router.receivers.http import HttpClient, entity
from router.receivers.json_body import filled, mapping, member
from router.receivers.remembered import Remembered
from router.receivers.tryton.api import NEWEST, NOTE, OLDEST, OPPORTUNITY, PARTY, Api
from router.receivers.tryton.catalogue import employees, employees_asked, fields_of
from router.receivers.tryton.checks import check_account
from router.receivers.tryton.forms import number, opportunity_values, party_values
from router.receivers.tryton.rows import (
    OPPORTUNITY_FIELDS,
    PARTY_FIELDS,
    marks,
    naming,
    opportunity,
    packed_moment,
    party,
    phone_pattern,
    rows_of,
)
from router.service.delivery.catalogue import kinds_of, users_named
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft

_MODELS = {
    EntityKind.CONTACT: PARTY,
    EntityKind.COMPANY: PARTY,
    EntityKind.LEAD: OPPORTUNITY,
    EntityKind.DEAL: OPPORTUNITY,
}

_UNSEEN: Mapping[str, Any] = {}  # the status for a row that the key's user may not read


class Tryton:
    """The `Crm` over Tryton's REST application; options: `database`, `company`, `field`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        given = filled(connection.options)
        options = {"database": "tryton", "company": "1", "field": "ga_client_id", **given}
        self._connection, self._field = connection, options["field"]
        self._api = Api(http, token.get("key", ""), options["database"], options["company"])
        self.catalogue = Remembered(self._read_catalogue)

    def client_id_field(self, _kind: EntityKind) -> str:
        """The same field in parties and opportunities."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """Finds them by identifier and by reference, each with the kind it was created as."""
        kinds = marks(call_id)
        people = await self._api.find(
            PARTY, [["identifiers.code", "in", list(kinds)]], ["identifiers.code"], OLDEST
        )
        deals = await self._api.find(
            OPPORTUNITY, [["reference", "in", list(kinds)]], ["reference"], OLDEST
        )
        carried = list[tuple[Any, Any]]()
        for row in people:
            for identifier in rows_of(row.get("identifiers")):
                carried.append((identifier.get("code"), row["id"]))
        carried += [(row.get("reference"), row["id"]) for row in deals]
        return [Ref(kind=kinds[code], id=str(key)) for code, key in carried if code in kinds]

    async def contacts(self, phone: str) -> list[Found]:
        """Parties with this phone, the oldest first."""
        pattern = phone_pattern(phone)
        if pattern is None:
            return []
        where = [["contact_mechanisms.value_compact", "like", pattern]]
        rows, me = (
            await self._api.find(PARTY, where, [*PARTY_FIELDS, self._field], OLDEST),
            await self._api.user(),
        )
        found = (party(row, self._field, me) for row in rows)
        return with_phone(found, phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Opportunities of these parties, and leads that mention this phone."""
        theirs = [["party", "in", [number(ref) for ref in contacts]]]
        found = await self._opportunities(["OR", theirs, naming(phone)])
        return with_phone(found, phone)

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Opportunities that mention this phone or whose party has it, and the parties with it."""
        pattern = phone_pattern(call.caller or "")
        if call.caller is None or pattern is None:
            return []
        theirs = [["party.contact_mechanisms.value_compact", "like", pattern]]
        between = [
            ["create_date", ">=", packed_moment(since)],
            ["create_date", "<=", packed_moment(until)],
        ]
        found = await self._opportunities([["OR", theirs, naming(call.caller)], *between])
        return with_phone(found, call.caller) + await self.contacts(call.caller)

    async def create(self, draft: Draft) -> Ref:
        """Create a party with its phone, or an opportunity of a party."""
        model = _MODELS[draft.kind]
        values: dict[str, Any] = dict(draft.values)
        if model == PARTY:
            values |= party_values(draft)
        else:
            values |= opportunity_values(draft)
        answer = await self._api.ask(
            "POST", model, json=values, params=[("f", "id")], empty_means=_UNSEEN
        )
        made = rows_of([answer])
        if not made and answer is not _UNSEEN:
            raise ReceiverUnavailable(
                AnswerCode.INCOMPLETE_ANSWER, system="Tryton", missing=f"{model}: id"
            )
        if not made:  # another attempt would create a second one
            raise Refused(TrytonCode.TRYTON_UNREADABLE, kind=draft.kind.value, model=model)
        return Ref(kind=draft.kind, id=str(made[0]["id"]))

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """Add a note to the record, once per call."""
        resource = f"{_MODELS[ref.kind]},{number(ref)}"
        where = [["resource", "=", resource], ["message", "like", f"%{mark(call_id)}%"]]
        notes = await self._api.find(NOTE, where, ["message"], NEWEST)
        if not any(mark(call_id) in str(note.get("message")) for note in notes):
            await self._api.ask(
                "POST",
                NOTE,
                json={"resource": resource, "message": f"{text}\n{mark(call_id)}"},
                empty_means={},
            )

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of fields."""
        model = _MODELS[ref.kind]
        asked = [("f", name) for name in fields]
        with entity(ref):
            row = await self._api.ask("GET", f"{model}/{number(ref)}", params=[("f", "id"), *asked])
        texts = {}
        for name in fields:
            value = member(row, name)
            if value and isinstance(value, str | int | float):
                texts[name] = str(value)
        return texts

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these fields."""
        path, asked = f"{_MODELS[ref.kind]}/{number(ref)}", [("f", "id")]
        await self._api.ask("PUT", path, json=dict(values), params=asked, empty_means={})

    async def check(self) -> list[Check]:
        """Check key, company, rights and fields."""
        return await check_account(self._api, self._connection.mode, self._field)

    async def prepare(self) -> list[str]:
        """Nothing: Tryton's fields come with its modules."""
        return []

    async def _read_catalogue(self, whole: bool) -> Catalogue:
        kinds = kinds_of(self._connection)
        by_model = {model: await self._shown_fields(model) for model in (PARTY, OPPORTUNITY)}
        found = Catalogue(fields={kind: by_model[_MODELS[kind]] for kind in kinds})
        if not whole:
            return found
        users = users_named(self._connection.rules)
        answer = await self._api.attempt("GET", "company.employee", params=employees_asked(users))
        if answer.status != 200:
            return found
        return replace(found, users=employees(answer.body, datetime.now(UTC).date()))

    async def _shown_fields(self, model: str) -> list[Field]:
        shown = await self._api.ask("POST", f"{model}/fields_get", json={})
        names = [name for name in mapping(shown) if name != self._field]
        asked = {"fields_names": names, "with_rec_name": False}
        defaults = await self._api.attempt("POST", f"{model}/default_get", json=asked)
        if defaults.status != 200:
            return fields_of(shown, {})
        return fields_of(shown, defaults.body)

    async def _opportunities(self, where: Sequence[Any]) -> list[Found]:
        rows = await self._api.find(OPPORTUNITY, where, [*OPPORTUNITY_FIELDS, self._field], NEWEST)
        me = await self._api.user()
        return [opportunity(row, self._field, me) for row in rows]
