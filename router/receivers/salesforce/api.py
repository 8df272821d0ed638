"""Salesforce's REST API: records of objects, queries in SOQL, and the description of an object."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from router.domain.delivery.catalogue import Field, FieldType
from router.domain.delivery.codes import AnswerCode
from router.receivers import crm_tools as tools
from router.receivers.http import Answer, HttpClient
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

Row = Mapping[str, Any]
_NOT_WRITTEN = frozenset({400})
# a rule against duplicates may warn, but must not stop us
_HEADERS = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
_PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"})
_TEXTS = frozenset({"string", "textarea", "phone", "email", "url", "picklist"})
_NUMBERS = frozenset({"int", "double", "currency", "percent"})
_FILLED = frozenset({"Name", "LastName", "Company", "StageName", "CloseDate", "OwnerId"})


class Api:
    """Requests of one organization."""

    def __init__(self, http: HttpClient) -> None:
        self._server = http
        self._fields: dict[str, Mapping[str, Field]] = {}

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        """One request. Raises `ReceiverUnavailable` and `Refused`."""
        path = f"services/data/v62.0/{path}"
        return await self._server.ask(method, path, headers=_HEADERS, **request)

    async def query(self, name: str, columns: Iterable[str], where: str) -> list[Row]:
        """The newest records, with those of the columns that the object has."""
        known = await self.fields(name)
        chosen = ", ".join(column for column in ("Id", *columns) if column in known)
        text = f"SELECT {chosen} FROM {name} WHERE {where}"  # noqa: S608 (values are quoted)
        text += " ORDER BY CreatedDate DESC LIMIT 200"
        answer = await self.ask("GET", "query", params={"q": text})
        return tools.rows_of(answer.body, "records", key="Id")

    async def record(self, name: str, key: str, fields: Sequence[str]) -> Row:
        """One record. Raises `Missing`."""
        params = {"fields": ",".join(fields)}
        body = (await self.ask("GET", f"sobjects/{name}/{key}", params=params)).body
        if not isinstance(body, dict):
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Salesforce")
        return body

    async def create(self, name: str, values: Row) -> str:
        """The id of a new record. Raises `Refused`."""
        body = await self._write("POST", f"sobjects/{name}", values)
        if not isinstance(body, dict) or not body.get("id"):
            raise ReceiverUnavailable(
                AnswerCode.INCOMPLETE_ANSWER, system="Salesforce", missing="id"
            )
        return str(body["id"])

    async def change(self, name: str, key: str, values: Row) -> None:
        """Change these fields. Raises `Missing` and `Refused`."""
        await self._write("PATCH", f"sobjects/{name}/{key}", values)

    async def fields(self, name: str, *, again: bool = False) -> Mapping[str, Field]:
        """The object's fields with their types; with `again` they are read again."""
        if again or name not in self._fields:
            answer = await self.ask("GET", f"sobjects/{name}/describe")
            rows = tools.rows_of(answer.body, "fields", key="name")
            if not rows:
                raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Salesforce")
            self._fields[name] = {str(row.get("name")): _field(row) for row in rows}
        return self._fields[name]

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
    """A list is one only where Salesforce refuses other values; a default fills what it needs."""
    name, kind, length = str(row.get("name")), row.get("type"), row.get("length")
    fits = FieldType.TEXT if kind in _TEXTS else FieldType.OTHER
    fits = FieldType.NUMBER if kind in _NUMBERS else fits
    filled = name in _FILLED or row.get("nillable") or row.get("defaultedOnCreate")
    values = tools.rows_of(row, "picklistValues", key="active")
    return Field(
        name=name,
        title=str(row.get("label") or ""),
        type=FieldType.LIST if row.get("restrictedPicklist") else fits,
        options={str(one.get("label")): str(one.get("value")) for one in values},
        most=length if isinstance(length, int) and length > 0 else None,
        required=row.get("createable") is True and not filled,
        writable=row.get("updateable") is not False,
    )
