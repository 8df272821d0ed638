"""Adapter for RetailCRM (Simla), API v5: customers are contacts, orders are deals, corporate
customers are companies.

RetailCRM has no leads: what a rule calls a lead is an order. The call's id is in `externalId`,
which is unique in a shop, so that a second create fails and the first entity is used. The client ID
is in a custom field, which can be read back, and also in RetailCRM's own analytics. Orders have no
notes: a call that belongs to an open order is added to the manager's comment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Catalogue
from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.connection import SCENARIO_KINDS, Connection
from router.domain.delivery.crm_codes import RetailCrmCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.phone import digits, tail
from router.receivers.crm_tools import search_endings, unique, with_phone
from router.receivers.http import NO_RIGHT, HttpClient
from router.receivers.json_body import filled, mapping, member
from router.receivers.remembered import Remembered
from router.receivers.retailcrm.api import (
    COMPANIES,
    CUSTOMERS,
    ONE,
    ORDERS,
    PATHS,
    Api,
    Row,
    filtered,
    number,
    phones,
    rows,
    text,
)
from router.receivers.retailcrm.catalogue import completed, read_fields
from router.receivers.retailcrm.forms import MARK, external_id, form, order_kind
from router.receivers.retailcrm.setup import Setup
from router.receivers.retailcrm.telephony import Calls, Tasks
from router.service.delivery.catalogue import kinds_of, users_named
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft

DEFAULTS = {
    "site": "",
    "method": "phone",
    "field": "ga_client_id",
    "timezone": "Europe/Moscow",
    "closed": "complete,cancel",
    "analytics": "on",
    "calls": "off",
}


class RetailCrm:
    """The `Crm` over RetailCRM's API v5; options: those of `DEFAULTS`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        options = DEFAULTS | filled(connection.options)
        self._api = Api(http, token["key"], options["site"])
        self._site, self._method, self._field = options["site"], options["method"], options["field"]
        self._zone, self._closed = _zone(options["timezone"]), options["closed"].split(",")
        self._analytics, self._uploads = options["analytics"] == "on", options["calls"] == "on"
        self._rules = connection.rules
        self._order_kind = order_kind(connection.mode, connection.rules)
        self._groups: dict[str, str] = {}  # status of an order → its group
        self._kinds = kinds_of(connection)
        self._setup = Setup(self._api, self._site, self._field)
        self.catalogue = Remembered(self._read_catalogue)
        self.tasks, self.calls = Tasks(self._api, self._local), Calls(self._api, self._local)

    def client_id_field(self, _kind: EntityKind) -> str:
        """The same custom field everywhere: companies have the fields of customers."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """Finds them by external ID, for the kinds that the connection's scenario creates."""
        found = list[Ref]()
        for kind in SCENARIO_KINDS[self._rules.scenario]:
            ref = await self._known(kind, call_id)
            if ref is not None:
                found.append(ref)
        return found

    async def contacts(self, phone: str) -> list[Found]:
        """Customers with this phone, and the corporate customers whose contacts they are.

        RetailCRM stores phones as typed: the text search for each usual spelling and the
        telephony's look-up, which finds one customer, are used.
        """
        rows = list[Row]()
        for spelling in (digits(phone), tail(phone), *search_endings(phone)):
            rows += await self._api.list(CUSTOMERS, {"name": spelling})
        caller = await self._api.caller(digits(phone))
        known = {row["id"] for row in rows}
        if caller is not None and int(caller) not in known:
            rows += await self._api.list(CUSTOMERS, {"ids": [caller]})
        found = unique(self._found(EntityKind.CONTACT, row) for row in rows)
        people = with_phone(found, phone)
        return people + await self._companies_of(people, phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Orders of these customers and corporate customers, and orders with this phone."""
        found = list[Found]()
        for ref in contacts:
            found += await self._orders(await self._api.list(ORDERS, {"customerId": ref.id}))
        by_text = await self._orders(await self._api.list(ORDERS, {"customer": tail(phone)}))
        found += with_phone(by_text, phone)
        return unique(found)

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Orders and customers with this phone that the account's history says were created in
        that time.
        """
        if call.caller is None:
            return []
        between = self._local(since), self._local(until)
        found = await self._orders(await self._api.created(ORDERS, *between))
        if EntityKind.CONTACT in self._rules.targets:
            customers = await self._api.created(CUSTOMERS, *between)
            found += [self._found(EntityKind.CONTACT, row) for row in customers]
        return with_phone(found, call.caller)

    async def create(self, draft: Draft) -> Ref:
        """Create a customer, a company or an order; an entity with this call's external ID is
        used instead.
        """
        path = PATHS[draft.kind]
        if path == ORDERS:
            await self._before_order(draft)
        values = form(draft, self._method)
        try:
            made = await self._api.post(
                f"{path}/create", {ONE[path]: values}, **self._api.in_shop()
            )
        except Refused:
            known = await self._known(draft.kind, draft.call.id)
            if known is None:
                raise
            return known
        if not isinstance(made.get("id"), int):
            raise ReceiverUnavailable(
                AnswerCode.INCOMPLETE_ANSWER, system="RetailCRM", missing=ONE[path]
            )
        return Ref(kind=draft.kind, id=str(made["id"]))

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """Add a note to a customer, or a paragraph to an order's manager comment, once per call."""
        mark, path = f"[{MARK}{call_id}]", PATHS[ref.kind]
        if path == ORDERS:
            await self._comment(ref, text, mark)
            return
        params = filtered({"customerIds": [str(number(ref))], "text": mark})
        notes = rows(await self._api.ask("GET", f"{path}/notes", params=params), "notes")
        if not any(mark in str(note.get("text")) for note in notes):
            note = {"customer": {"id": number(ref)}, "text": f"{text}\n{mark}"}
            await self._api.post(f"{path}/notes/create", {"note": note}, **self._api.in_shop())

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of custom fields."""
        values = (await self._api.row(ref)).get("customFields")
        saved = {name: member(values, name) for name in fields}
        return {name: str(value) for name, value in saved.items() if value not in (None, "", [])}

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these custom fields, and the client ID also to RetailCRM's analytics.

        The analytics come first, because they are not tried again once the field is filled; a
        refusal there does not stop the rest.
        """
        client_id, refused = values.get(self._field), None
        if client_id and self._analytics and ref.kind is not EntityKind.COMPANY:
            bound = {"value": client_id, ONE[PATHS[ref.kind]]: {"id": number(ref)}}
            refused = await self._api.upload("web-analytics/client-ids/upload", "clientIds", bound)
        await self._api.edit(ref, {"customFields": dict(values)})
        if refused:
            raise Refused(RetailCrmCode.RETAILCRM_NO_ANALYTICS, field=self._field, reason=refused)

    async def check(self) -> list[Check]:
        """Check the key's rights to this shop, its orders and customers, and the fields."""
        return await self._setup.check()

    async def prepare(self) -> list[str]:
        """Create the custom field of orders and of customers if it is missing."""
        return await self._setup.prepare()

    async def _read_catalogue(self, whole: bool) -> Catalogue:
        found = await read_fields(self._api, self._kinds)
        users = users_named(self._rules)
        if whole:
            return await completed(found, self._api, users, self._method)
        return found

    # What is written

    async def _before_order(self, draft: Draft) -> None:
        """Prepare for an order: put the contact into its company, upload the call. Can be
        repeated.
        """
        company, contact = draft.links.get(EntityKind.COMPANY), draft.links.get(EntityKind.CONTACT)
        if company and contact:
            await self._join(company, contact)
        later = self._rules.recordings and draft.call.answered  # see `send_recording`
        if self._uploads and draft.call.caller and not later:
            await self.calls.upload(draft.call, draft.responsible)

    async def _join(self, company: Ref, contact: Ref) -> None:
        path = f"{COMPANIES}/{number(company)}/contacts"
        params = {
            **filtered({"contactIds": [str(number(contact))]}),
            "by": "id",
            **self._api.in_shop(),
        }
        listed = rows(await self._api.ask("GET", path, params=params), "contacts")
        if not any(member(company.get("customer"), "id") == number(contact) for company in listed):
            person = {"isMain": True, "customer": {"id": number(contact)}}
            await self._api.post(
                f"{path}/create", {"contact": person}, by="id", **self._api.in_shop()
            )

    async def _comment(self, ref: Ref, added: str, mark: str) -> None:
        comment = text((await self._api.row(ref)).get("managerComment"))
        if mark not in comment:
            await self._api.edit(ref, {"managerComment": f"{comment}\n\n{added}\n{mark}".strip()})

    # What is read

    async def _known(self, kind: EntityKind, call_id: str) -> Ref | None:
        wanted = external_id(kind, call_id)
        found = await self._api.list(PATHS[kind], {"externalIds": [wanted]})
        for row in found:
            if row.get("externalId") == wanted:
                return Ref(kind=kind, id=str(row["id"]))
        return None

    async def _companies_of(self, people: Sequence[Found], phone: str) -> list[Found]:
        """A corporate customer has no phone of its own; its contacts, who are customers, have."""
        if not people:
            return []
        ids = [person.ref.id for person in people]
        found = await self._api.list(COMPANIES, {"contactIds": ids})
        return [replace(self._found(EntityKind.COMPANY, row), phones=(phone,)) for row in found]

    async def _orders(self, found: Sequence[Row]) -> list[Found]:
        if any(text(row.get("status")) not in self._groups for row in found):
            said = await self._api.ask("GET", "reference/statuses")
            known = mapping(said.get("statuses"))
            self._groups = {code: text(member(status, "group")) for code, status in known.items()}
        return [self._found(self._order_kind, row) for row in found]

    def _found(self, kind: EntityKind, row: Row) -> Found:
        parts = (text(row.get(part)) for part in ("number", "nickName", "firstName", "lastName"))
        name = " ".join(filter(None, parts))
        return Found(
            ref=Ref(kind=kind, id=str(row["id"])),
            title=name,
            phones=tuple(filter(None, phones(row))),
            created_at=self._moment(row.get("createdAt")),
            open=self._groups.get(text(row.get("status"))) not in self._closed,
            ours=text(row.get("externalId")).startswith(MARK),
            client_id=text(member(row.get("customFields"), self._field)) or None,
        )

    def _local(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def _moment(self, value: Any) -> datetime | None:
        try:
            return (
                datetime.strptime(text(value), "%Y-%m-%d %H:%M:%S")
                .replace(tzinfo=self._zone)
                .astimezone(UTC)
            )
        except (ValueError, OverflowError):
            return None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ReceiverUnavailable(
            SettingCode.OPTION_NOT_TIME_ZONE, pause=NO_RIGHT, option="timezone", found=name
        ) from error
