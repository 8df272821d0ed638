"""Adapter for Zoho CRM: contacts, accounts, leads and deals.

The call's id is in a unique field, and records are created by upsert: repeating it returns the same
record. Zoho's search is late, so records are found by queries in COQL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from router.domain.delivery.catalogue import Field, Named
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient
from router.receivers.queried_crm import QueriedCrm
from router.receivers.zoho.activities import ZohoActivities
from router.receivers.zoho.api import MODULES, Api, Row, quoted
from router.service.delivery.outcomes import EntityGone
from router.service.delivery.ports import Draft

CLOSED = "Closed Won,Closed Lost,Closed Lost to Competition"
_OWNERS = {EntityKind.CONTACT: "Contact_Name", EntityKind.COMPANY: "Account_Name"}


class Zoho(QueriedCrm):
    """The `Crm` over one organization in Zoho CRM; options: see `receiver.py`."""

    system, uid, usual_field = "Zoho CRM", "Ringtrace_Call", "GA_Client_ID"
    titles: ClassVar = tools.by_kind("Last_Name", "Account_Name", "Last_Name", "Deal_Name")
    phones, created = ("Phone", "Mobile"), "Created_Time"
    stage_field, usual_stage = "Stage", "Qualification"

    def __init__(self, connection: Connection, _token: Mapping[str, str], http: HttpClient) -> None:
        self.clock_ahead = http.clock_ahead
        options = connection.options
        self._api = Api(http)
        super().__init__(connection, ZohoActivities(self._api))
        self._closed = [name.strip() for name in (options.get("closed") or CLOSED).split(",")]

    async def create(self, draft: Draft) -> Ref:
        """Create a record with the call's id; repeating it returns the same record."""
        kind, links = draft.kind, draft.links
        values = await tools.typed_values(kind, draft.values, self.fields_of)
        values |= {self.uid: draft.call.id, self.titles[kind]: draft.title}
        if draft.responsible:
            values["Owner"] = {"id": draft.responsible}
        if kind is EntityKind.DEAL:
            values |= {"Stage": self.stage_of(draft), "Description": draft.text}
        elif draft.call.caller:
            values["Phone"] = draft.call.caller
        if kind is EntityKind.LEAD:
            values |= {"Company": draft.title, "Description": draft.text}
        for owner, column in _OWNERS.items():
            if owner in links and column in await self.fields_of(kind, False):
                values[column] = {"id": links[owner].id}
        once = {"duplicate_check_fields": [self.uid]}
        key, _ = await self._api.write("POST", f"{MODULES[kind]}/upsert", values, **once)
        return Ref(kind=kind, id=key)

    async def read(self, ref: Ref, fields: Sequence[str]) -> dict[str, str]:
        """Read the present values of fields."""
        known = await self.fields_of(ref.kind, False)
        asked = ["id", *(name for name in fields if name in known)]
        return tools.texts_of(await self._api.record(ref, asked), fields)

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        """Write only these fields."""
        known = await tools.typed_values(ref.kind, values, self.fields_of)
        _, exists = await self._api.write("PUT", f"{MODULES[ref.kind]}/{ref.id}", known)
        if not exists:
            raise EntityGone(ref)

    async def reach(self) -> None:
        """Test the access by a query in each module."""
        for kind in self.kinds:
            await self.rows(kind, ["id"], "id is not null")

    async def fields_of(self, kind: EntityKind, again: bool) -> Mapping[str, Field]:
        """The fields by their API names."""
        return await self._api.fields(MODULES[kind], again)

    async def add_field(self, kind: EntityKind, name: str) -> None:
        """Create a field; that of the call's id is unique."""
        await self._api.add_field(MODULES[kind], name, unique=name == self.uid)

    async def users(self, ids: Sequence[str]) -> list[Named]:
        """These users; reading them needs a right of its own."""
        rows = list[Row]()
        for key in ids:
            rows += await self._api.user(key)
        return tools.named(rows, "id", "full_name", "active")

    async def rows(self, kind: EntityKind, columns: Iterable[str], where: str) -> list[Row]:
        """Records by COQL."""
        shown: tuple[str, ...] = ("id", *columns, self.stage_field)
        return await self._api.query(MODULES[kind], dict.fromkeys(shown), where)

    def equal(self, column: str, text: str) -> str:
        """A condition: the field has this value."""
        return f"{column} = {quoted(text)}"

    def with_ending(self, columns: Sequence[str], phone: str) -> str:
        """Conditions: the phone ends like this, in the usual spellings, in pairs as COQL
        requires.
        """
        endings = [quoted(f"%{ending}%") for ending in tools.search_endings(phone)]
        first, *others = [f"{name} like {ending}" for name in columns for ending in endings]
        for other in others:
            first = f"({first} or {other})"
        return first

    def owned_by(self, kind: EntityKind, owners: Sequence[Ref]) -> Iterator[str]:
        """Conditions for deals, which have links to a contact and an account; leads have none."""
        if kind is not EntityKind.DEAL:
            return
        for owner, column in _OWNERS.items():
            if ids := [quoted(ref.id) for ref in owners if ref.kind is owner]:
                yield f"{column} in ({', '.join(ids)})"

    def is_open(self, row: Row) -> bool:
        """Whether the stage is open, by its name."""
        stage: Any = row.get(self.stage_field)
        return stage not in self._closed
