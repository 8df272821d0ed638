"""Scores: averages, agreement and disputes for supervisors, and one's own scores."""

from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BeforeValidator

from router.domain.access import Person
from router.domain.calls.call import Recording
from router.domain.calls.sampling import MOST_WEEKS
from router.domain.calls.scoring import LONGEST_DISPUTE
from router.service.calls.disputes import (
    ScoreHidden,
    count_open,
    dispute_score,
    list_disputes,
    may_settle,
    own_scores,
    settle_dispute,
    show_score,
)
from router.service.calls.score_figures import agreements, score_figures
from router.service.calls.scoring import remove_score
from router.web.deps import (
    Anyone,
    AppStateOf,
    LoggedIn,
    Now,
    StoreOf,
    person_or_none,
    same_origin,
)
from router.web.pages.call import address_of
from router.web.rendering import formats_of

router = APIRouter(include_in_schema=False)
WEEKS = 4
COLUMNS = "time.caller.employee.talk.score.reviewed"  # of the lists that figures lead to
Text = Annotated[str, Form(max_length=2 * LONGEST_DISPUTE)]  # line breaks come as two characters
Day = Annotated[date | None, BeforeValidator(lambda text: text or None)]


async def count(
    request: Request, store: StoreOf, person: Annotated[Person | None, Depends(person_or_none)]
) -> None:
    """Count open disputes, for the badge of every page."""
    if person is not None and request.method == "GET":
        request.state.disputes = await count_open(store)


@router.get("/scores")
async def scores(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    weeks: Annotated[int, Query(ge=1, le=MOST_WEEKS)] = WEEKS,
    last: Day = None,
) -> Response:
    """Averages by employee and week, agreement, and disputes."""
    formats = formats_of(request)
    asked: dict[str, Any] = {
        "last": last or formats.today(),
        "weeks": weeks,
        "zone": formats.zone,
    }
    return app_state.pages.render(
        request,
        "scores.html",
        person=person,
        figures=await score_figures(store, **asked),
        agreements=await agreements(store, **asked),
        open=await list_disputes(store, settled=False),
        settled=await list_disputes(store, settled=True),
        last=asked["last"],
        weeks=weeks,
        most_weeks=MOST_WEEKS,
        week=timedelta(days=6),
        calls_of=_calls_of,
        address_of=address_of,
    )


@router.get("/scores/mine")
async def mine(request: Request, app_state: AppStateOf, store: StoreOf, person: Anyone) -> Response:
    """The scores of one's own calls."""
    found = await own_scores(store, person)
    return app_state.pages.render(request, "my_scores.html", person=person, scored_calls=found)


@router.get("/scores/{score_id}")
async def score(
    request: Request, app_state: AppStateOf, store: StoreOf, person: Anyone, score_id: str
) -> Response:
    """One score with its answers, and its dispute; while it is hidden, the call that it is of."""
    try:
        found = await show_score(store, score_id, person)
    except ScoreHidden as hidden:
        return RedirectResponse(f"{address_of(hidden.call_id)}#score-title", 303)
    async with store.read() as session:
        recordings = await session.recordings.of([found.call.id])
    recording: Recording | None = recordings.get(found.call.id)
    return app_state.pages.render(
        request,
        "score.html",
        person=person,
        found=found,
        view={"recording": recording},
        is_own=found.sheet.score.employee == person.employee,
        may_settle=may_settle(found.sheet.score, person),
        longest=LONGEST_DISPUTE,
    )


@router.post("/scores/{score_id}/dispute", dependencies=[Depends(same_origin)])
async def dispute(store: StoreOf, person: Anyone, now: Now, score_id: str, text: Text) -> Response:
    """Dispute a score of one's own call."""
    await dispute_score(store, score_id, text, person=person, now=now)
    return RedirectResponse(f"/scores/{score_id}", 303)


@router.post("/scores/{score_id}/settle", dependencies=[Depends(same_origin)])
async def settle(
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    score_id: str,
    text: Text,
    question: Annotated[list[str], Form(max_length=50)] = [],  # noqa: B006 (FastAPI copies it)
    value: Annotated[list[str], Form(max_length=50)] = [],  # noqa: B006
) -> Response:
    """Answer a dispute, with the answers of the score as they shall be."""
    values = dict(zip(question, value, strict=False))
    await settle_dispute(store, score_id, text, values, person=person, now=now)
    return RedirectResponse(f"/scores/{score_id}", 303)


@router.post("/scores/{score_id}/remove", dependencies=[Depends(same_origin)])
async def remove(store: StoreOf, person: LoggedIn, score_id: str) -> Response:
    """Remove a score."""
    return RedirectResponse(address_of(await remove_score(store, score_id, person)), 303)


def _calls_of(employee: str, since: date, until: date) -> str:
    """The list of the calls that a figure is of."""
    wanted = {"scored": employee, "since": since, "until": until, "columns": COLUMNS}
    return f"/calls?{urlencode(wanted)}"
