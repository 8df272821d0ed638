"""Client of Salesforce's REST API: records, queries in SOQL, and descriptions of objects."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from router.domain.delivery.catalogue import Field, FieldType
from router.domain.delivery.codes import AnswerCode
from router.receivers import crm_tools as tools
from router.receivers.http import Answer, HttpClient
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

Row = Mapping[str, Any]
OBJECTS = tools.by_kind("Contact", "Account", "Lead", "Opportunity")
_NOT_WRITTEN = frozenset({400})
# a duplicate rule that only warns does not stop us
_HEADERS = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
_PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"})
_TYPES = tools.field_types(
    "string textarea phone email url picklist", "int double currency percent", ""
)
_FILLED = frozenset({"Name", "LastName", "Company", "StageName", "CloseDate", "OwnerId"})


class Api:
    """Sends the requests of one organization."""

    def __init__(self, http: HttpClient) -> None:
        self._server = http
        self.fields = tools.FieldCache(self._read_fields)

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        """Send a request. Raises `ReceiverUnavailable` and `Refused`."""
        path = f"services/data/v62.0/{path}"
        return await self._server.ask(method, path, headers=_HEADERS, **request)

    async def query(
        self, name: str, columns: Iterable[str], where: str, *, deleted: bool = False
    ) -> list[Row]:
        """The newest records, with those of the columns that the object has."""
        known = await self.fields(name)
        chosen = ", ".join(column for column in ("Id", *columns) if column in known)
        text = f"SELECT {chosen} FROM {name} WHERE {where}"  # noqa: S608 (values are quoted)
        text += " ORDER BY CreatedDate DESC LIMIT 200"
        answer = await self.ask("GET", "queryAll" if deleted else "query", params={"q": text})
        return tools.rows_in(answer.body, "records", "Salesforce", key="Id")

    async def record(self, name: str, key: str, fields: Sequence[str]) -> Row:
        """One record. Raises `Missing`."""
        params = {"fields": ",".join(fields)}
        answer = await self.ask("GET", f"sobjects/{name}/{key}", params=params)
        return tools.an_object(answer.body, "Salesforce")

    async def create(self, name: str, values: Row) -> str:
        """Create a record and return its id. Raises `Refused`."""
        return tools.id_of(await self._write("POST", f"sobjects/{name}", values), "Salesforce")

    async def change(self, name: str, key: str, values: Row) -> None:
        """Change these fields. Raises `Missing` and `Refused`."""
        await self._write("PATCH", f"sobjects/{name}/{key}", values)

    async def _read_fields(self, name: str) -> Mapping[str, Field]:
        answer = await self.ask("GET", f"sobjects/{name}/describe")
        rows = tools.rows_of(answer.body, "fields", key="name")
        if not rows:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Salesforce")
        return {str(row["name"]): _field(row) for row in rows}

    async def _write(self, method: str, path: str, values: Row) -> Any:
        answer = await self.ask(method, path, accept=_NOT_WRITTEN, json=values)
        if answer.status != 400:
            return answer.body
        error = next(iter(tools.rows_of(answer.body)), {})
        detail = f"{error.get('errorCode')}: {error.get('message')}"
        if error.get("errorCode") in _PASSING:
            raise ReceiverUnavailable(AnswerCode.REQUEST_FAILED, request=path, detail=detail)
        raise Refused(AnswerCode.REQUEST_REFUSED, request=path, detail=detail)


def _field(row: Row) -> Field:
    """A field. It counts as a list only if Salesforce refuses other values; one with a default
    is not required.
    """
    name, values = str(row["name"]), tools.rows_of(row, "picklistValues", key="active")
    filled = name in _FILLED or row.get("nillable") or row.get("defaultedOnCreate")
    kind = _TYPES.get(str(row.get("type")))
    if row.get("restrictedPicklist"):
        kind = FieldType.LIST
    return tools.a_field(
        name,
        row.get("label"),
        kind,
        tools.options_of(values, "label", "value"),
        row.get("length"),
        required=row.get("createable") is True and not filled,
        writable=row.get("updateable") is not False,
        phone=row.get("type") == "phone",
    )


def quoted(text: str) -> str:
    """A text as a literal in a query."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
