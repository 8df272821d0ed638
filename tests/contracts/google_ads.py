"""Google's Data Manager API and its token endpoint as documented: a request with one bad event is
refused whole.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Consented = Literal["CONSENT_GRANTED", "CONSENT_DENIED"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Account(Strict):
    accountType: Literal["GOOGLE_ADS"]
    accountId: Annotated[str, Field(pattern=r"^\d{10}$")]


class Destination(Strict):
    reference: str
    operatingAccount: Account
    loginAccount: Account | None = None
    productDestinationId: Annotated[str, Field(pattern=r"^\d+$")]


class AdIdentifiers(Strict):
    gclid: str | None = None
    gbraid: str | None = None
    wbraid: str | None = None


class Event(Strict):
    destinationReferences: Annotated[list[str], Field(min_length=1)]
    transactionId: Annotated[str, Field(min_length=1)]
    eventTimestamp: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    eventSource: Literal["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"]
    adIdentifiers: AdIdentifiers
    conversionValue: float | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None


class Consent(Strict):
    adUserData: Consented
    adPersonalization: Consented


class Body(Strict):
    destinations: Annotated[list[Destination], Field(min_length=1, max_length=10)]
    events: Annotated[list[Event], Field(min_length=1, max_length=2000)]
    consent: Consent | None = None
    validateOnly: bool = False


@dataclass(kw_only=True)
class GoogleAdsServer:
    """Conversions by action and transaction, as they would be counted."""

    conversions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    requests: int = 0
    tokens: list[str] = field(default_factory=list)  # given out
    revoked: bool = False  # the refresh token
    refuses: int = 0  # so many requests with 401, whatever the token
    bad_clicks: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    taken: dict[str, list[str]] = field(default_factory=dict)  # actions by request
    works: int = 0  # so many questions are answered with "processing"
    # reasons by action: nothing of it could be used
    unusable: dict[str, str] = field(default_factory=dict)
    partly: bool = False  # or only a part
    # by transaction: why it could not be used
    reasons: dict[str, str] = field(default_factory=dict)
    names_records: bool = True  # the places of records, as since version 1.9
    sent: dict[str, list[Event]] = field(default_factory=dict)  # events by request

    @property
    def app(self) -> Starlette:
        routes = [
            Route("/token", self.token, methods=["POST"]),
            Route("/v1/events:ingest", self.ingest, methods=["POST"]),
            Route("/v1/requestStatus:retrieve", self.status, methods=["GET"]),
        ]
        return Starlette(routes=routes)

    async def token(self, request: Request) -> Response:
        """An access token for the refresh token."""
        async with request.form() as form:
            given = dict(form)
        wanted = {
            "client_id": "id",
            "client_secret": "hush",
            "refresh_token": "fresh",
            "grant_type": "refresh_token",
        }
        if (
            request.headers.get("content-type") != "application/x-www-form-urlencoded"
            or given != wanted
        ):
            self.faults.append(f"token asked with {given}")
        if self.revoked:
            error = {
                "error": "invalid_grant",
                "error_description": "Token has been expired or revoked.",
            }
            return JSONResponse(error, 400)
        self.tokens.append(f"access-{len(self.tokens) + 1}")
        body = {
            "access_token": self.tokens[-1],
            "expires_in": 3599,
            "scope": "…/datamanager",
            "token_type": "Bearer",
        }
        return JSONResponse(body)

    async def ingest(self, request: Request) -> Response:
        """Take all the events, or none."""
        self.requests += 1
        if (stranger := self._unknown(request)) is not None:
            return stranger
        try:
            body = Body.model_validate_json(await request.body())
        except ValidationError as error:
            self.faults += [
                f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()
            ]
            return _error(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
        if violations := self._violations(body):
            return _error(
                400, "INVALID_ARGUMENT", "There was a problem with the request.", violations
            )
        if not body.validateOnly:
            for event in body.events:
                for action in event.destinationReferences:
                    self.conversions.setdefault(
                        (action, event.transactionId), event.model_dump(exclude_none=True)
                    )
            self.sent[f"request-{self.requests}"] = body.events
            self.taken[f"request-{self.requests}"] = [
                destination.productDestinationId for destination in body.destinations
            ]
        return JSONResponse({"requestId": f"request-{self.requests}"})

    async def status(self, request: Request) -> Response:
        """What came of a request, by destination."""
        if (stranger := self._unknown(request)) is not None:
            return stranger
        if set(request.query_params) != {"requestId"}:
            self.faults.append(f"status asked with {request.query_params}")
        actions = self.taken.get(request.query_params.get("requestId", ""))
        if actions is None:
            return _error(404, "NOT_FOUND", "Requested entity was not found.")
        self.works -= 1
        events = self.sent[request.query_params["requestId"]]
        rows = [self._status(action, events) for action in actions]
        return JSONResponse({"requestStatusPerDestination": rows})

    def _status(self, action: str, events: list[Event]) -> dict[str, Any]:
        about = {
            "destination": {"productDestinationId": action},
            "eventsIngestionStatus": {"recordCount": "1"},
        }
        if self.works >= 0:
            return {**about, "requestStatus": "PROCESSING"}
        if self.reasons:
            return {**about, **self._by_record(action, events)}
        if action not in self.unusable:
            return {**about, "requestStatus": "SUCCESS"}
        errors = [
            {"recordCount": "1", "reason": f"PROCESSING_ERROR_REASON_{self.unusable[action]}"}
        ]
        status = "PARTIAL_SUCCESS" if self.partly else "FAILED"
        return {**about, "requestStatus": status, "errorInfo": {"errorCounts": errors}}

    def _by_record(self, action: str, events: list[Event]) -> dict[str, Any]:
        """Which records could not be used, as JSON spells it: numbers of 64 bits are texts."""
        mine = [
            place for place, event in enumerate(events) if action in event.destinationReferences
        ]
        places: dict[str, list[int]] = {}
        for place in mine:
            if (reason := self.reasons.get(events[place].transactionId)) is not None:
                places.setdefault(reason, []).append(place)
        if not places:
            return {"requestStatus": "SUCCESS"}
        counts = [self._count(reason, some) for reason, some in places.items()]
        failed = sum(map(len, places.values())) == len(mine)
        status = "FAILED" if failed else "PARTIAL_SUCCESS"
        return {"requestStatus": status, "errorInfo": {"errorCounts": counts}}

    def _count(self, reason: str, places: list[int]) -> dict[str, Any]:
        count: dict[str, Any] = {
            "recordCount": str(len(places)),
            "reason": f"PROCESSING_ERROR_REASON_{reason}",
        }
        return (
            {**count, "recordIndices": [str(place) for place in places]}
            if self.names_records
            else count
        )

    def _unknown(self, request: Request) -> Response | None:
        """The answer to who has no good access token."""
        known = (
            bool(self.tokens)
            and request.headers.get("authorization") == f"Bearer {self.tokens[-1]}"
        )
        if known and not self.refuses:
            return None
        self.refuses = max(self.refuses - 1, 0)
        return _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")

    def _violations(self, body: Body) -> list[dict[str, str]]:
        found = []
        actions = {destination.reference for destination in body.destinations}
        for place, event in enumerate(body.events):
            clicks = event.adIdentifiers.model_dump(exclude_none=True)
            at = f"events.events[{place}].ad_identifiers"
            if len(clicks) != 1 or set(clicks.values()) & self.bad_clicks:
                found.append(
                    {
                        "field": at,
                        "description": "The click ID is not one.",
                        "reason": "INVALID_GCLID",
                    }
                )
            if not set(event.destinationReferences) <= actions:
                found.append(
                    {"field": at, "description": "No such destination.", "reason": "DESTINATION"}
                )
        return found


def _error(
    code: int, status: str, message: str, violations: list[dict[str, str]] | None = None
) -> Response:
    details = [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations or []}
    ]
    return JSONResponse(
        {"error": {"code": code, "message": message, "status": status, "details": details}}, code
    )
