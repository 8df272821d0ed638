"""Connections and their rules, without tokens."""

from fastapi import APIRouter, Depends

from router.domain.access import Scope
from router.domain.delivery.connection import Connection as ConnectionRecord
from router.errors import NotAllowed
from router.web.api.models.receivers import Connection
from router.web.deps import NotLoggedIn, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/connections", tags=["connections"], responses=answers(NotLoggedIn, NotAllowed)
)


@router.get("", dependencies=[Depends(needs(Scope.CONFIG_READ))])
async def list_connections(store: StoreOf) -> list[Connection]:
    """All of them, ordered by id."""
    async with store.read() as session:
        return [Connection.of(connection) for connection in await session.find(ConnectionRecord)]
