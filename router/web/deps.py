"""What a request may lean on: the values bootstrap gave, who asks, and what they may do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from structlog.contextvars import bind_contextvars

from router.domain.access import Person, Role, Scope, Token
from router.errors import NotAllowed
from router.service.admin.access import check_token, find_person
from router.service.calls.ports import Listening
from router.service.clock import Clock
from router.service.ports import Store
from router.service.visitors.ports import VisitEnrichment
from router.service.visitors.visits import VisitService
from router.web.live import Feed
from router.web.rate_limits import Attempts
from router.web.rendering import Pages
from router.web.sessions import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """What bootstrap gives this room."""

    store: Store
    listening: Listening
    session_key: str  # signs session cookies; the same for all web processes of an installation
    clock: Clock  # aware UTC
    enrichment: VisitEnrichment = field(default_factory=VisitEnrichment)
    url: str = ""  # our address as visitors' browsers reach it, if it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the room makes of it, once per application."""

    web: Web
    sessions: Sessions
    attempts: Attempts
    visit_service: VisitService
    feed: Feed
    pages: Pages


class NotLoggedIn(NotAllowed):
    """Log in first."""


def desk_of(request: Request) -> Desk:
    """The desk of this application."""
    desk: Desk = request.app.state.desk
    return desk


async def the_desk(request: Request) -> Desk:
    """The desk, as a dependency: what is not async, FastAPI carries to a thread and back."""
    return desk_of(request)


async def store_of(request: Request) -> Store:
    """The store of this application."""
    return desk_of(request).web.store


async def now_of(request: Request) -> datetime:
    """The moment of this request by the application's clock."""
    return desk_of(request).web.clock()


DeskOf = Annotated[Desk, Depends(the_desk)]
StoreOf = Annotated[Store, Depends(store_of)]
Now = Annotated[datetime, Depends(now_of)]


# people, by session cookie


async def person_or_none(request: Request, desk: DeskOf) -> Person | None:
    """Who is logged in, if anyone."""
    ticket = desk.sessions.read(request.cookies.get(desk.sessions.cookie))
    person = await find_person(desk.web.store, ticket.digest, desk.web.clock()) if ticket else None
    return person if person and ticket and ticket.fits(person) else None


async def logged_in(person: Annotated[Person | None, Depends(person_or_none)]) -> Person:
    """Who is logged in. Raises `NotLoggedIn`."""
    if person is None:
        raise NotLoggedIn
    bind_contextvars(login=person.login)  # log lines of this request say who asked
    return person


LoggedIn = Annotated[Person, Depends(logged_in)]


async def administrator(person: LoggedIn) -> Person:
    """The administrator who is logged in. Raises `NotLoggedIn`, and `NotAllowed` for others."""
    if person.role is not Role.ADMINISTRATOR:
        raise NotAllowed("Only an administrator may do this.")
    return person


def same_origin(request: Request) -> None:
    """Let a state-changing request pass only from our own pages: no other site can use a visitor's
    session.

    `Sec-Fetch-Site` comes over https and from localhost alone, so `Origin` is compared where it is
    missing.
    """
    site = request.headers.get("sec-fetch-site")
    origin = urlsplit(request.headers.get("origin", ""))
    own = site == "same-origin" if site else origin.netloc == request.headers.get("host")
    if not own:
        raise NotAllowed("This request does not come from a page of this Ringtrace.")


# programs, by bearer token

_bearer = HTTPBearer(auto_error=False, description="A token made with `ringtrace token create`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def _token(store: Store, secret: str, scope: Scope) -> Token:
    try:
        return await check_token(store, secret, scope)
    except NotAllowed as refusal:
        for (
            other
        ) in Scope:  # a known token that lacks the scope is forbidden, an unknown one unauthorised
            try:
                await check_token(store, secret, other)
            except NotAllowed:
                continue
            raise
        raise NotLoggedIn(refusal.message) from refusal


def needs(scope: Scope) -> Callable[..., Awaitable[Token]]:
    """A dependency: the token that may do `scope`. Raises `NotLoggedIn` and `NotAllowed`."""

    async def holder(store: StoreOf, credentials: Credentials) -> Token:
        if credentials is None:
            raise NotLoggedIn("Send a token: 'Authorization: Bearer rt_…'.")
        token = await _token(store, credentials.credentials, scope)
        bind_contextvars(token=token.name)  # log lines of this request say who asked
        return token

    return holder


async def listener(
    store: StoreOf,
    credentials: Credentials,
    person: Annotated[Person | None, Depends(person_or_none)],
) -> None:
    """Let recordings be heard with a token that may read calls, or by someone who is logged in."""
    if credentials is not None:
        await _token(store, credentials.credentials, Scope.CALLS_READ)
    elif person is None:
        raise NotLoggedIn("Log in, or send a token: 'Authorization: Bearer rt_…'.")
