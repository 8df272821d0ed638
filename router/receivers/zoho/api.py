"""Client of Zoho CRM's API, version 8: records by module, queries in COQL, fields by their API
names.

Answers of any status may contain a code that says why a record was not written.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from router.domain.delivery.catalogue import Field
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.entity import Ref
from router.receivers import crm_tools as tools
from router.receivers.http import Answer, HttpClient
from router.service.delivery.outcomes import EntityGone, ReceiverUnavailable, Refused

Row = Mapping[str, Any]
MODULES = tools.by_kind("Contacts", "Accounts", "Leads", "Deals")
_NOT_WRITTEN = frozenset({400, 404})
_TYPES = tools.field_types(
    "text textarea phone email website", "integer bigint double currency", "picklist"
)
_FILLED = frozenset({"Last_Name", "Account_Name", "Company", "Deal_Name", "Stage", "Owner"})


class Api:
    """Sends the requests of one organization."""

    def __init__(self, http: HttpClient) -> None:
        self._server = http
        self.fields = tools.FieldCache(self._read_fields)

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        """Send a request. Raises `ReceiverUnavailable` and `Refused`."""
        return await self._server.ask(method, f"crm/v8/{path}", **request)

    async def query(self, module: str, columns: Iterable[str], where: str) -> list[Row]:
        """The newest records by COQL, with those of the columns that the module has."""
        known = await self.fields(module)
        chosen = ", ".join(name for name in columns if name in known)
        text = f"select {chosen} from {module} where {where}"  # noqa: S608 (values are quoted)
        text += " order by Created_Time desc limit 200"
        answer = await self.ask("POST", "coql", json={"select_query": text})
        return rows_in(answer, key="id")

    async def record(self, ref: Ref, fields: Sequence[str]) -> Row:
        """One record. Raises `EntityGone`."""
        params, path = {"fields": ",".join(fields)}, f"{MODULES[ref.kind]}/{ref.id}"
        answer = await self.ask("GET", path, accept=frozenset({404}), params=params)
        if answer.status == 404:
            raise EntityGone(ref)
        for row in rows_in(answer):
            return row
        raise EntityGone(ref)

    async def user(self, key: str) -> list[Row]:
        """A user, also one who has left."""
        answer = await self.ask("GET", f"users/{key}", accept=_NOT_WRITTEN)
        rows = tools.rows_of(answer.body, "users", key="id")
        return [{**row, "active": row.get("status") == "active"} for row in rows]

    async def write(self, method: str, path: str, values: Row, **more: Any) -> tuple[str, bool]:
        """Write one record; returns its id, and False if there is no such record. Raises
        `Refused`.
        """
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

    async def _read_fields(self, module: str) -> Mapping[str, Field]:
        answer = await self.ask("GET", "settings/fields", params={"module": module})
        rows = tools.rows_of(answer.body, "fields", key="api_name")
        if not rows:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Zoho")
        found = {str(row["api_name"]): _field(row) for row in rows}
        return {"id": Field(name="id", writable=False), **found}

    async def add_field(self, module: str, name: str, *, unique: bool) -> None:
        """Create a text field; Zoho derives the API name from the label."""
        field: dict[str, Any] = {"field_label": name.replace("_", " "), "data_type": "text"}
        field["length"] = 255
        if unique:
            field["unique"] = {"casesensitive": False}
        params, body = {"module": module}, {"fields": [field]}
        answer = await self.ask(
            "POST", "settings/fields", accept=frozenset({400}), params=params, json=body
        )
        done = next(iter(tools.rows_of(answer.body, "fields")), {})
        if done.get("code") != "SUCCESS":
            raise Refused(AnswerCode.REQUEST_REFUSED, request=name, detail=answer.text)


def rows_in(answer: Answer, key: str = "") -> list[Row]:
    """The rows of a list; 204 without a body if there are none. Raises `ReceiverUnavailable`."""
    return [] if answer.status == 204 else tools.rows_in(answer.body, "data", "Zoho", key=key)


def _field(row: Row) -> Field:
    name, values = str(row["api_name"]), tools.rows_of(row, "pick_list_values")
    return tools.a_field(
        name,
        row.get("field_label"),
        _TYPES.get(str(row.get("data_type"))),
        tools.options_of(values, "display_value", "actual_value"),
        row.get("length"),
        required=row.get("system_mandatory") is True and name not in _FILLED,
        writable=row.get("read_only") is not True,
        phone=row.get("data_type") == "phone",
    )


def quoted(text: str) -> str:
    """A text as a literal in a query."""
    return "'" + text.replace("\\", "").replace("'", "''") + "'"
