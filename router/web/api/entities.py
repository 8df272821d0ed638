"""Entities of calls, as other systems name them and ask for them."""

from fastapi import APIRouter, Depends

from router.domain.access import Scope
from router.errors import NotAllowed, NotFound
from router.service.delivery.entities import entities_of, name_entity
from router.web.api.calls import CallId
from router.web.api.models.deliveries import Entity, NamedEntity
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/calls", tags=["entities"], responses=answers(NotFound, NotLoggedIn, NotAllowed)
)
READ = [Depends(needs(Scope.CALLS_READ))]
WRITE = [Depends(needs(Scope.CALLS_WRITE))]


@router.post("/{call_id}/entity", dependencies=WRITE)
async def set_entity(store: StoreOf, now: Now, call_id: CallId, body: NamedEntity) -> Entity:
    """Say which entity the call became; a call may have several, and saying it again changes
    nothing.
    """
    named = await name_entity(store, call_id, body.ref(), body.connection, now)
    return Entity.of(named)


@router.get("/{call_id}/entities", dependencies=READ)
async def get_entities(store: StoreOf, call_id: CallId) -> list[Entity]:
    """What the call became, in the order in which it was learned."""
    return [Entity.of(one) for one in await entities_of(store, call_id)]
