"""Entities of calls, reported and queried by other systems."""

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
    """Report a record of the call; a call may have several, and repeating changes nothing."""
    named = await name_entity(store, call_id, body.ref(), body.connection, now)
    return Entity.of(named)


@router.get("/{call_id}/entities", dependencies=READ)
async def get_entities(store: StoreOf, call_id: CallId) -> list[Entity]:
    """The records of the call, in order of reporting."""
    return [Entity.of(entity) for entity in await entities_of(store, call_id)]
