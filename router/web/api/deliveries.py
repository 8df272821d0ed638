"""Deliveries: list, resend, dismiss, review."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from router.domain.access import Scope
from router.domain.delivery.delivery import DeliveryState
from router.errors import Conflict, NotAllowed, NotFound
from router.service.delivery.dispatch import show_delivery
from router.service.delivery.manage import choose_entity, drop_delivery, resend_delivery
from router.service.delivery.status import find_deliveries
from router.web.api.calls import sealed, unsealed
from router.web.api.models.deliveries import Delivery, DeliveryList, NamedRef
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/deliveries",
    tags=["deliveries"],
    responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed),
)
READ = [Depends(needs(Scope.CALLS_READ))]
WRITE = [Depends(needs(Scope.CALLS_WRITE))]


DeliveryId = Annotated[str, Path(description="The delivery's id.")]


@router.get("", dependencies=READ)
async def list_deliveries(
    store: StoreOf,
    state: Annotated[DeliveryState | None, Query(description="Deliveries in this state.")] = None,
    receiver: Annotated[
        str | None, Query(max_length=40, description="To this webhook or connection.")
    ] = None,
    call_id: Annotated[str | None, Query(max_length=64, description="Of this call.")] = None,
    cursor: Annotated[
        str | None, Query(max_length=400, description="`next_cursor` of the previous answer.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at once.")] = 50,
) -> DeliveryList:
    """Deliveries, newest first: of a call, to a receiver, in a state, or all. `failed` will not be
    tried again; for `needs_review` choose one of the `candidates`.
    """
    page = await find_deliveries(
        store,
        state=state,
        receiver_id=receiver,
        call_id=call_id,
        cursor=unsealed(cursor),
        limit=limit,
    )
    found = tuple(Delivery.of(delivery) for delivery in page.deliveries)
    return DeliveryList(deliveries=found, next_cursor=sealed(page.next_cursor))


@router.get("/{delivery_id}", dependencies=READ)
async def get_delivery(store: StoreOf, delivery_id: DeliveryId) -> Delivery:
    """One delivery."""
    return Delivery.of(await show_delivery(store, delivery_id))


@router.post("/{delivery_id}/resend", dependencies=WRITE)
async def resend(store: StoreOf, now: Now, delivery_id: DeliveryId) -> Delivery:
    """Send a delivery again, with the same idempotency key."""
    return Delivery.of(await resend_delivery(store, delivery_id, now))


@router.post("/{delivery_id}/dismiss", dependencies=WRITE)
async def dismiss(store: StoreOf, now: Now, delivery_id: DeliveryId) -> Delivery:
    """Dismiss it: it is sent neither now nor when more becomes known. `resend` undoes that."""
    return Delivery.of(await drop_delivery(store, delivery_id, now))


@router.post("/{delivery_id}/entity", dependencies=WRITE)
async def choose(store: StoreOf, now: Now, delivery_id: DeliveryId, body: NamedRef) -> Delivery:
    """Choose the CRM record of a delivery that needs review; it is written even if its field is not
    empty.
    """
    return Delivery.of(await choose_entity(store, delivery_id, body.ref(), now))
