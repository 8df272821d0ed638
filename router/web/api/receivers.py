"""Why deliveries to a receiver are not made, and what to do about all with the same cause."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from router.domain.access import Scope
from router.errors import NotAllowed, NotFound
from router.service.delivery.causes import dismiss_cause, find_causes, resend_cause
from router.web.api.models.deliveries import Cause, DeliveryCount
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/receivers/{name}/causes",
    tags=["deliveries"],
    responses=answers(NotFound, NotLoggedIn, NotAllowed),
)
WRITE = [Depends(needs(Scope.CALLS_WRITE))]
Name = Annotated[str, Path(max_length=40, description="A webhook's or connection's key.")]
CauseKey = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="Key of the cause.")]


@router.get("", dependencies=[Depends(needs(Scope.CALLS_READ))])
async def list_causes(store: StoreOf, name: Name) -> list[Cause]:
    """Why deliveries failed or wait, each cause once, the most frequent first."""
    return [Cause.of(cause) for cause in await find_causes(store, name)]


@router.post("/{cause}/resend", dependencies=WRITE)
async def resend(store: StoreOf, now: Now, name: Name, cause: CauseKey) -> DeliveryCount:
    """Send all deliveries of this cause again, with the same idempotency keys."""
    return DeliveryCount(deliveries=await resend_cause(store, name, cause, now))


@router.post("/{cause}/dismiss", dependencies=WRITE)
async def dismiss(store: StoreOf, now: Now, name: Name, cause: CauseKey) -> DeliveryCount:
    """Dismiss all deliveries of this cause."""
    return DeliveryCount(deliveries=await dismiss_cause(store, name, cause, now))
