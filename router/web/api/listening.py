"""Who listened in on a call."""

from fastapi import APIRouter, Depends

from router.domain.access import Scope
from router.errors import NotAllowed, NotFound
from router.service.calls.listening import listeners
from router.web.api.calls import CallId
from router.web.api.models.call_backs import Listening
from router.web.deps import NotLoggedIn, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(tags=["calls"], responses=answers(NotFound, NotLoggedIn, NotAllowed))


@router.get("/calls/{call_id}/listeners", dependencies=[Depends(needs(Scope.CALLS_READ))])
async def list_listeners(store: StoreOf, call_id: CallId) -> tuple[Listening, ...]:
    """Who listened in on this call while it went on, the first one first."""
    return tuple(Listening.of(one) for one in await listeners(store, call_id))
