"""Entities of calls, as other systems name them and ask for them."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from router.domain.access import Scope
from router.domain.delivery.entity import Entity, EntityKind, Ref
from router.errors import NotAllowed, NotFound
from router.service.delivery.entities import entities_of, name_entity
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/calls", tags=["entities"], responses=answers(NotFound, NotLoggedIn, NotAllowed)
)
READ = [Depends(needs(Scope.CALLS_READ))]
WRITE = [Depends(needs(Scope.CALLS_WRITE))]

ID = r"^\w[\w.:-]{0,79}$"  # adapters put it into addresses: nothing that leads elsewhere


class NamedRef(BaseModel):
    """An entity by the name it has in its own system."""

    model_config = {"extra": "forbid"}

    kind: EntityKind
    id: Annotated[str, Field(pattern=ID)]

    def ref(self) -> Ref:
        """The same as a value."""
        return Ref(kind=self.kind, id=self.id)


class NamedEntity(NamedRef):
    """The entity that a call became, and the connection it belongs to, if it is one of ours."""

    connection: Annotated[str | None, Field(max_length=40)] = None


@router.post("/{call_id}/entity", dependencies=WRITE)
async def set_entity(store: StoreOf, now: Now, call_id: str, body: NamedEntity) -> Entity:
    """Say which entity the call became; a call may have several, and saying it again changes
    nothing.
    """
    return await name_entity(store, call_id, body.ref(), body.connection, now)


@router.get("/{call_id}/entities", dependencies=READ)
async def get_entities(store: StoreOf, call_id: str) -> list[Entity]:
    """What the call became, in the order in which it was learned."""
    return list(await entities_of(store, call_id))
