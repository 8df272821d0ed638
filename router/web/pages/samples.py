"""Samples of calls to review: drawn, listed and worked off."""

from datetime import date, timedelta
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.calls.sampling import MOST_PER_EMPLOYEE, MOST_WEEKS, monday
from router.domain.calls.saved_view import read_text, written_text
from router.errors import InvalidInput
from router.service.calls.samples import (
    SampledCall,
    SampleView,
    Wanted,
    draw_sample,
    list_samples,
    place_in_sample,
    remove_sample,
    show_sample,
)
from router.service.calls.views import list_views
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, logged_in, same_origin
from router.web.pages.call_list import read_query
from router.web.pages.list_state import editor_of
from router.web.rendering import formats_of

router = APIRouter(include_in_schema=False)
WEEKS_OFFERED = 13
Text = Annotated[str, Form(max_length=4000)]


@router.get("/samples")
async def samples(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn
) -> Response:
    """The samples, and a form for another one; filters in the address are those of the form."""
    this_week = monday(formats_of(request).today())
    return app_state.pages.render(
        request,
        "samples.html",
        person=person,
        samples=await list_samples(store),
        query=written_text(read_query(request.query_params)),
        views=await list_views(store, editor_of(person)),
        weeks=[this_week - timedelta(days=7 * back) for back in range(WEEKS_OFFERED)],
        week=timedelta(days=6),
        most=MOST_PER_EMPLOYEE,
        most_weeks=MOST_WEEKS,
        address=_address,
    )


@router.post("/samples", dependencies=[Depends(same_origin)])
async def draw(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    since: Annotated[date, Form()],
    per_employee: Annotated[int, Form(ge=1, le=MOST_PER_EMPLOYEE)],
    weeks: Annotated[int, Form(ge=1, le=MOST_WEEKS)] = 1,
    name: Annotated[str, Form(max_length=200)] = "",
    query: Text = "",
) -> Response:
    """Draw a sample."""
    wanted = Wanted(name=name, query=query, per_employee=per_employee, since=since, weeks=weeks)
    try:
        progress = await draw_sample(
            store, wanted, zone=formats_of(request).zone, author=person.login, now=now
        )
    except InvalidInput:
        return app_state.pages.problem(request, "empty_sample", status=422, headers={})
    return RedirectResponse(f"/samples/{progress.sample.id}", 303)


@router.get("/samples/{sample_id}")
async def sample(
    request: Request, app_state: AppStateOf, store: StoreOf, person: LoggedIn, sample_id: str
) -> Response:
    """The calls of a sample, by employee."""
    view = await show_sample(store, sample_id)
    return app_state.pages.render(
        request,
        "sample.html",
        person=person,
        view=view,
        groups=_by_employee(view),
        address=_address,
    )


@router.get("/samples/{sample_id}/next", dependencies=[Depends(logged_in)])
async def following(
    store: StoreOf, sample_id: str, after: Annotated[str | None, Query(max_length=64)] = None
) -> Response:
    """Open the next call that no person reviewed."""
    place = await place_in_sample(store, sample_id, after)
    if place.next_id is None:
        return RedirectResponse(f"/samples/{sample_id}", 303)
    return RedirectResponse(f"/calls/{place.next_id}?sample={sample_id}", 303)


@router.post("/samples/{sample_id}/remove", dependencies=[Depends(same_origin), Depends(logged_in)])
async def remove(store: StoreOf, sample_id: str) -> Response:
    """Remove a sample."""
    await remove_sample(store, sample_id)
    return RedirectResponse("/samples", 303)


def _by_employee(view: SampleView) -> list[tuple[str, list[SampledCall]]]:
    ordered = sorted(view.calls, key=lambda call: call.drawn.employee)
    grouped = groupby(ordered, key=lambda call: call.drawn.employee)
    return [(employee, list(calls)) for employee, calls in grouped]


def _address(query: str) -> str:
    """The list of calls with the filters of a sample."""
    written = written_text(read_text(query))
    if not written:
        return "/calls"
    return f"/calls?{written}"
