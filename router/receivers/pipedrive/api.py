"""Pipedrive's API: version 2 for persons, organizations and deals, version 1 for leads and notes.

People know custom fields by name, the API by a code of 40 letters. Each kind has fields of its own,
but leads have those of deals.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from router.domain.delivery.catalogue import Field, FieldType
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient, entity
from router.service.delivery.outcomes import EntityGone, ReceiverUnavailable, Refused

Row = Mapping[str, Any]
Rows = Sequence[Row]
MOST = 100  # rows of a list, and ids in a request
_MOST_PAGES = 10
_NAME = "Pipedrive"
_PATHS = {
    EntityKind.CONTACT: "api/v2/persons",
    EntityKind.COMPANY: "api/v2/organizations",
    EntityKind.DEAL: "api/v2/deals",
    EntityKind.LEAD: "api/v1/leads",
}
_FIELDS = {
    EntityKind.CONTACT: "api/v2/personFields",
    EntityKind.COMPANY: "api/v2/organizationFields",
}
_DEAL_FIELDS = "api/v2/dealFields"
_HASH = 40  # letters of the code of a custom field
_TYPES = {
    **dict.fromkeys(("varchar", "varchar_auto", "text", "phone"), FieldType.TEXT),
    "double": FieldType.NUMBER,
    "enum": FieldType.LIST,
}


class Api:
    """Requests of one account."""

    def __init__(self, http: HttpClient, token: str | None) -> None:
        self._http, self._headers = http, {"x-api-token": token} if token else {}
        self._fields: dict[str, dict[str, Field]] = {}

    async def ask(self, method: str, path: str, **request: Any) -> Row:
        """A whole answer. Raises `ReceiverUnavailable` and `Refused`."""
        answer = await self._http.ask(method, path, headers=self._headers, **request)
        if not isinstance(answer.body, dict) or answer.body.get("success") is not True:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system=_NAME)
        return answer.body

    async def rows(self, path: str, **params: Any) -> Rows:
        """A list, page by page."""
        found = list[Row]()
        for _ in range(_MOST_PAGES):
            body = await self.ask("GET", path, params=params)
            found += tools.rows_of(body, "data")
            more = body.get("additional_data")
            params["cursor"] = more.get("next_cursor") if isinstance(more, dict) else None
            if not params["cursor"]:
                break
        return found

    async def newest(self, kind: EntityKind, **where: Any) -> Rows:
        """The hundred that were created last."""
        order = {"sort_by": "add_time", "sort_direction": "desc"}
        if kind is EntityKind.LEAD:
            order = {"sort": "add_time DESC"}
        body = await self.ask("GET", _PATHS[kind], params={**order, "limit": MOST, **where})
        return tools.rows_of(body, "data", key="id")

    async def search(self, kind: EntityKind, term: str, fields: str, *, exact: bool) -> list[str]:
        """Ids of what has this text in these fields. The index is a few seconds late."""
        params = {"term": term, "fields": fields, "exact_match": str(exact).lower()}
        path = _PATHS[kind].replace("v1", "v2")
        body = await self.ask("GET", f"{path}/search", params=params)
        items = [one.get("item") for one in tools.rows_of(body, "data", "items")]
        return [str(one["id"]) for one in items if isinstance(one, dict) and one.get("id")]

    async def by_ids(self, kind: EntityKind, ids: Iterable[Any]) -> Rows:
        """These persons or organizations, as far as they exist."""
        wanted = ",".join([str(one) for one in dict.fromkeys(ids)][:MOST])
        return await self.rows(_PATHS[kind], ids=wanted, limit=MOST) if wanted else []

    async def row(self, ref: Ref) -> Row:
        """One entity. Raises `EntityGone`."""
        with entity(ref):
            row = (await self.ask("GET", f"{_PATHS[ref.kind]}/{ref.id}")).get("data")
        if not isinstance(row, dict):
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system=_NAME)
        if row.get("is_deleted"):
            raise EntityGone(ref)
        return row

    async def create(self, kind: EntityKind, values: Row, fields: Mapping[str, str]) -> Ref:
        """Create one; `fields` by name or code."""
        body = {**values, **await self._values(kind, fields)}
        made = (await self.ask("POST", _PATHS[kind], json=body)).get("data")
        if not isinstance(made, dict) or not made.get("id"):
            raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system=_NAME, missing="id")
        return Ref(kind=kind, id=str(made["id"]))

    async def change(self, ref: Ref, fields: Mapping[str, str]) -> None:
        """Change these fields, by name or code."""
        body = await self._values(ref.kind, fields)
        with entity(ref):
            await self.ask("PATCH", f"{_PATHS[ref.kind]}/{ref.id}", json=body)

    async def fields(self, kind: EntityKind, again: bool = False) -> Mapping[str, Field]:
        """The fields of this kind, by code and by name; with `again` they are read again."""
        path = _FIELDS.get(kind, _DEAL_FIELDS)
        if again or path not in self._fields:
            found = [_field(row) for row in await self.rows(path, limit=500)]
            names = {one.title: one for one in found}
            self._fields[path] = names | {one.name: one for one in found}
        return self._fields[path]

    async def add_field(self, kind: EntityKind, name: str) -> None:
        """Create a text field."""
        wanted = {"field_name": name, "field_type": "varchar"}
        await self.ask("POST", _FIELDS.get(kind, _DEAL_FIELDS), json=wanted)

    async def _values(self, kind: EntityKind, fields: Mapping[str, str]) -> dict[str, Any]:
        own: dict[str, Any] = {}
        custom: dict[str, Any] = {}
        for name, text in fields.items():
            known = await tools.field_called(name, kind, self.fields)
            (custom if len(known.name) == _HASH else own)[known.name] = _typed(known, text)
        if kind is EntityKind.LEAD or not custom:
            return own | custom
        return {**own, "custom_fields": custom}


def text_of(row: Row, known: Field | None) -> str:
    """What an entity has in this field; leads have custom fields beside the others."""
    if known is None:
        return ""
    custom = row.get("custom_fields") if len(known.name) == _HASH else None
    value = (row if custom is None else custom).get(known.name)
    return "" if value is None else str(value)


def _typed(known: Field, text: str) -> Any:
    """A list takes the number of an option."""
    chosen = known.options.get(text, text)
    if known.type is not FieldType.LIST or not text:
        return tools.typed(known, text)
    if not chosen.isdecimal():
        raise Refused(CrmCode.NOT_AN_OPTION, found=text, options=list(known.options))
    return int(chosen)


def _field(row: Row) -> Field:
    kind = str(row.get("field_type"))
    return Field(
        name=str(row.get("field_code")),
        title=str(row.get("field_name")),
        type=_TYPES.get(kind, FieldType.OTHER),
        options={
            str(one.get("label")): str(one.get("id")) for one in tools.rows_of(row, "options")
        },
        most=255 if kind.startswith("varchar") else None,
    )
