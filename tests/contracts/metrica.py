"""Yandex.Metrica's management API as documented, calls and offline conversions of it; no line is
known again.
"""

import csv
import io
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

WHO = {"UserId", "ClientId", "Yclid"}
_NUMBER, _FLAG, _BLANK_FLAG = r"\d+", r"[01]", r"[01]?"
CALLS = {
    "DateTime": r"\d{10}",
    "StaticCall": _FLAG,
    "TalkDuration": _NUMBER,
    "HoldDuration": _NUMBER,
    "CallMissed": _FLAG,
    "FirstTimeCaller": _BLANK_FLAG,
    "PhoneNumber": r"(\+\d{7,15})?",
}
SALES = {"Target": r"\w+", "DateTime": r"\d{10}", "Price": r"\d+(\.\d+)?", "Currency": r"[A-Z]{3}"}


class Wrong(Exception):
    """What is asked for would be refused."""


@dataclass(kw_only=True)
class MetricaServer:
    """One counter."""

    token: str = "token"
    lines: dict[str, list[dict[str, str]]] = field(
        default_factory=lambda: {"upload_calls": [], "upload": []}
    )
    uploadings: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"upload_calls": [], "upload": []}
    )
    goals: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    # of the next uploads; 200 when there are none
    statuses: list[int] = field(default_factory=list)
    keeps: bool = True  # what it answers with an error, too
    stands: str = "UPLOADED"  # every upload, as the list tells it
    strangers: set[str] = field(default_factory=set)  # visitors that Metrica does not know
    no_goals: set[str] = field(default_factory=set)  # goals that are not in the counter
    invalid: set[str] = field(default_factory=set)  # visitors whose lines fail the validation
    told: dict[int, dict[str, int]] = field(default_factory=dict)  # counts by upload

    @property
    def app(self) -> Starlette:
        at = "/management/v1/counter/{counter}"
        return Starlette(
            routes=[
                Route(at, self.show),
                Route(at + "/goals", self.goal, methods=["GET", "POST"]),
                Route(
                    at + "/offline_conversions/{kind:str}",
                    self.conversions,
                    methods=["GET", "POST"],
                ),
            ]
        )

    async def show(self, request: Request) -> Response:
        return self._denied(request) or JSONResponse({"counter": {"id": 42, "status": "Active"}})

    async def goal(self, request: Request) -> Response:
        """List goals, or create one."""
        if (denied := self._denied(request)) is not None:
            return denied
        if request.method == "POST":
            goal = (await request.json())["goal"]
            if (
                set(goal) != {"name", "type", "conditions"}
                or goal["conditions"][0]["type"] != "exact"
            ):
                return self._refused(f"goal {goal}")
            self.goals.append({"id": len(self.goals) + 1, **goal})
            return JSONResponse({"goal": self.goals[-1]})
        return JSONResponse({"goals": self.goals})

    async def conversions(self, request: Request) -> Response:
        """Upload, or list uploads."""
        if (denied := self._denied(request)) is not None:
            return denied
        kind = request.path_params["kind"]
        listed = {"calls_uploadings": "upload_calls", "uploadings": "upload"}.get(kind)
        if request.method == "GET" and listed:
            limit, offset = (int(request.query_params.get(name, 0)) for name in ("limit", "offset"))
            some = self.uploadings[listed][offset : offset + limit]
            return JSONResponse({"uploadings": [self._listed(upload) for upload in some]})
        if request.method != "POST" or kind not in self.lines:
            return self._refused(f"{request.method} {kind}")
        try:
            return await self._upload(request, kind)
        except Wrong as wrong:
            return self._refused(str(wrong))

    async def _upload(self, request: Request, kind: str) -> Response:
        comment = request.query_params.get("comment", "")
        known = {"comment", "new_goal_name"} if kind == "upload_calls" else {"comment"}
        if set(request.query_params) - known or not re.fullmatch(r"[0-9A-Za-z]{0,255}", comment):
            raise Wrong(f"the query {request.query_params}")
        async with request.form() as form:
            file = form.get("file")
            if list(form) != ["file"] or not isinstance(file, UploadFile):
                raise Wrong("not a form with one file")
            text = (await file.read()).decode()
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        for row in rows:
            _check(row, CALLS if kind == "upload_calls" else SALES)
        status = self.statuses.pop(0) if self.statuses else 200
        number = 100 + sum(map(len, self.uploadings.values()))
        uploading = {"id": number, "comment": comment, "status": "UPLOADED"}
        valid = [row for row in rows if _visitor(row) not in self.invalid]
        uploading |= {"source_quantity": len(rows), "line_quantity": len(valid)}
        self._count(number, valid)
        if status == 200 or self.keeps:
            self.lines[kind] += rows
            self.uploadings[kind].append(uploading)
        return (
            JSONResponse({"uploading": uploading})
            if status == 200
            else _error(status, "Backend is busy")
        )

    def _count(self, upload: int, rows: list[dict[str, str]]) -> None:
        """What the list will tell of an upload once it was worked on."""
        no_goal = sum(row.get("Target") in self.no_goals for row in rows)
        unknown = sum(
            _visitor(row) in self.strangers and row.get("Target") not in self.no_goals
            for row in rows
        )
        self.told[upload] = {
            "linked_quantity": len(rows) - unknown - no_goal,
            "user_not_found_quantity": unknown,
            "goal_not_found_quantity": no_goal,
        }

    def _listed(self, uploading: dict[str, Any]) -> dict[str, Any]:
        counts = self.told[uploading["id"]] if self.stands == "PROCESSED" else {}
        return {**uploading, "status": self.stands, **counts}

    def _denied(self, request: Request) -> Response | None:
        if request.path_params["counter"] != "42":
            return _error(404, "Entity not found")
        right = request.headers.get("authorization") == f"OAuth {self.token}"
        return None if right else _error(403, "Access is denied")

    def _refused(self, what: str) -> Response:
        self.faults.append(what)
        return _error(400, what)


def _visitor(row: Mapping[str, str]) -> str | None:
    return next((row[name] for name in WHO if name in row), None)


def _check(row: Mapping[str | None, str | None], columns: Mapping[str, str]) -> None:
    named = {name for name in row if name in WHO}
    if len(named) != 1 or set(row) - named - set(columns):
        raise Wrong(f"columns {list(row)}")
    for name, form in {**dict.fromkeys(named, r"\d+"), **columns}.items():
        cell = row.get(name)  # type: ignore[call-overload]
        if cell is None and name in {"DateTime", "Target"}:
            raise Wrong(f"no {name}")
        if cell is not None and not re.fullmatch(form, cell):
            raise Wrong(f"{name} is {cell!r}")
    if int(row["DateTime"] or 0) > time.time():  # type: ignore[index]
        raise Wrong("DateTime has not come yet")


def _error(status: int, message: str) -> Response:
    kind = (
        "backend_error"
        if status >= 500
        else "access_denied"
        if status == 403
        else "invalid_parameter"
    )
    body = {
        "errors": [{"error_type": kind, "message": message}],
        "code": status,
        "message": message,
    }
    return JSONResponse(body, status)
