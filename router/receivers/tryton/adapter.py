"""Tryton 8 by its REST application: parties are contacts and companies, opportunities are leads and
deals.

What we create carries the call's id: an opportunity in its reference, a party among its
identifiers. The client ID is in a field of the company's own module (option `field`, by default
`ga_client_id`), for Tryton's fields are code.

Tryton has no conditional write: what another writes in the milliseconds between our look at a field
and our write is lost, though Tryton's history keeps it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Catalogue, Field
from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.connection import Connection, Mode
from router.domain.delivery.crm_codes import TrytonCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers.http import Answer, HttpClient, entity
from router.receivers.remembered import Remembered
from router.receivers.tryton.catalogue import TEXTS, employees, employees_asked, fields_of
from router.receivers.tryton.rows import (
    OPPORTUNITY_FIELDS,
    PARTY_FIELDS,
    has_phone,
    is_marked,
    marks,
    opportunity,
    packed,
    packed_moment,
    party,
    phone_pattern,
    rows_of,
)
from router.service.delivery.catalogue import kinds_of, users_named
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft

_PARTY, _OPPORTUNITY, _NOTE = "party.party", "sale.opportunity", "ir.note"
_MODELS = {
    EntityKind.CONTACT: _PARTY,
    EntityKind.COMPANY: _PARTY,
    EntityKind.LEAD: _OPPORTUNITY,
    EntityKind.DEAL: _OPPORTUNITY,
}
_RIGHTS: Mapping[Mode, Mapping[str, Sequence[str]]] = {
    Mode.OWN: {
        _PARTY: ("read", "write", "create"),
        _OPPORTUNITY: ("read", "write", "create"),
        _NOTE: ("read", "create"),
    },
    Mode.TELEPHONY: {_PARTY: ("read", "write"), _OPPORTUNITY: ("read", "write")},
}
_MOST = 50  # rows of an answer
_OLDEST, _NEWEST = [["id", "ASC"]], [["id", "DESC"]]
_SAYS_NO = frozenset({400, 401, 403, 404, 500})  # to a wrong key, database, right, company, model


class Tryton:
    """The `Crm` over Tryton's REST application; options: `database`, `company`, `field`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self._http, self._connection, self._key = http, connection, token.get("key", "")
        given = {name: value for name, value in connection.options.items() if value}
        self._options = {"database": "tryton", "company": "1", "field": "ga_client_id", **given}
        self._field = self._options["field"]
        self._me: int | None = None
        self.catalogue = Remembered(self._read_catalogue)

    def client_id_field(self, _kind: EntityKind) -> str:
        """The same in parties and opportunities."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """By identifier and by reference, each with the kind that it was created as."""
        kinds = marks(call_id)
        people = await self._find(
            _PARTY, [["identifiers.code", "in", list(kinds)]], ["identifiers.code"], _OLDEST
        )
        deals = await self._find(
            _OPPORTUNITY, [["reference", "in", list(kinds)]], ["reference"], _OLDEST
        )
        carried = [
            (one.get("code"), row) for row in people for one in rows_of(row.get("identifiers"))
        ]
        carried += [(row.get("reference"), row) for row in deals]
        return [Ref(kind=kinds[mark], id=str(row["id"])) for mark, row in carried if mark in kinds]

    async def contacts(self, phone: str) -> list[Found]:
        """Parties with this phone, the oldest first."""
        pattern = phone_pattern(phone)
        if pattern is None:
            return []
        where = [["contact_mechanisms.value_compact", "like", pattern]]
        rows, me = (
            await self._find(_PARTY, where, [*PARTY_FIELDS, self._field], _OLDEST),
            await self._user(),
        )
        found = (party(row, self._field, me) for row in rows)
        return [one for one in found if has_phone(one, phone)]

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Opportunities of these parties, and leads that name this phone."""
        theirs = [["party", "in", [_number(ref) for ref in contacts]]]
        found = await self._opportunities(["OR", theirs, _naming(phone)])
        return [one for one in found if has_phone(one, phone)]

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Opportunities whose party has this phone or which name it, and parties with it."""
        pattern = phone_pattern(call.caller or "")
        if call.caller is None or pattern is None:
            return []
        theirs = [["party.contact_mechanisms.value_compact", "like", pattern]]
        between = [
            ["create_date", ">=", packed_moment(since)],
            ["create_date", "<=", packed_moment(until)],
        ]
        found = await self._opportunities([["OR", theirs, _naming(call.caller)], *between])
        return [one for one in found if has_phone(one, call.caller)] + await self.contacts(
            call.caller
        )

    async def create(self, draft: Draft) -> Ref:
        """A party with its phone, or an opportunity of a party."""
        model = _MODELS[draft.kind]
        values: dict[str, Any] = dict(draft.values)
        values |= _party_values(draft) if model == _PARTY else _opportunity_values(draft)
        made = rows_of(
            [await self._ask("POST", model, json=values, params=[("f", "id")], empty_means={})]
        )
        if not made:  # trying again would make another
            raise Refused(TrytonCode.TRYTON_UNREADABLE, kind=draft.kind.value, model=model)
        return Ref(kind=draft.kind, id=str(made[0]["id"]))

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """A note on the record, once per call."""
        resource, mark = f"{_MODELS[ref.kind]},{_number(ref)}", f"[ringtrace:{call_id}]"
        where = [["resource", "=", resource], ["message", "like", f"%{mark}%"]]
        there = await self._find(_NOTE, where, ["message"], _NEWEST)
        if not any(mark in str(one.get("message")) for one in there):
            await self._ask(
                "POST",
                _NOTE,
                json={"resource": resource, "message": f"{text}\n{mark}"},
                empty_means={},
            )

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Present values."""
        model = _MODELS[ref.kind]
        asked = [("f", name) for name in fields]
        with entity(ref):
            row = await self._ask("GET", f"{model}/{_number(ref)}", params=[("f", "id"), *asked])
        values = {name: row.get(name) for name in fields} if isinstance(row, dict) else {}
        return {
            name: str(value)
            for name, value in values.items()
            if value and isinstance(value, str | int | float)
        }

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """These fields alone."""
        path, asked = f"{_MODELS[ref.kind]}/{_number(ref)}", [("f", "id")]
        await self._ask("PUT", path, json=dict(values), params=asked, empty_means={})

    async def check(self) -> list[Check]:
        """Whether key, company, rights and fields are as we need them; no further than anything can
        be seen.
        """
        seen = await self._try("GET", "ir.lang", params=[("s", "1"), ("f", "id")], context={})
        if seen.status == 404:
            fix = (
                f"there is no database '{self._options['database']}' here: correct the option "
                "'database'"
            )
            return [Check(what="database", well=False, fix=fix)]
        if seen.status != 200:
            fix = (
                "make a user application 'REST API' in the preferences of the key's user, and let "
                "it be validated"
            )
            return [Check(what="key", well=False, fix=fix)]
        company = self._options["company"]
        # Tryton remembers for minutes which companies a user was in: one that is not there must not
        # be named to it.
        seen = await self._try(
            "GET", f"company.company/{company}", params=[("f", "id")], context={}
        )
        fix = "there is no company with this number: correct the option 'company'"
        checks = [
            Check(what="key", well=True),
            Check(what=f"company {company}", well=seen.status == 200, fix=fix),
        ]
        if seen.status != 200:
            return checks
        checks += [
            await self._right(model, wanted)
            for model, wanted in _RIGHTS[self._connection.mode].items()
        ]
        if self._connection.mode is Mode.TELEPHONY:
            checks.append(await self._by_others())
        return checks + await self._fields()

    async def prepare(self) -> list[str]:
        """Nothing: Tryton's fields come with its modules."""
        return []

    async def _by_others(self) -> Check:
        """Whether the telephony is another user: what the key's user creates counts as Ringtrace's
        own.
        """
        newest = await self._find(_OPPORTUNITY, [], ["create_uid", "reference"], _NEWEST)
        me = await self._user()
        theirs = [row for row in newest if not is_marked(row.get("reference"))]
        own = [row for row in theirs if me is not None and row.get("create_uid") == me]
        fix = (
            f"{len(own)} of the newest {len(newest)} were created by the key's user and are "
            "never matched:"
            " give Ringtrace a user of its own"
        )
        return Check(
            what="opportunities by other users", well=2 * len(own) < max(1, len(newest)), fix=fix
        )

    async def _right(self, model: str, wanted: Sequence[str]) -> Check:
        answer = await self._try("POST", "ir.model.access/get_access", json={"models": [model]})
        allowed = answer.body.get(model) if isinstance(answer.body, dict) else None
        well = isinstance(allowed, dict) and all(allowed.get(right) for right in wanted)
        rights = ", ".join(wanted)
        fix = (
            f"activate the module of {model}, and put the key's user into a group that may "
            f"{rights} it"
        )
        return Check(what=f"{model}: {rights}", well=well, fix=fix)

    async def _fields(self) -> list[Check]:
        there = {model: await self._has(model, [self._field]) for model in (_PARTY, _OPPORTUNITY)}
        fix = "add it to the model as a Char by a module, and let the key's user write it"
        return [
            Check(what=f"{model}: {self._field}", well=self._field in has, fix=fix)
            for model, has in there.items()
        ]

    async def _has(self, model: str, names: Sequence[str]) -> frozenset[str]:
        """Those of the fields that the model has, as writable texts."""
        answer = await self._try("POST", f"{model}/fields_get", json={"fields_names": list(names)})
        told = answer.body if isinstance(answer.body, dict) and answer.status == 200 else {}
        texts = {
            name: one
            for name, one in told.items()
            if isinstance(one, dict) and one.get("type") in TEXTS
        }
        return frozenset(name for name, one in texts.items() if not one.get("readonly"))

    async def _read_catalogue(self, whole: bool) -> Catalogue:
        kinds = kinds_of(self._connection)
        by_model = {model: await self._shown_fields(model) for model in (_PARTY, _OPPORTUNITY)}
        found = Catalogue(fields={kind: by_model[_MODELS[kind]] for kind in kinds})
        if not whole:
            return found
        users = users_named(self._connection.rules)
        there = await self._try("GET", "company.employee", params=employees_asked(users))
        known = employees(there.body, datetime.now(UTC).date()) if there.status == 200 else None
        return replace(found, users=known)

    async def _shown_fields(self, model: str) -> list[Field]:
        shown = await self._ask("POST", f"{model}/fields_get", json={})
        names = [name for name in shown if name != self._field] if isinstance(shown, dict) else []
        asked = {"fields_names": names, "with_rec_name": False}
        defaults = await self._try("POST", f"{model}/default_get", json=asked)
        every = fields_of(shown, defaults.body if defaults.status == 200 else {})
        return [field for field in every if field.name != self._field]

    async def _user(self) -> int | None:
        """The number of the key's user; None where Tryton does not tell."""
        if self._me is None:
            valid = [["application", "=", "rest"], ["state", "=", "validated"]]
            keys = await self._find("res.user.application", valid, ["user"], _OLDEST)
            if len({row.get("user") for row in keys}) > 1:  # an administrator sees everybody's
                answer = await self._try(
                    "POST", "res.user/get_preferences", json={"context_only": False}
                )
                mine = answer.body.get("applications") if isinstance(answer.body, dict) else None
                keys = [row for row in keys if isinstance(mine, list) and row["id"] in mine]
            self._me = next((row["user"] for row in keys if isinstance(row.get("user"), int)), None)
        return self._me

    async def _opportunities(self, where: Sequence[Any]) -> list[Found]:
        rows = await self._find(_OPPORTUNITY, where, [*OPPORTUNITY_FIELDS, self._field], _NEWEST)
        me = await self._user()
        return [opportunity(row, self._field, me) for row in rows]

    async def _find(
        self, model: str, where: Sequence[Any], fields: Iterable[str], order: Any
    ) -> list[dict[str, Any]]:
        said = [("d", packed(where)), ("o", packed(order)), ("s", str(_MOST))]
        return rows_of(
            await self._ask("GET", model, params=[*said, *(("f", name) for name in fields)])
        )

    async def _ask(self, method: str, path: str, *, empty_means: Any = None, **request: Any) -> Any:
        answer = await self._send(method, path, **request)
        if answer.status == 204:  # done, but the key's user may not read what came of it
            return empty_means
        if answer.body is None:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Tryton")
        return answer.body

    async def _try(self, method: str, path: str, **request: Any) -> Answer:
        return await self._send(method, path, accept=_SAYS_NO, **request)

    async def _send(
        self, method: str, path: str, *, context: Mapping[str, Any] | None = None, **request: Any
    ) -> Answer:
        company = self._options["company"]
        if not (company.isascii() and company.isdigit()):
            raise Refused(
                SettingCode.NOT_A_NUMBER, name="company", found=company[:40], system="Tryton"
            )
        here = {"company": int(company), "companies": [int(company)]}
        headers = {
            "Authorization": f"Bearer {self._key}",
            "X-Tryton-Context": packed(here if context is None else context),
        }
        database = quote(self._options["database"], safe="")
        return await self._http.ask(
            method, f"{database}/rest/model/{path}", headers=headers, **request
        )


def _naming(phone: str) -> list[Any]:
    """Leads have no party whose phone could be searched: their description says who called."""
    return [["party", "=", None], ["description", "like", phone_pattern(phone)]]


def _number(ref: Ref) -> int:
    if not (ref.id.isascii() and ref.id.isdigit()):
        raise Refused(
            SettingCode.NO_SUCH_ID, found=ref.id[:40], kind=ref.kind.value, system="Tryton"
        )
    return int(ref.id)


def _mark(draft: Draft) -> str:
    return next(mark for mark, kind in marks(draft.call.id).items() if kind is draft.kind)


def _party_values(draft: Draft) -> dict[str, Any]:
    phone = {"type": "phone", "value": draft.call.caller}
    return {
        "name": draft.title,
        "identifiers": [["create", [{"code": _mark(draft)}]]],
        "contact_mechanisms": [["create", [phone] if draft.call.caller else []]],
    }


def _opportunity_values(draft: Draft) -> dict[str, Any]:
    values: dict[str, Any] = {
        "description": draft.title,
        "reference": _mark(draft),
        "comment": draft.text,
    }
    party = draft.links.get(EntityKind.COMPANY) or draft.links.get(EntityKind.CONTACT)
    if party and draft.kind is EntityKind.DEAL:
        values["party"] = _number(party)
    if draft.responsible:
        if not (draft.responsible.isascii() and draft.responsible.isdigit()):
            raise Refused(
                SettingCode.NOT_A_NUMBER,
                name="responsible",
                found=draft.responsible[:40],
                system="Tryton",
            )
        values["employee"] = int(draft.responsible)
    return values
