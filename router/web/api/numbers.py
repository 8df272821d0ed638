"""Tracking numbers, one by one or by the hundred from a CSV."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from router.domain.visitors.site import Site, TrackingNumber
from router.errors import InvalidInput
from router.service.admin import setup
from router.service.admin.setup import Import
from router.web.api.bodies import NewNumber, NumberBody
from router.web.api.setup import MAY_FAIL, READ, WRITE
from router.web.deps import Now, StoreOf

router = APIRouter(prefix="/numbers", tags=["numbers"], responses=MAY_FAIL)


@router.get("", dependencies=READ)
async def list_numbers(
    store: StoreOf, site_id: str | None = None, pool_id: str | None = None
) -> list[TrackingNumber]:
    """All tracking numbers, or those of a site or a pool."""
    wanted = {"site_id": site_id, "pool_id": pool_id}
    return await setup.list_all(
        store, TrackingNumber, **{name: key for name, key in wanted.items() if key is not None}
    )


@router.post("", status_code=201, dependencies=WRITE)
async def add_number(store: StoreOf, now: Now, body: NewNumber) -> TrackingNumber:
    """A new tracking number."""
    site = await setup.get_one(store, Site, body.site_id)
    return await setup.add(store, body.make(now, site.region))


@router.post(
    "/import",
    dependencies=WRITE,
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
    },
)
async def import_numbers(
    request: Request,
    store: StoreOf,
    now: Now,
    site_id: str,
    partly: Annotated[
        bool, Query(description="take the good lines even if others are bad")
    ] = False,
) -> Import:
    """Numbers from a CSV in UTF-8 or UTF-16, up to 5 MB.

    Its first line names columns of: number, pool, destination, channel.
    All or none unless `partly`; the answer names each bad line with its reason.
    """
    try:
        text = setup.read_text(await request.body())
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The file is neither UTF-8 nor UTF-16: byte {error.start} cannot be read."
        ) from error
    return await setup.import_numbers(store, text, site_id=site_id, now=now, partly=partly)


@router.get("/{e164}", dependencies=READ)
async def get_number(store: StoreOf, e164: str) -> TrackingNumber:
    """One tracking number."""
    return await setup.get_one(store, TrackingNumber, e164)


@router.put("/{e164}", dependencies=WRITE)
async def change_number(store: StoreOf, e164: str, body: NumberBody) -> TrackingNumber:
    """Change one; what is left out gets its default."""
    return await setup.change(store, body.over(await setup.get_one(store, TrackingNumber, e164)))


@router.delete("/{e164}", status_code=204, dependencies=WRITE)
async def remove_number(store: StoreOf, e164: str) -> None:
    """Remove one that nothing uses."""
    await setup.remove(store, TrackingNumber, e164)
