"""The block list."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from router.domain.access import Scope, Token
from router.errors import InvalidInput, NotAllowed, NotFound
from router.service.admin.setup import read_text
from router.service.calls import spam as service
from router.web.api.models.spam import BlockedCaller, ImportedList, NewEntry
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

ERRORS = answers(NotFound, InvalidInput, NotLoggedIn, NotAllowed)
router = APIRouter(prefix="/spam/callers", tags=["rules"], responses=ERRORS)
READ = [Depends(needs(Scope.CALLS_READ))]
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]
CSV = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get("", dependencies=READ)
async def list_blocked(
    store: StoreOf,
    now: Now,
    text: Annotated[str, Query(max_length=40, description="Digits of the number.")] = "",
) -> list[BlockedCaller]:
    """The newest 200 entries of the block list. Their calls are spam; none is kept from ringing."""
    view = await service.show_spam(store, now, text)
    return [BlockedCaller.of(entry) for entry in view.entries]


@router.post("", status_code=201)
async def block_caller(store: StoreOf, now: Now, token: Writer, new: NewEntry) -> BlockedCaller:
    """Put a number or a prefix on the block list."""
    entry = await service.block_caller(store, new.number, note=new.note, author=token.name, now=now)
    return BlockedCaller.of(entry)


@router.post("/import", openapi_extra=CSV)
async def import_blocked(request: Request, store: StoreOf, now: Now, token: Writer) -> ImportedList:
    """Add the numbers of a CSV file (number, note) up to 1 MB; the answer names each bad line."""
    try:
        text = read_text(await request.body())
    except UnicodeDecodeError as error:
        raise InvalidInput("The file is neither UTF-8 nor UTF-16.") from error
    return ImportedList.of(await service.import_list(store, text, author=token.name, now=now))


@router.delete("/{entry}", status_code=204)
async def unblock_caller(
    store: StoreOf, _: Writer, entry: Annotated[str, Path(description="Its id.")]
) -> None:
    """Take an entry off the block list, and its mark off its calls."""
    await service.unblock_caller(store, entry)
