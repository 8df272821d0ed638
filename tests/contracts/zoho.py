"""A Zoho CRM organization on this machine, by the documents of API version 8: records, upsert,
COQL, notes, tasks, calls, users, fields and access tokens.

It refuses what the documents do not name, and remembers it in `violations`. Phones are kept and
compared as they were typed.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.contracts.zoho_modules import FIELDS, FORMATS, LONGEST, LOOKUPS, MANDATORY, STAGES, USERS

Row = dict[str, Any]
GRANT = {"client_id": "1000.CLIENT", "client_secret": "a-secret", "refresh_token": "1000.REFRESH"}
_SELECT = re.compile(
    r"select ([\w, ]+) from (\w+) where (.+?)(?: order by Created_Time desc)? limit (\d+)"
)
_TERM = re.compile(
    r"(\w+) (?:(=|like) '((?:[^']|'')*)'|(in) \(('[^']*'(?:, '[^']*')*)\)|(is not null))"
)
_MODULE = r"/crm/v8/(?P<module>Contacts|Accounts|Leads|Deals|Tasks|Calls)"


class Failure(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "details": details, "message": message, "status": "error"}


class Violation(Failure):
    """A request that the documents do not allow."""


class Organization:
    """One organization, its API and one client."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        methods = ["GET", "POST", "PUT"]
        self.app = Starlette(routes=[Route("/{path:path}", self._serve, methods=methods)])
        self.clock, self.busy, self.tokens = clock, 0, 0
        self.ended = 0  # so many of the tokens, the first ones
        self.fields = {module: dict(fields) for module, fields in FIELDS.items()}
        self.unique: set[tuple[str, str]] = set()
        self.options: dict[str, tuple[str, ...]] = {
            "Stage": STAGES,
            "Call_Type": ("Inbound", "Outbound", "Missed"),
        }
        self.rows: dict[str, dict[str, Row]] = {module: {} for module in FIELDS}
        self.notes: dict[tuple[str, str], list[Row]] = {}
        self.violations: list[str] = []
        self.users_hidden = False  # from this client

    def add(self, module: str, **values: Any) -> str:
        key = str(4150868000000000000 + sum(map(len, self.rows.values())))
        at = f"{self.clock():%Y-%m-%dT%H:%M:%S+00:00}"
        owner = {"Owner": {"id": "1"}}
        self.rows[module][key] = {"Created_Time": at, **owner, **values, "id": key}
        return key

    async def _serve(self, request: Request) -> Response:
        try:
            if request.url.path == "/oauth/v2/token":
                return JSONResponse(self._grant(dict(parse_qsl((await request.body()).decode()))))
            if self.busy:
                self.busy -= 1
                raise Failure(429, "TOO_MANY_REQUESTS", "Try again later")
            if request.headers.get("authorization") not in self._valid():
                raise Failure(401, "INVALID_TOKEN", "invalid oauth token")
            body = await request.json() if request.method != "GET" else {}
            return self._answer(request, body)
        except Failure as failure:
            if isinstance(failure, Violation):
                self.violations.append(f"{request.method} {request.url}: {failure.body}")
            writes = request.method != "GET" and failure.status == 400
            body = {"data": [failure.body]} if writes else failure.body
            return JSONResponse(body, failure.status)

    def _valid(self) -> set[str]:
        return {f"Zoho-oauthtoken access-{number + 1}" for number in range(self.ended, self.tokens)}

    def _grant(self, form: Row) -> Row:
        if form != {"grant_type": "refresh_token", **GRANT}:
            return {"error": "invalid_code"}
        self.tokens += 1
        return {"access_token": f"access-{self.tokens}", "expires_in": 3600, "token_type": "Bearer"}

    def _answer(self, request: Request, body: Row) -> Response:
        params = dict(request.query_params)
        for method, pattern, handler in (
            ("GET", "/crm/v8/settings/fields", self._list_fields),
            ("POST", "/crm/v8/settings/fields", self._make_field),
            ("POST", "/crm/v8/coql", self._query),
            ("GET", r"/crm/v8/users/(?P<key>\d+)", self._user),
            ("GET", "/crm/v8/users", lambda **_: JSONResponse({"users": [{"id": "1"}]})),
            ("GET", "/crm/v8/org", lambda **_: JSONResponse({"org": [{"zgid": "7"}]})),
            ("POST", r"/crm/v8/(?P<module>Contacts|Tasks|Calls)", self._insert),
            ("POST", _MODULE + "/upsert", self._upsert),
            ("GET", _MODULE + r"/(?P<key>\d+)", self._record),
            ("PUT", _MODULE + r"/(?P<key>\d+)", self._change),
            ("GET", _MODULE + r"/(?P<key>\d+)/Notes", self._list_notes),
            ("POST", _MODULE + r"/(?P<key>\d+)/Notes", self._make_note),
        ):
            match = re.fullmatch(pattern, request.url.path)
            if match and method == request.method:
                return handler(**match.groupdict(), params=params, body=body)
        raise Violation(404, "INVALID_URL_PATTERN", "Please check if the URL is correct")

    def _list_fields(self, params: Row, body: Row) -> Response:
        fields = self.fields[params["module"]].items()
        shown = [{"api_name": name, "data_type": kind, **self._list(name)} for name, kind in fields]
        return JSONResponse({"fields": shown})

    def _list(self, name: str) -> Row:
        values = self.options.get(name, ())
        shown = [{"display_value": value.title(), "actual_value": value} for value in values]
        return {"pick_list_values": shown, "length": LONGEST}

    def _user(self, key: str, params: Row, body: Row) -> Response:
        if self.users_hidden:
            raise Failure(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")
        if key not in USERS:
            raise Failure(400, "INVALID_DATA", "the id given seems to be invalid", id=key)
        status = "active" if USERS[key] else "inactive"
        return JSONResponse({"users": [{"id": key, "full_name": f"User {key}", "status": status}]})

    def _make_field(self, params: Row, body: Row) -> Response:
        (field,) = body["fields"]
        if field.keys() - {"field_label", "data_type", "length", "unique"}:
            raise Violation(400, "INVALID_DATA", "unknown keys of a field")
        name = field["field_label"].replace(" ", "_")
        self.fields[params["module"]][name] = field["data_type"]
        self.unique |= {(params["module"], name)} if "unique" in field else set()
        return JSONResponse({"fields": [{"code": "SUCCESS", "details": {"id": "1"}}]})

    def _query(self, params: Row, body: Row) -> Response:
        match = _SELECT.fullmatch(body.get("select_query", ""))
        if match is None or body.keys() != {"select_query"} or int(match[4]) > 2000:
            raise Violation(400, "SYNTAX_ERROR", str(body))
        module, columns = match[2], match[1].split(", ")
        if unknown := set(columns) - self.fields[module].keys() - {"id"}:
            raise Violation(400, "INVALID_QUERY", f"column {unknown}")
        fits = self._condition(module, match[3])
        found = [row for row in self.rows[module].values() if fits(row)]
        found.sort(key=lambda row: row["Created_Time"], reverse=True)
        shown = [
            {"id": row["id"], **{column: row.get(column) for column in columns}} for row in found
        ]
        if not shown:
            return Response(status_code=204)
        return JSONResponse({"data": shown[: int(match[4])], "info": {"more_records": False}})

    def _condition(self, module: str, text: str) -> Callable[[Row], bool]:
        """One condition, or two in brackets joined by `or`."""
        if not text.startswith("("):
            return self._term(module, text)
        depth = 0
        for place, letter in enumerate(text):
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if depth == 1 and text[place:].startswith(" or ") and text.endswith(")"):
                left = self._condition(module, text[1:place])
                right = self._condition(module, text[place + 4 : -1])
                return lambda row: left(row) or right(row)
        raise Violation(400, "SYNTAX_ERROR", f"criteria must be grouped in pairs: {text}")

    def _term(self, module: str, text: str) -> Callable[[Row], bool]:
        match = _TERM.fullmatch(text)
        if match is None or match[1] not in {"id", *self.fields[module]}:
            raise Violation(400, "SYNTAX_ERROR", text)
        name, operator = match[1], match[2] or match[4] or match[6]
        if self.fields[module].get(name) == "textarea":
            raise Violation(400, "INVALID_QUERY", f"{name} is in no criteria")
        wanted = (match[3] or "").replace("''", "'")
        many = re.findall(r"'([^']*)'", match[5] or "")

        def fits(row: Row) -> bool:
            has = row.get(name)
            has = has["id"] if isinstance(has, dict) else has
            match operator:
                case "=":
                    return bool(has == wanted)
                case "in":
                    return has in many
                case "is not null":
                    return has is not None
            inside, end = wanted.strip("%"), not wanted.endswith("%")
            return has is not None and (has.endswith(inside) if end else inside in has)

        return fits

    def _record(self, module: str, key: str, params: Row, body: Row) -> Response:
        names = params.get("fields", "").split(",")
        if unknown := set(names) - self.fields[module].keys() - {"id"}:
            raise Violation(400, "INVALID_DATA", f"unknown fields {unknown}")
        row = self.rows[module].get(key)
        if row is None:
            return Response(status_code=204)
        return JSONResponse({"data": [{"id": key, **{name: row.get(name) for name in names}}]})

    def _upsert(self, module: str, params: Row, body: Row) -> Response:
        (values,), by = body["data"], body.get("duplicate_check_fields", [])
        if any((module, name) not in self.unique for name in by):
            raise Violation(400, "INVALID_DATA", "duplicate_check_fields must be unique fields")
        self._check(module, values)
        for row in self.rows[module].values():
            if any(row.get(name) == values.get(name) for name in by):
                row |= values
                return _done(row["id"], "update")
        return self._add(module, values)

    def _insert(self, module: str, params: Row, body: Row) -> Response:
        (values,) = body["data"]
        of = values.pop("$se_module", None)
        if ("What_Id" in values) != (of in {"Leads", "Deals", "Accounts"}):
            raise Violation(400, "INVALID_DATA", "What_Id needs its module", api_name="$se_module")
        if of == "Leads" and "Who_Id" in values:
            raise Failure(400, "INVALID_DATA", "a lead has no contact", api_name="Who_Id")
        self._check(module, values, of)
        return self._add(module, values)

    def _add(self, module: str, values: Row) -> Response:
        for name in MANDATORY[module]:
            if not values.get(name):
                raise Failure(400, "MANDATORY_NOT_FOUND", "required field", api_name=name)
        return _done(self.add(module, **values), "insert")

    def _change(self, module: str, key: str, params: Row, body: Row) -> Response:
        (values,) = body["data"]
        if key not in self.rows[module]:
            raise Failure(400, "INVALID_DATA", "the id given seems to be invalid", api_name="id")
        self._check(module, values)
        self.rows[module][key] |= values
        return _done(key, "update")

    def _check(self, module: str, values: Row, of: str | None = None) -> None:
        for name, value in values.items():
            kind = self.fields[module].get(name)
            if kind is None:
                raise Violation(400, "INVALID_DATA", f"unknown field {name}", api_name=name)
            if kind in {"lookup", "ownerlookup"}:
                there: Any = {key for key, active in USERS.items() if active}
                there = self.rows[LOOKUPS.get(name) or of or ""] if kind == "lookup" else there
                if value["id"] not in there:
                    raise Failure(400, "INVALID_DATA", "invalid data", api_name=name)
            elif value is not None and not isinstance(value, str):
                raise Violation(400, "INVALID_DATA", "a text is expected", api_name=name)
            if kind == "text" and len(value or "") > LONGEST:
                raise Failure(400, "INVALID_DATA", "maximum length exceeded", api_name=name)
            if name in FORMATS and not re.fullmatch(FORMATS[name], value):
                raise Violation(400, "INVALID_DATA", "not in its format", api_name=name)
            if kind == "picklist" and value not in self.options[name]:
                raise Failure(400, "INVALID_DATA", "invalid data", api_name=name)

    def _list_notes(self, module: str, key: str, params: Row, body: Row) -> Response:
        if "fields" not in params:
            raise Violation(400, "REQUIRED_PARAM_MISSING", "fields")
        notes = self.notes.get((module, key))
        return JSONResponse({"data": notes}) if notes else Response(status_code=204)

    def _make_note(self, module: str, key: str, params: Row, body: Row) -> Response:
        (note,) = body["data"]
        if note.keys() - {"Note_Title", "Note_Content"} or key not in self.rows[module]:
            raise Violation(400, "INVALID_DATA", "not a note of a record")
        self.notes.setdefault((module, key), []).append(note)
        return _done("1", "insert")


def _done(key: str, action: str) -> Response:
    done = {"code": "SUCCESS", "details": {"id": key}, "status": "success", "action": action}
    return JSONResponse({"data": [done]}, 201 if action == "insert" else 200)
