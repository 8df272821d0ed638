"""Connections as programs may see them: by which rules accounts are told of calls, and never how we
log in there.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from router.domain.access import Scope
from router.domain.delivery.connection import Connection, Mode, Rules
from router.domain.delivery.receiver_kind import origin
from router.errors import NotAllowed
from router.web.deps import NotLoggedIn, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/connections", tags=["connections"], responses=answers(NotLoggedIn, NotAllowed)
)


class ConnectionFacts(BaseModel):
    """A connection; of its address only the server, for some have keys in their paths."""

    id: str
    kind: str
    address: str | None
    site_id: str | None
    mode: Mode
    rules: Rules
    options: Mapping[str, str]
    active: bool
    created_at: datetime

    @classmethod
    def of(cls, connection: Connection) -> "ConnectionFacts":
        """What of it is no secret."""
        values = {field.name: getattr(connection, field.name) for field in fields(Connection)}
        return cls(**{**values, "address": origin(connection.address)})


@router.get("", dependencies=[Depends(needs(Scope.CONFIG_READ))])
async def list_connections(store: StoreOf) -> list[ConnectionFacts]:
    """All of them, ordered by id."""
    async with store.read() as session:
        return [ConnectionFacts.of(one) for one in await session.find(Connection)]
