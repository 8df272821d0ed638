"""An EspoCRM on this machine, by the REST API's documents and its own code: records, searches,
streams, metadata, and the rights of one API user.

It refuses what the documents do not name, and remembers it in `violations`. A list shows one phone
of a record; the record itself has all of them. A reason is in a header, as EspoCRM gives it.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.contracts.espocrm_entities import ENTITIES, PARENTS, Row, attributes, fault

KEY, SECRET = "d5ab4a2a1c8c4c7f9f5a1b2c3d4e5f60", "5ec2e7a2b4c6d8e0f1a3b5c7d9e1f203"
ROBOT, OLGA, IVAN = (f"65a0c0ffee000000{digit}" for digit in (1, 2, 3))
USERS = {ROBOT: True, OLGA: True, IVAN: False}  # whether they are active
TEAM = {ROBOT, OLGA}  # to whom our user may assign records
_PHONE = "phoneNumberNumeric"
_SEARCH = {"select", "where", "orderBy", "order", "maxSize", "offset", "primaryFilter"}
_ACTIONS = ("create", "read", "edit", "stream")


class Failure(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, reason: str, body: Row | list[Row] | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.body = status, reason, body


class Violation(Failure):
    """A request that the documents do not allow."""


class Installation:
    """One EspoCRM with one API user."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        methods = ["GET", "POST", "PUT"]
        self.app = Starlette(routes=[Route("/api/v1/{path:path}", self._serve, methods=methods)])
        self.clock, self.busy, self.hmac, self.reason = clock, 0, False, ""
        self.fields = deepcopy(ENTITIES)
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in ENTITIES}
        self.violations: list[str] = []
        self.role: dict[str, Row] = {name: dict.fromkeys(_ACTIONS, "all") for name in ENTITIES}
        for user, active in USERS.items():
            self.rows["User"][user] = {"id": user, "name": f"User {user}", "isActive": active}

    def add(self, name: str, /, **values: Any) -> str:
        key = (
            f"{len(self.rows[name]) + 0x65A0:x}{PARENTS.index(name) if name in PARENTS else 9:013}"
        )
        defaults = {key: field.get("default") for key, field in self.fields[name].items()}
        row = {key: value for key, value in defaults.items() if value is not None}
        row |= {"createdAt": f"{self.clock():%Y-%m-%d %H:%M:%S}", **values, "id": key}
        if "lastName" in row:
            row["name"] = row["lastName"]
        if row.get("phoneNumber") and "phoneNumberData" not in row:
            phone = {"phoneNumber": row["phoneNumber"], "primary": True, "type": "Mobile"}
            row["phoneNumberData"] = [{**phone, "optOut": False, "invalid": False}]
        self.rows[name][key] = row
        return key

    # The API

    async def _serve(self, request: Request) -> Response:
        try:
            self._log_in(request)
            if self.busy:
                self.busy -= 1
                raise Failure(503, "Application is in maintenance mode.")
            return JSONResponse(await self._answer(request))
        except Failure as failure:
            if isinstance(failure, Violation):
                self.violations.append(f"{request.method} {request.url}: {failure.reason}")
            body = "" if failure.body is None else json.dumps(failure.body)
            return Response(body, failure.status, headers={"X-Status-Reason": failure.reason})

    def _log_in(self, request: Request) -> None:
        given = request.headers.get("x-api-key"), request.headers.get("x-hmac-authorization")
        text = f"{request.method} /{request.path_params['path']}".encode()
        digest = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
        signed = base64.b64encode(f"{KEY}:{digest}".encode()).decode()
        if given != ((None, signed) if self.hmac else (KEY, None)):
            raise Failure(401, "")

    async def _answer(self, request: Request) -> Any:
        for method, pattern, handler in (
            ("GET", "App/user", self._user),
            ("GET", "Metadata", self._metadata),
            ("GET", r"(?P<name>\w+)", self._list),
            ("POST", r"(?P<name>\w+)", self._create),
            ("GET", r"(?P<name>\w+)/(?P<key>\w+)", self._read),
            ("PUT", r"(?P<name>\w+)/(?P<key>\w+)", self._update),
            ("GET", r"(?P<name>\w+)/(?P<key>\w+)/stream", self._stream),
        ):
            match = re.fullmatch(pattern, request.path_params["path"])
            if match and method == request.method:
                name = match.groupdict().get("name", "User")
                if name not in self.rows:
                    raise Violation(404, f"Controller {name} does not exist.")
                return handler(**match.groupdict(), asked=await _asked(request))
        raise Violation(404, "Not found.")

    def _user(self, asked: Row) -> Row:
        return {"user": {"id": ROBOT, "type": "api"}, "acl": {"table": self.role}}

    def _metadata(self, asked: Row) -> Any:
        match = re.fullmatch(r"entityDefs\.(\w+)\.fields", asked["key"])
        if match is None:
            raise Violation(400, "key")
        return self.fields[match[1]] if match[1] in self.role else None

    def _list(self, name: str, asked: Row) -> Row:
        self._may(name, "read")
        search = json.loads(asked.get("searchParams", "{}"))
        if not search.keys() <= _SEARCH or asked.keys() - {"searchParams", "x-no-total"}:
            raise Violation(400, f"Bad search params {search}")
        if search.get("maxSize", 0) > 200:
            raise Violation(403, "Max size should not exceed 200. Use offset and limit.")
        tests = [self._condition(name, item) for item in search.get("where", [])]
        own = self.role[name]["read"] == "own"
        rows = [row for row in self.rows[name].values() if not own or row["id"] == ROBOT]
        rows = [row for row in rows if all(test(row) for test in tests)]
        if search.get("orderBy"):
            rows.sort(
                key=lambda row: str(row.get(search["orderBy"])), reverse=search["order"] == "desc"
            )
        names = {"id", *(search.get("select") or attributes(self.fields[name]))}
        shown = [
            {column: row.get(column) for column in names - {"phoneNumberData"}} for row in rows
        ]
        return {"total": -1, "list": shown[: search.get("maxSize", 200)]}

    def _condition(self, name: str, item: Row) -> Callable[[Row], bool]:
        attribute, value = item["attribute"], item["value"]
        known = {"id", *attributes(self.fields[name])}
        known |= {_PHONE} if "phoneNumber" in self.fields[name] else set()
        if item["type"] == "linkedWith":
            field = self.fields[name].get(attribute, {})
            if field.get("type") != "linkMultiple":
                raise Violation(400, f"Not existing relation '{attribute}' in where.")
            if lost := set(value) - self.rows[field["entity"]].keys():
                raise Failure(400, f"Record '{field['entity']}' `{lost}` not found.")
            return lambda row: bool(set(value) & set(row.get(f"{attribute}Ids", ())))
        if attribute not in known:
            raise Violation(400, f"Not existing attribute '{attribute}' in where.")
        if item["type"] == "endsWith" and attribute == _PHONE:
            return lambda row: any(number.endswith(value) for number in _numbers(row))
        if item["type"] == "equals" and isinstance(value, str):
            return lambda row: row.get(attribute) == value
        if item["type"] == "in" and isinstance(value, list):
            return lambda row: row.get(attribute) in value
        raise Violation(400, f"Bad where item {item}")

    def _read(self, name: str, key: str, asked: Row) -> Row:
        self._may(name, "read")
        if key not in self.rows[name]:
            raise Failure(404, f"Record {key} does not exist.")
        return self.rows[name][key]

    def _create(self, name: str, asked: Row) -> Row:
        self._may(name, "create")
        skips = asked.pop("x-skip-duplicate-check", None) == "true"
        if name == "Note" and asked.get("type") != "Post":
            raise Violation(403, "Only 'Post' type allowed.")
        defaults = {key for key, field in self.fields[name].items() if field.get("default")}
        self._check(name, asked, self.fields[name].keys() - (defaults - asked.keys()))
        title = asked.get("lastName") or asked.get("name")
        same = [row for row in self.rows[name].values() if title and row.get("name") == title]
        if same and not skips and name in {"Contact", "Account", "Lead"}:
            raise Failure(409, "duplicate", same)
        return self.rows[name][self.add(name, **asked)]

    def _update(self, name: str, key: str, asked: Row) -> Row:
        self._may(name, "edit")
        row = self._read(name, key, {})
        fields = attributes(self.fields[name])
        self._check(name, asked, {fields[key] for key in asked if key in fields})
        row |= asked
        return row

    def _stream(self, name: str, key: str, asked: Row) -> Row:
        search = json.loads(asked["searchParams"])
        if search.keys() - _SEARCH or search.get("primaryFilter") != "posts":
            raise Violation(400, f"Bad search params {search}")
        self._may(name, "stream")
        self._read(name, key, {})
        notes = [note for note in self.rows["Note"].values() if note["parentId"] == key]
        return {"total": len(notes), "list": notes[::-1][: search["maxSize"]], "pinnedList": []}

    # What it checks

    def _may(self, name: str, action: str) -> None:
        if self.role.get(name, {}).get(action, "no") == "no":
            raise Failure(403, self.reason or f"No {action} access.")

    def _check(self, name: str, values: Row, checked: Any) -> None:
        fields = self.fields[name]
        known = attributes(fields)
        for attribute in values:
            field = fields.get(known.get(attribute, ""), {})
            if not field or field.get("readOnly") or field["type"] == "personName":
                raise Violation(400, f"{name} has no attribute {attribute}, or it is read-only")
        for key in checked:
            suffix = "Id" if fields[key]["type"] in {"link", "linkParent"} else ""
            value = values.get(f"{key}{suffix}") or None
            wrong = fault(fields[key], values.get(key) if value is None and not suffix else value)
            if wrong:
                said = {"label": "validationFailure", "data": {"field": key, "type": wrong}}
                reason = (
                    f"Field validation failure; entityType: {name}, field: {key}, type: {wrong}."
                )
                raise Failure(400, reason, {"messageTranslation": said})
        if values.get("dateEnd", "9") < values.get("dateStart", "0"):
            raise Failure(400, "Field validation failure; field: dateEnd, type: after.")
        if (values.get("assignedUserId") or ROBOT) not in TEAM:
            raise Failure(403, "Assignment failure: assigned user or team not allowed.")
        self._check_links(name, values)

    def _check_links(self, name: str, values: Row) -> None:
        linked = {values["parentId"]: values["parentType"]} if "parentId" in values else {}
        for link, field in self.fields[name].items():
            ids = [*values.get(f"{link}Ids", ()), *filter(None, [values.get(f"{link}Id")])]
            linked |= dict.fromkeys(ids, field["entity"]) if "entity" in field else {}
        for key, entity in linked.items():
            if key not in self.rows[entity]:
                label = {"label": "cannotRelateNonExisting", "data": {"foreignEntityType": entity}}
                raise Failure(403, "", {"messageTranslation": label})


async def _asked(request: Request) -> Row:
    if request.method == "GET":
        return dict(request.query_params)
    if request.headers.get("content-type") != "application/json":
        raise Violation(400, "Content-Type")
    headers = {"x-skip-duplicate-check"} & {*request.headers}
    return {**(await request.json()), **{name: request.headers[name] for name in headers}}


def _numbers(row: Row) -> list[str]:
    return [re.sub(r"\D", "", phone["phoneNumber"]) for phone in row.get("phoneNumberData", ())]
