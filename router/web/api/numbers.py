"""Tracking numbers, single or from a CSV."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from router.domain.visitors.site import Site
from router.domain.visitors.site import TrackingNumber as NumberRecord
from router.errors import InvalidInput
from router.service.admin import setup
from router.web.api.models.routing import Import, NewNumber, NumberBody, TrackingNumber
from router.web.api.setup import MAY_FAIL, READ, WRITE
from router.web.deps import Now, StoreOf

Number = Annotated[str, Path(description="The tracking number (E.164).")]
router = APIRouter(prefix="/numbers", tags=["numbers"], responses=MAY_FAIL)


@router.get("", dependencies=READ)
async def list_numbers(
    store: StoreOf,
    site_id: Annotated[str | None, Query(description="Of this site.")] = None,
    pool_id: Annotated[str | None, Query(description="Of this pool.")] = None,
) -> list[TrackingNumber]:
    """All tracking numbers, or those of a site or a pool."""
    wanted = {"site_id": site_id, "pool_id": pool_id}
    given = {name: key for name, key in wanted.items() if key is not None}
    return [
        TrackingNumber.of(number) for number in await setup.list_all(store, NumberRecord, **given)
    ]


@router.post("", status_code=201, dependencies=WRITE)
async def add_number(store: StoreOf, now: Now, body: NewNumber) -> TrackingNumber:
    """Add a tracking number."""
    site = await setup.get_one(store, Site, body.site_id)
    return TrackingNumber.of(await setup.add(store, body.make(now, site.region)))


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
    site_id: Annotated[str, Query(description="The site that shows the numbers.")],
    partly: Annotated[
        bool, Query(description="take the good lines even if others are bad")
    ] = False,
) -> Import:
    """Add the numbers of a CSV file in UTF-8 or UTF-16, up to 5 MB.

    Its first line names columns of: number, pool, destination, channel.
    All or none unless `partly`; the answer names each bad line with its reason.
    """
    try:
        text = setup.read_text(await request.body())
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The file is neither UTF-8 nor UTF-16: byte {error.start} cannot be read."
        ) from error
    done = await setup.import_numbers(store, text, site_id=site_id, now=now, partly=partly)
    return Import.of(done)


@router.get("/{e164}", dependencies=READ)
async def get_number(store: StoreOf, e164: Number) -> TrackingNumber:
    """One tracking number."""
    return TrackingNumber.of(await setup.get_one(store, NumberRecord, e164))


@router.put("/{e164}", dependencies=WRITE)
async def change_number(store: StoreOf, e164: Number, body: NumberBody) -> TrackingNumber:
    """Replace a tracking number; omitted fields get their defaults."""
    known = await setup.get_one(store, NumberRecord, e164)
    return TrackingNumber.of(await setup.change(store, replace(known, **body.fields())))


@router.delete("/{e164}", status_code=204, dependencies=WRITE)
async def remove_number(store: StoreOf, e164: Number) -> None:
    """Remove a tracking number; 409 while it is in use."""
    await setup.remove(store, NumberRecord, e164)
