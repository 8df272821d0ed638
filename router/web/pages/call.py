"""The page of one call: recording, attribution, tags, deliveries."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.datastructures import QueryParams

from router.domain.access import Person
from router.domain.calls.comment import LONGEST
from router.domain.calls.scoring import LONGEST_COMMENT
from router.domain.calls.tagging import LONGEST_MOMENT
from router.domain.delivery.entity import Ref
from router.domain.visitors.site import Destination, Site, TrackingNumber
from router.domain.visitors.visit import Visit
from router.errors import InvalidInput, NotFound
from router.service.calls.browse import CallView, show_call, tag_call, untag_call
from router.service.calls.call_backs import backs_by_number
from router.service.calls.comments import comments_of
from router.service.calls.listening import listeners
from router.service.calls.marks import list_marks
from router.service.calls.neighbours import Beside, Neighbour, find_neighbour, neighbours_of
from router.service.calls.reattribution import attribute_again
from router.service.calls.reviews import review_calls, unreview_calls
from router.service.calls.samples import Place, place_in_sample
from router.service.calls.scoring import show_scoring
from router.service.calls.tags import offered_tags
from router.service.calls.transcripts import show_transcript
from router.service.delivery.manage import choose_entity, resend_delivery
from router.service.delivery.outcomes import Receiver
from router.service.delivery.status import receivers_of
from router.service.ports import Store
from router.web import call_back_words
from router.web.deps import (
    AppState,
    AppStateOf,
    LoggedIn,
    Now,
    StoreOf,
    administrator,
    logged_in,
    same_origin,
)
from router.web.live import OPEN, event
from router.web.pages.call_list import LIST, call_address, read_query
from router.web.pages.calls import LastEvent, Revision, news
from router.web.pages.deliveries import EntityId, KindName, why
from router.web.rendering import formats_of

router = APIRouter(include_in_schema=False)
Code = Annotated[str, Form(max_length=40)]
TagName = Annotated[str, Form(max_length=200)]


def address_of(call_id: str) -> str:
    """The path of a call's page."""
    return f"/calls/{quote(call_id, safe='')}"


@router.get("/calls/{call_id}")
async def call(
    request: Request,
    app_state: AppStateOf,
    person: LoggedIn,
    now: Now,
    call_id: str,
    within: Annotated[str, Query(alias=LIST)] = "",
    sample: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """The page of one call; `in` is the query of the list that it was opened from,
    `sample` the sample that is worked off.
    """
    view = await show_call(app_state.web.store, call_id)
    around = await _around(app_state.web.store, view)
    around |= await _place(request, app_state, view, within)
    comments = await comments_of(app_state.web.store, call_id, person.login)
    return app_state.pages.render(
        request,
        "call.html",
        person=person,
        view=view,
        why=why,
        comments=comments,
        longest_comment=LONGEST,
        marks=await list_marks(app_state.web.store, call_id),
        view_of_text=await show_transcript(app_state.web.store, call_id),
        scoring=await show_scoring(app_state.web.store, call_id, person),
        longest_score_comment=LONGEST_COMMENT,
        back=(await backs_by_number(app_state.web.store, now)).get(view.call.caller or ""),
        back_words=call_back_words,
        listened=await listeners(app_state.web.store, call_id),
        place=await _sampled(app_state.web.store, sample, call_id),
        **around,
    )


async def _place(
    request: Request, app_state: AppState, view: CallView, within: str
) -> dict[str, Any]:
    """The place of a call in its list; parts that are fetched again do not show it."""
    formats = formats_of(request)
    within = urlencode(parse_qsl(within[:4000]))  # as an address may be typed
    query = read_query(QueryParams(within))
    found: dict[Beside, Neighbour] = {}
    if "hx-request" not in request.headers:
        wanted = query.wanted(formats.zone, formats.today())
        found = await neighbours_of(app_state.web.store, view.call, wanted)
    links = {}
    for which in Beside:
        links[which.value] = _link(view.call.id, within, which, found.get(which, Neighbour()))

    return {**links, "list_address": f"/calls?{within}" if within else "/calls"}


def _link(call_id: str, within: str, which: Beside, found: Neighbour) -> str | None:
    """The call beside this one; where it is not certain, an address that looks for it."""
    if found.id:
        return call_address(found.id, within)
    if found.is_certain:
        return None
    return f"{address_of(call_id)}/beside/{which}?{urlencode({LIST: within})}"


@router.get("/calls/{call_id}/beside/{which}", dependencies=[Depends(logged_in)])
async def beside(
    request: Request,
    store: StoreOf,
    call_id: str,
    which: Beside,
    within: Annotated[str, Query(alias=LIST)] = "",
) -> Response:
    """Open the call beside this one; the list, where there is none."""
    formats = formats_of(request)
    within = urlencode(parse_qsl(within[:4000]))
    wanted = read_query(QueryParams(within)).wanted(formats.zone, formats.today())
    found = await find_neighbour(store, call_id, wanted, which)
    if found:
        return RedirectResponse(call_address(found, within), 303)
    return RedirectResponse(f"/calls?{within}", 303)


async def _sampled(store: Store, sample_id: str | None, call_id: str) -> Place | None:
    """The call's place in a sample, unless it was removed meanwhile."""
    if sample_id is None:
        return None
    try:
        return await place_in_sample(store, sample_id, call_id)
    except NotFound:
        return None


async def _around(store: Store, view: CallView) -> dict[str, Any]:
    """Set-up objects named on the call's page, which may have been removed."""
    call = view.call
    names = {"site": call.site_id, "destination": call.destination_id, "channel": call.channel}
    receivers: Mapping[str, Receiver] = {}
    async with store.read() as session:
        if site := await session.peek(Site, call.site_id):
            names["site"] = site.name
        if destination := await session.peek(Destination, call.destination_id):
            names["destination"] = destination.name
        if number := await session.peek(TrackingNumber, call.number):
            names["channel"] = call.channel or number.channel
        if view.deliveries or view.entities:
            receivers = await receivers_of(session)
        people = await session.find(Person)
        visits = await session.get_many(Visit, {one.visit_id for one in call.candidates})
    return {
        "offered": await offered_tags(store),
        "people": [person.login for person in people],
        "candidates": [(one, visits.get(one.visit_id)) for one in call.candidates],
        "receivers": receivers,
        **names,
    }


@router.get("/calls/{call_id}/live", response_class=EventSourceResponse)
async def live(
    request: Request,
    app_state: AppStateOf,
    _: LoggedIn,
    call_id: str,
    since_revision: Revision = 0,
    last_event_id: LastEvent = None,
) -> AsyncIterator[ServerSentEvent]:
    """An event whenever this call changes."""
    seen = int(last_event_id or since_revision)
    async for start, lines in news(request, app_state, seen):
        if start != seen:
            yield event("changed", str(start), id=start)
            seen = start
        ours = [line.call.revision for line in lines if line.call.id == call_id]
        if ours:
            yield event("changed", str(max(ours)), id=max(ours))
        elif not lines:
            yield OPEN


@router.post("/calls/{call_id}/code", dependencies=[Depends(same_origin), Depends(logged_in)])
async def code(
    request: Request, app_state: AppStateOf, store: StoreOf, now: Now, call_id: str, code: Code
) -> Response:
    """Set the promo code from the caller."""
    try:
        await attribute_again(store, call_id, code, now=now)
    except InvalidInput:
        return app_state.pages.problem(request, "unknown_code", status=422, headers={})
    return RedirectResponse(address_of(call_id), 303)


@router.post("/calls/{call_id}/tags", dependencies=[Depends(same_origin)])
async def tag(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    call_id: str,
    name: TagName,
    at_seconds: Annotated[float | None, Form(ge=0, le=LONGEST_MOMENT)] = None,
) -> Response:
    """Set a tag, with `at_seconds` at a moment of the recording."""
    try:
        await tag_call(store, call_id, name, author=person.login, now=now, at_seconds=at_seconds)
    except InvalidInput:
        return app_state.pages.problem(request, "invalid_tag", status=422, headers={})
    return RedirectResponse(address_of(call_id), 303)


@router.post("/calls/{call_id}/tags/remove", dependencies=[Depends(same_origin)])
async def untag(
    store: StoreOf, person: LoggedIn, now: Now, call_id: str, name: TagName
) -> Response:
    """Remove a tag; no rule sets it again on this call."""
    await untag_call(store, call_id, name, author=person.login, now=now)
    return RedirectResponse(address_of(call_id), 303)


@router.post("/calls/{call_id}/review", dependencies=[Depends(same_origin)])
async def review(store: StoreOf, person: LoggedIn, now: Now, call_id: str) -> Response:
    """Mark the call as reviewed."""
    await review_calls(store, [call_id], person.login, now)
    return RedirectResponse(address_of(call_id), 303)


@router.post(
    "/calls/{call_id}/review/remove", dependencies=[Depends(same_origin), Depends(logged_in)]
)
async def unreview(store: StoreOf, call_id: str) -> Response:
    """Mark the call as not reviewed."""
    await unreview_calls(store, [call_id])
    return RedirectResponse(address_of(call_id), 303)


@router.post(
    "/calls/{call_id}/deliveries/{delivery_id}/resend",
    dependencies=[Depends(same_origin), Depends(administrator)],
)
async def resend(store: StoreOf, now: Now, call_id: str, delivery_id: str) -> Response:
    """Resend a delivery."""
    await resend_delivery(store, delivery_id, now)
    return RedirectResponse(address_of(call_id), 303)


@router.post(
    "/calls/{call_id}/deliveries/{delivery_id}/entity",
    dependencies=[Depends(same_origin), Depends(logged_in)],
)
async def choose(
    store: StoreOf,
    now: Now,
    call_id: str,
    delivery_id: str,
    kind: KindName,
    id: EntityId,  # noqa: A002
) -> Response:
    """Choose the record of a delivery."""
    await choose_entity(store, delivery_id, Ref(kind=kind, id=id), now)
    return RedirectResponse(address_of(call_id), 303)
