"""Zoho CRM's API, version 8: records by module, queries in COQL, fields by their API names.

A record that was not written is named in an answer of any status, with a code.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from router.domain.delivery.catalogue import Field, FieldType
from router.domain.delivery.codes import AnswerCode
from router.receivers import crm_tools as tools
from router.receivers.http import Answer, HttpClient
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

Row = Mapping[str, Any]
_NOT_WRITTEN = frozenset({400, 404})
_TYPES = {
    **dict.fromkeys(("text", "textarea", "phone", "email", "website"), FieldType.TEXT),
    **dict.fromkeys(("integer", "bigint", "double", "currency"), FieldType.NUMBER),
    "picklist": FieldType.LIST,
}
_FILLED = frozenset({"Last_Name", "Account_Name", "Company", "Deal_Name", "Stage", "Owner"})


class Api:
    """Requests of one organization."""

    def __init__(self, http: HttpClient) -> None:
        self._server = http
        self._fields: dict[str, Mapping[str, Field]] = {}

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        """One request. Raises `ReceiverUnavailable` and `Refused`."""
        return await self._server.ask(method, f"crm/v8/{path}", **request)

    async def query(self, module: str, columns: Iterable[str], where: str, more: str) -> list[Row]:
        """Records by COQL, with those of the columns that the module has."""
        known = await self.fields(module)
        chosen = ", ".join(name for name in columns if name in known)
        text = f"select {chosen} from {module} where {where} {more}"  # noqa: S608 (quoted)
        answer = await self.ask("POST", "coql", json={"select_query": text})
        return tools.rows_of(answer.body, "data", key="id")

    async def record(self, module: str, key: str, fields: Sequence[str]) -> Row | None:
        """One record; None for one that is not there."""
        params = {"fields": ",".join(fields)}
        answer = await self.ask("GET", f"{module}/{key}", accept=frozenset({404}), params=params)
        return next(iter(tools.rows_of(answer.body, "data")), None)

    async def write(self, method: str, path: str, values: Row, **more: Any) -> tuple[str, bool]:
        """Write one record; its id, and whether it is there. Raises `Refused`."""
        body = {"data": [values], **more}
        answer = await self.ask(method, path, accept=_NOT_WRITTEN, json=body)
        done = next(iter(tools.rows_of(answer.body, "data")), answer.body)
        if not isinstance(done, dict) or not isinstance(done.get("details"), dict):
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Zoho")
        code, details = done.get("code"), done["details"]
        if code == "SUCCESS" and details.get("id"):
            return str(details["id"]), True
        if code == "INVALID_DATA" and details.get("api_name") == "id":
            return "", False
        field = details.get("api_name") or ""
        detail = f"{code} {field}: {done.get('message')}"
        raise Refused(AnswerCode.REQUEST_REFUSED, request=path, detail=detail)

    async def fields(self, module: str, *, again: bool = False) -> Mapping[str, Field]:
        """The module's fields with their types; with `again` they are read again."""
        if again or module not in self._fields:
            answer = await self.ask("GET", "settings/fields", params={"module": module})
            rows = tools.rows_of(answer.body, "fields", key="api_name")
            if not rows:
                raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Zoho")
            found = {str(row.get("api_name")): _field(row) for row in rows}
            self._fields[module] = {"id": Field(name="id", writable=False), **found}
        return self._fields[module]

    async def add_field(self, module: str, name: str, *, unique: bool) -> None:
        """Create a text field; Zoho makes its API name of the label."""
        field: dict[str, Any] = {"field_label": name.replace("_", " "), "data_type": "text"}
        field |= {"length": 255, **({"unique": {"casesensitive": False}} if unique else {})}
        params, body = {"module": module}, {"fields": [field]}
        answer = await self.ask(
            "POST", "settings/fields", accept=frozenset({400}), params=params, json=body
        )
        done = next(iter(tools.rows_of(answer.body, "fields")), {})
        if done.get("code") != "SUCCESS":
            raise Refused(AnswerCode.REQUEST_REFUSED, request=name, detail=answer.text)


def _field(row: Row) -> Field:
    name, length = str(row.get("api_name")), row.get("length")
    values = tools.rows_of(row, "pick_list_values")
    return Field(
        name=name,
        title=str(row.get("field_label") or ""),
        type=_TYPES.get(str(row.get("data_type")), FieldType.OTHER),
        options={str(one.get("display_value")): str(one.get("actual_value")) for one in values},
        most=length if isinstance(length, int) and length > 0 else None,
        required=row.get("system_mandatory") is True and name not in _FILLED,
        writable=row.get("read_only") is not True,
    )
