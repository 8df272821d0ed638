"""Client of EspoCRM's REST API: records by entity type, searches by `where`, fields by metadata.

The reason of a refusal is in a header; the body only names a field, or is empty.
"""

import base64
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from router.domain.delivery.catalogue import Field, FieldType
from router.domain.delivery.codes import AnswerCode
from router.domain.text import one_line
from router.receivers import crm_tools as tools
from router.receivers.http import NO_RIGHT, Answer, HttpClient, error_for, words
from router.receivers.json_body import sequence
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

Row = Mapping[str, Any]
OBJECTS = tools.by_kind("Contact", "Account", "Lead", "Opportunity")
_REFUSED = frozenset({400, 403, 409})
_OF_VALUES = (
    "Assignment failure",
    "cannotRelateNonExisting",
)  # words of a 403 that is about values, not about our rights
_ONCE = {"X-Skip-Duplicate-Check": "true"}  # two callers may have the same name
_TYPES = tools.field_types("varchar text phone email url", "int float currency", "")
_FILLED = frozenset({"name", "lastName", "amount", "closeDate", "assignedUser"})


class Api:
    """Requests of one API user."""

    def __init__(self, http: HttpClient, token: Mapping[str, str]) -> None:
        self._http, self._key, self._secret = http, token["key"], token.get("secret", "")
        self._defined = dict[str, dict[str, Row]]()

    async def ask(self, method: str, path: str, **request: Any) -> Row:
        """Send a request and return the object. Raises `ReceiverUnavailable` and `Refused`."""
        headers = {**request.pop("headers", {}), **self._signed(method, path)}
        path = f"api/v1/{path}"
        answer = await self._http.ask(method, path, accept=_REFUSED, headers=headers, **request)
        if answer.status in _REFUSED:
            raise _trouble(answer, path)
        return tools.an_object(answer.body, "EspoCRM")

    async def rows(self, path: str, **search: Any) -> list[Row]:
        """The newest records of a list; `search` are EspoCRM's search parameters."""
        search |= {"orderBy": "createdAt", "order": "desc", "maxSize": 200}
        params, headers = {"searchParams": json.dumps(search)}, {"X-No-Total": "true"}
        found = await self.ask("GET", path, params=params, headers=headers)
        if not isinstance(found.get("list"), list):
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="EspoCRM")
        return tools.rows_of(found, "list", key="id")

    async def create(self, name: str, values: Row) -> str:
        """Create a record and return its id. We become its user if it needs one and none is
        known.
        """
        if values.get("assignedUserId", "") is None and await self.needs(name, "assignedUser"):
            user = (await self.ask("GET", "App/user")).get("user")
            values = {**values, "assignedUserId": tools.id_of(user, "EspoCRM")}
        return tools.id_of(await self.ask("POST", name, json=values, headers=_ONCE), "EspoCRM")

    async def claim(self, name: str, *rights: str, levels: Sequence[Any] = ("all",)) -> None:
        """Raises `ReceiverUnavailable` if our role lacks one of these rights."""
        acl = tools.an_object((await self.ask("GET", "App/user")).get("acl"), "EspoCRM")
        role = _objects(acl.get("table")).get(name, {})
        if lacks := [f"{name}: {right}" for right in rights if role.get(right) not in levels]:
            said = {"status": 403, "detail": ", ".join(lacks)}
            raise ReceiverUnavailable(AnswerCode.TOKEN_REJECTED, pause=NO_RIGHT, **said)

    async def fields(self, name: str, again: bool) -> Mapping[str, Field]:
        """The fields of an entity type, read when first needed, and again on request."""
        if again or name not in self._defined:
            params = {"key": f"entityDefs.{name}.fields"}
            found = _objects(await self.ask("GET", "Metadata", params=params))
            if "createdAt" not in found:
                raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="EspoCRM")
            self._defined[name] = found
        return {key: _field(key, row) for key, row in self._defined[name].items()}

    async def needs(self, name: str, field: str) -> bool:
        """Whether EspoCRM refuses a new record without this field."""
        await self.fields(name, False)
        return self._defined[name].get(field, {}).get("required") is True

    async def closed(self, name: str) -> set[str]:
        """The stages and statuses that EspoCRM counts as closed."""
        await self.fields(name, False)
        stage, status = (self._defined[name].get(field, {}) for field in ("stage", "status"))
        chances, past = stage.get("probabilityMap") or {}, status.get("notActualOptions")
        ends = tools.an_object(chances, "EspoCRM").items()
        closed = {option for option, chance in ends if chance in (0, 100)}
        return closed | set(map(str, sequence(past)))

    def _signed(self, method: str, path: str) -> dict[str, str]:
        if not self._secret:
            return {"X-Api-Key": self._key}
        digest = hmac.new(self._secret.encode(), f"{method} /{path}".encode(), "sha256").hexdigest()
        signed = f"{self._key}:{digest}".encode()
        return {"X-Hmac-Authorization": base64.b64encode(signed).decode()}


def plain(text: str) -> str:
    """The text for Markdown, without a visitor's links behind other words."""
    return text.replace("](", "] (")


def a_name(text: str, most: int = 255) -> str:
    """A name that EspoCRM accepts."""
    return " ".join(re.sub("[<>=]", " ", text).split())[:most].strip()


def _objects(found: Any) -> dict[str, Row]:
    rows = tools.an_object(found, "EspoCRM").items()
    return {name: row for name, row in rows if isinstance(row, dict)}


def _field(name: str, row: Row) -> Field:
    """A field. If its options are those of another field, EspoCRM checks them."""
    kind, options, most = str(row.get("type")), list[Any](), row.get("maxLength")
    if kind == "enum":
        options = sequence(row.get("options"))
    if kind == "varchar":
        most = most or 255
    type_ = _TYPES.get(kind)
    if options:
        type_ = FieldType.LIST
    return tools.a_field(
        name,
        "",
        type_,
        [(option, option) for option in options if option],
        most,
        required=row.get("required") is True and name not in _FILLED and not row.get("default"),
        writable=row.get("readOnly") is not True,
    )


def _trouble(answer: Answer, path: str) -> ReceiverUnavailable | Refused:
    reason = one_line(answer.headers.get("x-status-reason", ""))
    said = " ".join(filter(None, (reason, words(answer))))
    if answer.status == 403 and not any(word in said for word in _OF_VALUES):
        return error_for(replace(answer, text=said))
    return Refused(AnswerCode.REQUEST_REFUSED, request=path, detail=said)
