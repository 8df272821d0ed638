"""A RetailCRM account on this machine, that behaves by the documents of API v5, quirks included.

It is strict: what the real one would not understand is refused, and remembered in `violations`,
which a test looks at when it is done. Phones are kept as they were typed and found by text alone;
only the telephony's look-up knows better, and shows one customer. An empty set of custom fields is
written as a list, as PHP does.
"""

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.contracts.retailcrm_asked import Asked, Failure, Row, Violation
from tests.contracts.retailcrm_books import KINDS
from tests.contracts.retailcrm_forms import (
    COMPANY,
    CONTACT,
    CUSTOMER,
    NOTE,
    ORDER,
    wrong,
)
from tests.contracts.retailcrm_references import FILTERS
from tests.contracts.retailcrm_telephony import Telephony

Handler = Callable[["Asked"], Row]

MANY = {"orders": "orders", "customers": "customers", "customers-corporate": "customersCorporate"}
FORMS = {"orders": ORDER, "customers": CUSTOMER, "customers-corporate": COMPANY}


class Account(Telephony):
    """One account, its API and its one key."""

    key = "key-of-the-account"

    def __init__(self, clock: Callable[[], datetime], zone: str = "Europe/Moscow") -> None:
        self.app = Starlette(routes=[Route("/{path:path}", self._serve, methods=["GET", "POST"])])
        super().__init__(clock, zone)

    def empty(self) -> None:
        """As on the first day."""
        super().empty()
        self.scopes = ["order_read", "order_write", "customer_read", "customer_write"]
        self.busy = 0
        self.violations: list[str] = []

    async def _serve(self, request: Request) -> Response:
        if self.busy:
            self.busy -= 1
            return HTMLResponse("<h1>503 Service Temporarily Unavailable</h1>", 503)
        try:
            status, body = 201 if request.method == "POST" else 200, await self._answer(request)
            return JSONResponse({"success": True, **body}, status)
        except Failure as failure:
            if isinstance(failure, Violation):
                self.violations.append(f"{request.method} {request.url}: {failure.body}")
            return JSONResponse(failure.body, failure.status)

    async def _answer(self, request: Request) -> Row:
        values = parse_qsl(request.url.query, keep_blank_values=True)
        if request.method == "POST":
            if (
                request.headers.get("content-type", "").split(";")[0]
                != "application/x-www-form-urlencoded"
            ):
                raise Violation(400, "The body is no form")
            values += parse_qsl((await request.body()).decode(), keep_blank_values=True)
        self._let_in(request.headers.get("x-api-key"))
        for method, pattern, handler in self._routes():
            match = re.fullmatch(pattern, request.url.path)
            if match and method == request.method:
                asked = Asked(values, match.groupdict())
                body = handler(asked)
                if asked.lists:
                    raise Violation(400, f"Unknown parameters: {', '.join(asked.lists)}")
                return body
        raise Violation(404, "Not found")

    def _routes(self) -> list[tuple[str, str, Handler]]:
        kind, one = r"/api/v5/(?P<kind>orders|customers|customers-corporate)", r"/(?P<id>[^/]+)"
        return [
            ("GET", r"/api/credentials", self._credentials),
            ("GET", r"/api/v5/reference/statuses", self._statuses),
            ("GET", r"/api/v5/custom-fields", self._custom_fields),
            ("GET", r"/api/v5/custom-fields/dictionaries", self._list_dictionaries),
            ("GET", r"/api/v5/reference/order-methods", self._list_methods),
            ("GET", r"/api/v5/tasks", self._list_tasks),
            ("POST", r"/api/v5/tasks/create", self._create_task),
            ("GET", r"/api/v5/users/(?P<id>\d+)", self._get_user),
            (
                "POST",
                r"/api/v5/custom-fields/(?P<entity>order|customer)/create",
                self._create_field,
            ),
            ("GET", r"/api/v5/telephony/manager", self._manager),
            ("POST", r"/api/v5/telephony/calls/upload", self._upload_calls),
            ("POST", r"/api/v5/web-analytics/client-ids/upload", self._upload_client_ids),
            ("GET", kind, self._list),
            ("GET", kind + r"/history", self._read_history),
            ("GET", r"/api/v5/(?P<kind>customers|customers-corporate)/notes", self._list_notes),
            (
                "POST",
                r"/api/v5/(?P<kind>customers|customers-corporate)/notes/create",
                self._create_note,
            ),
            ("POST", kind + r"/create", self._create),
            ("GET", kind + one, self._get),
            ("POST", kind + one + r"/edit", self._edit),
            (
                "GET",
                r"/api/v5/(?P<kind>customers-corporate)" + one + r"/contacts",
                self._list_contacts,
            ),
            (
                "POST",
                r"/api/v5/(?P<kind>customers-corporate)" + one + r"/contacts/create",
                self._create_contact,
            ),
        ]

    def _let_in(self, key: str | None) -> None:
        if key != self.key:
            raise Failure(403, 'Wrong "apiKey" value.' if key else '"apiKey" is missing.')

    # Orders, customers, companies

    def _list(self, asked: Asked) -> Row:
        kind = asked.path["kind"]
        wanted = asked.filters(FILTERS[kind])
        for site in wanted.get("sites[]", []):
            self._may(site)
        found = [
            row
            for row in self.rows[kind].values()
            if row["site"] in self.opens and self._fits(row, wanted)
        ]
        found, pages = asked.page(found[::-1])
        return {MANY[kind]: [self._shown(row) for row in found], **pages}

    def _get(self, asked: Asked) -> Row:
        return {KINDS[asked.path["kind"]]: self._shown(self._one(asked))}

    def _create(self, asked: Asked) -> Row:
        kind, site = asked.path["kind"], self._site(asked)
        values = asked.form(KINDS[kind], FORMS[kind])
        self._check(kind, site, values)
        return {"id": self._save(kind, site, values)}

    def _edit(self, asked: Asked) -> Row:
        kind, row = asked.path["kind"], self._one(asked)
        values = asked.form(KINDS[kind], FORMS[kind])
        values["id"] = row["id"]
        self._check(kind, row["site"], values, row["id"])
        values["customFields"] = {**row.get("customFields", {}), **values.get("customFields", {})}
        row.update(values)
        self._remember(kind, row, created=False)
        return {"id": row["id"]}

    def _read_history(self, asked: Asked) -> Row:
        wanted = asked.filters({"sinceId", "startDate", "endDate"})
        for name in wanted.keys() & {"startDate", "endDate"}:
            if wrong(wanted[name][0], "Y-m-d H:i:s"):
                raise Violation(
                    400, "Errors in the input parameters", {name: "This value is not valid."}
                )
        since, until = wanted.get("startDate", ["0"])[0], wanted.get("endDate", ["9"])[0]
        after = int(wanted.get("sinceId", ["0"])[0])
        entries = self.history[asked.path["kind"]]
        found, pages = asked.page(
            [
                entry
                for entry in entries
                if since <= entry["createdAt"] <= until and entry["id"] > after
            ]
        )
        return {"generatedAt": self._now(), "history": found, **pages}

    # Notes, contacts

    def _list_notes(self, asked: Asked) -> Row:
        wanted = asked.filters({"ids[]", "customerIds[]", "text"})
        found = [
            note
            for note in self.notes[asked.path["kind"]]
            if str(note["customer"]["id"])
            in wanted.get("customerIds[]", [str(note["customer"]["id"])])
            and wanted.get("text", [""])[0] in note["text"]
        ]
        found, pages = asked.page(found[::-1])
        return {"notes": found, **pages}

    def _create_note(self, asked: Asked) -> Row:
        note, kind = asked.form("note", NOTE), asked.path["kind"]
        self._related(note["customer"], self._site(asked), kind)
        self._last += 1
        self.notes[kind].append({**note, "id": self._last, "createdAt": self._now()})
        return {"id": self._last}

    def _list_contacts(self, asked: Asked) -> Row:
        there = self._one(asked).get("_contacts", [])
        wanted = asked.filters({"contactIds[]"}).get("contactIds[]", [str(key) for key in there])
        shown = [
            {"id": key + 1000, "isMain": True, "customer": {"id": key}}
            for key in there
            if str(key) in wanted
        ]
        found, pages = asked.page(shown)
        return {"contacts": found, **pages}

    def _create_contact(self, asked: Asked) -> Row:
        row, contact = self._one(asked), asked.form("contact", CONTACT)
        self._related(contact["customer"], row["site"], "customers")
        row.setdefault("_contacts", []).append(contact["customer"]["id"])
        return {"id": contact["customer"]["id"] + 1000}

    # Shops

    def _site(self, asked: Asked) -> str:
        """The shop a request is about: to be named where the key opens several."""
        site = asked.take("site", self.opens[0] if len(self.opens) == 1 else None)
        self._may(site)
        return site

    def _one(self, asked: Asked) -> Row:
        by, site, wanted = asked.take("by", "externalId"), self._site(asked), asked.path["id"]
        if by not in {"id", "externalId"}:
            raise Violation(
                400, "Errors in the input parameters", {"by": "It is not a valid choice."}
            )
        for row in self.rows[asked.path["kind"]].values():
            if str(row.get(by)) == wanted and row["site"] == site:
                return row
        raise Failure(404, "Not found")
