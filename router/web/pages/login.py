"""Log-in, log-out and language."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.access import Person, Role
from router.errors import NotAllowed, TooManyAttempts
from router.service.admin.access import begin_session, end_session, log_in
from router.web.deps import AppState, AppStateOf, person_or_none, same_origin
from router.web.languages import LANGUAGES
from router.web.rate_limits import client_key
from router.web.rendering import LANGUAGE_COOKIE
from router.web.requests import client_host
from router.web.sessions import DEVICE_LIFETIME, LIFETIME
from router.web.words import N_

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)
Typed = Annotated[str, Form(max_length=1000)]
A_YEAR = 365 * 86_400


def _own_path(path: str) -> str:
    """A path of ours, whatever an address asks for: `//host` and `/\\host` would lead elsewhere."""
    if path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable():
        return path
    return "/"


@router.get("/")
async def home(person: Annotated[Person | None, Depends(person_or_none)]) -> Response:
    """The calls are the first page; for employees, their scores."""
    return RedirectResponse(_home(person), 303)


def _home(person: Person | None) -> str:
    if person and person.role is Role.EMPLOYEE:
        return "/scores/mine"
    return "/calls"


def _after_login(person: Person, path: str) -> str:
    """Where a log-in leads to: the page that was asked for, or the first one."""
    wanted = _own_path(path)
    if wanted == "/":
        return _home(person)
    return wanted


@router.get("/login")
async def ask(
    request: Request,
    app_state: AppStateOf,
    person: Annotated[Person | None, Depends(person_or_none)],
    next: str = "",  # noqa: A002
) -> Response:
    """The log-in form."""
    if person is not None:
        return RedirectResponse(_after_login(person, next), 303)
    return app_state.pages.render(request, "login.html", next=next, login="", sentence=None)


@router.post("/login", dependencies=[Depends(same_origin)])
async def let_in(
    request: Request,
    app_state: AppStateOf,
    login: Typed = "",
    password: Typed = "",
    next: Typed = "",  # noqa: A002
) -> Response:
    """Check the password and begin a session."""
    try:
        person = await _check(request, app_state, login, password)
    except TooManyAttempts:
        sentence, status = N_("Too many attempts: wait a minute and try again."), 429
    except NotAllowed:
        sentence, status = N_("Wrong login or password."), 401
    else:
        return await _begin(request, app_state, person, next)
    return app_state.pages.render(
        request, "login.html", status=status, next=next, login=login[:64], sentence=sentence
    )


async def _check(request: Request, app_state: AppState, login: str, password: str) -> Person:
    """Check the log-in. Failed attempts are logged with their address, e.g. for fail2ban."""
    address = client_key(request)
    device = app_state.sessions.known_device(
        request.cookies.get(app_state.sessions.device_cookie), login
    )
    try:
        app_state.rate_limits.count(login, address, device)
        person = await log_in(app_state.web.store, login, password, known_device=device is not None)
    except (TooManyAttempts, NotAllowed) as refusal:
        reason = "wrong_password"
        if isinstance(refusal, TooManyAttempts):
            reason = "too_many_attempts"

        log.warning("web.login_failed", address=client_host(request), reason=reason)
        raise
    app_state.rate_limits.forgive(login, address)
    log.info("web.logged_in", login=person.login, address=client_host(request))
    return person


async def _begin(request: Request, app_state: AppState, person: Person, path: str) -> Response:
    """Begin a session, and remember that this login succeeded from this browser."""
    cookie, session = app_state.sessions.issue(person, app_state.web.clock())
    await begin_session(app_state.web.store, session)
    answer = RedirectResponse(_after_login(person, path), 303)
    cookies = (
        (app_state.sessions.cookie, cookie, LIFETIME),
        (
            app_state.sessions.device_cookie,
            app_state.sessions.issue_device(person.login),
            DEVICE_LIFETIME,
        ),
    )
    for name, value, lifetime in cookies:
        answer.set_cookie(
            name,
            value,
            max_age=int(lifetime.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return answer


@router.post("/logout", dependencies=[Depends(same_origin)])
async def let_out(request: Request, app_state: AppStateOf) -> Response:
    """End the session, also on the server."""
    ticket = app_state.sessions.read(request.cookies.get(app_state.sessions.cookie))
    if ticket is not None:
        await end_session(app_state.web.store, ticket.digest)
        log.info("web.logged_out", login=ticket.login)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(app_state.sessions.cookie, httponly=True, samesite="lax")
    return answer


@router.post("/language", dependencies=[Depends(same_origin)])
async def speak(language: Typed, next: Typed = "") -> Response:  # noqa: A002
    """Remember the language of this browser and go back."""
    answer = RedirectResponse(_own_path(next), 303)
    if language in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=A_YEAR, samesite="lax", httponly=True)
    return answer
