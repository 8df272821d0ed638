"""Deliveries: what other systems were told, and telling them again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from router.domain.access import Scope
from router.domain.delivery import Delivery, DeliveryState
from router.errors import NotAllowed, NotFound
from router.service.deliveries import resend_delivery
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.problems import answers

router = APIRouter(prefix="/deliveries", tags=["deliveries"], responses=answers(NotFound, NotLoggedIn, NotAllowed))
READ = [Depends(needs(Scope.CALLS_READ))]
WRITE = [Depends(needs(Scope.CALLS_WRITE))]


@router.get("", dependencies=READ)
async def list_deliveries(
    store: StoreOf,
    state: DeliveryState | None = None,
    call_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[Delivery]:
    """Deliveries, the newest first: of a call, in a state (`dead` is the dead-letter list), or all."""
    async with store.read() as session:
        return await session.deliveries(state=state, call_id=call_id, limit=limit)


@router.get("/{delivery_id}", dependencies=READ)
async def get_delivery(store: StoreOf, delivery_id: str) -> Delivery:
    """One delivery."""
    async with store.read() as session:
        return await session.get(Delivery, delivery_id)


@router.post("/{delivery_id}/resend", dependencies=WRITE)
async def resend(store: StoreOf, now: Now, delivery_id: str) -> Delivery:
    """Send it once more, under the same idempotency key."""
    return await resend_delivery(store, delivery_id, now)
