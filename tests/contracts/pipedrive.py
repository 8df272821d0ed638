"""A Pipedrive account on this machine, by the reference of API v2 (persons, organizations, deals,
fields, search, activities) and v1 (leads, notes, users).

It refuses parameters, keys and types that the reference does not name, and remembers them in
`violations`. Phones are kept and found as they were typed; the search knows what is older than
`lag`.
"""

import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.contracts.pipedrive_activities import STAGES, USERS, Activities
from tests.contracts.pipedrive_answers import Failure, Row, Violation, check_types, typed

TOKEN = "a-token-of-forty-letters"
KINDS = {"persons": "person", "organizations": "organization", "deals": "deal", "leads": "lead"}
_LIST = {"limit": int, "cursor": str, "sort_by": str, "sort_direction": str, "ids": str}
PARAMS: dict[str, dict[str, type]] = {
    "persons": {**_LIST, "owner_id": int, "org_id": int, "deal_id": int, "updated_since": str},
    "organizations": {**_LIST, "owner_id": int, "updated_since": str},
    "deals": {**_LIST, "owner_id": int, "person_id": int, "org_id": int, "status": str},
    "leads": {
        "limit": int, "start": int, "sort": str, "owner_id": int, "person_id": int,
        "organization_id": int,
    },
    "notes": {
        "user_id": int, "lead_id": str, "deal_id": int, "person_id": int, "org_id": int,
        "start": int, "limit": int, "sort": str,
    },
}  # fmt: skip
_OWNED = {"owner_id": int, "visible_to": int, "label_ids": list}
BODIES: dict[str, dict[str, type]] = {
    "persons": {**_OWNED, "name": str, "org_id": int, "phones": list, "emails": list},
    "organizations": {**_OWNED, "name": str, "address": dict},
    "deals": {
        **_OWNED, "title": str, "person_id": int, "org_id": int, "pipeline_id": int,
        "stage_id": int, "status": str, "value": float,
    },
    "leads": {
        **_OWNED, "title": str, "person_id": int, "organization_id": int, "was_seen": bool,
        "origin_id": str, "channel_id": str,
    },
}  # fmt: skip
_V2 = r"/api/v2/(?P<kind>persons|organizations|deals)"
_FIELDS = r"/api/v2/(?P<kind>person|organization|deal)Fields"
_SEARCHED = {"persons": "phone", "organizations": "", "deals": "", "leads": ""}


class Account:
    """One account, its API and its one user."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        methods = ["GET", "POST", "PATCH"]
        self.app = Starlette(routes=[Route("/{path:path}", self._serve, methods=methods)])
        self.clock, self.lag, self.busy = clock, timedelta(), 0
        self.rows: dict[str, dict[str, Row]] = {kind: {} for kind in KINDS}
        self.notes: list[Row] = []
        self.activities = Activities(clock)
        self.fields: dict[str, list[Row]] = {
            kind: [] for kind in ("person", "organization", "deal")
        }
        self.violations: list[str] = []

    # What people and other programs do

    def add(self, kind: str, **values: Any) -> str:
        """An entity; custom fields by their names in `custom`."""
        custom = {self.code(kind, name): text for name, text in values.pop("custom", {}).items()}
        key = str(uuid.uuid4()) if kind == "leads" else str(len(self.rows[kind]) + 1)
        row: Row = {"id": key if kind == "leads" else int(key), "add_time": self.clock(), **values}
        row = {"owner_id": 1, **row, "custom_fields": custom}
        if kind == "leads":
            row.setdefault("is_archived", False)
        elif kind == "deals":
            row = {"status": "open", "stage_id": 1, "is_archived": False, **row}
        if kind != "leads":
            row.setdefault("is_deleted", False)
        self.rows[kind][key] = row
        return key

    def add_field(self, of: str, name: str, kind: str = "varchar", *labels: str) -> str:
        code = uuid.uuid5(uuid.NAMESPACE_URL, f"{of} {name}").hex + "0" * 8
        options = [{"id": 70 + place, "label": label.title()} for place, label in enumerate(labels)]
        field = {"field_name": name, "field_code": code, "field_type": kind}
        self.fields[of].append({**field, "is_custom_field": True, "options": options or None})
        return code

    def code(self, kind: str, name: str) -> str:
        """The code of a field, by its name."""
        fields = self.fields["deal" if kind == "leads" else KINDS[kind]]
        return next(field["field_code"] for field in fields if name == field["field_name"])

    # The API

    async def _serve(self, request: Request) -> Response:
        try:
            if self.busy:
                self.busy -= 1
                raise Failure(429, "Rate limit exceeded")
            data = await self._answer(request)
            status = 201 if request.method == "POST" else 200
            return _json({"success": True, "data": data, "additional_data": {}}, status)
        except Failure as failure:
            if isinstance(failure, Violation):
                self.violations.append(f"{request.method} {request.url}: {failure.error}")
            headers = {"Retry-After": "7"} if failure.status == 429 else {}
            return _json({"success": False, "error": failure.error}, failure.status, headers)

    async def _answer(self, request: Request) -> Any:
        path, params = request.url.path, dict(request.query_params)
        if params.pop("api_token", request.headers.get("x-api-token")) != TOKEN:
            raise Failure(401, "unauthorized access")
        body = await _body(request)
        for method, pattern, handler in self._routes():
            match = re.fullmatch(pattern, path)
            if match and method == request.method:
                return handler(**match.groupdict(), params=params, body=body)
        raise Violation(404, "no such endpoint")

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        leads = "/api/v1/(?P<kind>leads)"
        return [
            ("GET", "/api/v1/users/me", lambda **_: {"id": 1, "name": "Ringtrace"}),
            *self.activities.routes(),
            ("GET", _FIELDS, lambda kind, **_: self.fields[kind]),
            ("POST", _FIELDS, self._make_field),
            ("GET", r"/api/v2/(?P<kind>persons|organizations|deals|leads)/search", self._search),
            ("GET", "/api/v1/(?P<kind>notes)", self._list_notes),
            ("POST", "/api/v1/notes", self._make_note),
            *(("GET", base, self._list) for base in (_V2, leads)),
            *(("POST", base, self._make) for base in (_V2, leads)),
            *(("GET", base + "/(?P<key>[^/]+)", self._one) for base in (_V2, leads)),
            *(("PATCH", base + "/(?P<key>[^/]+)", self._change) for base in (_V2, leads)),
        ]

    def _make_field(self, kind: str, params: Row, body: Row) -> Row:
        if body.keys() - {"field_name", "field_type", "options", "description"}:
            raise Violation(400, "unknown keys")
        if any(field["field_name"] == body["field_name"] for field in self.fields[kind]):
            raise Failure(400, "Field with this name already exists")
        self.add_field(kind, body["field_name"], body["field_type"])
        return self.fields[kind][-1]

    def _list(self, kind: str, params: Row, body: Row) -> list[Row]:
        asked = typed(params, PARAMS[kind])
        rows = [row for row in self.rows[kind].values() if not row.get("is_deleted")]
        rows = [row for row in rows if not row.get("is_archived")]
        for name in ("person_id", "org_id", "organization_id", "status"):
            if name in asked:
                rows = [row for row in rows if str(row.get(name)) == str(asked[name])]
        if "ids" in asked:
            ids = asked["ids"].split(",")
            if len(ids) > 100:
                raise Violation(400, "more than 100 ids")
            rows = [row for row in rows if str(row["id"]) in ids]
        newest = asked.get("sort_direction") == "desc" or asked.get("sort") == "add_time DESC"
        rows.sort(key=lambda row: row["add_time"], reverse=newest)
        return [_shown(kind, row) for row in rows[: asked.get("limit", 100)]]

    def _search(self, kind: str, params: Row, body: Row) -> Row:
        asked = typed(params, {"term": str, "fields": str, "exact_match": str, "limit": int})
        term, exact = asked["term"].lower(), asked.get("exact_match") == "true"
        if len(term) < (1 if exact else 2):
            raise Violation(400, "term must be at least 2 characters long")
        if asked["fields"] not in {_SEARCHED[kind], "custom_fields"} - {""}:
            raise Violation(400, "fields is not one of the allowed")
        found = []
        for row in self.rows[kind].values():
            texts = [str(text).lower() for text in row["custom_fields"].values()]
            if asked["fields"] == "phone":
                texts = [phone["value"].lower() for phone in row.get("phones", ())]
            hit = any(term == text if exact else term in text for text in texts)
            if hit and not row.get("is_deleted") and row["add_time"] <= self.clock() - self.lag:
                found.append({"result_score": 1.0, "item": {"id": row["id"], "type": KINDS[kind]}})
        return {"items": found}

    def _one(self, kind: str, key: str, params: Row, body: Row) -> Row:
        if key not in self.rows[kind]:
            raise Failure(404, f"{KINDS[kind]} not found")
        return _shown(kind, self.rows[kind][key])

    def _make(self, kind: str, params: Row, body: Row) -> Row:
        values, custom = self._checked(kind, body)
        if not values.get("title" if kind in {"deals", "leads"} else "name"):
            raise Violation(400, "a title or a name is needed")
        if kind == "leads" and not values.keys() & {"person_id", "organization_id"}:
            raise Failure(400, "A lead must be linked to a person or an organization")
        key = self.add(kind, **values)
        self.rows[kind][key]["custom_fields"] = custom
        return _shown(kind, self.rows[kind][key])

    def _change(self, kind: str, key: str, params: Row, body: Row) -> Row:
        self._one(kind, key, {}, {})
        values, custom = self._checked(kind, body)
        row = self.rows[kind][key]
        row |= values
        row["custom_fields"] |= custom
        return _shown(kind, row)

    def _checked(self, kind: str, body: Row) -> tuple[Row, Row]:
        fields = self.fields["deal" if kind == "leads" else KINDS[kind]]
        known = {field["field_code"]: field for field in fields}
        custom = dict(body.pop("custom_fields", {})) if kind != "leads" else {}
        if kind == "leads":
            custom = {code: body.pop(code) for code in list(body) if code in known}
        if unknown := custom.keys() - known.keys():
            raise Violation(400, f"unknown: {unknown}")
        check_types(body, BODIES[kind])
        for code, value in custom.items():
            if value is not None and (wrong := _wrong(known[code], value)):
                raise Failure(400, f"Validation failed: custom_fields.{code}: {wrong}")
        if not USERS.get(body.get("owner_id", 1)) or body.get("stage_id", 1) not in STAGES:
            raise Failure(400, "User or stage not found")
        for name, of in {"person_id": "persons", "org_id": "organizations"}.items():
            if name in body and str(body[name]) not in self.rows[of]:
                raise Failure(400, f"{name} not found")
        return body, custom

    def _list_notes(self, kind: str, params: Row, body: Row) -> list[Row]:
        asked = typed(params, PARAMS[kind])
        places = asked.keys() & {"lead_id", "deal_id", "person_id", "org_id"}
        mine = [
            note for note in self.notes if all(note.get(name) == asked[name] for name in places)
        ]
        return mine[: asked.get("limit", 100)]

    def _make_note(self, params: Row, body: Row) -> Row:
        places = body.keys() - {"content"}
        if not places or places - {"lead_id", "deal_id", "person_id", "org_id"}:
            raise Violation(400, "a note belongs to a lead, deal, person or organization")
        self.notes.append({"id": len(self.notes) + 1, **body})
        return self.notes[-1]


def _wrong(field: Row, value: Any) -> str:
    kind, options = field["field_type"], [option["id"] for option in field["options"] or ()]
    match kind:
        case "varchar":
            return "" if isinstance(value, str) and len(value) <= 255 else "at most 255 letters"
        case "double":
            return "" if isinstance(value, float | int) else "a number"
        case "enum":
            return "" if value in options else "an id of an option"
    return ""


def _shown(kind: str, row: Row) -> Row:
    """As the API shows it: leads have custom fields among the others, if they are filled."""
    if kind != "leads":
        return row
    filled = {code: value for code, value in row["custom_fields"].items() if value is not None}
    return {**{name: value for name, value in row.items() if name != "custom_fields"}, **filled}


async def _body(request: Request) -> Row:
    if request.method == "GET":
        return {}
    if request.headers.get("content-type") != "application/json":
        raise Violation(415, "the body is not JSON")
    body: Row = await request.json()
    return body


def _json(body: Row, status: int, headers: dict[str, str] | None = None) -> Response:
    text = json.dumps(body, default=lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}")
    return JSONResponse(json.loads(text), status, headers=headers)
