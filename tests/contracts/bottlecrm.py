"""A BottleCRM on this machine, as `django-crm` answers: records with custom fields, possible
duplicates by phone, comments, tasks and calls.

It refuses what its views do not read, and remembers it in `violations`. As there, custom fields
that are not defined, and users who have left, are dropped without a word.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Row = dict[str, Any]
TOKEN = "bcrm_pat_5ec2e7a2b4c6d8e0"
ROBOT, OLGA, IVAN, NOBODY = (str(UUID(int=one)) for one in (1, 2, 3, 9))
USERS = {ROBOT: True, OLGA: True, IVAN: False}  # whether they are active
STAGES = {"PROSPECTING": "open", "CLOSED_WON": "won", "CLOSED_LOST": "lost"}
MODELS = {
    "contacts": "Contact",
    "accounts": "Account",
    "leads": "Lead",
    "opportunities": "Opportunity",
}
_SHARED = {"custom_fields", "assigned_to", "phone", "description"}
TAKES: dict[str, set[str]] = {
    "contacts": _SHARED | {"first_name", "last_name", "account"},
    "accounts": _SHARED | {"name"},
    "leads": _SHARED | {"title", "first_name", "last_name", "status", "contacts"},
    "opportunities": (_SHARED - {"phone"}) | {"name", "account", "contacts", "stage"},
    "tasks": {
        *("title", "description", "status", "priority", "due_date", "assigned_to", "contacts"),
        *("account", "lead", "opportunity"),
    },
    "interactions": {
        *("kind", "direction", "occurred_at", "duration_seconds", "outcome", "subject", "body"),
        *("contact", "account", "lead", "opportunity"),
    },
}
NEEDS = {
    "contacts": ("first_name", "last_name"),
    "accounts": ("name",),
    "leads": (),
    "opportunities": ("name",),
    "tasks": ("title", "status", "priority"),
}
_PHONE = re.compile(r"[\d\s\-().+]{7,25}")
_PARENTS = {"contact": "contacts", "account": "accounts", "lead": "leads"}
_PARENTS["opportunity"] = "opportunities"


class Failure(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, errors: Any) -> None:
        super().__init__(str(errors))
        self.status = status
        self.body = {"error": True, "errors": errors} if status == 400 else {"detail": errors}


class Violation(Failure):
    """A request that no view reads."""


class Organization:
    """One organization, and one administrator's token."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        methods = ["GET", "POST", "PATCH"]
        self.app = Starlette(routes=[Route("/api/{path:path}/", self._serve, methods=methods)])
        self.clock, self.busy, self.admin, self.made = clock, 0, True, 0
        self.fields: dict[str, dict[str, Row]] = {model: {} for model in MODELS.values()}
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in TAKES}
        self.comments: list[Row] = []
        self.violations: list[str] = []

    def define(self, model: str, key: str, kind: str = "text", **more: Any) -> None:
        field = {"key": key, "label": key, "field_type": kind, "options": None}
        self.fields[model][key] = {**field, "is_required": False, "is_active": True, **more}

    def add(self, name: str, /, **values: Any) -> str:
        self.made += 1
        key = str(UUID(int=self.made << 64))
        row = {"created_at": self.clock().isoformat(), "custom_fields": {}, **values, "id": key}
        if name == "opportunities":
            row.setdefault("stage", "PROSPECTING")
        self.rows[name][key] = row
        return key

    def shown(self, name: str, row: Row) -> Row:
        users = [self._user(key) for key in row.get("assigned_to", ())]
        kind = {"stage_kind": STAGES[row["stage"]]} if name == "opportunities" else {}
        return {**row, "assigned_to": users, **kind}

    async def _serve(self, request: Request) -> Response:
        try:
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                raise Failure(403, "Organization context is required.")
            if self.busy:
                self.busy -= 1
                detail = {"detail": "Request was throttled. Expected available in 7 seconds."}
                return JSONResponse(detail, 429, headers={"Retry-After": "7"})
            body = await request.json() if request.method != "GET" else {}
            return JSONResponse(self._answer(request, body, dict(request.query_params)))
        except Failure as failure:
            if isinstance(failure, Violation):
                self.violations.append(f"{request.method} {request.url}: {failure}")
            return JSONResponse(failure.body, failure.status)

    def _answer(self, request: Request, body: Row, params: Row) -> Row:
        records = "(?P<name>contacts|accounts|leads|opportunities)"
        for method, pattern, handler in (
            ("GET", "users", self._users),
            ("GET", "users/get-teams-and-users", self._active),
            ("GET", "custom-fields", self._definitions),
            ("POST", "custom-fields", self._define),
            ("GET", "opportunities/pipelines", self._pipelines),
            ("POST", f"{records}/duplicates", self._duplicates),
            ("GET", "(?P<name>tasks|interactions)", self._timeline),
            ("GET", records, self._list),
            ("POST", "(?P<name>[a-z]+)", self._create),
            ("GET", "(?P<name>[a-z]+)/(?P<key>[0-9a-f-]{36})", self._page),
            ("POST", f"{records}/(?P<key>[0-9a-f-]{{36}})", self._comment),
            ("PATCH", f"{records}/(?P<key>[0-9a-f-]{{36}})", self._change),
        ):
            match = re.fullmatch(pattern, request.path_params["path"])
            if match and method == request.method:
                return handler(**match.groupdict(), asked=body or params)
        raise Violation(404, "Not found.")

    # Users, fields, stages

    def _user(self, key: str) -> Row:
        return {"id": key, "user_details": {"email": f"{key[-1]}@example.com"}}

    def _users(self, asked: Row) -> Row:
        if not self.admin:
            raise Failure(403, "Permission Denied")
        groups = {"active_users": True, "inactive_users": False}
        found = {name: [self._user(one) for one in USERS if USERS[one] is active]
                 for name, active in groups.items()}  # fmt: skip
        return {name: {name: rows} for name, rows in found.items()}

    def _active(self, asked: Row) -> Row:
        return {"teams": [], "profiles": [self._user(one) for one in USERS if USERS[one]]}

    def _definitions(self, asked: Row) -> Row:
        if asked.keys() != {"target_model", "active_only", "include_counts"}:
            raise Violation(400, f"custom-fields {asked}")
        every = self.fields[asked["target_model"]].values()
        return {"definitions": [one for one in every if one["is_active"]], "totals": None}

    def _define(self, asked: Row) -> Row:
        if not self.admin:
            raise Failure(403, "Permission Denied")
        if not re.fullmatch("[a-z][a-z0-9_]*", asked["key"]):
            raise Failure(400, {"key": ["key must be a lowercase slug"]})
        self.define(asked["target_model"], asked["key"], asked["field_type"])
        return asked

    def _pipelines(self, asked: Row) -> Row:
        stages = [{"code": code, "label": code, "kind": kind} for code, kind in STAGES.items()]
        return {"pipelines": [{"id": "1", "is_default": True, "stages": stages}]}

    # Records

    def _duplicates(self, name: str, asked: Row) -> Row:
        wanted = re.sub(r"\D", "", asked["phone"])[-10:]
        found = [
            {"id": row["id"], "phone": row["phone"]}
            for row in self.rows[name].values()
            if re.sub(r"\D", "", row.get("phone") or "")[-10:] == wanted
            and row.get("status") != "converted"
        ]
        return {"duplicates": found[::-1][:10]}

    def _list(self, name: str, asked: Row) -> Row:
        tests: list[Callable[[Row], bool]] = []
        for key, value in asked.items():
            if key.startswith("cf_"):
                tests.append(lambda row, k=key[3:], v=value: row["custom_fields"].get(k) == v)
            elif key == "account" and name == "opportunities":
                tests.append(lambda row, v=value: row.get("account") == v)
            elif key != "limit":
                raise Violation(400, f"{name}?{key}")
        rows = [self.shown(name, row) for row in self.rows[name].values()]
        rows = [row for row in rows if all(test(row) for test in tests)]
        if name == "contacts":
            return {"per_page": 10, "results": rows}
        if name == "opportunities":
            return {"per_page": 10, "opportunities": rows}
        if name == "accounts":
            return {"per_page": 10, "active_accounts": {"open_accounts": rows}}
        closed = [row for row in rows if row.get("status") == "closed"]
        working = [row for row in rows if row.get("status") not in {"closed", "converted"}]
        return {
            "per_page": 10,
            "open_leads": {"open_leads": working},
            "close_leads": {"close_leads": closed},
        }

    def _create(self, name: str, asked: Row) -> Row:
        if name not in TAKES or asked.keys() - TAKES[name]:
            raise Violation(400, {name: f"does not take {sorted(asked)}"})
        self._check(name, asked)
        asked["assigned_to"] = [one for one in asked.get("assigned_to", ()) if USERS.get(one)]
        return {"error": False, "id": self.add(name, **asked)}

    def _check(self, name: str, asked: Row) -> None:
        empty = [one for one in NEEDS.get(name, ()) if not str(asked.get(one) or "").strip()]
        errors: Row = {one: ["This field may not be blank."] for one in empty}
        if asked.get("phone") and not _PHONE.fullmatch(asked["phone"]):
            errors["phone"] = ["Enter a valid phone number"]
        names = {row["name"].casefold() for row in self.rows[name].values() if "name" in row}
        if asked.get("name", "").casefold() in names:
            errors["name"] = ["Opportunity already exists with this name"]
        if asked.get("stage", "PROSPECTING") not in STAGES:
            errors["stage"] = ["That is not a stage of this deal's pipeline."]
        if name == "interactions" and len(asked.keys() & _PARENTS) != 1:
            errors["non_field_errors"] = ["Name exactly one record"]
        for parent, records in _PARENTS.items():
            if parent in asked and asked[parent] not in self.rows[records]:
                errors[parent] = ["No such record."]
        if errors:
            raise Failure(400, errors)
        if name in MODELS:
            asked["custom_fields"] = self._custom(MODELS[name], asked["custom_fields"], {})

    def _custom(self, model: str, given: Row, before: Row) -> Row:
        errors, kept = {}, {key: value for key, value in before.items() if key not in given}
        fields = {key: one for key, one in self.fields[model].items() if one["is_active"]}
        for key, value in given.items():
            if key not in fields or value in (None, ""):
                continue
            options = [one["value"] for one in fields[key]["options"] or ()]
            if options and value not in options:
                errors[key] = f"must be one of {options}"
            elif fields[key]["field_type"] == "number":
                kept[key] = float(value)
            else:
                kept[key] = value
        for key, one in fields.items():
            if one["is_required"] and key not in kept:
                errors[key] = "is required"
        if errors:
            raise Failure(400, {"custom_fields": errors})
        return kept

    def _record(self, name: str, key: str) -> Row:
        if key not in self.rows.get(name, {}):
            raise Failure(404, "No such record matches the given query.")
        return self.rows[name][key]

    def _page(self, name: str, key: str, asked: Row) -> Row:
        row = self.shown(name, self._record(name, key))
        if name == "tasks":
            return {"task_obj": row}
        found = {f"{MODELS[name].lower()}_obj": row}
        found["comments"] = [one for one in self.comments if one["of"] == key]
        if name == "contacts":
            deals = self.rows["opportunities"].values()
            mine = [one for one in deals if key in one.get("contacts", ())]
            found["opportunities"] = [{"id": one["id"]} for one in mine[::-1][:10]]
            tasks = self.rows["tasks"].values()
            found["tasks"] = [one for one in tasks if key in one.get("contacts", ())]
        return found

    def _comment(self, name: str, key: str, asked: Row) -> Row:
        self._record(name, key)
        self.comments.append({"of": key, "comment": asked["comment"].strip()})
        return {"comments": self.comments}

    def _change(self, name: str, key: str, asked: Row) -> Row:
        if asked.keys() != {"custom_fields"}:
            raise Violation(400, {name: f"is changed with {asked}"})
        row = self._record(name, key)
        row["custom_fields"] = self._custom(
            MODELS[name], asked["custom_fields"], row["custom_fields"]
        )
        return {"error": False, "message": "Updated Successfully"}

    def _timeline(self, name: str, asked: Row) -> Row:
        (parent,) = asked.keys() & _PARENTS or {""}
        if not parent or asked.keys() - {parent, "limit", "slim"}:
            raise Violation(400, f"{name} {asked}")
        if name == "interactions":
            self._record(_PARENTS[parent], asked[parent])
        rows = [row for row in self.rows[name].values() if row.get(parent) == asked[parent]]
        hidden = {"description"} if name == "tasks" else set()
        return {name: [{key: row[key] for key in row.keys() - hidden} for row in rows]}
