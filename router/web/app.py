"""Creates the ASGI application: API, pages and middleware."""

import asyncio
from datetime import timedelta
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.routing import BaseRoute

from router.domain.paths import API
from router.errors import DatabaseUnavailable
from router.service.visitors.limits import Limits
from router.service.visitors.visits import VisitService
from router.web import recording_links, script
from router.web.api import routes, visits
from router.web.deps import AppState, Now, StoreOf, Web
from router.web.error_handlers import ANYWHERE, handle_errors
from router.web.headers import CLIENT_ADDRESS
from router.web.live import Feed
from router.web.middleware import AnswerHeaders, BodyLimit, StopsWhenAbandoned
from router.web.pages import (
    board,
    bulk,
    call,
    call_backs,
    call_score,
    calls,
    cards,
    comments,
    decisions,
    deliveries,
    events,
    exports,
    listening,
    login,
    missed,
    oauth,
    pools,
    receiver,
    reliability,
    rules,
    samples,
    scores,
    spam,
    tags,
    transcript,
    views,
    word_lists,
)
from router.web.rate_limits import RateLimits
from router.web.rendering import Pages
from router.web.requests import client_host
from router.web.sessions import Sessions
from router.web.ticks import Ticks

HERE = Path(__file__).parent
WRITE_SECONDS = 3.0  # time for which the database may be busy
STALE = timedelta(seconds=60)  # each process writes a heartbeat every ten seconds
# a process that was silent this long is no longer expected
TAKEN_AWAY = timedelta(days=7)


def create_app(web: Web) -> FastAPI:
    """Create the application, without interactive documentation, which would load foreign
    scripts.
    """
    app = FastAPI(
        title="Ringtrace",
        description="Which visitor, which advertisement and which client ID made the phone ring.",
        version="1",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # redirects would use the host of the request
    )
    rate_limits = RateLimits(web.monotonic)
    limits = Limits(
        visits=rate_limits.visits,
        refusals=rate_limits.refusals,
        views=rate_limits.views,
        forms=rate_limits.forms,
        nameless=rate_limits.nameless,
    )
    app.state.app_state = AppState(
        web=web,
        sessions=Sessions(web.session_key),
        rate_limits=rate_limits,
        visit_service=VisitService(web.store, web.enrichment, limits, web.session_key),
        feed=Feed(web.store),
        ticks=Ticks(web.store, web.clock),
        pages=Pages(web.store.receiver_kinds, demo=web.demo),
    )
    handle_errors(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(AnswerHeaders)
    app.add_middleware(StopsWhenAbandoned)
    app.router.routes.extend(_routes())
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Every route, made once: FastAPI reads each signature when a route is first tried, which takes
    half a second for all of them, and no route belongs to one application.
    """
    router = APIRouter()
    # first, because most requests are these
    router.include_router(visits.router, prefix=API, responses=ANYWHERE)
    router.include_router(routes.router, prefix=API, responses=ANYWHERE)
    router.include_router(script.router)
    router.include_router(recording_links.router)
    badges = [Depends(deliveries.count), Depends(missed.count), Depends(scores.count)]
    for page in (
        login,
        events,
        views,
        exports,
        bulk,
        calls,
        call,
        call_score,
        call_backs,
        listening,
        missed,
        comments,
        board,
        samples,
        scores,
        cards,
        rules,
        decisions,
        spam,
        tags,
        transcript,
        word_lists,
        deliveries,
        pools,
        reliability,
        receiver,
        oauth,
    ):
        router.include_router(page.router, dependencies=badges)
    router.add_api_route("/livez", _alive, include_in_schema=False)
    router.add_api_route("/healthz", _healthy, include_in_schema=False)
    router.add_api_route("/icon.svg", _icon, include_in_schema=False)
    router.mount("/static", StaticFiles(directory=HERE / "static", check_dir=False))
    return router.routes


def end_streams(app: FastAPI) -> None:
    """End the live pages' streams, so that the server can stop."""
    app.state.app_state.feed.close()
    app.state.app_state.ticks.close()


async def _alive(request: Request) -> Response:
    """This process answers. The header tells `ringtrace doctor` which address the proxy passes
    on.
    """
    return PlainTextResponse("ok", headers={CLIENT_ADDRESS: client_host(request)})


async def _healthy(store: StoreOf, now: Now) -> Response:
    """The database can be written, and the other processes sent a recent heartbeat; otherwise 503
    with the reasons. A process without any heartbeat is not expected.
    """
    try:
        async with asyncio.timeout(WRITE_SECONDS), store.write() as session:
            beats = await session.heartbeats.all()
    except TimeoutError:
        why = f"database: nothing could be written for {WRITE_SECONDS:.0f} s"
        return PlainTextResponse(why, status_code=503)
    except DatabaseUnavailable as error:
        return PlainTextResponse(f"database: {error.message}", status_code=503)
    silent = []
    for beat in beats:
        if abs(now - beat.at) > STALE and (beat.name == "worker" or now - beat.at < TAKEN_AWAY):
            silent.append(
                f"{beat.name}: no sign of life for {(now - beat.at).total_seconds():.0f} s"
            )

    if silent:
        return PlainTextResponse("\n".join(silent), status_code=503)
    return PlainTextResponse("ok")


async def _icon() -> Response:
    return FileResponse(HERE / "icon.svg", headers={"Cache-Control": "public, max-age=86400"})
