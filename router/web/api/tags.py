"""The registry of tags."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from router.domain.access import Scope
from router.errors import Conflict, NotAllowed, NotFound
from router.service.calls import tags as service
from router.web.api.models.tags import CountedTag, NewName, RegisteredTag, Registration
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/tags", tags=["tags"], responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed)
)
WRITE = [Depends(needs(Scope.CALLS_WRITE))]
TagName = Annotated[str, Path(description="The tag: 1 to 40 letters.")]


@router.get("", dependencies=[Depends(needs(Scope.CALLS_READ))])
async def list_tags(
    store: StoreOf,
    text: Annotated[str, Query(max_length=80, description="A part of the name.")] = "",
) -> list[CountedTag]:
    """Registered tags, by key and name, then the 500 most frequent others."""
    return [CountedTag.of(tag) for tag in await service.list_tags(store, text)]


@router.put("/{name}", dependencies=WRITE)
async def register_tag(
    store: StoreOf, now: Now, name: TagName, wanted: Registration
) -> RegisteredTag:
    """Register a tag, so that pages offer it, or change its colour and key."""
    tag = await service.register_tag(store, name, colour=wanted.colour, digit=wanted.digit, now=now)
    return RegisteredTag.of(tag)


@router.post("/{name}/rename", status_code=202, dependencies=WRITE)
async def rename_tag(store: StoreOf, now: Now, name: TagName, new: NewName) -> None:
    """Rename a tag, or merge it into another one. Calls follow in batches; the list shows how many
    are left.
    """
    await service.rename_tag(store, name, new.name, now)


@router.delete("/{name}", status_code=202, dependencies=WRITE)
async def remove_tag(
    store: StoreOf,
    now: Now,
    name: TagName,
    from_calls: Annotated[bool, Query(description="Also remove it from all calls.")] = False,
) -> None:
    """Remove a tag from the registry, optionally from all calls, in batches."""
    await service.remove_tag(store, name, from_calls=from_calls, now=now)
