"""Client of Pipedrive's API: version 2 for persons, organizations and deals, version 1 for leads
and notes.

People know custom fields by name, the API by a code of 40 letters. Each kind has its own fields,
but leads have those of deals.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from router.domain.delivery.catalogue import Field, FieldType
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient, entity
from router.receivers.json_body import mapping, member
from router.service.delivery.outcomes import EntityGone, ReceiverUnavailable

Row = Mapping[str, Any]
MOST = 100  # rows of a list, or ids in a request
_PATHS = tools.by_kind("v2/persons", "v2/organizations", "v1/leads", "v2/deals")
FIELDS = tools.by_kind(*(f"api/v2/{of}Fields" for of in ("person", "organization", "deal", "deal")))
_KEYS = tools.by_kind("person_id", "org_id", "lead_id", "deal_id")
_HASH = 40  # letters of the code of a custom field
_TYPES = tools.field_types("varchar varchar_auto text phone", "double", "enum")


class Api:
    """Sends the requests of one account."""

    def __init__(self, http: HttpClient, token: str | None) -> None:
        self._http, self._headers = http, dict[str, str]()
        if token:
            self._headers["x-api-token"] = token
        self._fields = tools.FieldCache(self._read_fields)

    async def ask(self, method: str, path: str, **request: Any) -> Row:
        """Send a request and return the whole answer. Raises `ReceiverUnavailable` and
        `Refused`.
        """
        answer = await self._http.ask(method, path, headers=self._headers, **request)
        if not isinstance(answer.body, dict) or answer.body.get("success") is not True:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Pipedrive")
        return answer.body

    async def rows(self, path: str, **params: Any) -> list[Row]:
        """The rows of a list, page by page."""
        found = list[Row]()
        for _ in range(10):  # pages
            body = await self.ask("GET", path, params=params)
            found += tools.rows_of(body, "data")
            params["cursor"] = member(body.get("additional_data"), "next_cursor")
            if not params["cursor"]:
                break
        return found

    async def newest(self, kind: EntityKind, of: Ref | None = None) -> list[Row]:
        """The hundred created last, of a person or organization if one is given."""
        order: Row = {"sort_by": "add_time", "sort_direction": "desc"}
        if kind is EntityKind.LEAD:
            order = {"sort": "add_time DESC"}
        params = {**order, "limit": MOST}
        if of:
            params |= place(kind, of)
        body = await self.ask("GET", f"api/{_PATHS[kind]}", params=params)
        return [await self._named(kind, row) for row in tools.rows_of(body, "data", key="id")]

    async def search(self, kind: EntityKind, term: str, fields: str, *, exact: bool) -> list[str]:
        """Ids of entities with this text in these fields. The index is a few seconds late."""
        params = {"term": term, "fields": fields, "exact_match": str(exact).lower()}
        path = _PATHS[kind].replace("v1", "v2")
        body = await self.ask("GET", f"api/{path}/search", params=params)
        items = tools.column(tools.rows_of(body, "data", "items"), "item")
        return [str(item["id"]) for item in tools.rows_of(items, key="id")]

    async def by_ids(self, kind: EntityKind, ids: Iterable[Any]) -> list[Row]:
        """Those of these persons or organizations that exist."""
        wanted = ",".join([str(id_) for id_ in dict.fromkeys(ids)][:MOST])
        if not wanted:
            return []
        rows = await self.rows(f"api/{_PATHS[kind]}", ids=wanted, limit=MOST)
        return [await self._named(kind, row) for row in rows]

    async def row(self, ref: Ref) -> Row:
        """One entity. Raises `EntityGone`."""
        with entity(ref):
            body = await self.ask("GET", f"api/{_PATHS[ref.kind]}/{ref.id}")
        row = tools.an_object(body.get("data"), "Pipedrive")
        if row.get("is_deleted"):
            raise EntityGone(ref)
        return await self._named(ref.kind, row)

    async def create(self, kind: EntityKind, values: Row, fields: Mapping[str, str]) -> Ref:
        """Create an entity; `fields` are by name or code."""
        body = {**values, **await self._values(kind, fields)}
        made = await self.ask("POST", f"api/{_PATHS[kind]}", json=body)
        return Ref(kind=kind, id=tools.id_of(made.get("data"), "Pipedrive"))

    async def change(self, ref: Ref, fields: Mapping[str, str]) -> None:
        """Change these fields, by name or code."""
        body = await self._values(ref.kind, fields)
        with entity(ref):
            await self.ask("PATCH", f"api/{_PATHS[ref.kind]}/{ref.id}", json=body)

    async def fields_of(self, kind: EntityKind, again: bool = False) -> Mapping[str, Field]:
        """The fields of this kind, by code and by name; `again` reads them from Pipedrive."""
        return await self._fields(FIELDS[kind], again)

    async def _read_fields(self, path: str) -> dict[str, Field]:
        rows = await self.rows(path, limit=500)
        if not rows:  # every kind has built-in fields
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Pipedrive")
        by_title, by_name = dict[str, Field](), dict[str, Field]()
        for row in rows:
            field = _field(row)
            by_title[field.title] = by_name[field.name] = field
        return by_title | by_name

    async def _named(self, kind: EntityKind, row: Row) -> Row:
        """The row with its custom fields added by name and code; built-in fields win."""
        known = {**mapping(row.get("custom_fields")), **row}
        fields = await self.fields_of(kind)
        return {name: known.get(field.name) for name, field in fields.items()} | known

    async def _values(self, kind: EntityKind, texts: Mapping[str, str]) -> dict[str, Any]:
        own, custom = dict[str, Any](), dict[str, Any]()
        for name, text in texts.items():
            known = await tools.field_called(name, kind, self.fields_of)
            takes = known.type
            if known.options:
                takes = FieldType.NUMBER  # the number of an option
            value = tools.typed(takes, known.options.get(text, text))
            if len(known.name) == _HASH:
                custom[known.name] = value
            else:
                own[known.name] = value
        nested = kind is not EntityKind.LEAD and bool(custom)
        if nested:
            return {**own, "custom_fields": custom}
        return own | custom


def place(kind: EntityKind | None, ref: Ref) -> dict[str, Any]:
    """The name of the link to this entity from one of that kind, or from a note or an activity."""
    name = _KEYS[ref.kind]
    if kind is EntityKind.LEAD and ref.kind is EntityKind.COMPANY:
        name = "organization_id"
    if ref.kind is EntityKind.LEAD:
        return {name: ref.id}
    return {name: int(ref.id)}


def _field(row: Row) -> Field:
    kind, options = str(row.get("field_type")), tools.rows_of(row, "options")
    pairs = tools.options_of(options, "label", "id")
    most = None
    if kind.startswith("varchar"):
        most = 255
    name, title = row.get("field_code"), row.get("field_name")
    return tools.a_field(name, title, _TYPES.get(kind), pairs, most)
