"""Calling back by one click."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from router.service.calls import call_backs, missed_tasks
from router.service.calls.call_backs import CallBackRefused
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf, same_origin
from router.web.pages.call import address_of
from router.web.requests import query_of

router = APIRouter(include_in_schema=False)
CHANGE = [Depends(same_origin)]


@router.post("/calls/{call_id}/call-back", dependencies=CHANGE)
async def of_call(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    call_id: str,
) -> Response:
    """Call the caller of this call back: first rings the person's own phone."""
    try:
        await call_backs.ask(store, app_state.web.call_back_rules, person, call_id, now)
    except CallBackRefused as refused:
        word = f"call_back_{refused.refusal}"
        return app_state.pages.problem(request, word, status=409, headers={})
    return RedirectResponse(address_of(call_id), 303)


@router.post("/missed/{task_id}/call-back", dependencies=CHANGE)
async def of_task(
    request: Request,
    app_state: AppStateOf,
    store: StoreOf,
    person: LoggedIn,
    now: Now,
    task_id: str,
) -> Response:
    """Call this missed caller back."""
    task = await missed_tasks.show_task(store, task_id)
    rules = app_state.web.call_back_rules
    try:
        await call_backs.ask(store, rules, person, task.last_call_id, now, task_id)
    except CallBackRefused as refused:
        word = f"call_back_{refused.refusal}"
        return app_state.pages.problem(request, word, status=409, headers={})
    query = query_of(request)
    return RedirectResponse(f"/missed{query}", 303)
