"""An Odoo database on this machine: the JSON-2 API of Odoo 19, and the JSON-RPC of versions before,
by Odoo's documents and its own controllers.

Methods take what the models' methods take, by name; a field, operator or argument that is not there
fails as in Odoo, with the name of the exception. What the documents do not allow is remembered in
`violations`. Phones are compared without spaces, brackets, dashes, dots and slashes.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.contracts.odoo_models import ALWAYS, DEFAULTS, LINKS, MODELS, NO_ACCESS, ROWS, TYPES, Row

KEY, LOGIN, DATABASE, USER = "api-key-of-forty-letters", "calls@example.com", "shop", 7


class Failure(Exception):
    """An exception in Odoo, by its name."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"name": name, "message": message, "arguments": [message], "context": {}}


class Violation(Failure):
    """A request that the documents do not allow."""


class Database:
    """One database, its API and one user with a key."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.app = Starlette(routes=[Route("/{path:path}", self._serve, methods=["POST"])])
        self.clock, self.busy = clock, 0
        self.rows: dict[str, dict[int, Row]] = {model: {} for model in MODELS}
        self.fields = {model: {**ALWAYS, **fields} for model, fields in MODELS.items()}
        self.options: dict[str, list[str]] = {"type": ["lead", "opportunity"]}
        self.violations: list[str] = []
        self.hidden = set[str]()  # models that the user may not see
        for model in MODELS:
            self.add("ir.model", model=model, name=model)
        for model, values in ROWS:
            self.add(model, **values)

    # What people and other programs do

    def add(self, model: str, /, **values: Any) -> int:
        key = values.pop("id", len(self.rows[model]) + 1)
        empty = {name: DEFAULTS.get(name, False) for name in self.fields[model]}
        self.rows[model][key] = {**empty, **values, "id": key, "create_date": self.clock()}
        return key

    def add_field(self, model: str, name: str, *options: str) -> None:
        self.fields[model][name] = "selection" if options else "char"
        self.options |= {name: list(options)} if options else {}
        for row in self.rows[model].values():
            row.setdefault(name, False)

    # The API

    async def _serve(self, request: Request) -> Response:
        if self.busy:
            self.busy -= 1
            return Response("Too Many Requests", 429, headers={"Retry-After": "5"})
        rpc = request.url.path == "/jsonrpc"
        try:
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                raise Violation(400, "werkzeug.exceptions.BadRequest", "the body is not JSON")
            result = self._rpc(await request.json()) if rpc else await self._json2(request)
            return JSONResponse({"jsonrpc": "2.0", "id": 1, "result": result} if rpc else result)
        except Failure as failure:
            if isinstance(failure, Violation):
                self.violations.append(f"{request.url}: {failure}")
            if rpc:
                error = {"code": 0, "message": "Odoo Server Error", "data": failure.body}
                return JSONResponse({"jsonrpc": "2.0", "id": 1, "error": error})
            return JSONResponse(failure.body, failure.status)

    async def _json2(self, request: Request) -> Any:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise Failure(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey")
        if request.headers.get("x-odoo-database", DATABASE) != DATABASE:
            raise Failure(404, "werkzeug.exceptions.NotFound", "no such database")
        match = re.fullmatch(r"/json/2/([a-z.]+)/([a-z_]+)", request.url.path)
        if match is None:
            raise Violation(404, "werkzeug.exceptions.NotFound", "Did you mean /json/2/<model>?")
        given = await request.json()
        ids = given.pop("ids", ())
        return self._call(match[1], match[2], ids, given)

    def _rpc(self, body: Row) -> Any:
        params = body["params"]
        if (body.get("jsonrpc"), body.get("method")) != ("2.0", "call"):
            raise Violation(200, "builtins.ValueError", "not a call of JSON-RPC 2.0")
        service, method, args = params["service"], params["method"], params["args"]
        if (service, method) == ("common", "authenticate"):
            return USER if args[:3] == [DATABASE, LOGIN, KEY] else False
        if (service, method) == ("common", "login"):
            return USER if args == [DATABASE, LOGIN, KEY] else False
        if (service, method) not in {("object", "execute_kw"), ("object", "execute")}:
            raise Violation(200, "builtins.AttributeError", f"no method {service}.{method}")
        database, user, key, model, name, *rest = args
        if (database, user, key) != (DATABASE, USER, KEY):
            raise Failure(200, "odoo.exceptions.AccessDenied", "Access Denied")
        places, given = (rest[0], rest[1] if len(rest) > 1 else {}) if rest else ([], {})
        if name == "create":  # Odoo wants the values at the first place
            return self._call(model, name, (), {"vals_list": places[0], **given})
        if name in {"write", "read"}:
            return self._call(model, name, places[0], given, places[1:])
        return self._call(model, name, (), given, places)

    def _call(
        self, model: str, method: str, ids: Any, given: Row, places: Sequence[Any] = ()
    ) -> Any:
        if model == "res.users" and method == "context_get":
            return {"lang": "en_US", "tz": False, "uid": USER}
        if model in self.hidden:
            raise Failure(403, "odoo.exceptions.AccessError", f"You may not see {model}")
        if model not in self.rows:
            raise Failure(404, "werkzeug.exceptions.NotFound", f"the model {model!r} is not there")
        methods: dict[str, Callable[..., Any]] = {
            "search_read": self._search_read,
            "search": self._search,
            "read": self._read,
            "fields_get": self._fields_get,
            "create": self._create,
            "write": self._write,
        }
        given.pop("context", None)
        if method not in methods:
            raise Violation(404, "werkzeug.exceptions.NotFound", f"no method {method}")
        if (method in {"write", "read"}) != bool(ids):
            raise Violation(422, "werkzeug.exceptions.UnprocessableEntity", f"{method} with {ids}")
        try:
            inspect.signature(methods[method]).bind(model, ids, *places, **given)
        except TypeError as error:
            raise Violation(422, "werkzeug.exceptions.UnprocessableEntity", str(error)) from error
        return methods[method](model, ids, *places, **given)

    def _fields_get(
        self, model: str, ids: Any, *, allfields: Any = None, attributes: Any = None
    ) -> Row:
        known = self.fields[model].items()
        return {
            name: {"type": kind, **self._selection(name)}
            for name, kind in known
            if name in (allfields or (name,))
        }

    def _selection(self, name: str) -> Row:
        options = self.options.get(name)
        return {"selection": [[option, option.title()] for option in options]} if options else {}

    def _search_read(
        self,
        model: str,
        ids: Any,
        *,
        domain: Any = None,
        fields: Any = None,
        offset: int = 0,
        limit: int | None = None,
        order: str = "id",
    ) -> list[Row]:
        if order not in {"id", "id desc", "id asc"}:
            raise Violation(500, "builtins.ValueError", f"Invalid order {order}")
        names = [*dict.fromkeys(["id", *(fields or self.fields[model])])]
        for name in names:
            self._known(model, name)
        wanted = list(domain or [])
        active = "active" in self.fields[model] and "active" not in str(wanted)
        rows = (
            [row for row in self.rows[model].values() if row["active"]]
            if active
            else [*self.rows[model].values()]
        )
        found = [row for row in rows if self._fits(model, row, wanted)]
        found.sort(key=lambda row: row["id"], reverse=order == "id desc")
        return [
            {name: self._shown(name, row[name]) for name in names} for row in found[offset:][:limit]
        ]

    def _search(self, model: str, ids: Any, domain: Any, *more: Any, **given: Any) -> list[int]:
        return [row["id"] for row in self._search_read(model, ids, domain=domain, fields=["id"])]

    def _read(self, model: str, ids: list[int], fields: list[str], *more: Any) -> list[Row]:
        return self._search_read(model, (), domain=[["id", "in", ids]], fields=fields)

    def _fits(self, model: str, row: Row, domain: list[Any]) -> bool:
        """A domain in Polish notation, its terms joined by "and"."""
        terms = list(domain)

        def one() -> bool:
            term = terms.pop(0)
            if term == "|":
                left, right = one(), one()
                return left or right
            if not (isinstance(term, list) and len(term) == 3):
                raise Violation(500, "builtins.ValueError", f"Invalid domain term {term}")
            return self._is(model, row, *term)

        results = []
        while terms:
            results.append(one())
        return all(results)

    def _is(self, model: str, row: Row, name: str, operator: str, value: Any) -> bool:
        self._known(model, name)
        if name == "phone_mobile_search":
            if operator != "like" or len(value) < 3:
                raise Violation(422, "odoo.exceptions.UserError", "at least 3 characters")
            strip = r"[\s\\./()\-]"
            return re.sub(strip, "", value) in re.sub(strip, "", row["phone"] or "")
        has = row[name]
        match operator:
            case "=":
                return bool(has == value)
            case "in":
                return has in value
            case ">=" | "<=":
                at = f"{has:%Y-%m-%d %H:%M:%S}"
                return at >= value if operator == ">=" else at <= value
        raise Violation(500, "builtins.ValueError", f"Invalid operator {operator}")

    def _create(self, model: str, ids: Any, *, vals_list: list[Row]) -> list[int]:
        for values in vals_list:
            self._check(model, values)
            if model == "mail.activity" and values.get("user_id") == NO_ACCESS:
                raise Failure(422, "odoo.exceptions.UserError", "has no access to the document")
            if model == "mail.activity":
                values["res_model"] = self.rows["ir.model"][values["res_model_id"]]["model"]
        made = [self.add(model, **values) for values in vals_list]
        if model == "ir.model.fields":
            for values in vals_list:
                self._new_field(values)
        return made

    def _new_field(self, values: Row) -> None:
        if not values["name"].startswith("x_"):
            raise Failure(422, "odoo.exceptions.ValidationError", "must begin with 'x_'")
        self.add_field(self.rows["ir.model"][values["model_id"]]["model"], values["name"])

    def _write(self, model: str, ids: list[int], *, vals: Row) -> bool:
        self._check(model, vals)
        for key in ids:
            if key not in self.rows[model]:
                raise Failure(404, "odoo.exceptions.MissingError", "Record does not exist")
            self.rows[model][key] |= vals
        return True

    def _check(self, model: str, values: Row) -> None:
        for name, value in values.items():
            kind = self._known(model, name)
            if value is False:
                continue
            if not isinstance(value, TYPES[kind]):
                raise Violation(500, "builtins.ValueError", f"{name} takes a {kind}")
            if kind == "selection" and value not in self.options.get(name, [value]):
                raise Failure(500, "builtins.ValueError", f"Wrong value for {model}.{name}")
            link = LINKS.get(name)
            if link and value not in self.rows[link]:
                raise Failure(422, "odoo.exceptions.ValidationError", f"{name} does not exist")

    def _known(self, model: str, name: str) -> str:
        if name not in self.fields[model]:
            raise Violation(500, "builtins.ValueError", f"Invalid field {name!r} on {model!r}")
        return self.fields[model][name]

    def _shown(self, name: str, value: Any) -> Any:
        if name in LINKS and value:
            return [value, self.rows[LINKS[name]][value]["name"]]
        return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value
