"""An amoCRM account that behaves by its documents, and never forgives.

What it refuses is remembered in `complaints`, so that a test fails by it even if the client lives
on. Its quirks: 204 for nothing, 7 requests a second with a page for people in 429, and a ban for
those who go on; search that finds digits anywhere, knows +7 and 8 as different, reads what is new
later, and nothing unsorted; unsorted calls taken once.
"""

import json
import re
import time
from collections import deque
from collections.abc import Callable
from http import HTTPMethod
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.contracts.amocrm_answers import a_batch, hal, made_of, problem, public, shown
from tests.contracts.amocrm_book import FIRST_STATUS, LOST, PEOPLE, PIPELINE, UNSORTED, WON, AmoBook
from tests.contracts.amocrm_models import (
    CALL,
    COMPLEX,
    ENTITIES,
    FIELD,
    FILTERS,
    JOINT,
    NOTE,
    NOTE_NEEDS,
    ORDERS,
    SIP,
    TASK,
    Refusal,
    Row,
    Schema,
    check,
    invalid,
)

PAGE_FORPEOPLE = "<html><body><h1>429 Too Many Requests</h1></body></html>"
BAN_AFTER = 10  # requests that came although the answer was 429


class AmoAccount(AmoBook):
    """One account, and the ASGI application before it."""

    token = "a-long-lived-token"

    def __init__(self) -> None:
        super().__init__()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.limited = False  # to 7 requests a second
        self.clock = time.monotonic
        self.other_pipelines: dict[int, tuple[int, ...]] = {}  # number -> numbers of its statuses
        self.archived: set[int] = set()
        self.moved_to = ""
        self.banned = self.admin_only = False
        self.deaf_fields: set[int] = set()  # PATCH of them is answered by 200, and nothing happens
        self._times: deque[float] = deque(maxlen=7)
        self._excess = 0
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=list(HTTPMethod))])

    # The door

    async def _answer(self, request: Request) -> Response:
        path = request.url.path.removeprefix("/api/v4/").lstrip("/")
        self.asked.append(f"{request.method} {path}")
        try:
            answer = self._guard(request) or self._route(request, path, await self._body(request))
        except Refusal as refusal:
            self.complaints.append(f"{request.method} {path}: {refusal}")
            answer = problem(refusal)
        answer.headers["X-Request-Id"] = f"{len(self.asked):032x}"
        return answer

    def _guard(self, request: Request) -> Response | None:
        if self.moved_to:
            return Response(
                status_code=301, headers={"Location": f"{self.moved_to}{request.url.path}"}
            )
        if self.banned or not self._in_time():
            return HTMLResponse(PAGE_FORPEOPLE, 403 if self.banned else 429)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refusal(401, "Unauthorized", detail="Неверный логин или пароль")
        return None

    def _in_time(self) -> bool:
        now = self.clock()
        if self.limited and len(self._times) == self._times.maxlen and now - self._times[0] < 1:
            self._excess += 1
            self.banned = self._excess > BAN_AFTER
            return False
        self._times.append(now)
        return True

    async def _body(self, request: Request) -> Any:
        if request.method not in {"POST", "PATCH"}:
            return None
        if request.headers.get("content-type", "").split(";")[0] not in {
            "application/json",
            "application/hal+json",
        }:
            raise Refusal(
                415, "Unsupported Media Type", detail="Content-Type should be application/json"
            )
        try:
            return json.loads(await request.body())
        except ValueError as error:
            raise invalid("", "Malformed", "Invalid JSON") from error

    def _route(self, request: Request, path: str, body: Any) -> Response:
        if not request.url.path.startswith("/api/v4/"):
            return HTMLResponse("<html>404</html>", 404)
        some = "(leads|contacts|companies)"
        routes: list[tuple[str, Callable[..., Response]]] = [
            ("GET account", lambda _: JSONResponse({"id": 1, "name": "Shop", "subdomain": "shop"})),
            ("GET leads/pipelines", self._pipelines),
            ("GET users", lambda r: self._page(r, "users", self.user_rows())),
            ("GET tasks", lambda r: self._page(r, "tasks", self.tasks_on(r.query_params))),
            ("POST tasks", lambda _: self._make("tasks", body, TASK, self.add_task)),
            (
                f"GET {some}/custom_fields",
                lambda r, p: self._page(r, "custom_fields", self.fields[p]),
            ),
            (f"POST {some}/custom_fields", lambda _, p: self._make_fields(p, body)),
            ("GET leads/unsorted", self._list_unsorted),
            (
                "POST leads/unsorted/sip",
                lambda _: self._make("unsorted", body, SIP, self.take_call),
            ),
            (
                "POST calls",
                lambda _: hal([self.log_call(check(row, CALL)) for row in a_batch(body)]),
            ),
            ("POST leads/complex", lambda _: self._complex(body)),
            (f"GET {some}/notes", lambda r, p: self._list_notes(r, p)),
            (rf"GET {some}/(\d+)/notes", self._list_notes),
            (rf"POST {some}/(\d+)/notes", lambda _, p, i: self._add_notes(p, i, body)),
            (rf"POST {some}/(\d+)/link", lambda _, p, i: self._link(p, i, body)),
            (f"GET {some}", self._list),
            (f"POST {some}", lambda _, p: self._add(p, body)),
            (rf"GET {some}/(\d+)", lambda _, p, i: shown(self.entities[p].get(int(i)))),
            (rf"PATCH {some}/(\d+)", lambda _, p, i: self._patch(p, i, body)),
        ]
        for pattern, handler in routes:
            if found := re.fullmatch(pattern, f"{request.method} {path}"):
                return handler(request, *found.groups())
        raise Refusal(404, "Not Found", detail="Cannot find this method")

    # Lists

    def _page(self, request: Request, name: str, rows: list[Row]) -> Response:
        asked = request.query_params
        extra = {"with", "query"} if name in ENTITIES else set()
        allowed = (
            {"page", "limit"}
            | extra
            | FILTERS[name]
            | {f"order[{column}]" for column in ORDERS.get(name, ())}
        )
        if unknown := set(asked) - allowed:
            raise invalid(
                ", ".join(sorted(unknown)), "NotExpected", "This parameter was not expected."
            )
        limit, page = (
            asked.get(which, default) for which, default in (("limit", "50"), ("page", "1"))
        )
        if not limit.isdigit() or not page.isdigit() or not 1 <= int(limit) <= 250:
            raise invalid("limit", "OutOfRange", "This value should be between 1 and 250.")
        for column in ORDERS.get(name, ()):
            if by := asked.get(f"order[{column}]"):
                rows = sorted(
                    rows, key=lambda row, column=column: row[column], reverse=by == "desc"
                )
        start, end = (int(page) - 1) * int(limit), int(page) * int(limit)
        if not rows[start:end]:
            return Response(status_code=204)
        links = {"self": {"href": str(request.url)}} | (
            {"next": {"href": "…"}} if rows[end:] else {}
        )
        asked_with = set(asked.get("with", "").split(",")) | {"companies", "tags"}
        shown = [public(row, asked_with if name in ENTITIES else None) for row in rows[start:end]]
        return hal({"_page": int(page), "_links": links, "_embedded": {name: shown}})

    def _list(self, request: Request, path: str) -> Response:
        query = request.query_params.get("query")
        rows = [
            row
            for row in (self.search(path, query) if query else self.those(path))
            if not row.get("unsorted")
        ]
        if ids := request.query_params.getlist("filter[id][]"):
            rows = [row for row in rows if str(row["id"]) in ids]
        return self._page(request, path, rows)

    def _list_unsorted(self, request: Request) -> Response:
        categories = request.query_params.getlist("filter[category][]")
        rows = self.unsorted if not categories or "sip" in categories else []
        return self._page(request, "unsorted", rows)

    def _list_notes(self, request: Request, path: str, id_: str | None = None) -> Response:
        asked, rows = request.query_params, self.notes[path]
        types = asked.getlist("filter[note_type][]")
        start, end = (
            int(asked.get(f"filter[updated_at][{end}]", last))
            for end, last in (("from", 0), ("to", 1 << 40))
        )
        rows = [row for row in rows if id_ is None or row["entity_id"] == int(id_)]
        rows = [
            row
            for row in rows
            if (not types or row["note_type"] in types) and start <= row["updated_at"] <= end
        ]
        return self._page(request, "notes", rows)

    def _pipelines(self, request: Request) -> Response:
        own = {PIPELINE: (UNSORTED, FIRST_STATUS), **self.other_pipelines}
        rows = [
            {
                "id": pipeline,
                "is_archive": pipeline in self.archived,
                "_embedded": {"statuses": [{"id": status} for status in (*statuses, WON, LOST)]},
            }
            for pipeline, statuses in own.items()
        ]
        return self._page(request, "pipelines", rows)

    # Changes

    def _add(self, path: str, body: Any) -> Response:
        rows = [check(row, ENTITIES[path]) for row in a_batch(body)]
        made = [self.put(path, **row) for row in rows]
        return made_of(path, rows, made)

    def _patch(self, path: str, id_: str, body: Any) -> Response:
        row = self.entities[path].get(int(id_))
        if row is None:
            raise Refusal(404, "Not Found", detail="Entity not found")
        check(body, ENTITIES[path])
        new = self.values(path, body.pop("custom_fields_values", None) or [])
        new = [value for value in new if value["field_id"] not in self.deaf_fields]
        changed = {value["field_id"] for value in new}
        kept = [value for value in row["custom_fields_values"] if value["field_id"] not in changed]
        kept += [value for value in new if value["values"]]
        row.update({**body, "custom_fields_values": kept, "updated_at": self.now})
        return hal({"id": row["id"], "updated_at": row["updated_at"], "_links": {}})

    def _complex(self, body: Any) -> Response:
        made = []
        for at, row in enumerate(check(row, COMPLEX) for row in a_batch(body, most=50)):
            inside = row.pop("_embedded", {})
            linked = {
                p: [
                    {"id": linked.get("id") or self.put(p, **linked)["id"]}
                    for linked in inside.get(p, [])
                ]
                for p in PEOPLE
            }
            asked = row.get("request_id", str(at))
            lead = self.put("leads", **row, _embedded={"tags": inside.get("tags", []), **linked})
            ids = {name: linked[p][0]["id"] if linked[p] else None for p, name in PEOPLE.items()}
            made.append({"id": lead["id"], **ids, "request_id": [asked], "merged": False})
        return hal(made)

    def _make(self, name: str, body: Any, schema: Schema, make: Callable[[Row], Row]) -> Response:
        rows = [check(row, schema) for row in a_batch(body)]
        return made_of(name, rows, [make(row) for row in rows])

    def _add_notes(self, path: str, id_: str, body: Any) -> Response:
        if int(id_) not in self.entities[path]:
            raise Refusal(404, "Not Found", detail="Entity not found")
        rows = [check(row, NOTE) for row in a_batch(body)]
        for row in rows:
            if missing := NOTE_NEEDS[row["note_type"]] - set(row["params"]):
                raise invalid(f"params.{min(missing)}", "FieldMissing", "This field is missing.")
        about = {"entity_id": int(id_), "created_at": self.now, "updated_at": self.now}
        made = [{**row, **about, "id": self.number()} for row in rows]
        self.notes[path] += made
        return made_of("notes", rows, made)

    def _link(self, path: str, id_: str, body: Any) -> Response:
        rows = [check(row, JOINT) for row in a_batch(body)]
        for row in rows:
            there = self.known(row["to_entity_type"], row["to_entity_id"])
            self.join(self.known(path, int(id_)), path, there, row["to_entity_type"])
        return hal({"_total_items": len(rows), "_links": {}, "_embedded": {"links": rows}})

    def _make_fields(self, path: str, body: Any) -> Response:
        if self.admin_only:
            raise Refusal(403, "Forbidden", detail="Only an administrator may add fields")
        rows = [check(row, FIELD) for row in a_batch(body)]
        for row in rows:
            if any(row.get("code") and row["code"] == field["code"] for field in self.fields[path]):
                raise invalid("0.code", "NotUnique", "This code is taken.")
        return made_of("custom_fields", rows, [{"id": self.add_field(path, **row)} for row in rows])
