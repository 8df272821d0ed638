"""HubSpot's API as its documents have it, and no more lenient: what they do not name is refused.

Its quirks are here as well: a search that lags and has a limit of its own, batches that answer 207
where an object has no association, a contact's e-mail that must be unique, refusals that name the
missing scope.
"""

import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.contracts.hubspot_asked import (
    body_of,
    dated,
    missing_of,
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
    Object,
    Refusal,
    written,
)
from tests.contracts.hubspot_search import OPERATORS

TOKEN, APP = "pat-eu1-0000", "77"  # a service key has the same form
_MOST = 100  # inputs of a batch
_SCOPED = {
    "notes": "contacts",
    "calls": "contacts",
    "tasks": "contacts",
}  # activities go with contacts
EVERY_SCOPE = frozenset(
    f"crm.{what}.{kind}.{right}"
    for what in ("objects", "schemas")
    for kind in ("contacts", "companies", "deals", "leads")
    for right in ("read", "write")
)


class Hubspot:
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
                one = {"from": {"id": key}, "to": {"id": other}, "associationSpec": spec}
                return self._complete([one])
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
            return JSONResponse({"results": [shown_property(one) for one in known.values()]})
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

    def _object(
        self,
        method: str,
        kind: str,
        rest: list[str],
        query: Mapping[str, str],
        body: dict[str, Any],
    ) -> Response:
        self._need(kind, "read" if method == "GET" else "write")
        if method == "GET" and not rest:
            only(dict(query), {"limit", "after", "properties", "associations", "archived"})
            few = list(self.account.objects[kind].values())[: int(query.get("limit", "10"))]
            return JSONResponse({"results": [self._shown(one, ()) for one in few]})
        if method == "POST" and not rest:
            only(body, {"properties", "associations"}, {"properties"})
            made = self.account.create(
                kind, body["properties"], APP, self._links(kind, body.get("associations") or [])
            )
            return JSONResponse(self._shown(made, body["properties"]), 201)
        only(dict(query), {"properties", "idProperty", "associations", "archived"})
        one = self.account.find(kind, rest[0], query.get("idProperty"))
        if one is None or len(rest) > 1:
            raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        if method == "PATCH":
            only(body, {"properties"}, {"properties"})
            self.account.change(kind, one, body["properties"])
            return JSONResponse(self._shown(one, body["properties"]))
        shown = self._shown(one, query.get("properties", "").split(","))
        linked = {
            to: self.account.linked(kind, one.id, to)
            for to in query.get("associations", "").split(",")
            if to
        }
        if any(linked.values()):
            shown["associations"] = {
                to: {"results": [{"id": other, "type": f"{kind}_to_{to}"} for other in others]}
                for to, others in linked.items()
                if others
            }
        return JSONResponse(shown)

    def _links(self, kind: str, associations: list[dict[str, Any]]) -> list[tuple[str, str]]:
        links = []
        for one in associations:
            only(one, {"to", "types"}, {"to", "types"})
            for link_type in one["types"]:
                only(
                    link_type, {"associationCategory", "associationTypeId"}, {"associationCategory"}
                )
                number = link_type["associationTypeId"]
                pairs = [
                    pair
                    for every in (LINKS, PRIMARY)
                    for pair, known in every.items()
                    if known == number
                ]
                to = next((to for of, to in pairs if of == kind), None)
                if to is None or str(one["to"]["id"]) not in self.account.objects[to]:
                    raise Refusal(
                        400,
                        "VALIDATION_ERROR",
                        f"{kind} cannot hang on {one['to']} by type {number}",
                    )
                links.append((to, str(one["to"]["id"])))
        return links

    def _batch(self, kind: str, verb: str, body: dict[str, Any]) -> Response:
        self._need(kind, "read" if verb == "read" else "write")
        inputs = body.get("inputs")
        if not isinstance(inputs, list) or not 0 < len(inputs) <= _MOST:
            raise Refusal(400, "VALIDATION_ERROR", f"a batch has 1 to {_MOST} inputs")
        if verb == "read":
            only(
                body,
                {"inputs", "properties", "propertiesWithHistory", "idProperty"},
                {"properties"},
            )
            found = {
                one["id"]: self.account.find(kind, one["id"], body.get("idProperty"))
                for one in inputs
            }
            missing = [key for key, one in found.items() if one is None]
            errors = (
                [missing_of(f"Could not get some {kind}, they may be deleted", ids=missing)]
                if missing
                else []
            )
            return self._complete(
                [self._shown(one, body["properties"]) for one in found.values() if one], errors
            )
        if verb != "upsert":
            raise Refusal(404, "OBJECT_NOT_FOUND", f"no batch {verb} here")
        return self._complete([self._upsert(kind, one) for one in inputs])

    def _upsert(self, kind: str, wanted: dict[str, Any]) -> dict[str, Any]:
        only(
            wanted,
            {"id", "idProperty", "properties", "objectWriteTraceId"},
            {"id", "idProperty", "properties"},
        )
        by, values = wanted["idProperty"], wanted["properties"]
        one = self.account.find(kind, wanted["id"], by)
        if one is not None:
            self.account.change(kind, one, values)
            return {**self._shown(one, values), "new": False}
        return {
            **self._shown(self.account.create(kind, {by: wanted["id"], **values}, APP), values),
            "new": True,
        }

    def _linked(self, kind: str, to: str, body: dict[str, Any]) -> Response:
        self._need(kind, "read")
        only(body, {"inputs"}, {"inputs"})
        spec = {"category": "HUBSPOT_DEFINED", "typeId": LINKS[kind, to], "label": None}
        results, errors = [], []
        for one in body["inputs"]:
            others = self.account.linked(kind, one["id"], to)
            if others:
                ends = [{"toObjectId": int(other), "associationTypes": [spec]} for other in others]
                results.append({"from": {"id": one["id"]}, "to": ends})
            else:
                said = f"No {to} is associated with {kind} {one['id']}."
                errors.append(
                    missing_of(said) | {"subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"}
                )
        return self._complete(results, errors)

    def _search(self, kind: str, body: dict[str, Any]) -> Response:
        self._need(kind, "read")
        self._pace()
        only(body, {"filterGroups", "properties", "sorts", "limit", "after", "query"})
        groups = [group["filters"] for group in body.get("filterGroups", ())]
        limit, sorts = body.get("limit", 10), body.get("sorts") or []
        if (
            len(groups) > 5
            or any(len(group) > 6 for group in groups)
            or limit > 200
            or len(sorts) > 1
        ):
            raise Refusal(400, "VALIDATION_ERROR", "There was a problem with the request.")
        for one in (one for group in groups for one in group):
            only(
                one,
                {"propertyName", "operator", "value", "highValue", "values"},
                {"propertyName", "operator"},
            )
            if one["propertyName"] not in self.account.properties[kind]:
                raise Refusal(
                    400, "VALIDATION_ERROR", f"there is no property {one['propertyName']}"
                )
            if one["operator"] not in OPERATORS:
                raise Refusal(400, "VALIDATION_ERROR", f"Invalid operator {one['operator']}")
        hits = [
            (one, values)
            for one, values in self.account.indexed(kind)
            if any(
                all(OPERATORS[it["operator"]](values.get(it["propertyName"]), it) for it in group)
                for group in groups
            )
        ]
        if sorts:
            only(sorts[0], {"propertyName", "direction"}, {"propertyName"})
            hits.sort(key=lambda hit: hit[1].get(sorts[0]["propertyName"], ""))
        shown = [
            self._shown(one, body.get("properties") or (), values) for one, values in hits[:limit]
        ]
        return JSONResponse({"total": len(hits), "results": shown})

    def _pace(self) -> None:
        now = self.clock()
        while self._searched and self._searched[0] <= now - 1:
            self._searched.popleft()
        if self.searches_per_second is not None and len(self._searched) >= self.searches_per_second:
            said = "You have reached your secondly limit."
            raise Refusal(429, "RATE_LIMITS", said, policyName="SECONDLY", errorType="RATE_LIMIT")
        self._searched.append(now)

    def _need(self, kind: str, right: str, what: str = "objects") -> None:
        scope = f"crm.{what}.{_SCOPED.get(kind, kind)}.{right}"
        if scope not in self.scopes:
            named = {
                "message": "One or more scopes are required.",
                "context": {"requiredGranularScopes": [scope]},
            }
            said = "This app hasn't been granted all required scopes to make this call."
            raise Refusal(403, "MISSING_SCOPES", said, errors=[named])

    def _complete(self, results: list[Any], errors: list[Any] | None = None) -> Response:
        at = written(self.account.now)
        body = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
        return JSONResponse(
            body | ({"numErrors": len(errors), "errors": errors} if errors else {}),
            207 if errors else 200,
        )

    @staticmethod
    def _shown(one: Object, names: Any, indexed: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Values that are asked for, as the search knows them or as they are; the empty are
        null.
        """
        values = one.properties if indexed is None else indexed
        always = ("hs_object_id", "createdate")
        return {
            "id": one.id,
            "properties": {name: values.get(name) for name in (*always, *names) if name},
            "createdAt": written(one.created_at),
            "updatedAt": written(one.updated_at),
            "archived": False,
        }
