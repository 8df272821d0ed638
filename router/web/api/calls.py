"""Calls, their details and tags."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from router.domain.access import Scope, Token
from router.domain.calls.saved_view import read_text
from router.domain.calls.tagging import LONGEST_MOMENT
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.calls import browse as service
from router.service.calls import bulk
from router.service.calls.reattribution import attribute_again
from router.service.calls.reviews import review_calls, unreview_calls
from router.service.calls.selection import Selection
from router.service.delivery.sales import tell_sale
from router.service.ports import Store
from router.web.api.models.call_lists import (
    Asked,
    BulkChange,
    BulkDone,
    CallList,
    Code,
    ListedCall,
    SaleReceipt,
    Sold,
    WholeCall,
)
from router.web.api.models.calls import Call, Tag
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

router = APIRouter(
    prefix="/calls", tags=["calls"], responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed)
)
READ = [Depends(needs(Scope.CALLS_READ))]
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]
CallId = Annotated[str, Path(description="The call's id: Asterisk's linkedid.")]
TagName = Annotated[str, Path(description="The tag: 1 to 40 letters.")]
Moment = Annotated[
    float | None, Query(ge=0, le=LONGEST_MOMENT, description="Seconds into the recording.")
]


@router.get("", dependencies=READ)
async def list_calls(store: StoreOf, asked: Annotated[Asked, Query()]) -> CallList:
    """Calls that match all filters, newest first. A page may have fewer calls than `limit`, or
    none, although more follow: go on while there is a `next_cursor`. With `after` (a revision),
    calls changed since, oldest change first: repeat with the `revision` of the answer, at once
    while it grows. No call is missed, and a call that changes again is returned again. Calls of
    one revision are returned together, so there may be more than `limit`; with filters an answer
    may be empty although more follow.
    """
    if asked.after is not None:
        return await _changed(store, asked, asked.after)
    page = await service.find_calls(
        store,
        asked.wanted(),
        cursor=unsealed(asked.cursor),
        limit=asked.limit,
        bounded=True,
    )
    return CallList(
        calls=tuple(ListedCall.of_line(line) for line in page.lines),
        next_cursor=sealed(page.next_cursor),
        revision=page.revision,
    )


async def _changed(store: Store, asked: Asked, after: int) -> CallList:
    if asked.cursor is not None:
        raise InvalidInput("Use either after or cursor: one is by change, the other by arrival.")
    await service.check_revision(store, after)
    reached, lines = await service.changes_since(store, after, asked.limit)
    found = await service.matching(store, lines, asked.wanted())
    fitting = tuple(ListedCall.of_line(line) for line in found)
    return CallList(calls=fitting, next_cursor=None, revision=reached)


@router.post("/bulk")
async def change_calls(store: StoreOf, now: Now, token: Writer, body: BulkChange) -> BulkDone:
    """Change many calls: a tag, whether they are reviewed, what they count as. Repeating changes
    nothing.
    """
    if bool(body.calls) == (body.query is not None):
        raise InvalidInput("Name the calls, or give a query: one of both.")
    selection = Selection(call_ids=body.calls)
    if body.query is not None:
        selection = Selection(wanted=read_text(body.query).wanted(UTC, now.date()))
    return BulkDone.of(
        await bulk.change_calls(
            store, selection, body.action, body.value, author=token.name, now=now
        )
    )


@router.get("/{call_id}", dependencies=READ)
async def get_call(store: StoreOf, call_id: CallId) -> WholeCall:
    """One call in detail."""
    return WholeCall.of_view(await service.show_call(store, call_id))


@router.post("/{call_id}/code")
async def set_code(store: StoreOf, now: Now, _: Writer, call_id: CallId, said: Code) -> Call:
    """Set the promo code that the caller gave: it identifies the visit."""
    return Call.of(await attribute_again(store, call_id, said.code, now=now))


@router.post("/{call_id}/sale", status_code=201)
async def add_sale(store: StoreOf, now: Now, _: Writer, call_id: CallId, sold: Sold) -> SaleReceipt:
    """Store a sale from the call, and send it to the analytics services of its site. With its time
    (`at`) it may be repeated: it counts once.
    """
    receipt = await tell_sale(
        store, call_id, value=sold.value, currency=sold.currency, at=sold.at, now=now
    )
    return SaleReceipt.of(receipt)


@router.put("/{call_id}/tags/{name}")
async def set_tag(
    store: StoreOf,
    now: Now,
    token: Writer,
    call_id: CallId,
    name: TagName,
    at_seconds: Moment = None,
) -> Tag:
    """Set a tag; repeating changes only the moment, if one is given."""
    tag = await service.tag_call(
        store, call_id, name, author=token.name, now=now, at_seconds=at_seconds
    )
    return Tag.of(tag)


@router.put("/{call_id}/review", status_code=204)
async def review_call(store: StoreOf, now: Now, token: Writer, call_id: CallId) -> None:
    """Mark the call as reviewed; repeating changes nothing."""
    await service.show_call(store, call_id)
    await review_calls(store, [call_id], token.name, now)


@router.delete("/{call_id}/review", status_code=204)
async def unreview_call(store: StoreOf, _: Writer, call_id: CallId) -> None:
    """Mark the call as not reviewed."""
    await service.show_call(store, call_id)
    await unreview_calls(store, [call_id])


@router.delete("/{call_id}/tags/{name}", status_code=204)
async def remove_tag(
    store: StoreOf, now: Now, token: Writer, call_id: CallId, name: TagName
) -> None:
    """Remove a tag; no rule sets it again on this call."""
    await service.untag_call(store, call_id, name, author=token.name, now=now)


def sealed(cursor: str | None) -> str | None:
    """Make a cursor opaque."""
    if not cursor:
        return None
    return urlsafe_b64encode(cursor.encode()).decode()


def unsealed(cursor: str | None) -> str | None:
    """Decode an opaque cursor. Raises `InvalidInput`."""
    try:
        if not cursor:
            return None
        return urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("Invalid cursor: use the one from the previous answer.") from error
