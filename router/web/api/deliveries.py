"""Deliveries: what other systems were told, telling them again, and what only a person can
decide.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from router.domain.access import Scope
from router.domain.delivery.delivery import Delivery, DeliveryState
from router.errors import Conflict, NotAllowed, NotFound
from router.service.delivery.dispatch import show_delivery
from router.service.delivery.manage import choose_entity, drop_delivery, resend_delivery
from router.service.delivery.status import find_deliveries
from router.web.api.calls import sealed, unsealed
from router.web.api.entities import NamedRef
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/deliveries",
    tags=["deliveries"],
    responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed),
)
READ = [Depends(needs(Scope.CALLS_READ))]
WRITE = [Depends(needs(Scope.CALLS_WRITE))]


class DeliveryList(BaseModel):
    """Some deliveries, the newest first."""

    deliveries: tuple[Delivery, ...]
    next_cursor: str | None  # ask again with it for the next ones; null at the end


@router.get("", dependencies=READ)
async def list_deliveries(
    store: StoreOf,
    state: DeliveryState | None = None,
    receiver: Annotated[str | None, Field(max_length=40)] = None,
    call_id: Annotated[str | None, Field(max_length=64)] = None,
    cursor: Annotated[str | None, Field(max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveryList:
    """Deliveries, the newest first: of a call, to a receiver, in a state, or all.

    `dead` are those given up, `undecided` those that wait for a person to say which of the
    `candidates` is meant.
    """
    page = await find_deliveries(
        store,
        state=state,
        receiver_id=receiver,
        call_id=call_id,
        cursor=unsealed(cursor),
        limit=limit,
    )
    return DeliveryList(deliveries=page.deliveries, next_cursor=sealed(page.next_cursor))


@router.get("/{delivery_id}", dependencies=READ)
async def get_delivery(store: StoreOf, delivery_id: str) -> Delivery:
    """One delivery."""
    return await show_delivery(store, delivery_id)


@router.post("/{delivery_id}/resend", dependencies=WRITE)
async def resend(store: StoreOf, now: Now, delivery_id: str) -> Delivery:
    """Send it once more, under the same idempotency key."""
    return await resend_delivery(store, delivery_id, now)


@router.post("/{delivery_id}/drop", dependencies=WRITE)
async def drop(store: StoreOf, now: Now, delivery_id: str) -> Delivery:
    """Let it be: it is told neither now nor when more is found out. `resend` takes that back."""
    return await drop_delivery(store, delivery_id, now)


@router.post("/{delivery_id}/entity", dependencies=WRITE)
async def choose(store: StoreOf, now: Now, delivery_id: str, body: NamedRef) -> Delivery:
    """Say which entity an undecided delivery means: it is written there, whatever stands there."""
    return await choose_entity(store, delivery_id, body.ref(), now)
