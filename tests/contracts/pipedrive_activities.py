"""Activities, users, pipelines and stages of the Pipedrive of the tests, by the reference of API v2
(users: v1).
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.contracts.pipedrive_answers import Failure, Row, Violation, check_types, typed

USERS = {1: True, 27: True, 13: False}  # whether they are active
STAGES = {1: 1, 5: 2}  # → their pipelines
_PLACES: dict[str, type] = {"deal_id": int, "lead_id": str, "person_id": int, "org_id": int}
_PARAMS: dict[str, type] = {
    **_PLACES, "owner_id": int, "done": str, "limit": int, "cursor": str, "sort_by": str,
    "sort_direction": str, "updated_since": str, "ids": str,
}  # fmt: skip
_BODY: dict[str, type] = {
    **_PLACES, "subject": str, "type": str, "owner_id": int, "due_date": str, "due_time": str,
    "duration": str, "done": bool, "busy": bool, "participants": list, "note": str,
    "public_description": str,
}  # fmt: skip
_DAY, _TIME, _DURATION = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d", r"\d\d:\d\d:\d\d"


class Activities:
    """The activities of one account."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock, self.rows = clock, list[Row]()
        self.users_hidden = False  # from this token

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        pipelines = sorted(set(STAGES.values()))
        return [
            ("GET", "/api/v1/users", self._list_users),
            ("GET", "/api/v2/pipelines", lambda **_: [_named(key) for key in pipelines]),
            ("GET", "/api/v2/stages", lambda **_: [_stage(key) for key in STAGES]),
            ("GET", "/api/v2/activities", self._list),
            ("POST", "/api/v2/activities", self._make),
        ]

    def of(self, place: str, key: str) -> list[Row]:
        """Those of a deal, lead, person or organization."""
        return [row for row in self.rows if str(row.get(place)) == key]

    def _list_users(self, params: Row, body: Row) -> list[Row]:
        if self.users_hidden:
            raise Failure(403, "Scope and URL mismatch")
        return [_user(key) for key in USERS]

    def _list(self, params: Row, body: Row) -> list[Row]:
        asked = typed(params, _PARAMS)
        if asked.get("sort_by", "id") not in {"id", "update_time", "add_time", "due_date"}:
            raise Violation(400, "sort_by is not one of the allowed")
        places = asked.keys() & _PLACES.keys()
        found = [
            row for row in self.rows if all(row.get(place) == asked[place] for place in places)
        ]
        return found[::-1][: asked.get("limit", 100)]

    def _make(self, params: Row, body: Row) -> Row:
        check_types(body, _BODY)
        for name, pattern in {"due_date": _DAY, "due_time": _TIME, "duration": _DURATION}.items():
            if name in body and not re.fullmatch(pattern, body[name]):
                raise Violation(400, f"{name} is not in the right format")
        if "person_id" in body:
            raise Violation(400, "person_id is read-only: use participants")
        if {"deal_id", "lead_id"} <= body.keys():
            raise Violation(400, "an activity is of a deal or a lead")
        if not USERS.get(body.get("owner_id", 1)):
            raise Failure(400, "owner_id: user not found")
        primary = [
            participant["person_id"]
            for participant in body.get("participants", ())
            if participant.get("primary")
        ]
        row = {"owner_id": 1, **body, "id": len(self.rows) + 1, "add_time": self.clock()}
        self.rows.append({**row, "person_id": primary[0] if primary else None})
        return self.rows[-1]


def _user(key: int) -> Row:
    return {"id": key, "name": f"User {key}", "active_flag": USERS[key]}


def _named(key: int) -> Row:
    return {"id": key, "name": f"Pipeline {key}", "is_deleted": False}


def _stage(key: int) -> Row:
    return {"id": key, "name": f"Stage {key}", "pipeline_id": STAGES[key], "is_deleted": False}
