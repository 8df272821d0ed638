"""Zoho CRM's API, version 8: records by module, queries in COQL, fields by their API names.

A record that was not written is named in an answer of any status, with a code.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import CrmCode
from router.receivers.http import Answer, Outside
from router.receivers.oauth import AccessToken
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

Row = Mapping[str, Any]
ACCOUNTS = "https://accounts.zoho.com"
_BASE = "crm/v8"
_NOT_WRITTEN, _OLD_TOKEN = frozenset({400, 404}), frozenset({401})
_NUMBERS = {"integer": int, "bigint": int, "double": float, "currency": float}


class Api:
    """Requests of one organization."""

    def __init__(self, outside: Outside, token: Mapping[str, str], accounts: str) -> None:
        grant = {"grant_type": "refresh_token", **token}
        self._outside = outside
        self._token = AccessToken(outside, f"{accounts.rstrip('/')}/oauth/v2/token", grant)
        self._fields: dict[str, Mapping[str, str]] = {}

    async def ask(
        self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any
    ) -> Answer:
        """One request; an access token that has become invalid is replaced once."""
        for accepted in (accept | _OLD_TOKEN, accept):
            headers = {"Authorization": f"Zoho-oauthtoken {await self._token()}"}
            answer = await self._outside.ask(
                method, f"{_BASE}/{path}", accept=accepted, headers=headers, **request
            )
            if answer.status != 401:
                break
            self._token.forget()
        return answer

    async def query(self, module: str, columns: Iterable[str], where: str, more: str) -> list[Row]:
        """Records by COQL, with those of the columns that the module has."""
        known = await self.fields(module)
        chosen = ", ".join(name for name in columns if name in known)
        text = f"select {chosen} from {module} where {where} {more}"  # noqa: S608 (quoted)
        return rows_of(await self.ask("POST", "coql", json={"select_query": text}), "data")

    async def record(self, module: str, key: str, fields: Sequence[str]) -> Row | None:
        """One record; None for one that is not there."""
        params = {"fields": ",".join(fields)}
        answer = await self.ask("GET", f"{module}/{key}", accept=frozenset({404}), params=params)
        return next(iter(rows_of(answer, "data")), None)

    async def write(
        self, method: str, path: str, module: str, values: Row, **more: Any
    ) -> tuple[str, bool]:
        """Write one record; its id, and whether it is there. Raises `Refused`."""
        row = {name: await self._value(module, name, one) for name, one in values.items()}
        body = {"data": [row], **more}
        answer = await self.ask(method, path, accept=_NOT_WRITTEN, json=body)
        done = next(iter(rows_of(answer, "data")), answer.body)
        if not isinstance(done, dict):
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Zoho")
        details = done.get("details") if isinstance(done.get("details"), dict) else {}
        if done.get("code") == "SUCCESS":
            return str((details or {}).get("id")), True
        if done.get("code") == "INVALID_DATA" and (details or {}).get("api_name") == "id":
            return "", False
        field = (details or {}).get("api_name") or ""
        detail = f"{done.get('code')} {field}: {done.get('message')}"
        raise Refused(AnswerCode.REQUEST_REFUSED, request=module, detail=detail)

    async def fields(self, module: str, *, again: bool = False) -> Mapping[str, str]:
        """The module's fields with their types; with `again` they are read again."""
        if again or module not in self._fields:
            answer = await self.ask("GET", "settings/fields", params={"module": module})
            rows = rows_of(answer, "fields")
            found = {str(row.get("api_name")): str(row.get("data_type")) for row in rows}
            self._fields[module] = {"id": "bigint", **found}
        return self._fields[module]

    async def add_field(self, module: str, name: str, *, unique: bool) -> None:
        """Create a text field; Zoho makes its API name of the label."""
        field: dict[str, Any] = {"field_label": name.replace("_", " "), "data_type": "text"}
        field |= {"length": 255, **({"unique": {"casesensitive": False}} if unique else {})}
        params, body = {"module": module}, {"fields": [field]}
        answer = await self.ask(
            "POST", "settings/fields", accept=frozenset({400}), params=params, json=body
        )
        done = next(iter(rows_of(answer, "fields")), {})
        if done.get("code") != "SUCCESS":
            raise Refused(AnswerCode.REQUEST_REFUSED, request=name, detail=answer.text)

    async def _value(self, module: str, name: str, value: Any) -> Any:
        """A text as the field takes it; an empty one empties it."""
        kind = (await self.fields(module)).get(name)
        if kind is None:
            kind = (await self.fields(module, again=True)).get(name)
        if kind is None and not name.startswith("$"):
            raise Refused(CrmCode.FIELD_MISSING, path=module, field=name)
        if value == "":
            return None
        try:
            return _NUMBERS[kind](value) if kind in _NUMBERS else value
        except (TypeError, ValueError) as error:
            raise Refused(CrmCode.VALUE_NOT_A_NUMBER, found=str(value)) from error


def rows_of(answer: Answer, name: str) -> list[Row]:
    """The objects of a list; an answer without content has none."""
    rows = answer.body.get(name) if isinstance(answer.body, dict) else None
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
