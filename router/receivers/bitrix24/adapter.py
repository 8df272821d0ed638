"""Adapter for Bitrix24, by an incoming webhook: leads, deals, contacts, companies and calls.

The call's id is in `originId`, which Bitrix24 provides for external systems. The client ID is in a
user field, and optionally in a trace of Bitrix24's own analytics. The entity of another telephony's
call is read from the call statistics; without the right to read them, it is found by phone and time
of creation.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Catalogue
from router.domain.delivery.connection import Connection, Mode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers.bitrix24.calls import Calls
from router.receivers.bitrix24.catalogue import completed, read_fields
from router.receivers.bitrix24.checks import check_portal
from router.receivers.bitrix24.items import (
    AS_NAMED,
    ORIGIN,
    TYPES,
    WITH_PHONE,
    Linked,
    activities,
    any_of,
    doubled,
    doubles,
    identity,
    is_activity_of,
    is_of,
    key,
    listing,
    new_item,
    read_item,
    records,
    trace,
    without_codes,
)
from router.receivers.bitrix24.joined import joined_to
from router.receivers.bitrix24.portal import Command, Portal, rows
from router.receivers.bitrix24.tasks import Tasks
from router.receivers.crm_tools import has_phone, unique, with_phone
from router.receivers.http import HttpClient, entity
from router.receivers.json_body import filled, mapping
from router.receivers.remembered import Remembered
from router.service.delivery.catalogue import kinds_of, users_named
from router.service.delivery.ports import Check, Draft

_OWNERS = (EntityKind.CONTACT, EntityKind.COMPANY)
_CREATED = (EntityKind.COMPANY, EntityKind.CONTACT, EntityKind.LEAD, EntityKind.DEAL)
_FEW = 20  # records of one phone whose activities are read


class Bitrix24:
    """The `Crm` over Bitrix24's REST; options: `field`, `category`, `trace`."""

    def __init__(self, connection: Connection, token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        given = filled(connection.options)
        options = {"field": "UF_CRM_GA_CLIENT_ID", "category": "0", "trace": "off", **given}
        self._portal, self._rules, self._mode = (
            Portal(http, token),
            connection.rules,
            connection.mode,
        )
        self._field, self._category, self._traces = (
            options["field"],
            options["category"],
            options["trace"] == "on",
        )
        self._kinds = kinds_of(connection)
        self.catalogue = Remembered(self._read_catalogue)
        self.tasks, self.calls = Tasks(self._portal), Calls(self._portal)

    def client_id_field(self, _kind: EntityKind) -> str:
        """The same field in all four kinds."""
        return self._field

    async def made_for(self, call_id: str) -> list[Ref]:
        """Finds them by `originId`, in the order in which they are created."""
        where = {"=originatorId": ORIGIN, "=originId": call_id}
        return [entity.ref for entity in await self._listed([(kind, where) for kind in _CREATED])]

    async def contacts(self, phone: str) -> list[Found]:
        """Contacts and companies with this phone: by the duplicates index, then by digits."""
        return await self._by_phone(_OWNERS, phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> list[Found]:
        """Deals of these contacts and companies, and leads with this phone."""
        found = await self._by_phone((EntityKind.LEAD,), phone)
        for owner in _OWNERS:
            where = any_of(f"{owner}Id", [key(ref) for ref in contacts if ref.kind is owner])
            if not where:
                continue
            deals = await self._portal.pages(*listing(EntityKind.DEAL, where))
            found += [self._found(EntityKind.DEAL, row, {}) for row in deals]
        return unique(found)

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> list[Found]:
        """Entities in this call's record, and those created in that time for its phone."""
        if call.caller is None:
            return []
        people, joined = await self._people(call, call.caller)
        if people and not any(joined.values()):
            joined = await joined_to(self._portal, await self._logged_on(people, call))
            for place, owner in enumerate(people):
                people[place] = replace(owner, exact=key(owner.ref) in joined[owner.ref.kind])
        deals = await self._deals(people, joined, call.caller)
        named = {str(deal) for deal in joined[EntityKind.DEAL]}
        since = since.replace(microsecond=0)  # Bitrix24 keeps whole seconds
        for deal in deals:
            fresh = deal.created_at is not None and since <= deal.created_at <= until
            if fresh or deal.ref.id in named:
                people.append(deal)
        return people

    async def _people(
        self, call: CallEvent, phone: str
    ) -> tuple[list[Found], dict[EntityKind, set[int]]]:
        """The entities with this phone, and all that the call's record names."""
        asked: dict[str, Command] = {"calls": records(phone)}
        for kind in WITH_PHONE:
            asked[kind] = doubles(kind, phone)
        seen = await self._portal.batch(asked, optional=frozenset({"calls"}))

        mine = [row for row in rows(seen.get("calls")) if is_of(row, call)]
        joined = await joined_to(self._portal, mine)
        wanted = []
        for kind in WITH_PHONE:
            wanted.append((kind, any_of("id", doubled(seen[kind], kind) | joined[kind])))

        people = []
        for found in await self._listed(wanted, joined):
            if found.exact or has_phone(found.phones, phone):
                people.append(found)
        return people, joined

    async def create(self, draft: Draft) -> Ref:
        """Create an item with our `originId`, and its trace if configured."""
        params = {
            "entityTypeId": TYPES[draft.kind],
            "fields": new_item(draft, self._category),
            **AS_NAMED,
        }
        visit = None
        if draft.call.client_id:
            visit = trace(draft.call)
        made = await self._carry_out(
            ("crm.item.add", params), visit, draft.kind, "$result[item][item][id]"
        )
        return Ref(kind=draft.kind, id=identity(mapping(mapping(made).get("item"))))

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """Add a comment to the timeline, once per call."""
        mark, place = f"Ringtrace {call_id}", {"ENTITY_ID": key(ref), "ENTITY_TYPE": str(ref.kind)}
        asked = {"filter": place, "select": ["ID", "COMMENT"], "order": {"ID": "DESC"}}
        comments = await self._portal.pages("crm.timeline.comment.list", asked)
        # the mark of a call whose id only begins alike does not count
        ours = re.compile(re.escape(mark) + r"(?![\w.-])")
        if not any(ours.search(str(comment.get("COMMENT"))) for comment in comments):
            comment = {**place, "COMMENT": without_codes(f"{text}\n{mark}")}
            await self._portal.call("crm.timeline.comment.add", {"fields": comment})

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of fields."""
        with entity(ref):
            said = await self._portal.call("crm.item.get", {**_item(ref), **AS_NAMED})
        item = mapping(mapping(said).get("item"))
        texts = {}
        for name in fields:
            if item.get(name) not in (None, "", [], False):
                texts[name] = str(item[name])
        return texts

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these fields, and the trace of a client ID."""
        update = ("crm.item.update", {**_item(ref), "fields": dict(values), **AS_NAMED})
        client_id, visit = values.get(self._field), None
        if client_id:
            visit = {"client": {"gaId": client_id}}
        await self._carry_out(update, visit, ref.kind, ref.id)

    async def check(self) -> list[Check]:
        """Check the webhook's rights for the CRM and call statistics, and the fields."""
        own = self._mode is Mode.OWN
        return await check_portal(self._portal, self._kinds, self._field, own=own)

    async def prepare(self) -> list[str]:
        """Create a user field in all four kinds, unless a built-in field is used."""
        if not self._field.startswith("UF_CRM_"):
            return []
        where = {"filter": {"FIELD_NAME": self._field}}
        existing = await self._portal.batch(
            {kind: (f"crm.{kind}.userfield.list", where) for kind in TYPES}
        )
        missing = [kind for kind in TYPES if not rows(existing[kind])]
        for kind in missing:
            field = {
                "FIELD_NAME": self._field,
                "USER_TYPE_ID": "string",
                "LABEL": "Google client ID",
            }
            await self._portal.call(f"crm.{kind}.userfield.add", {"fields": field})
        return [f"{kind}: {self._field}" for kind in missing]

    async def _read_catalogue(self, whole: bool) -> Catalogue:
        users = users_named(self._rules)
        found = await read_fields(self._portal, self._kinds)
        if whole:
            return await completed(found, self._portal, users, self._category)
        return found

    async def _carry_out(
        self, command: Command, visit: Mapping[str, Any] | None, kind: EntityKind, item: str
    ) -> Any:
        """Create item and trace in one request: neither can be lost or duplicated."""
        if not self._traces or visit is None:
            return await self._portal.call(*command)
        follow = {"TRACE": json.dumps(visit), "ENTITIES": [{"TYPE": kind.upper(), "ID": item}]}
        asked = {"item": command, "trace": ("crm.tracking.trace.add", follow)}
        return (await self._portal.batch(asked, optional=frozenset({"trace"}), halt=True))["item"]

    async def _by_phone(self, kinds: Sequence[EntityKind], phone: str) -> list[Found]:
        said = await self._portal.batch({kind: doubles(kind, phone) for kind in kinds})
        found = await self._listed(
            [(kind, any_of("id", doubled(said[kind], kind))) for kind in kinds]
        )
        return with_phone(found, phone)

    async def _logged_on(self, people: Sequence[Found], call: CallEvent) -> list[Mapping[str, Any]]:
        """Activities of this call: some telephonies write no record of it."""
        asked = {}
        for place, person in enumerate(people[:_FEW]):
            asked[f"of {place}"] = activities(person.ref)
        said = await self._portal.batch(asked, optional=frozenset(asked))

        found = list[Mapping[str, Any]]()
        for name in asked:
            for row in rows(said.get(name)):
                if is_activity_of(row, call):
                    found.append({"CRM_ACTIVITY_ID": row.get("ID")})
        return found

    async def _deals(self, people: Sequence[Found], joined: Linked, phone: str) -> list[Found]:
        """Deals in the call's record, and the newest fifty of each contact and company.

        The caller compares the time of creation: Bitrix24's own filter by time may find nothing.
        """
        wanted: list[tuple[EntityKind, Mapping[str, Any]]] = [
            (EntityKind.DEAL, any_of("id", joined[EntityKind.DEAL]))
        ]
        for owner in WITH_PHONE:  # a deal also names the lead that it was made from
            mine = [key(person.ref) for person in people if person.ref.kind is owner]
            wanted.append((EntityKind.DEAL, any_of(f"{owner}Id", mine)))
        if joined[EntityKind.DEAL]:
            joined = {EntityKind.DEAL: joined[EntityKind.DEAL]}
        return await self._listed(wanted, joined, (phone,))

    async def _listed(
        self,
        wanted: Iterable[tuple[EntityKind, Mapping[str, Any]]],
        exact: Linked | None = None,
        phones: tuple[str, ...] = (),
    ) -> list[Found]:
        """Items that match any of these filters, each once; empty filters are skipped."""
        filters = {f"l{place}": pair for place, pair in enumerate(wanted) if pair[1]}
        if not filters:
            return []
        said = await self._portal.batch({name: listing(*pair) for name, pair in filters.items()})

        found = dict[Ref, Found]()
        for name, (kind, _) in filters.items():
            for row in rows(said[name]):
                entity = self._found(kind, row, exact or {}, phones)
                found[entity.ref] = entity
        return list(found.values())

    def _found(
        self, kind: EntityKind, row: Mapping[str, Any], exact: Linked, phones: tuple[str, ...] = ()
    ) -> Found:
        found = read_item(kind, row, self._field, self._portal.user, exact)
        if phones:
            return replace(found, phones=phones)
        return found


def _item(ref: Ref) -> dict[str, int]:
    return {"entityTypeId": TYPES[ref.kind], "id": key(ref)}
