"""Samples of calls to review."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path

from router.domain.access import Scope, Token
from router.errors import InvalidInput, NotAllowed, NotFound
from router.service.calls import samples as service
from router.web.api.models.samples import NewSample, Sample, WholeSample
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/samples", tags=["samples"], responses=answers(NotFound, NotLoggedIn, NotAllowed)
)
READ = [Depends(needs(Scope.CALLS_READ))]
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]
SampleId = Annotated[str, Path(description="The sample's id.")]


@router.get("", dependencies=READ)
async def list_samples(store: StoreOf) -> list[Sample]:
    """The newest 200 samples."""
    return [Sample.of_progress(sample) for sample in await service.list_samples(store)]


@router.post("", status_code=201)
async def draw_sample(store: StoreOf, now: Now, token: Writer, new: NewSample) -> Sample:
    """Draw answered calls of each employee and week at random. The sample does not change later."""
    try:
        zone = ZoneInfo(new.zone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(f"There is no time zone '{new.zone}'.") from error
    fields = new.fields()
    del fields["zone"]
    progress = await service.draw_sample(
        store,
        service.Wanted(**fields),
        zone=zone,
        author=f"api:{token.name}"[:70],
        now=now,
    )
    return Sample.of_progress(progress)


@router.get("/{sample_id}", dependencies=READ)
async def get_sample(store: StoreOf, sample_id: SampleId) -> WholeSample:
    """A sample with its calls, and who reviewed them."""
    return WholeSample.of_view(await service.show_sample(store, sample_id))


@router.delete("/{sample_id}", status_code=204)
async def remove_sample(store: StoreOf, _: Writer, sample_id: SampleId) -> None:
    """Remove a sample; its calls stay reviewed."""
    await service.remove_sample(store, sample_id)
