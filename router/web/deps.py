"""Dependencies of requests: services, user or token, permissions."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from structlog.contextvars import bind_contextvars

from router.domain.access import Person, Role, Scope, Token
from router.domain.calls.call_back import CallBackRules
from router.errors import NotAllowed
from router.service.admin.access import check_token, find_person
from router.service.calls.disputes import is_own_call
from router.service.calls.listening import LiveSound
from router.service.calls.ports import RecordingReader
from router.service.clock import Clock
from router.service.ports import Store
from router.service.visitors.ports import VisitEnrichment
from router.service.visitors.visits import VisitService
from router.web.live import Feed
from router.web.rate_limits import RateLimits
from router.web.rendering import Pages
from router.web.sessions import Sessions
from router.web.ticks import Ticks


def _awaits_none(_state: str, _code: str, _refusal: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Services from bootstrap."""

    store: Store
    listening: RecordingReader
    session_key: str  # signs session cookies; the same for all web processes of an installation
    clock: Clock  # aware UTC
    monotonic: Callable[[], float] = time.monotonic  # of rate limits
    enrichment: VisitEnrichment = field(default_factory=VisitEnrichment)
    recording_key: Callable[[], str] = str  # signs links to recordings, as it is now
    url: str = ""  # public URL, if set
    call_back_rules: CallBackRules = field(default_factory=CallBackRules)
    live: LiveSound | None = None  # of calls that go on; None: there is no listening in
    demo: bool = False  # pages say that all data are invented
    # keeps an authorization code for the command that awaits it, or why there is none: state,
    # code, refusal
    accept_login: Callable[[str, str, str], bool] = _awaits_none


@dataclass(frozen=True, slots=True, kw_only=True)
class AppState:
    """State of one application."""

    web: Web
    sessions: Sessions
    rate_limits: RateLimits
    visit_service: VisitService
    feed: Feed
    ticks: Ticks
    pages: Pages


class NotLoggedIn(NotAllowed):
    """Log in first."""


def app_state_of(request: Request) -> AppState:
    """The application's state."""
    app_state: AppState = request.app.state.app_state
    return app_state


async def the_desk(request: Request) -> AppState:
    """The state, as a dependency; async, because FastAPI runs sync ones in a thread."""
    return app_state_of(request)


async def store_of(request: Request) -> Store:
    """The store of this application."""
    return app_state_of(request).web.store


async def now_of(request: Request) -> datetime:
    """The time of this request."""
    return app_state_of(request).web.clock()


AppStateOf = Annotated[AppState, Depends(the_desk)]
StoreOf = Annotated[Store, Depends(store_of)]
Now = Annotated[datetime, Depends(now_of)]


# people, by session cookie


async def person_or_none(request: Request, app_state: AppStateOf) -> Person | None:
    """The logged-in user, if any."""
    ticket = app_state.sessions.read(request.cookies.get(app_state.sessions.cookie))
    person = None
    if ticket:
        person = await find_person(app_state.web.store, ticket.digest, app_state.web.clock())

    if person and ticket and ticket.fits(person):
        return person
    return None


async def anyone(person: Annotated[Person | None, Depends(person_or_none)]) -> Person:
    """The logged-in user, also one who sees only their own scores. Raises `NotLoggedIn`."""
    if person is None:
        raise NotLoggedIn
    bind_contextvars(login=person.login)  # log lines of this request name the user
    return person


Anyone = Annotated[Person, Depends(anyone)]


async def logged_in(person: Anyone) -> Person:
    """The logged-in user. Raises `NotLoggedIn`, and `NotAllowed` for employees."""
    if person.role is Role.EMPLOYEE:
        raise NotAllowed("An employee may see only the scores of their own calls.")
    return person


LoggedIn = Annotated[Person, Depends(logged_in)]


async def may_follow(request: Request, app_state: AppState) -> bool:
    """Whether the user of an open stream is still logged in, and may see every call."""
    person = await person_or_none(request, app_state)
    return person is not None and person.role is not Role.EMPLOYEE


async def administrator(person: LoggedIn) -> Person:
    """The logged-in administrator. Raises `NotLoggedIn`, and `NotAllowed` for others."""
    if person.role is not Role.ADMINISTRATOR:
        raise NotAllowed("Only an administrator may do this.")
    return person


def same_origin(request: Request) -> None:
    """CSRF protection: allow state-changing requests only from our own pages. `Sec-Fetch-Site` is
    sent only over https and from localhost, so otherwise `Origin` is compared.
    """
    site = request.headers.get("sec-fetch-site")
    origin = urlsplit(request.headers.get("origin", ""))
    if site:
        own = site == "same-origin"
    else:
        own = origin.netloc == request.headers.get("host")

    if not own:
        raise NotAllowed("This request does not come from a page of this Ringtrace.")


# programs, by bearer token

_bearer = HTTPBearer(auto_error=False, description="A token made with `ringtrace token create`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def _token(store: Store, secret: str, scope: Scope) -> Token:
    try:
        return await check_token(store, secret, scope)
    except NotAllowed as refusal:
        for other in Scope:  # 403 for a token without the scope, 401 for an unknown one
            try:
                await check_token(store, secret, other)
            except NotAllowed:
                continue
            raise
        raise NotLoggedIn(refusal.message) from refusal


def needs(scope: Scope) -> Callable[..., Awaitable[Token]]:
    """A dependency that requires a token with `scope`. Raises `NotLoggedIn` and `NotAllowed`."""

    async def holder(store: StoreOf, credentials: Credentials) -> Token:
        if credentials is None:
            raise NotLoggedIn("Send a token: 'Authorization: Bearer rt_…'.")
        token = await _token(store, credentials.credentials, scope)
        bind_contextvars(token=token.name)  # log lines of this request name the user
        return token

    return holder


async def listener(
    request: Request,
    store: StoreOf,
    credentials: Credentials,
    person: Annotated[Person | None, Depends(person_or_none)],
) -> None:
    """Allow recordings with a token that may read calls, or for logged-in users; for employees
    those of their own calls that were scored.
    """
    if credentials is not None:
        await _token(store, credentials.credentials, Scope.CALLS_READ)
    elif person is None:
        raise NotLoggedIn("Log in, or send a token: 'Authorization: Bearer rt_…'.")
    elif person.role is Role.EMPLOYEE and not await is_own_call(
        store, request.path_params["call_id"], person
    ):
        raise NotAllowed("An employee may hear only their own calls that were scored.")


async def no_employee(person: Annotated[Person | None, Depends(person_or_none)]) -> None:
    """Refuse employees what else `listener` allows them."""
    if person is not None and person.role is Role.EMPLOYEE:
        raise NotAllowed("An employee may see only the scores of their own calls.")
