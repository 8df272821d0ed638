"""Calls with their tags, visits, deliveries and sales, as lists and single calls hold them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Direction, Ending, State
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.qualification import Sign
from router.service.calls.browse import CallLine, CallView
from router.service.calls.bulk import BulkAction
from router.web.api.models.base import Answer, Body, Moment
from router.web.api.models.calls import Call, Review, Tag
from router.web.api.models.deliveries import Delivery, Entity
from router.web.api.models.recordings import Recording
from router.web.api.models.visits import Lease, Visit, Visitor

Text = Annotated[str | None, Field(max_length=80)]


class ListedCall(Answer):
    """A call as lists hold it."""

    call: Call
    """The call itself."""

    tags: tuple[Tag, ...]
    """Its tags."""

    visit: Visit | None
    """The visit named."""

    recording: Recording | None
    """Its recording; null: none is expected."""

    review: Review | None
    """Who reviewed it; null: no person did."""

    score: float | None
    """The mean of the scores that count, 0 to 100; null: it has none."""

    target: bool
    """Whether it is a target call."""

    spam: bool
    """Whether it is spam."""

    to_review: bool
    """Whether a rule asks for a review."""

    @classmethod
    def of_line(cls, line: CallLine) -> Self:
        """Convert from the service's value."""
        return cls.of(
            {
                "call": line.call,
                "tags": line.tags,
                "visit": line.visit,
                "recording": Recording.of_call(line.recording),
                "review": line.review,
                "score": line.facets.score,
                "target": line.facets.target,
                "spam": line.facets.spam,
                "to_review": line.facets.to_review,
            }
        )


class CallList(Answer):
    """A page of calls: newest first, or with `after`, oldest change first."""

    calls: tuple[ListedCall, ...]
    """The calls."""

    next_cursor: str | None
    """Cursor of the next page; null at the end."""

    revision: int
    """Pass as `after` to get later changes."""


class Sale(Answer):
    """A sale that came of a call."""

    id: str
    """The sale's id."""

    call_id: str
    """The call."""

    value: float
    """Value, in `currency`."""

    currency: str
    """Currency (ISO 4217)."""

    at: datetime
    """When it was made (UTC)."""

    created_at: datetime
    """When it was reported (UTC)."""


class WholeCall(ListedCall):
    """A call with everything that is known about it."""

    spam_signs: tuple[Sign, ...]
    """Why it looks like spam; signs that were undone for the caller are left out."""

    lease: Lease | None
    """The lease that led to it."""

    visitor: Visitor | None
    """The visitor named."""

    deliveries: tuple[Delivery, ...]
    """Deliveries to other systems."""

    entities: tuple[Entity, ...]
    """Its records in other systems."""

    sales: tuple[Sale, ...]
    """Sales that came of it."""

    @classmethod
    def of_view(cls, view: CallView) -> Self:
        """The same from the service's view."""
        return cls.of(
            {
                "call": view.call,
                "tags": view.tags,
                "visit": view.visit,
                "recording": Recording.of_call(view.recording),
                "review": view.review,
                "score": view.score,
                "target": view.reasons.qualification.target,
                "spam": view.reasons.qualification.spam,
                "to_review": view.reasons.qualification.to_review and view.review is None,
                "spam_signs": [found.sign for found in view.reasons.signs],
                "lease": view.lease,
                "visitor": view.visitor,
                "deliveries": view.deliveries,
                "entities": view.entities,
                "sales": view.sales,
            }
        )


class SaleReceipt(Answer):
    """A sale that was stored."""

    call_id: str
    """The call."""

    value: float
    """Value, in `currency`."""

    currency: str
    """Currency (ISO 4217)."""

    at: datetime
    """When it was made (UTC)."""

    sent_to: tuple[str, ...]
    """The connections that it is sent to."""


class Sold(Body):
    """What a call was worth."""

    value: Annotated[float, Field(strict=True, ge=0, le=1e12, allow_inf_nan=False)]
    """The value, in `currency`."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    """Currency (ISO 4217)."""

    at: Moment | None = None
    """When the sale was made; now, if it is left out."""


class Code(Body):
    """The caller's promo code."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    """The promo code that the site showed to the visitor."""


class BulkChange(Body):
    """A change of many calls: of those named, or of all that match a query."""

    action: BulkAction
    """What is done."""

    value: Annotated[str, Field(max_length=40)] = ""
    """The tag, if tags are changed."""

    calls: Annotated[tuple[str, ...], Field(max_length=10_000)] = ()
    """Their ids."""

    query: Annotated[str | None, Field(max_length=4000)] = None
    """Or all that match, e.g. `ending=busy&since=2026-01-20`; days are those of UTC."""


class BulkDone(Answer):
    """What a change of many calls did."""

    chosen: int
    """How many calls were named or matched."""

    changed: int
    """How many of them were changed; the others had it already."""


class Asked(Body):
    """Filters and limit."""

    site_id: Text = None
    """Calls of this site."""

    number: Text = None
    """Calls to this tracking number (E.164)."""

    caller: Text = None
    """Calls of this number (E.164)."""

    verdict: Verdict | None = None
    """Calls with this verdict."""

    ending: Ending | None = None
    """Calls with this ending."""

    state: State | None = None
    """Calls in this state."""

    direction: Direction | None = None
    """Calls that came in, or that called back."""

    tag: Text = None
    """Calls with this tag."""

    target: bool | None = None
    """Target calls, or all others."""

    spam: bool | None = None
    """Spam, or all others."""

    since: Moment | None = None
    """Calls that arrived at or after this time."""

    until: Moment | None = None
    """Calls that arrived before this time."""

    text: Text = None
    """Search text: a full number, its first or last digits, a part of five digits, or a name of
    either side.
    """

    cursor: Annotated[str | None, Field(max_length=400)] = None
    """`next_cursor` of the previous answer."""

    after: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    """Calls changed after this revision; not together with `cursor`."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """How many at once."""

    def wanted(self) -> CallFilter:
        """The filter."""
        return CallFilter(**self.model_dump(exclude={"cursor", "after", "limit"}))
