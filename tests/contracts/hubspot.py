"""HubSpot's API as its documents have it, and no more lenient: what they do not name is refused.

Its quirks are here as well: a search that lags and has a limit of its own, batches that answer 207
where an object has no association, a contact's e-mail that must be unique, refusals that name the
missing scope.
"""

import time
from collections import deque
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.contracts.hubspot_asked import (
    body_of,
    dated,
    only,
    owner_of,
    pipeline_of,
    shown_property,
)
from tests.contracts.hubspot_objects import (
    LINKS,
    PRIMARY,
    STAGES,
    TYPES,
    Account,
    Refusal,
)
from tests.contracts.hubspot_requests import ObjectRequests

TOKEN = "pat-eu1-0000"  # a service key has the same form
EVERY_SCOPE = frozenset(
    f"crm.{what}.{kind}.{right}"
    for what in ("objects", "schemas")
    for kind in ("contacts", "companies", "deals", "leads")
    for right in ("read", "write")
)


class Hubspot(ObjectRequests):
    """One account with one service key; `app` is to be served."""

    def __init__(
        self,
        now: datetime,
        scopes: frozenset[str] = EVERY_SCOPE,
        searches_per_second: int | None = None,
    ) -> None:
        self.account, self.scopes, self.searches_per_second = (
            Account(now),
            scopes,
            searches_per_second,
        )
        self.requests: list[str] = []
        self.instead: deque[Response] = deque()  # answers that come instead of the next ones
        self.clock = time.monotonic  # of the search's limit
        self._searched: deque[float] = deque()
        self.app = Starlette(
            routes=[Route("/{path:path}", self._answer, methods=["GET", "POST", "PUT", "PATCH"])]
        )

    async def _answer(self, request: Request) -> Response:
        self.requests.append(f"{request.method} {request.url.path}")
        if self.instead:
            return self.instead.popleft()
        try:
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                raise Refusal(
                    401, "INVALID_AUTHENTICATION", "Authentication credentials not found."
                )
            path = dated(request.url.path.strip("/").split("/"))
            return self._routed(request.method, path, request, await body_of(request))
        except Refusal as refusal:
            return JSONResponse(refusal.body | {"correlationId": "0-0"}, refusal.status)

    def _routed(
        self, method: str, path: list[str], request: Request, body: dict[str, Any]
    ) -> Response:
        query = request.query_params
        match [method, *path]:
            case ["GET", "crm", "pipelines", "dated", "deals"]:
                return JSONResponse({"results": [pipeline_of(name) for name in STAGES]})
            case ["GET", "crm", "owners", "dated", key]:
                return JSONResponse(owner_of(self.account, key, query.get("archived", "false")))
            case [_, "crm", "properties", "dated", kind, *rest] if kind in TYPES:
                return self._schema(method, kind, rest, body)
            case [
                "PUT",
                "crm",
                "objects",
                "dated",
                kind,
                key,
                "associations",
                "default",
                to,
                other,
            ] if (
                kind,
                to,
            ) in LINKS:
                self._need(kind, "write")
                self.account.link(kind, key, to, other)
                spec = {
                    "associationCategory": "HUBSPOT_DEFINED",
                    "associationTypeId": LINKS[kind, to],
                }
                association = {"from": {"id": key}, "to": {"id": other}, "associationSpec": spec}
                return self._complete([association])
            case ["POST", "crm", "objects", "dated", kind, "search"] if kind in TYPES:
                return self._search(kind, body)
            case ["POST", "crm", "objects", "dated", kind, "batch", verb] if kind in TYPES:
                return self._batch(kind, verb, body)
            case [_, "crm", "objects", "dated", kind, *rest] if kind in TYPES:
                return self._object(method, kind, rest, query, body)
            case ["POST", "crm", "associations", "dated", kind, to, "batch", "read"] if (
                kind,
                to,
            ) in LINKS:
                return self._linked(kind, to, body)
            case ["GET", "crm", "associations", "dated", kind, to, "labels"] if (kind, to) in LINKS:
                primary = {
                    "category": "HUBSPOT_DEFINED",
                    "typeId": PRIMARY.get((kind, to), 0),
                    "label": "Primary",
                }
                plain = {"category": "HUBSPOT_DEFINED", "typeId": LINKS[kind, to], "label": None}
                return JSONResponse(
                    {"results": [primary, plain] if (kind, to) in PRIMARY else [plain]}
                )
        return HTMLResponse("<html><body>404 not found</body></html>", 404)

    def _schema(self, method: str, kind: str, rest: list[str], body: dict[str, Any]) -> Response:
        self._need(kind, "read" if method == "GET" else "write", "schemas")
        known = self.account.properties[kind]
        if method == "GET" and not rest:
            return JSONResponse(
                {"results": [shown_property(known_property) for known_property in known.values()]}
            )
        if method == "GET" and rest and rest[0] in known:
            return JSONResponse(shown_property(known[rest[0]]))
        if method == "GET":
            raise Refusal(404, "OBJECT_NOT_FOUND", f"Property {'/'.join(rest)} does not exist")
        if rest == ["groups"]:
            only(body, {"name", "label", "displayOrder"}, {"name", "label"})
            if (kind, body["name"]) in self.account.groups:
                raise Refusal(
                    409, "CONFLICT", f"A property group named {body['name']} exists already"
                )
            self.account.groups.add((kind, body["name"]))
            return JSONResponse({**body, "archived": False}, 201)
        needed = {"name", "label", "groupName", "type", "fieldType"}
        only(
            body,
            needed
            | {"hasUniqueValue", "description", "displayOrder", "formField", "hidden", "options"},
            needed,
        )
        if body["name"] in known:
            raise Refusal(
                409, "OBJECT_ALREADY_EXISTS", f"A property named {body['name']} already exists."
            )
        if (kind, body["groupName"]) not in self.account.groups:
            raise Refusal(
                400, "VALIDATION_ERROR", f"there is no property group {body['groupName']}"
            )
        known[body["name"]] = {**body, "hasUniqueValue": body.get("hasUniqueValue", False)}
        return JSONResponse(shown_property(known[body["name"]]), 201)
