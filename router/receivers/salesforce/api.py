"""Salesforce's REST API: records of objects, queries in SOQL, and the description of an object."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import CrmCode
from router.receivers.http import Answer, Outside
from router.receivers.oauth import AccessToken
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

Row = Mapping[str, Any]
_BASE = "services/data/v62.0"
_NOT_WRITTEN, _OLD_TOKEN = frozenset({400}), frozenset({401})
# a rule against duplicates may warn, but must not stop us
_HEADERS = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
_PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"})
_NUMBERS: Mapping[str, type] = {"int": int, "double": float, "currency": float, "percent": float}


class Api:
    """Requests of one organization."""

    def __init__(self, outside: Outside, token: Mapping[str, str]) -> None:
        grant = {"grant_type": "client_credentials", **token}
        self._outside = outside
        where = f"{outside.address}/services/oauth2/token"
        self._token = AccessToken(outside, where, grant)
        self._fields: dict[str, Mapping[str, str]] = {}

    async def ask(
        self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any
    ) -> Answer:
        """One request; an access token that has become invalid is replaced once."""
        for accepted in (accept | _OLD_TOKEN, accept):
            headers = {**_HEADERS, "Authorization": f"Bearer {await self._token()}"}
            answer = await self._outside.ask(
                method, f"{_BASE}/{path}", accept=accepted, headers=headers, **request
            )
            if answer.status != 401:
                break
            self._token.forget()
        return answer

    async def query(self, name: str, columns: Iterable[str], where: str) -> list[Row]:
        """The newest records, with those of the columns that the object has."""
        known = await self.fields(name)
        chosen = ", ".join(column for column in columns if column in known)
        text = f"SELECT {chosen} FROM {name} WHERE {where}"  # noqa: S608 (values are quoted)
        text += " ORDER BY CreatedDate DESC LIMIT 200"
        return _rows(await self.ask("GET", "query", params={"q": text}), "records")

    async def record(self, name: str, key: str, fields: Sequence[str]) -> Row:
        """One record. Raises `Missing`."""
        params = {"fields": ",".join(fields)}
        body = (await self.ask("GET", f"sobjects/{name}/{key}", params=params)).body
        if not isinstance(body, dict):
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Salesforce")
        return body

    async def create(self, name: str, values: Row) -> str:
        """The id of a new record. Raises `Refused`."""
        body = await self._write("POST", f"sobjects/{name}", name, values)
        if not isinstance(body, dict) or not body.get("id"):
            raise ReceiverUnavailable(
                AnswerCode.INCOMPLETE_ANSWER, system="Salesforce", missing="id"
            )
        return str(body["id"])

    async def change(self, name: str, key: str, values: Row) -> None:
        """Change these fields. Raises `Missing` and `Refused`."""
        await self._write("PATCH", f"sobjects/{name}/{key}", name, values)

    async def fields(self, name: str, *, again: bool = False) -> Mapping[str, str]:
        """The object's fields with their types; with `again` they are read again."""
        if again or name not in self._fields:
            rows = _rows(await self.ask("GET", f"sobjects/{name}/describe"), "fields")
            self._fields[name] = {str(row.get("name")): str(row.get("type")) for row in rows}
        return self._fields[name]

    async def _write(self, method: str, path: str, name: str, values: Row) -> Any:
        row = {field: await self._value(name, field, one) for field, one in values.items()}
        answer = await self.ask(method, path, accept=_NOT_WRITTEN, json=row)
        if answer.status != 400:
            return answer.body
        errors = answer.body if isinstance(answer.body, list) else []
        error: Row = next((one for one in errors if isinstance(one, dict)), {})
        detail = f"{error.get('errorCode')}: {error.get('message')}"
        if error.get("errorCode") in _PASSING:
            raise ReceiverUnavailable(AnswerCode.REQUEST_FAILED, request=path, detail=detail)
        raise Refused(AnswerCode.REQUEST_REFUSED, request=path, detail=detail)

    async def _value(self, name: str, field: str, value: Any) -> Any:
        """A text as the field takes it; an empty one empties it."""
        kind = (await self.fields(name)).get(field)
        if kind is None:
            kind = (await self.fields(name, again=True)).get(field)
        if kind is None:
            raise Refused(CrmCode.FIELD_MISSING, path=name, field=field)
        if value == "":
            return None
        try:
            return _NUMBERS[kind](value) if kind in _NUMBERS else value
        except (TypeError, ValueError) as error:
            raise Refused(CrmCode.VALUE_NOT_A_NUMBER, found=str(value)) from error


def _rows(answer: Answer, name: str) -> list[Row]:
    rows = answer.body.get(name) if isinstance(answer.body, dict) else None
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
