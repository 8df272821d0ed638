"""Callback addresses for CRMs: answered at once, whatever is posted."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from router.errors import NotFound
from router.service.delivery.callbacks import accept_callback
from router.web.deps import Now, StoreOf, app_state_of
from router.web.error_handlers import answers

router = APIRouter(prefix="/callbacks", tags=["callbacks"], responses=answers(NotFound))


@router.post("/{connection_id}/{key}", status_code=204)
async def callback(
    request: Request,
    store: StoreOf,
    now: Now,
    connection_id: Annotated[str, Path(description="The connection's key.")],
    key: Annotated[str, Path(description="The last part of the address that was given out.")],
) -> Response:
    """Something was created in the CRM: pending deliveries are checked soon. The body is not
    read.
    """
    await accept_callback(store, app_state_of(request).web.session_key, connection_id, key, now)
    return Response(status_code=204)
