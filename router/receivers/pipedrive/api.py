"""Pipedrive's API: version 2 for persons, organizations and deals, version 1 for leads and notes.

People know custom fields by name, the API by a code of 40 letters. Each kind has fields of its own,
but leads have those of deals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.http import Outside, entity
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of one kind of entity; `options` are the ids of a list field, by their labels."""

    code: str
    type: str
    custom: bool
    options: Mapping[str, int] = field(default_factory=dict)

    def value(self, text: str) -> Any:
        """The text as this field takes it; an empty text empties it. Raises `Refused`."""
        if not text:
            return None
        if self.type == "double":
            try:
                return float(text)
            except ValueError as error:
                raise Refused(CrmCode.VALUE_NOT_A_NUMBER, found=text) from error
        if self.type not in {"enum", "set"}:
            return text
        if text not in self.options:
            options = list(self.options)
            raise Refused(CrmCode.NOT_AN_OPTION, found=text, options=options)
        return [self.options[text]] if self.type == "set" else self.options[text]

    def text(self, row: Row) -> str:
        """What an entity has in this field; leads have custom fields beside the others."""
        custom = row.get("custom_fields") if self.custom else None
        value = (row if custom is None else custom).get(self.code)
        if isinstance(value, list):
            value = value[0] if value else None
        labels = {key: label for label, key in self.options.items()}
        return "" if value is None else str(labels.get(value, value))


class Api:
    """Requests of one account."""

    def __init__(self, outside: Outside, token: str) -> None:
        self._outside, self._headers = outside, {"x-api-token": token}
        self._known: dict[str, dict[str, Field]] = {}

    async def ask(self, method: str, path: str, **request: Any) -> Row:
        """A whole answer. Raises `ReceiverUnavailable` and `Refused`."""
        answer = await self._outside.ask(method, path, headers=self._headers, **request)
        if not isinstance(answer.body, dict) or answer.body.get("success") is not True:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system=_NAME)
        return answer.body

    async def rows(self, path: str, **params: Any) -> Rows:
        """A list, page by page."""
        found = list[Row]()
        for _ in range(_MOST_PAGES):
            body = await self.ask("GET", path, params=params)
            found += rows_of(body.get("data"))
            cursor = (body.get("additional_data") or {}).get("next_cursor")
            if not cursor:
                break
            params["cursor"] = cursor
        return found

    async def newest(self, kind: EntityKind, **where: Any) -> Rows:
        """The hundred that were created last."""
        order = {"sort_by": "add_time", "sort_direction": "desc"}
        if kind is EntityKind.LEAD:
            order = {"sort": "add_time DESC"}
        body = await self.ask("GET", _PATHS[kind], params={**order, "limit": MOST, **where})
        return rows_of(body.get("data"))

    async def search(self, kind: EntityKind, term: str, fields: str, *, exact: bool) -> list[str]:
        """Ids of what has this text in these fields. The index is a few seconds late."""
        params = {"term": term, "fields": fields, "exact_match": str(exact).lower()}
        path = _PATHS[kind].replace("v1", "v2")
        data = (await self.ask("GET", f"{path}/search", params=params)).get("data")
        items = rows_of(data.get("items")) if isinstance(data, dict) else []
        return [str(one["item"]["id"]) for one in items if isinstance(one.get("item"), dict)]

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

    async def field(self, kind: EntityKind, name: str, *, again: bool = False) -> Field | None:
        """The field of this name or code; with `again` one that was missing is looked for again."""
        path = _FIELDS.get(kind, _DEAL_FIELDS)
        if path not in self._known or (again and name not in self._known[path]):
            found = await self.rows(path, limit=500)
            by_name = {str(row.get("field_name")): _field(row) for row in found}
            self._known[path] = {one.code: one for one in by_name.values()} | by_name
        return self._known[path].get(name)

    async def add_field(self, kind: EntityKind, name: str) -> None:
        """Create a text field."""
        wanted = {"field_name": name, "field_type": "varchar"}
        await self.ask("POST", _FIELDS.get(kind, _DEAL_FIELDS), json=wanted)

    async def _values(self, kind: EntityKind, fields: Mapping[str, str]) -> dict[str, Any]:
        own: dict[str, Any] = {}
        custom: dict[str, Any] = {}
        for name, text in fields.items():
            known = await self.field(kind, name, again=True)
            if known is None:
                raise Refused(CrmCode.NO_SUCH_FIELD)
            (custom if known.custom else own)[known.code] = known.value(text)
        if kind is EntityKind.LEAD or not custom:
            return own | custom
        return {**own, "custom_fields": custom}


def _field(row: Row) -> Field:
    return Field(
        code=str(row.get("field_code")),
        type=str(row.get("field_type")),
        custom=row.get("is_custom_field") is True,
        options={str(one.get("label")): int(one["id"]) for one in rows_of(row.get("options"))},
    )


def rows_of(value: Any) -> Rows:
    """The objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
