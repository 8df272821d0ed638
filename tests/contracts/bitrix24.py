"""A contract server that answers as Bitrix24's documents say, quirks included, and refuses what
they do not allow.

Breaches are answered with an error and kept: a test ends with none.
"""

import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.contracts.bitrix24_asked import demand
from tests.contracts.bitrix24_methods import Methods
from tests.contracts.bitrix24_portal import Breach, Portal, Problem, whole


class Bitrix24Server:
    """The application, and what tests look at: `methods` asked in order, `breaches`, the
    `portal`.
    """

    def __init__(self) -> None:
        self.portal, self.breaches, self.methods = Portal(), list[str](), list[str]()
        self.finds_no_time = False  # a filter by time finds nothing, as some portals report
        self._methods = Methods(self.portal)
        self.capacity, self.leak, self._level, self._leaked_at = 50.0, 2.0, 0.0, time.monotonic()
        self.spent: dict[str, int] = {}  # methods that are blocked → how many seconds from now on
        self.blocked: Problem | None = None  # what everything is answered with
        self.refused: dict[str, Problem] = {}  # likewise one method
        self.nonsense: dict[str, Any] = {}  # the result of a method, whatever it should have been
        self.app = Starlette(
            routes=[
                Route("/rest/{user:int}/{code}/{method}", self._by_webhook, methods=["POST"]),
                Route("/rest/{method}", self._by_application, methods=["POST"]),
            ]
        )

    async def _by_webhook(self, request: Request) -> Response:
        keys = (request.path_params["user"], request.path_params["code"])
        return await self._answer(
            request, application=False, known=keys == (self.portal.user, self.portal.code)
        )

    async def _by_application(self, request: Request) -> Response:
        return await self._answer(request, application=True, known=True)

    async def _answer(self, request: Request, *, application: bool, known: bool) -> Response:
        method = request.path_params["method"].removesuffix(".json")
        self.methods.append(method)
        try:
            if self.blocked:
                raise self.blocked
            self._count()
            if not known:
                raise Problem(401, "INVALID_CREDENTIALS", "Invalid request credentials")
            body = await self._body(request)
            if application and body.pop("auth", None) != "an access token":
                raise Problem(401, "expired_token", "The access token provided has expired")
            said = self.call(method, body, application=application)
            return JSONResponse({**said, "time": _time()})
        except Problem as problem:
            return JSONResponse(self._error(method, problem), problem.status)

    async def _body(self, request: Request) -> dict[str, Any]:
        try:
            if request.headers.get("content-type") != "application/json" or not request.headers.get(
                "user-agent"
            ):
                raise Breach("a request is JSON, says so, and says who asks")
            body = json.loads(await request.body() or "{}")
            if not isinstance(body, dict):
                raise Breach("parameters are an object")
        except (Breach, ValueError) as error:
            raise Breach(getattr(error, "text", str(error))) from error
        return body

    def _error(self, method: str, problem: Problem) -> dict[str, Any]:
        if isinstance(problem, Breach):
            self.breaches.append(f"{method}: {problem.text}")
        timed = {"time": _time(self.spent[method])} if method in self.spent else {}
        return {"error": problem.code, "error_description": problem.text, **timed}

    def _count(self) -> None:
        """The leaky bucket: each request fills it by one, each second takes two."""
        now = time.monotonic()
        self._level, self._leaked_at = (
            max(0.0, self._level - (now - self._leaked_at) * self.leak),
            now,
        )
        if self._level + 1 > self.capacity:
            raise Problem(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")
        self._level += 1

    def _batch(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """One after the other; what PHP has no keys for is shown as a list."""
        demand("batch", body)
        commands = body.get("cmd")
        commands = dict(enumerate(commands)) if isinstance(commands, list) else commands
        if not isinstance(commands, dict) or not all(
            isinstance(command, str) for command in commands.values()
        ):
            raise Breach("cmd is an object of texts")
        parts: dict[str, dict[Any, Any]] = {
            "": {},
            "_error": {},
            "_next": {},
            "_total": {},
            "_time": {},
        }
        for place, (name, command) in enumerate(commands.items()):
            method, _, query = command.partition("?")
            try:
                if place >= 50 or method == "batch":
                    raise Problem(
                        400,
                        "ERROR_BATCH_LENGTH_EXCEEDED"
                        if place >= 50
                        else "ERROR_BATCH_METHOD_NOT_ALLOWED",
                    )
                said = self.call(method, _filled(_unpacked(query), parts[""]))
                parts[""][name] = said["result"]
                parts["_next"] |= {name: said["next"]} if "next" in said else {}
                parts["_total"] |= {name: said["total"]} if "total" in said else {}
            except Problem as problem:
                error = self._error(method, problem)
                parts["_time"][name] = error.pop("time", _time())
                parts["_error"][name] = error
                if whole(int(body.get("halt", 0)), "halt"):
                    break
        return {"result": {f"result{name}": part or [] for name, part in parts.items()}}

    def call(
        self, method: str, params: Mapping[str, Any], *, application: bool = False
    ) -> dict[str, Any]:
        """One method: `result`, and for lists `total` and `next`."""
        if method in self.spent:
            raise Problem(
                429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit"
            )
        if method in self.refused:
            raise self.refused[method]
        if method in self.nonsense:
            return {"result": self.nonsense[method]}
        if method == "batch":
            return self._batch(params)
        said = self._methods.run(method, params, application=application)
        filters = {**(params.get("filter") or {}), **(params.get("FILTER") or {})}
        if self.finds_no_time and any(name.endswith(("Time", "DATE")) for name in filters):
            return {"result": {"items": []} if method == "crm.item.list" else [], "total": 0}
        return said


def _unpacked(query: str) -> Any:
    """A query as PHP reads it."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        first, *inner = [name.partition("[")[0], *re.findall(r"\[([^\]]*)\]", name)]
        place, steps = root, [first, *inner]
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = value
    return {name: _as_list(value) for name, value in root.items()}


def _as_list(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value == {"": ""}:
        return []
    inner = {name: _as_list(item) for name, item in value.items()}
    return (
        list(inner.values())
        if list(inner) == [str(place) for place in range(len(inner))]
        else inner
    )


def _filled(value: Any, results: Mapping[Any, Any]) -> Any:
    """With what earlier commands gave in place of `$result[name][field]`."""
    if isinstance(value, dict):
        return {name: _filled(item, results) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, results) for item in value]
    if not value.startswith("$result["):
        return value
    found: Any = results
    for step in re.findall(r"\[([^\]]+)\]", value):
        found = found.get(step, "") if isinstance(found, dict) else ""
    return str(found)


def _time(reset: float = 600) -> dict[str, Any]:
    now = time.time()
    return {"start": now, "finish": now, "operating": 0.1, "operating_reset_at": int(now + reset)}
