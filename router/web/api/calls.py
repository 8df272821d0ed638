"""Calls, what is known of each, and their tags."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import fields
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from router.domain.access import Scope, Token
from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, CallFilter, Ending, Recording, RecordingState, State, Tag
from router.domain.delivery.delivery import Delivery
from router.domain.delivery.entity import Entity
from router.domain.delivery.sale import Sale
from router.domain.paths import recording_path
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import Visit, Visitor
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound
from router.service.calls import browse as service
from router.service.calls.browse import CallLine
from router.service.calls.reattribution import judge_again
from router.service.delivery.sales import SaleReceipt, tell_sale
from router.service.ports import Store
from router.web.api.bodies import Moment
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers
from router.web.live import fits

router = APIRouter(
    prefix="/calls", tags=["calls"], responses=answers(NotFound, Conflict, NotLoggedIn, NotAllowed)
)
READ = [Depends(needs(Scope.CALLS_READ))]
Writer = Annotated[Token, Depends(needs(Scope.CALLS_WRITE))]
Text = Annotated[str | None, Field(max_length=80)]


class RecordingFacts(BaseModel):
    """A recording without its waveform, which is at `…/peaks`."""

    state: RecordingState
    url: str | None  # where it can be heard, once it is shelved
    reason: str | None
    content_type: str | None
    bytes: int | None
    sha256: str | None
    seconds: float | None
    caller_speech_seconds: float | None
    caller_silence_seconds: float | None
    company_speech_seconds: float | None
    company_silence_seconds: float | None
    talk_over_seconds: float | None
    caller_longest_silence_seconds: float | None
    company_longest_silence_seconds: float | None
    caller_level_dbfs: float | None  # root mean square, in dB below full scale
    company_level_dbfs: float | None
    warnings: tuple[str, ...]
    shelved_at: datetime | None

    @classmethod
    def of(cls, recording: Recording | None) -> "RecordingFacts | None":
        """The facts of a recording, if there is one."""
        if recording is None:
            return None
        names = {field.name for field in fields(Recording)} & set(cls.model_fields)
        heard = recording.state is RecordingState.SHELVED
        url = recording_path(recording.call_id) if heard else None
        return cls(url=url, **{name: getattr(recording, name) for name in names})


class ListedCall(BaseModel):
    """A call as the list holds it."""

    call: Call
    tags: tuple[Tag, ...]
    visit: Visit | None
    recording: RecordingFacts | None

    @classmethod
    def of(cls, line: CallLine) -> "ListedCall":
        """The same from the service's line."""
        facts = RecordingFacts.of(line.recording)
        return cls(call=line.call, tags=line.tags, visit=line.visit, recording=facts)


class CallList(BaseModel):
    """Some calls: the newest first, or those that changed, the oldest change first."""

    calls: tuple[ListedCall, ...]
    next_cursor: str | None  # ask again with it for the next ones; null at the end
    revision: int  # ask with it as `after` for what has changed since


class WholeCall(ListedCall):
    """A call with everything known about it."""

    lease: Lease | None
    visitor: Visitor | None
    deliveries: tuple[Delivery, ...]
    entities: tuple[Entity, ...]
    sales: tuple[Sale, ...]


class Asked(BaseModel):
    """Which calls, and how many at once."""

    model_config = {"extra": "forbid"}

    site_id: Text = None
    number: Text = None
    caller: Text = None
    verdict: Verdict | None = None
    ending: Ending | None = None
    state: State | None = None
    tag: Text = None
    since: Moment | None = None  # arrived then or later
    until: Moment | None = None  # arrived before
    # As a person types it: a whole number, how one begins or ends, a part of five digits, a name on
    # either side.
    text: Text = None
    cursor: Annotated[str | None, Field(max_length=400)] = None
    after: Annotated[int | None, Field(ge=0, lt=2**63)] = None  # changed after this revision
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    def wanted(self) -> CallFilter:
        """The filter among it."""
        return CallFilter(**self.model_dump(exclude={"cursor", "after", "limit"}))


@router.get("", dependencies=READ)
async def list_calls(store: StoreOf, asked: Annotated[Asked, Query()]) -> CallList:
    """Calls that fit all the filters given, the newest first.

    With `after`, a revision, those that changed since, the oldest change first: ask again with the
    `revision` of the answer, at once while it grows. None is missed, and one that changes again
    comes again. Calls of one revision come together, so there may be more than `limit`; with
    filters there may be none in an answer that goes on.
    """
    if asked.after is not None:
        return await _changed(store, asked, asked.after)
    page = await service.find_calls(
        store, asked.wanted(), cursor=unsealed(asked.cursor), limit=asked.limit
    )
    return CallList(
        calls=tuple(ListedCall.of(line) for line in page.lines),
        next_cursor=sealed(page.next_cursor),
        revision=page.revision,
    )


async def _changed(store: Store, asked: Asked, after: int) -> CallList:
    if asked.cursor is not None:
        raise InvalidInput("Say either after or cursor: one goes by changes, the other by arrival.")
    await service.check_revision(store, after)
    reached, lines = await service.changes_since(store, after, asked.limit)
    wanted = asked.wanted()
    fitting = tuple(ListedCall.of(line) for line in lines if fits(line, wanted))
    return CallList(calls=fitting, next_cursor=None, revision=reached)


@router.get("/{call_id}", dependencies=READ)
async def get_call(store: StoreOf, call_id: str) -> WholeCall:
    """One call whole."""
    view = await service.show_call(store, call_id)
    return WholeCall(
        call=view.call,
        tags=view.tags,
        visit=view.visit,
        recording=RecordingFacts.of(view.recording),
        lease=view.lease,
        visitor=view.visitor,
        deliveries=view.deliveries,
        entities=view.entities,
        sales=view.sales,
    )


class Code(BaseModel):
    """What the caller said."""

    model_config = {"extra": "forbid"}

    code: Annotated[str, Field(min_length=1, max_length=40)]


@router.post("/{call_id}/code")
async def set_code(store: StoreOf, now: Now, _: Writer, call_id: str, said: Code) -> Call:
    """The promo code that the caller said, typed in by whoever answered: it names the visit
    exactly.
    """
    return await judge_again(store, call_id, said.code, now=now)


class Sold(BaseModel):
    """What the call was worth."""

    model_config = {"extra": "forbid"}

    value: Annotated[float, Field(strict=True, ge=0, le=1e12, allow_inf_nan=False)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]  # ISO 4217
    at: Moment | None = None  # now, if it is not said


@router.post("/{call_id}/sale", status_code=201)
async def add_sale(store: StoreOf, now: Now, _: Writer, call_id: str, sold: Sold) -> SaleReceipt:
    """Keep a sale that came of the call, and send it to the analytics of its site.

    Named with its moment it can be sent again without harm: it counts once.
    """
    return await tell_sale(
        store, call_id, value=sold.value, currency=sold.currency, at=sold.at, now=now
    )


@router.put("/{call_id}/tags/{name}")
async def set_tag(store: StoreOf, now: Now, token: Writer, call_id: str, name: str) -> Tag:
    """Set a tag; setting it again changes nothing."""
    return await service.tag_call(store, call_id, name, author=token.name, now=now)


@router.delete("/{call_id}/tags/{name}", status_code=204)
async def remove_tag(store: StoreOf, _: Writer, call_id: str, name: str) -> None:
    """Take a tag off."""
    await service.untag_call(store, call_id, name)


def sealed(cursor: str | None) -> str | None:
    """The cursor as it is given out: nobody should read anything into it."""
    return urlsafe_b64encode(cursor.encode()).decode() if cursor else None


def unsealed(cursor: str | None) -> str | None:
    """The cursor that was given out. Raises `InvalidInput`."""
    try:
        return urlsafe_b64decode(cursor).decode() if cursor else None
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(
            "The cursor is not one of ours: take it from the answer before."
        ) from error
