"""Calls back: begun, and followed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from router.domain.access import Person, Scope
from router.errors import Conflict, NotAllowed, NotFound
from router.service.calls import call_backs
from router.web.api.calls import CallId
from router.web.api.models.call_backs import CallBack, CallBackAsked
from router.web.deps import AppStateOf, NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    tags=["call_backs"], responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed)
)
CallBackId = Annotated[str, Path(max_length=40, description="The id of the call back.")]


@router.post(
    "/calls/{call_id}/call-back",
    status_code=202,
    dependencies=[Depends(needs(Scope.CALLS_CALL))],
)
async def call_back(
    app_state: AppStateOf, store: StoreOf, now: Now, call_id: CallId, asked: CallBackAsked
) -> CallBack:
    """Ring the user's phone and then call the caller of this call. The user needs the scope
    `calls:call` and a phone, as on the pages; the number is looked up here.
    """
    async with store.read() as session:
        person = await session.get(Person, asked.by)
    rules = app_state.web.call_back_rules
    return CallBack.of(await call_backs.ask(store, rules, person, call_id, now))


@router.get("/call-backs", dependencies=[Depends(needs(Scope.CALLS_READ))])
async def list_call_backs(store: StoreOf, now: Now) -> tuple[CallBack, ...]:
    """The calls back that go on, and those of the last ten minutes, the newest first."""
    return tuple(CallBack.of(back) for back in await call_backs.recent(store, now))


@router.get("/call-backs/{call_back_id}", dependencies=[Depends(needs(Scope.CALLS_READ))])
async def get_call_back(store: StoreOf, now: Now, call_back_id: CallBackId) -> CallBack:
    """One call back."""
    return CallBack.of(await call_backs.show(store, call_back_id, now))
