"""Google Analytics' Measurement Protocol as documented: production takes anything with 204,
debugging finds faults.

What production would have dropped without a word is listed in `faults`.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_PERSONAL = re.compile(r"@|\+\d{7,}")
Granted = Literal["GRANTED", "DENIED"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Event(Strict):
    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
    params: Annotated[
        dict[
            Annotated[str, Field(max_length=40)],
            Annotated[str, Field(max_length=100)] | int | float,
        ],
        Field(max_length=25),
    ]


class Consent(Strict):
    ad_user_data: Granted
    ad_personalization: Granted


class Body(Strict):
    client_id: Annotated[str, Field(min_length=1, max_length=64)]
    timestamp_micros: int
    events: Annotated[list[Event], Field(min_length=1, max_length=25)]
    consent: Consent | None = None


class DebugBody(Body):
    validation_behavior: Literal["RELAXED", "ENFORCE_RECOMMENDATIONS"] = "RELAXED"


@dataclass(kw_only=True)
class Ga4Server:
    """What arrived, and what was wrong with it."""

    clock: Callable[[], datetime]
    secret: str = "secret"
    status: int = 204
    taken: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        routes = [
            Route("/mp/collect", self.collect, methods=["POST"]),
            Route("/debug/mp/collect", self.debug, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    async def collect(self, request: Request) -> Response:
        """Take it, whatever it is."""
        if self.status != 204:
            return Response("Service Unavailable", self.status)
        raw = await request.body()
        self.faults += [said["description"] for said in self._wrong(request, raw, Body)]
        if request.query_params.get("api_secret") != self.secret:
            self.faults.append("the secret is wrong")
        self.taken.append(json.loads(raw))
        return Response(status_code=204)

    async def debug(self, request: Request) -> Response:
        """Say what is wrong; the secret is not looked at."""
        return JSONResponse(
            {"validationMessages": self._wrong(request, await request.body(), DebugBody)}
        )

    def _wrong(self, request: Request, raw: bytes, model: type[Body]) -> list[dict[str, str]]:
        said: list[tuple[str, str]] = []
        if set(request.query_params) != {"measurement_id", "api_secret"}:
            said.append(("", f"the query is {sorted(request.query_params)}"))
        if not re.fullmatch(r"G-[A-Z0-9]+", request.query_params.get("measurement_id", "")):
            said.append(("measurement_id", "Measurement_id must begin with G-."))
        if request.headers.get("content-type") != "application/json" or len(raw) > 130_000:
            said.append(("", "not JSON, or too long"))
        try:
            body = model.model_validate_json(raw)
        except ValidationError as error:
            said += [(".".join(map(str, found["loc"])), found["msg"]) for found in error.errors()]
        else:
            said += self._out_of_place(body)
        return [
            {"fieldPath": path, "description": text, "validationCode": "VALUE_INVALID"}
            for path, text in said
        ]  # fmt: skip

    def _out_of_place(self, body: Body) -> list[tuple[str, str]]:
        at, now = datetime.fromtimestamp(body.timestamp_micros / 1e6, UTC), self.clock()
        said = []
        if not now - timedelta(hours=72) <= at <= now:
            said.append(("timestamp_micros", f"{at} is not within 72 hours before {now}"))
        for event in body.events:
            if type(event.params.get("engagement_time_msec")) is not int:
                said.append((event.name, "no engagement_time_msec"))
            if ("value" in event.params) != ("currency" in event.params):
                said.append((event.name, "value and currency go together"))
            if any(
                isinstance(value, str) and _PERSONAL.search(value)
                for value in event.params.values()
            ):
                said.append((event.name, "personal data"))
            began = event.params.get("session_id")
            if began is not None and not (isinstance(began, str) and began.isdigit()):
                said.append((event.name, f"session_id is {began!r}"))
            elif began is not None and not int(began) <= at.timestamp() <= int(began) + 86_400:
                said.append((event.name, "outside the session"))
            elif began is not None and now.timestamp() > int(began) + 86_400:
                said.append((event.name, "the session takes nothing any more"))
        return said
