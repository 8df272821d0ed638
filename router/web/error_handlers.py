"""Error handlers: JSON for the API, pages for users, never a traceback."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from router.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    NumbersExhausted,
    RingtraceError,
    TookTooLong,
    TooManyAttempts,
    Unavailable,
)
from router.web.api.models.base import Problem
from router.web.deps import NotLoggedIn, app_state_of
from router.web.requests import query_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one kind of error."""

    status: int
    word: str


FORMS: dict[type[RingtraceError], Form] = {
    InvalidInput: Form(422, "invalid_input"),
    NotFound: Form(404, "not_found"),
    Conflict: Form(409, "conflict"),
    NotLoggedIn: Form(401, "not_logged_in"),
    NotAllowed: Form(403, "not_allowed"),
    TooManyAttempts: Form(429, "too_many_attempts"),
    NumbersExhausted: Form(409, "numbers_exhausted"),
    TookTooLong: Form(503, "took_too_long"),
    Unavailable: Form(503, "unavailable"),
}
INTERNAL = Form(500, "internal")
_WORDS = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_EXTRA = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "60"},
    503: {"Retry-After": "5"},
}


def answers(*kinds: type[RingtraceError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may raise these, for OpenAPI."""
    forms = [FORMS[kind] for kind in (*kinds, InvalidInput)]
    found: dict[int | str, dict[str, Any]] = {}
    for status in sorted({form.status for form in forms}):
        words = ", ".join(form.word for form in forms if form.status == status)
        found[status] = {"model": Problem, "description": words}
    return found


# what any route of the API may answer
ANYWHERE: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "bad_request: the body cannot be read"},
    413: {"model": Problem, "description": "too_large"},
    500: {"model": Problem, "description": "internal: a fault of Ringtrace, which it has logged"},
    503: {"model": Problem, "description": "unavailable, or took_too_long"},
}


def handle_errors(app: FastAPI) -> None:
    """Register the handlers of every kind of error."""
    app.add_exception_handler(RingtraceError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _unexpected)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, RingtraceError)
    form = next((FORMS[kind] for kind in type(error).__mro__ if kind in FORMS), INTERNAL)
    if form.status >= 500:
        log.warning("web.failed", path=request.url.path, error=error.message)
    return _answer(request, form, error.message)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    parts = []
    for found in error.errors()[:5]:
        place = ".".join(
            str(step) for step in found["loc"] if step not in ("body", "query", "path")
        )
        message = str(found["msg"]).removeprefix("Value error, ")
        parts.append(f"{place}: {message}" if place else message)
    return _answer(request, FORMS[InvalidInput], "; ".join(parts))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    form = Form(error.status_code, _WORDS.get(error.status_code, "refused"))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    return _answer(request, form, str(error.detail), headers)


async def _left(_request: Request, _error: Exception) -> Response:
    """The client left in the middle of its body: no answer is read, and nothing is logged,
    because strangers can do it at any rate.
    """
    return Response(status_code=400)


def _allowed(request: Request) -> list[str]:
    """The methods of all routes of this path; the framework names only those of the first."""
    allowed = []
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        ):
            allowed.append(method)
    return allowed


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("web.crashed", path=request.url.path, exc_info=error)
    return _answer(request, INTERNAL, "Something went wrong here; it has been logged.")


def _answer(
    request: Request, form: Form, message: str, headers: dict[str, str] | None = None
) -> Response:
    # a retry takes as long
    if form.word == "took_too_long":
        extra = {}
    else:
        extra = _EXTRA.get(form.status, {})

    headers = {**(headers or {}), **extra}
    if request.url.path.startswith("/api/"):
        body = Problem(error=form.word, message=message).model_dump()
        return JSONResponse(body, status_code=form.status, headers=headers)
    if form.word == "not_logged_in":
        return _to_login(request)
    return app_state_of(request).pages.problem(
        request, form.word, status=form.status, headers=headers
    )


def _to_login(request: Request) -> Response:
    path = request.url.path + query_of(request)
    # htmx would insert the log-in form into the page
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    if request.headers.get("accept") == "text/event-stream":
        return Response(status_code=401)
    if request.method == "GET":
        return RedirectResponse(f"/login?next={quote(path)}", 303)
    return RedirectResponse("/login", 303)
