"""Requests of the script on the company's pages, without a token. A visit's key is known to its own
page only, and authorises its requests; pages of other sites are refused by Origin. Bodies may be
`text/plain`, which saves a preflight. Answers are small and fast, because pages wait for them.
"""

from collections.abc import Callable, Coroutine, Mapping
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import to_json

from router.domain.mail import tagged_address
from router.domain.page_spelling import Parts, parts
from router.domain.paths import API
from router.domain.phone import display
from router.errors import InvalidInput, NotFound, TooManyAttempts
from router.service.visitors.display import Shown
from router.service.visitors.opened_page import Arrived
from router.service.visitors.site_config import SiteConfig, check_origin
from router.service.visitors.visits import Arrival, Present, path_of
from router.web.api.visit_bodies import (
    MOST_LEASES,
    MOST_POOLS,
    AliveBody,
    FormBody,
    LeftBody,
    Numbers,
    Opened,
    PoolsBody,
    TapBody,
    VisitBody,
    identifier,
    identifiers,
    read_body,
)
from router.web.deps import app_state_of
from router.web.error_handlers import answers
from router.web.middleware import let_pages, preflight
from router.web.rate_limits import client_key


class Direct(APIRoute):
    """A route whose endpoint reads the request itself, without FastAPI's overhead."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint, with the path's names."""
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            answer: Response = await endpoint(request, **request.path_params)
            return answer

        return handle


router = APIRouter(tags=["visits"], route_class=Direct)
OPEN = "/sites/{site_id}/visits"
OF_VISIT = "/visits/{visit_id}/"
SiteId = Annotated[str, Path(description="The site's key.")]
VisitId = Annotated[str, Path(description="The visit's id, which its own page alone knows.")]
COOKIE = "ringtrace_visitor"
COOKIE_SECONDS = 400 * 86_400  # the longest that browsers allow
# Seconds between heartbeats: if one of two tabs is closed, the other must report before the goodbye
# counts.
LONGEST_PAUSE, SHORTEST_PAUSE = 20, 2

_display = lru_cache(maxsize=1 << 17)(display)  # more than any site has


def _route(body: type[BaseModel], answer: type[BaseModel] | None = None) -> dict[str, Any]:
    """OpenAPI description of a route that reads and writes its bodies itself."""
    answered: dict[int | str, dict[str, Any]] = {}
    if answer:
        answered = {200: {"model": answer}}

    return {
        "status_code": 200 if answer else 204,
        "response_class": Response,
        "responses": answers(NotFound, TooManyAttempts) | answered,
        "openapi_extra": {
            "requestBody": {"content": {"application/json": {"schema": body.model_json_schema()}}}
        },
    }


@router.post(OPEN, **_route(VisitBody, Opened))
async def open_visit(request: Request, site_id: SiteId) -> Response:
    """A page was opened: begin or continue a visit, and assign its numbers.

    Without a number the page stays unchanged: `level` says whether the number is the visitor's own
    (dynamic), that of where they came from (static) or the company's (own, without a number).
    """
    config = await _of_site(request, site_id)
    body = await read_body(request, VisitBody)
    cookie = None
    if "cookie" in request.headers:
        cookie = identifier(request.cookies.get(COOKIE))

    arrival = Arrival(
        url=body.url,
        referrer=body.referrer,
        visitor_id=cookie or identifier(body.visitor_id),
        ids=body.ids(),
        parameters=body.kept_parameters() if body.parameters else {},
        pools=identifiers(body.pools, MOST_POOLS),
        consent=body.consent,
        keeps_nothing=body.keeps_nothing,
        withdrawn=body.withdrawn,
        address=client_key(request),
        user_agent=request.headers.get("user-agent", ""),
    )
    app_state = app_state_of(request)
    arrived = await app_state.visit_service.arrive(config, arrival, app_state.web.clock())
    answer = _json(_opened(config, arrived))
    if arrived.visitor_id or (cookie and body.withdrawn):
        secure = ""
        if request.scope["scheme"] == "https":
            secure = "; Secure"

        place = (
            f"Path={API}/sites/{site_id}/; Max-Age={COOKIE_SECONDS if arrived.visitor_id else 0}"
        )
        value = arrived.visitor_id or ""
        answer.headers["set-cookie"] = f"{COOKIE}={value}; {place}; HttpOnly; SameSite=Lax{secure}"
    return answer


@router.post(OF_VISIT + "numbers", **_route(PoolsBody, Numbers))
async def give_numbers(request: Request, visit_id: VisitId) -> Response:
    """Numbers requested after the page was opened: shown on request, or lost."""
    who, body = await _of_visit(request, visit_id), await read_body(request, PoolsBody)
    app_state, pools = app_state_of(request), identifiers(body.pools, MOST_POOLS)
    given = await app_state.visit_service.give_numbers(
        who, pools, client_key(request), app_state.web.clock(), body.ids()
    )
    return _json({"numbers": _numbers(given)})


@router.post(OF_VISIT + "alive", **_route(AliveBody, Numbers))
async def alive(request: Request, visit_id: VisitId) -> Response:
    """Heartbeat. The answer contains changed numbers, usually none."""
    who, body = await _of_visit(request, visit_id), await read_body(request, AliveBody)
    app_state, leases = app_state_of(request), identifiers(body.leases, MOST_LEASES)
    now = app_state.web.clock()
    if body.unchanged:
        await app_state.visit_service.unchanged.count(
            who.config.site.id, path_of(body.unchanged), now
        )
    changed = await app_state.visit_service.stay(
        who, leases, body.path, body.ids(), client_key(request), now
    )
    return _json({"numbers": _numbers(changed)})


@router.post(OF_VISIT + "tap", **_route(TapBody))
async def tap(request: Request, visit_id: VisitId) -> Response:
    """The visitor tapped a number."""
    who, body = await _of_visit(request, visit_id), await read_body(request, TapBody)
    app_state, key = app_state_of(request), identifier(body.key)
    await app_state.visit_service.tapped(who, body.number, app_state.web.clock(), body.ids(), key)
    return Response(status_code=204)


@router.post(OF_VISIT + "form", **_route(FormBody))
async def form(request: Request, visit_id: VisitId) -> Response:
    """The visitor entered a phone number."""
    who, body = await _of_visit(request, visit_id), await read_body(request, FormBody)
    app_state, key = app_state_of(request), identifier(body.key)
    await app_state.visit_service.left_phone(
        who, body.phone, app_state.web.clock(), body.ids(), client_key(request), key
    )
    return Response(status_code=204)


@router.post(OF_VISIT + "left", **_route(LeftBody))
async def left(request: Request, visit_id: VisitId) -> Response:
    """The page is left: its leases are frozen."""
    who, body = await _of_visit(request, visit_id), await read_body(request, LeftBody)
    app_state = app_state_of(request)
    await app_state.visit_service.left(
        who, identifiers(body.leases, MOST_LEASES), app_state.web.clock(), body.ids()
    )
    return Response(status_code=204)


@router.options(OPEN, include_in_schema=False)
async def may_open(request: Request, site_id: SiteId) -> Response:
    """CORS preflight for JSON."""
    await _of_site(request, site_id)
    return Response(status_code=204, headers=preflight(request, "POST"))


@router.options(OF_VISIT + "{verb}", include_in_schema=False)
async def may_tell(request: Request, visit_id: VisitId, verb: str) -> Response:
    """CORS preflight for JSON."""
    await _of_visit(request, visit_id)
    return Response(status_code=204, headers=preflight(request, "POST"))


async def _of_site(request: Request, site_id: str) -> SiteConfig:
    """The site, if the request comes from its pages."""
    config = await app_state_of(request).visit_service.sites.get(site_id)
    await _let_pages(request, config)
    return config


async def _of_visit(request: Request, visit_id: str) -> Present:
    """The visit, if the request comes from its site's pages."""
    app_state_of(request).rate_limits.count_message(client_key(request))
    who = await app_state_of(request).visit_service.recall(visit_id)
    await _let_pages(request, who.config)
    return who


async def _let_pages(request: Request, config: SiteConfig) -> None:
    origin = request.headers.get("origin")
    try:
        check_origin(config.site, origin)
    except InvalidInput:
        app_state = app_state_of(request)
        await app_state.visit_service.refusals.count(
            config.site.id, origin or "", app_state.web.clock()
        )
        raise
    if origin:
        let_pages(request, origin, with_cookies=True)


def _opened(config: SiteConfig, arrived: Arrived) -> dict[str, Any]:
    pools = config.pools.values()  # including pools requested later
    present = min(
        (pool.hold_seconds - pool.freeze_seconds for pool in pools), default=2 * LONGEST_PAUSE
    )
    hold = min((pool.hold_seconds for pool in pools), default=LONGEST_PAUSE)
    return {
        "visitor_id": arrived.visitor_id,
        "visit_id": arrived.visit_id,
        "code": arrived.code,
        "mail": tagged_address(config.site.mail, arrived.code) if arrived.code else None,
        "numbers": _numbers(arrived.numbers),
        # one may be lost on its way
        "alive_seconds": max(SHORTEST_PAUSE, min(LONGEST_PAUSE, present // 2)),
        "hold_seconds": hold,
    }


def _numbers(given: Mapping[str, Shown]) -> dict[str, dict[str, str | Parts | None]]:
    numbers = {}
    for pool_id, shown in given.items():
        numbers[pool_id] = {
            "lease_id": shown.lease_id,
            "number": shown.number,
            "display": _display(shown.number) if shown.number else None,
            "parts": parts(shown.number) if shown.number else None,
            "level": shown.level,
        }
    return numbers


def _json(content: dict[str, Any]) -> Response:
    return Response(to_json(content), media_type="application/json")
