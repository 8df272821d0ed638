"""Finding, showing and tagging calls."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from router.domain.calls.call import Call, Recording, Tag
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.call_order import NEWEST, CallOrder, OrderBy
from router.domain.calls.review import Review
from router.domain.calls.tagging import check_moment, tag_name
from router.domain.delivery.delivery import Delivery
from router.domain.delivery.entity import Entity
from router.domain.delivery.sale import Sale
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import Visit, Visitor
from router.errors import Conflict, InvalidInput, NotFound
from router.service.calls.missed_follow import follow_tag
from router.service.calls.ports import Facets, Place
from router.service.calls.qualification import Reasons, reasons_of
from router.service.calls.tag_decisions import tag_by_person, untag_by_person
from router.service.calls.tags import current_name
from router.service.ids import ids_of
from router.service.ports import Session, Store

MOST_COUNTED = 10_000  # calls of a list
MOST_VALUES = 200  # of a filter, to choose from
MOST_SEARCHED = 20_000  # values, for those that contain what was typed
_BAD_CURSOR = "invalid cursor: use the one from the previous answer"
# filters typed as text
VALUED = ("source", "campaign", "term", "channel", "employee", "scored", "tag")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """A call in a list."""

    call: Call
    tags: tuple[Tag, ...]
    visit: Visit | None
    recording: Recording | None  # without its waveform
    facets: Facets
    review: Review | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """A page of calls, and the next cursor."""

    lines: tuple[CallLine, ...]
    next_cursor: str | None
    revision: int  # of the store when the page was read: live updates start here
    is_partial: bool = False  # a bounded search ended before the page was full


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """One call in detail."""

    call: Call
    tags: tuple[Tag, ...]
    review: Review | None
    score: float | None  # 0…100
    reasons: Reasons
    recording: Recording | None  # without its waveform
    lease: Lease | None
    visitor: Visitor | None
    visit: Visit | None
    deliveries: tuple[Delivery, ...]
    entities: tuple[Entity, ...]
    sales: tuple[Sale, ...]


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Parse a cursor: moment and id of the last item. Raises `InvalidInput`."""
    try:
        moment, _, call_id = cursor.partition("~")
        at = datetime.fromisoformat(moment)
    except ValueError as error:
        raise InvalidInput(_BAD_CURSOR) from error
    if at.tzinfo is None or not call_id:
        raise InvalidInput(_BAD_CURSOR)
    return at, call_id


def written_cursor(at: datetime, id: str) -> str:  # noqa: A002
    """Format a cursor for `read_cursor`."""
    return f"{at.isoformat()}~{id}"


def read_place(cursor: str, order: CallOrder) -> Place:
    """Parse the cursor of a list in this order. Raises `InvalidInput`."""
    if order.by is OrderBy.TIME:
        return read_cursor(cursor)
    figure, _, rest = cursor.partition("~")
    try:
        return (float(figure), *read_cursor(rest))
    except ValueError as error:
        raise InvalidInput(_BAD_CURSOR) from error


def _written_place(place: Place | None) -> str | None:
    if place is None:
        return None
    *figures, at, call_id = place
    return "".join(f"{figure!r}~" for figure in figures) + written_cursor(at, call_id)


async def lines_of(session: Session, calls: Sequence[Call]) -> tuple[CallLine, ...]:
    """The calls with what lists show beside them."""
    tags = await session.tags.of(ids_of(calls))
    visits = await session.get_many(Visit, {call.visit_id for call in calls if call.visit_id})
    recordings = await session.recordings.of(ids_of(calls))
    facets = await session.calls.facets(ids_of(calls))
    reviews = await session.reviews.of(ids_of(calls))
    lines = []
    for call in calls:
        lines.append(
            CallLine(
                call=call,
                tags=tuple(tags.get(call.id, ())),
                visit=visits.get(call.visit_id or ""),
                recording=recordings.get(call.id),
                facets=facets.get(call.id, Facets()),
                review=reviews.get(call.id),
            )
        )
    return tuple(lines)


def searching(store: Store, wanted: CallFilter) -> AbstractAsyncContextManager[Session]:
    """A transaction that finds such calls: a search for a text is a survey."""
    if wanted.text:
        return store.survey()
    return store.read()


async def find_calls(
    store: Store,
    wanted: CallFilter,
    *,
    order: CallOrder = NEWEST,
    cursor: str | None = None,
    limit: int = 50,
    bounded: bool = False,
) -> CallPage:
    """A page of at most `limit` (1…200) matching calls. A `bounded` search ends after so many calls
    without a match: the page has fewer calls then, and the next cursor goes on from there.
    """
    if not 1 <= limit <= 200:
        raise InvalidInput(f"a page holds 1 to 200 calls, not {limit}")
    before = None
    if cursor:
        before = read_place(cursor, order)

    async with searching(store, wanted) as session:
        revision = await session.calls.revision()
        found = await session.calls.page(
            wanted, order, before=before, limit=limit + 1, bounded=bounded
        )
        lines = await lines_of(session, found.calls[:limit])
    following = found.reached
    if len(found.places) > limit:
        following = found.places[limit - 1]

    return CallPage(
        lines=lines,
        next_cursor=_written_place(following),
        revision=revision,
        is_partial=found.reached is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many calls there are, or at least are."""

    calls: int
    is_exact: bool = True


async def count_calls(store: Store, wanted: CallFilter) -> Count:
    """How many calls match, counted until there are more than `MOST_COUNTED` and as far as one
    request may search.
    """
    async with searching(store, wanted) as session:
        calls, is_exact = await session.calls.count_some(wanted, MOST_COUNTED + 1)
    return Count(calls=min(calls, MOST_COUNTED), is_exact=is_exact)


async def values_of(store: Store, name: str, *, since: datetime, containing: str = "") -> list[str]:
    """The values of a filter in calls since then that contain this text, the most frequent first.
    Raises `NotFound`.
    """
    if name not in VALUED:
        raise NotFound(f"There is no list of values for '{name[:40]}'.")
    most = MOST_SEARCHED if containing else MOST_VALUES
    async with store.survey() as session:
        found = await session.calls.values(name, since, most)
    wanted = containing.casefold()
    return [value for value in found if wanted in value.casefold()][:MOST_VALUES]


async def changes_since(
    store: Store, revision: int, limit: int = 200
) -> tuple[int, tuple[CallLine, ...]]:
    """The calls changed after `revision`, oldest change first, and the revision reached."""
    async with store.read() as session:
        calls = await session.calls.newer_than(revision, limit)
        lines = await lines_of(session, calls)
    return max((call.revision for call in calls), default=revision), lines


async def matching(
    store: Store, lines: Sequence[CallLine], wanted: CallFilter
) -> tuple[CallLine, ...]:
    """Those of these calls that match."""
    if wanted.is_empty or not lines:
        return tuple(lines)
    async with store.read() as session:
        ids = await session.calls.matching([line.call.id for line in lines], wanted)
    return tuple(line for line in lines if line.call.id in ids)


async def check_revision(store: Store, revision: int) -> None:
    """Raises `Conflict` for a revision in the future, e.g. after restoring a backup."""
    async with store.read() as session:
        newest = await session.calls.revision()
    if revision > newest:
        raise Conflict(
            f"after={revision} is later than the newest revision ({newest}): the database was "
            "restored from a backup. Start again from an earlier revision, 0 for all; calls "
            "keep their ids."
        )


async def show_call(store: Store, call_id: str) -> CallView:
    """One call in detail. Raises `NotFound`."""
    async with store.read() as session:
        call = await session.get(Call, call_id)
        facets = (await session.calls.facets([call_id])).get(call_id, Facets())
        return CallView(
            call=call,
            score=facets.score,
            tags=tuple((await session.tags.of([call_id])).get(call_id, ())),
            review=(await session.reviews.of([call_id])).get(call_id),
            reasons=await reasons_of(session, call_id),
            recording=(await session.recordings.of([call_id])).get(call_id),
            lease=await session.peek(Lease, call.lease_id),
            visitor=await session.peek(Visitor, call.visitor_id),
            visit=await session.peek(Visit, call.visit_id),
            deliveries=tuple(await session.deliveries.find(call_id=call_id)),
            entities=tuple(await session.find(Entity, call_id=call_id)),
            sales=tuple(await session.find(Sale, call_id=call_id)),
        )


async def tag_call(
    store: Store,
    call_id: str,
    name: str,
    *,
    author: str,
    now: datetime,
    at_seconds: float | None = None,
) -> Tag:
    """Set a tag, optionally at a moment of the recording; setting it again changes nothing but the
    moment.
    """
    name = tag_name(name)
    check_moment(at_seconds)
    async with store.write() as session:
        await session.calls.lock()
        await session.get(Call, call_id)
        name = await current_name(session, name)
        tag = Tag(call_id=call_id, name=name, author=author, at=now, at_seconds=at_seconds)
        await tag_by_person(session, [tag])
        await session.calls.touch(call_id)
        await follow_tag(session, name, call_id)
        tags = (await session.tags.of([call_id])).get(call_id, ())
    return next(tag for tag in tags if tag.name == name)


async def untag_call(store: Store, call_id: str, name: str, *, author: str, now: datetime) -> None:
    """Remove a tag, so that no rule sets it again. Raises `NotFound` for a call that does not
    exist.
    """
    async with store.write() as session:
        await session.calls.lock()
        await session.get(Call, call_id)
        for spelling in {name, name.casefold()}:
            await untag_by_person(session, [call_id], spelling[:40], author=author, now=now)
        await session.calls.touch(call_id)
        await follow_tag(session, name.casefold(), call_id)
