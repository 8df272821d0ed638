"""A Salesforce organization on this machine, by the REST API's documents: records, SOQL, describe
and access tokens.

It refuses what the documents do not name, and remembers it in `violations`. Phones are kept as they
were typed; a contact of a new opportunity becomes its contact role.
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

Row = dict[str, Any]
GRANT = {"client_id": "3MVG9.consumer.key", "client_secret": "consumer-secret"}
INTEGRATION, OLGA, IVAN = (f"00500000000000{digit}AAA" for digit in (1, 2, 3))
USERS = {INTEGRATION: True, OLGA: True, IVAN: False}  # whether they are active
STAGES = ("Prospecting", "Closed Won")
_COMMON = {"Id": "id", "CreatedDate": "datetime", "OwnerId": "reference", "Description": "textarea"}
OBJECTS: dict[str, dict[str, str]] = {
    "Contact": {
        **_COMMON, "LastName": "string", "Phone": "phone", "MobilePhone": "phone",
        "AccountId": "reference", "MasterRecordId": "reference", "OtherPhone": "phone",
        "Fax": "phone",
    },
    "Account": {
        **_COMMON, "Name": "string", "Phone": "phone", "MasterRecordId": "reference",
    },
    "Lead": {
        **_COMMON, "LastName": "string", "Company": "string", "Phone": "phone",
        "MobilePhone": "phone", "IsConverted": "boolean", "ConvertedContactId": "reference",
        "ConvertedAccountId": "reference", "ConvertedOpportunityId": "reference",
        "MasterRecordId": "reference",
    },
    "Opportunity": {
        **_COMMON, "Name": "string", "StageName": "picklist", "CloseDate": "date",
        "AccountId": "reference", "ContactId": "reference", "IsClosed": "boolean",
    },
    "Task": {
        **_COMMON, "Subject": "string", "Status": "picklist", "WhoId": "reference",
        "WhatId": "reference", "ActivityDate": "date", "IsReminderSet": "boolean",
        "ReminderDateTime": "datetime", "TaskSubtype": "picklist", "CallType": "picklist",
        "CallDurationInSeconds": "int", "CallObject": "string",
    },
    "User": {**_COMMON, "Name": "string", "IsActive": "boolean"},
}  # fmt: skip
REQUIRED = {
    "Contact": ("LastName",),
    "Account": ("Name",),
    "Lead": ("LastName", "Company"),
    "Opportunity": ("Name", "StageName", "CloseDate"),
    "Task": (),
    "User": (),
}
PREFIXES = {
    "Contact": "003", "Account": "001", "Lead": "00Q", "Opportunity": "006", "Task": "00T",
    "User": "005",
}  # fmt: skip
OPTIONS = {
    "StageName": STAGES,
    "Status": ("Not Started", "Completed"),
    "TaskSubtype": ("Task", "Call", "Email"),
    "CallType": ("Inbound", "Outbound", "Internal"),
}
LONGEST = 255  # letters of a custom text field
_JSON: dict[str, type] = {"boolean": bool, "int": int}  # other fields are text
_SELECT = re.compile(
    r"SELECT ([\w, ]+?) FROM (\w+) WHERE (.+) ORDER BY CreatedDate DESC LIMIT (\d+)"
)
_ROLES = re.compile(
    r"Id IN \(SELECT OpportunityId FROM OpportunityContactRole WHERE ContactId IN \((.+)\)\)"
)
_TERM = re.compile(r"(\w+) (=|LIKE|IN) ('(?:[^'\\]|\\.)*'|\(.+\)|false|true)")
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")
_V = "/services/data/v62.0"
_READ_ONLY = {"Id", "CreatedDate", "IsClosed", "IsConverted", "MasterRecordId"}


class Failure(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: str, message: str, *fields: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = [{"message": message, "errorCode": code, "fields": list(fields)}]


class Violation(Failure):
    """A request that the documents do not allow."""


class Organization:
    """One organization, its API and one connected app."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        methods = ["GET", "POST", "PATCH"]
        self.app = Starlette(routes=[Route("/{path:path}", self._serve, methods=methods)])
        self.clock, self.busy, self.tokens = clock, 0, 0
        self.fields = {name: dict(fields) for name, fields in OBJECTS.items()}
        self.unique: set[tuple[str, str]] = set()
        self.options: dict[str, tuple[str, ...]] = dict(OPTIONS)
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in OBJECTS}
        self.violations: list[str] = []
        self.deleted: dict[str, dict[str, Row]] = {}
        self.hidden = set[str]()  # objects that the app may not see
        for user, active in USERS.items():
            self.rows["User"][user] = {"Id": user, "Name": f"User {user}", "IsActive": active}
            self.rows["User"][user]["CreatedDate"] = ""

    def add(self, name: str, **values: Any) -> str:
        key = f"{PREFIXES[name]}{len(self.rows[name]):012}AAA"
        at = f"{self.clock():%Y-%m-%dT%H:%M:%S.000+0000}"
        state = {"IsConverted": False} if name == "Lead" else {}
        state |= {"IsClosed": values.get("StageName") == "Closed Won"}
        state |= {"OwnerId": INTEGRATION}
        self.rows[name][key] = {"CreatedDate": at, **state, **values, "Id": key}
        return key

    async def _serve(self, request: Request) -> Response:
        try:
            if request.url.path == "/services/oauth2/token":
                return self._grant(dict(parse_qsl((await request.body()).decode())))
            if self.busy:
                self.busy -= 1
                raise Failure(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded")
            if request.headers.get("authorization") != f"Bearer token-{self.tokens}":
                raise Failure(401, "INVALID_SESSION_ID", "Session expired or invalid")
            return await self._answer(request)
        except Failure as failure:
            if isinstance(failure, Violation):
                self.violations.append(f"{request.method} {request.url}: {failure.body}")
            return JSONResponse(failure.body, failure.status)

    def _grant(self, form: Row) -> Response:
        if form != {"grant_type": "client_credentials", **GRANT}:
            return JSONResponse({"error": "invalid_client"}, 400)
        self.tokens += 1
        return JSONResponse({"access_token": f"token-{self.tokens}", "token_type": "Bearer"})

    async def _answer(self, request: Request) -> Response:
        for method, pattern, handler in (
            ("GET", f"{_V}/query/?", self._query),
            ("GET", f"{_V}/queryAll/?", self._query_all),
            ("GET", f"{_V}/sobjects/(?P<name>\\w+)/describe", self._describe),
            ("POST", f"{_V}/sobjects/(?P<name>\\w+)", self._create),
            ("GET", f"{_V}/sobjects/(?P<name>\\w+)/(?P<key>\\w+)", self._record),
            ("PATCH", f"{_V}/sobjects/(?P<name>\\w+)/(?P<key>\\w+)", self._change),
        ):
            match = re.fullmatch(pattern, request.url.path)
            if match and method == request.method:
                body = await request.json() if method != "GET" else {}
                params = dict(request.query_params)
                return handler(**match.groupdict(), params=params, body=body)
        raise Violation(404, "NOT_FOUND", "The requested resource does not exist")

    def _describe(self, name: str, params: Row, body: Row) -> Response:
        if name in self.hidden:
            raise Failure(404, "NOT_FOUND", "The requested resource does not exist")
        if name not in self.fields:
            raise Violation(404, "NOT_FOUND", "The requested resource does not exist")
        fields = self.fields[name].items()
        shown = [{"name": field, "type": kind, **self._list(field)} for field, kind in fields]
        return JSONResponse({"fields": shown})

    def _list(self, field: str) -> Row:
        values = self.options.get(field, ())
        shown = [{"label": value.title(), "value": value, "active": True} for value in values]
        more: Row = {"length": LONGEST} if field.endswith("__c") else {}
        more |= {"restrictedPicklist": bool(values), "picklistValues": shown}
        return {**more, "nillable": True}

    def _query_all(self, params: Row, body: Row) -> Response:
        """Deleted records, too."""
        kept = self.rows
        self.rows = {name: {**self.deleted.get(name, {}), **rows} for name, rows in kept.items()}
        try:
            return self._query(params, body)
        finally:
            self.rows = kept

    def merge(self, name: str, key: str, into: str) -> None:
        """A person merges two records: the first is deleted and names the other."""
        row = self.rows[name].pop(key)
        self.deleted.setdefault(name, {})[key] = {**row, "MasterRecordId": into}

    def _query(self, params: Row, body: Row) -> Response:
        match = _SELECT.fullmatch(params.get("q", ""))
        if match is None or params.keys() != {"q"}:
            raise Violation(400, "MALFORMED_QUERY", str(params))
        name, columns = match[2], match[1].split(", ")
        if unknown := set(columns) - self.fields[name].keys():
            raise Violation(400, "INVALID_FIELD", f"No such column {unknown}")
        fits = self._condition(name, match[3])
        found = [row for row in self.rows[name].values() if fits(row)]
        found.sort(key=lambda row: row["CreatedDate"], reverse=True)
        records = [
            {column: row.get(column) for column in columns} for row in found[: int(match[4])]
        ]
        return JSONResponse({"totalSize": len(records), "done": True, "records": records})

    def _condition(self, name: str, text: str) -> Callable[[Row], bool]:
        if match := _ROLES.fullmatch(text):
            contacts = _literals(match[1])
            return lambda row: row.get("ContactId") in contacts
        masked = _LITERAL.sub(lambda literal: "x" * len(literal[0]), text)
        if (place := masked.find(" AND (")) >= 0:
            left = self._term(name, text[:place])
            right = self._condition(name, text[place + 6 : -1])
            return lambda row: left(row) and right(row)
        terms, start = [], 0
        for gap in [*re.finditer(" OR |$", masked)]:
            terms.append(self._term(name, text[start : gap.start()]))
            start = gap.end()
        return lambda row: any(term(row) for term in terms)

    def _term(self, name: str, text: str) -> Callable[[Row], bool]:
        match = _TERM.fullmatch(text)
        if match is None or match[1] not in self.fields[name]:
            raise Violation(400, "MALFORMED_QUERY", text)
        column, operator = match[1], match[2]
        if self.fields[name][column] == "textarea":
            raise Violation(400, "INVALID_FIELD", f"{column} can not be filtered in a query call")
        if match[3] in {"true", "false"}:
            return lambda row: row.get(column) is (match[3] == "true")
        values = _literals(match[3])
        if operator != "LIKE":
            return lambda row: row.get(column) in values
        parts = [re.escape(part) for part in values[0].split("%")]
        return lambda row: bool(re.fullmatch(".*".join(parts), row.get(column) or ""))

    def _record(self, name: str, key: str, params: Row, body: Row) -> Response:
        row = self._there(name, key)
        names = params.get("fields", "Id").split(",")
        if unknown := set(names) - self.fields[name].keys():
            raise Violation(400, "INVALID_FIELD", f"No such column {unknown}")
        return JSONResponse({column: row.get(column) for column in names})

    def _create(self, name: str, params: Row, body: Row) -> Response:
        self._check(name, body)
        if str(body.get("WhoId")).startswith(PREFIXES["Lead"]) and "WhatId" in body:
            raise Failure(400, "FIELD_INTEGRITY_EXCEPTION", "a lead has no related thing", "WhatId")
        missing = [column for column in REQUIRED[name] if not body.get(column)]
        if missing:
            raise Failure(400, "REQUIRED_FIELD_MISSING", f"Required: {missing}", *missing)
        for row in self.rows[name].values():
            if any(
                (name, column) in self.unique and row.get(column) == body[column] for column in body
            ):
                raise Failure(400, "DUPLICATE_VALUE", "duplicate value found")
        return JSONResponse({"id": self.add(name, **body), "success": True, "errors": []}, 201)

    def _change(self, name: str, key: str, params: Row, body: Row) -> Response:
        row = self._there(name, key)
        if row.get("IsConverted"):
            raise Failure(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        if "ContactId" in body and name == "Opportunity":
            raise Violation(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "ContactId")
        self._check(name, body)
        row |= body
        return Response(status_code=204)

    def _there(self, name: str, key: str) -> Row:
        if key not in self.rows[name]:
            raise Failure(404, "NOT_FOUND", "The requested resource does not exist")
        return self.rows[name][key]

    def _check(self, name: str, body: Row) -> None:
        for field, value in body.items():
            kind = self.fields[name].get(field)
            if kind is None or field in _READ_ONLY:
                raise Violation(400, "INVALID_FIELD", f"No such column '{field}'")
            if value is not None and type(value) is not _JSON.get(kind, str):
                raise Violation(400, "JSON_PARSER_ERROR", field)
            if field.endswith("__c") and len(value or "") > LONGEST:
                raise Failure(400, "STRING_TOO_LONG", f"data value too large: {value}", field)
            if field == "OwnerId" and not USERS.get(value, True):
                raise Failure(400, "INACTIVE_OWNER_OR_USER", "inactive user", field)
            if kind == "reference" and not self._exists(value):
                raise Failure(400, "INVALID_CROSS_REFERENCE_KEY", "invalid reference", field)
            if kind == "picklist" and value not in self.options.get(field, (value,)):
                code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
                raise Failure(400, code, f"bad value for restricted picklist field: {value}", field)

    def _exists(self, key: str) -> bool:
        return any(key in rows for rows in self.rows.values())


def _literals(text: str) -> list[str]:
    return [re.sub(r"\\(.)", r"\1", literal) for literal in _LITERAL.findall(text)]
