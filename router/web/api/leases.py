"""Leases, requested by the company's pages without a token. JSON may be sent as `text/plain`, which
saves browsers a preflight request; `left` suits `navigator.sendBeacon`. No cookie is read or
set: the page stores the visitor's id. Pages of other sites are refused by Origin.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from router.domain.access import Scope
from router.domain.visitors.client_key import asker
from router.domain.visitors.lease import Lease as LeaseRecord
from router.domain.visitors.site import Pool
from router.errors import NotAllowed, NotFound, NumbersExhausted, TooManyAttempts
from router.service.admin.setup import get_one
from router.service.ports import Store
from router.service.visitors.pool_leases import end_visit, keep_lease, lease_number, site_of_origin
from router.web.api.models.visits import ArrivalBody, Lease, Leased
from router.web.deps import NotLoggedIn, Now, StoreOf, app_state_of, needs
from router.web.error_handlers import answers
from router.web.middleware import let_pages
from router.web.rate_limits import client_key

router = APIRouter(tags=["leases"])
Origin = Annotated[
    str | None, Header(description="Set by browsers: pages of other sites are refused.")
]
LeaseId = Annotated[str, Path(description="The lease's id.")]
SiteId = Annotated[str, Path(description="The site's key.")]
PoolId = Annotated[str, Path(description="The pool's key.")]
ASK = "/sites/{site_id}/pools/{pool_id}/leases"
ALIVE = "/leases/{lease_id}/alive"
LEFT = "/leases/{lease_id}/left"
PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type",
    "Access-Control-Max-Age": "7200",
}


async def _let_pages_of(request: Request, store: Store, site_id: str, origin: str | None) -> None:
    await site_of_origin(store, site_id, origin)
    if origin:
        let_pages(request, origin)


async def from_site(
    request: Request, store: StoreOf, site_id: SiteId, pool_id: PoolId, origin: Origin = None
) -> None:
    """Allow pages of the site to request numbers of its pools."""
    await _let_pages_of(request, store, site_id, origin)
    if (await get_one(store, Pool, pool_id)).site_id != site_id:
        raise NotFound(f"Site '{site_id}' has no pool '{pool_id}'.")


async def from_site_of_lease(
    request: Request, store: StoreOf, lease_id: LeaseId, origin: Origin = None
) -> None:
    """Allow pages of the lease's site."""
    async with store.read_inline() as session:
        pool = await session.get(Pool, (await session.get(LeaseRecord, lease_id)).pool_id)
    await _let_pages_of(request, store, pool.site_id, origin)


async def arrival(request: Request) -> ArrivalBody:
    """Parse the body, whatever its content type."""
    try:
        return ArrivalBody.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_context=False)
        ) from error


@router.post(
    ASK,
    dependencies=[Depends(from_site)],
    responses=answers(NotFound, NumbersExhausted, TooManyAttempts),
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"schema": ArrivalBody.model_json_schema()}}
        }
    },
)
async def ask(
    request: Request,
    store: StoreOf,
    now: Now,
    pool_id: PoolId,
    body: Annotated[ArrivalBody, Depends(arrival)],
) -> Leased:
    """Lease a number of the pool to a visitor, or prolong their lease. 409 with `{"error":
    "numbers_exhausted"}` if none is left: the page keeps the company number, as on any error.
    """
    app_state, address = app_state_of(request), client_key(request)
    app_state.rate_limits.count_lease(address)
    who = asker(address, app_state.web.session_key)
    return Leased.at(await lease_number(store, pool_id, body.make(), now, who), now)


@router.post(ALIVE, dependencies=[Depends(from_site_of_lease)], responses=answers(NotFound))
async def alive(store: StoreOf, now: Now, lease_id: LeaseId) -> Leased:
    """Heartbeat. The answer may be a new lease of the same number; 404 if the lease is over:
    request a number again.
    """
    return Leased.at(await keep_lease(store, lease_id, now), now)


@router.post(
    LEFT, status_code=204, dependencies=[Depends(from_site_of_lease)], responses=answers(NotFound)
)
async def left(store: StoreOf, now: Now, lease_id: LeaseId) -> None:
    """The visitor leaves the page: the freeze begins. Any body is ignored."""
    await end_visit(store, lease_id, now)


@router.options(ASK, dependencies=[Depends(from_site)], include_in_schema=False)
@router.options(ALIVE, dependencies=[Depends(from_site_of_lease)], include_in_schema=False)
@router.options(LEFT, dependencies=[Depends(from_site_of_lease)], include_in_schema=False)
async def preflight() -> Response:
    """CORS preflight for JSON."""
    return Response(status_code=204, headers=PREFLIGHT)


@router.get(
    "/leases",
    dependencies=[Depends(needs(Scope.CALLS_READ))],
    responses=answers(NotLoggedIn, NotAllowed),
)
async def list_leases(
    store: StoreOf,
    number: Annotated[str | None, Query(description="Of this number (E.164).")] = None,
    visitor_id: Annotated[str | None, Query(description="Of this visitor.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at once.")] = 50,
) -> list[Lease]:
    """All leases, newest first: of a number, of a visitor, or all."""
    async with store.read() as session:
        found = await session.leases.find(number=number, visitor_id=visitor_id, limit=limit)
    return [Lease.of(lease) for lease in found]
