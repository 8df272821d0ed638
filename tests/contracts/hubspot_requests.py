"""HubSpot's objects over its API: one by one, in batches, by search, and what they hang on."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.contracts.hubspot_asked import (
    missing_of,
    only,
)
from tests.contracts.hubspot_objects import (
    LINKS,
    PRIMARY,
    Account,
    Object,
    Refusal,
    written,
)
from tests.contracts.hubspot_search import OPERATORS

APP = "77"
_MOST = 100  # inputs of a batch
_SCOPED = {
    "notes": "contacts",
    "calls": "contacts",
    "tasks": "contacts",
}  # activities go with contacts


class ObjectRequests:
    """What may be asked of objects, by an app with these scopes."""

    account: Account
    scopes: frozenset[str]
    searches_per_second: int | None
    clock: Callable[[], float]  # of the search's limit
    _searched: deque[float]

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
            return JSONResponse({"results": [self._shown(known, ()) for known in few]})
        if method == "POST" and not rest:
            only(body, {"properties", "associations"}, {"properties"})
            made = self.account.create(
                kind, body["properties"], APP, self._links(kind, body.get("associations") or [])
            )
            return JSONResponse(self._shown(made, body["properties"]), 201)
        only(dict(query), {"properties", "idProperty", "associations", "archived"})
        known = self.account.find(kind, rest[0], query.get("idProperty"))
        if known is None or len(rest) > 1:
            raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        if method == "PATCH":
            only(body, {"properties"}, {"properties"})
            self.account.change(kind, known, body["properties"])
            return JSONResponse(self._shown(known, body["properties"]))
        shown = self._shown(known, query.get("properties", "").split(","))
        linked = {
            to: self.account.linked(kind, known.id, to)
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
        for association in associations:
            only(association, {"to", "types"}, {"to", "types"})
            for link_type in association["types"]:
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
                if to is None or str(association["to"]["id"]) not in self.account.objects[to]:
                    raise Refusal(
                        400,
                        "VALIDATION_ERROR",
                        f"{kind} cannot hang on {association['to']} by type {number}",
                    )
                links.append((to, str(association["to"]["id"])))
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
                asked["id"]: self.account.find(kind, asked["id"], body.get("idProperty"))
                for asked in inputs
            }
            missing = [key for key, known in found.items() if known is None]
            errors = (
                [missing_of(f"Could not get some {kind}, they may be deleted", ids=missing)]
                if missing
                else []
            )
            return self._complete(
                [self._shown(known, body["properties"]) for known in found.values() if known],
                errors,
            )
        if verb != "upsert":
            raise Refusal(404, "OBJECT_NOT_FOUND", f"no batch {verb} here")
        return self._complete([self._upsert(kind, asked) for asked in inputs])

    def _upsert(self, kind: str, wanted: dict[str, Any]) -> dict[str, Any]:
        only(
            wanted,
            {"id", "idProperty", "properties", "objectWriteTraceId"},
            {"id", "idProperty", "properties"},
        )
        by, values = wanted["idProperty"], wanted["properties"]
        known = self.account.find(kind, wanted["id"], by)
        if known is not None:
            self.account.change(kind, known, values)
            return {**self._shown(known, values), "new": False}
        return {
            **self._shown(self.account.create(kind, {by: wanted["id"], **values}, APP), values),
            "new": True,
        }

    def _linked(self, kind: str, to: str, body: dict[str, Any]) -> Response:
        self._need(kind, "read")
        only(body, {"inputs"}, {"inputs"})
        spec = {"category": "HUBSPOT_DEFINED", "typeId": LINKS[kind, to], "label": None}
        results, errors = [], []
        for asked in body["inputs"]:
            others = self.account.linked(kind, asked["id"], to)
            if others:
                ends = [{"toObjectId": int(other), "associationTypes": [spec]} for other in others]
                results.append({"from": {"id": asked["id"]}, "to": ends})
            else:
                said = f"No {to} is associated with {kind} {asked['id']}."
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
        for condition in (condition for group in groups for condition in group):
            only(
                condition,
                {"propertyName", "operator", "value", "highValue", "values"},
                {"propertyName", "operator"},
            )
            if condition["propertyName"] not in self.account.properties[kind]:
                raise Refusal(
                    400, "VALIDATION_ERROR", f"there is no property {condition['propertyName']}"
                )
            if condition["operator"] not in OPERATORS:
                raise Refusal(400, "VALIDATION_ERROR", f"Invalid operator {condition['operator']}")
        hits = [
            (known, values)
            for known, values in self.account.indexed(kind)
            if any(
                all(OPERATORS[it["operator"]](values.get(it["propertyName"]), it) for it in group)
                for group in groups
            )
        ]
        if sorts:
            only(sorts[0], {"propertyName", "direction"}, {"propertyName"})
            hits.sort(key=lambda hit: hit[1].get(sorts[0]["propertyName"], ""))
        shown = [
            self._shown(hit, body.get("properties") or (), values) for hit, values in hits[:limit]
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
    def _shown(
        shown: Object, names: Any, indexed: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Values that are asked for, as the search knows them or as they are; the empty are
        null.
        """
        values = shown.properties if indexed is None else indexed
        always = ("hs_object_id", "createdate")
        return {
            "id": shown.id,
            "properties": {name: values.get(name) for name in (*always, *names) if name},
            "createdAt": written(shown.created_at),
            "updatedAt": written(shown.updated_at),
            "archived": False,
        }
