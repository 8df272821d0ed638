"""Ports of the use cases of calls: the store, and recordings."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from router.domain.attribution.calibration import Witness
from router.domain.attribution.late_evidence import LateEvidence
from router.domain.attribution.model import Model
from router.domain.attribution.population import Span
from router.domain.attribution.terms import Candidate, CandidateFacts, Share
from router.domain.calls.call import Call, Hold, Recording, Tag
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.call_order import CallOrder
from router.domain.calls.keys import PressedKey
from router.domain.calls.ledger import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Position in the CEL log: file, offset in bytes, and the files read before."""

    file: str  # device:inode@digest of its first row
    offset: int
    finished: tuple[str, ...] = ()  # digests of the first rows of files that were read to their end


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A CEL row that could not be processed, with the reason."""

    file: str
    offset: int
    text: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRequest:
    """A route request of the dialplan: the only trace of a call that is missing in the CEL log."""

    linkedid: str
    spool_name: str
    did: str
    trunk: str
    caller_number: str
    caller_name: str
    # the route that was answered, if known
    destination_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCall:
    """An earlier call with its attribution."""

    call_id: str
    at: datetime
    number: str | None
    caller: str | None
    candidates: tuple[Candidate, ...]
    origins: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCall:
    """A call with a named visitor, and its probability."""

    call_id: str
    visitor_id: str
    caller: str | None
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What filters compare of a call and its record does not say."""

    first: bool = False  # the first call of this phone to the site
    reviewed: bool = False
    target: bool = False
    spam: bool = False
    to_review: bool = False  # a rule asks for a review
    score: float | None = None  # 0…100
    silence: float | None = None  # seconds, as the next one
    talk_over: float | None = None


Place = tuple[Any, ...]  # of a call in a list: the figure it is sorted by, if any; arrival; id


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Calls in the order of a list, with their places; `reached`: the search ended here, and there
    may be more behind it.
    """

    calls: list[Call]
    places: list[Place]
    reached: Place | None = None


class Calls(Protocol):
    """Calls, found by filters and by their changes."""

    async def save(self, calls: Sequence[Call]) -> None: ...
    async def find(
        self, wanted: CallFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[Call]: ...
    async def positions(
        self, wanted: CallFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[tuple[datetime, str]]: ...
    async def places(
        self, wanted: CallFilter, *, before: Place | None, limit: int, bounded: bool
    ) -> tuple[list[tuple[datetime, str]], tuple[datetime, str] | None]: ...
    async def page(
        self,
        wanted: CallFilter,
        order: CallOrder,
        *,
        before: Place | None,
        limit: int,
        bounded: bool,
    ) -> Listed: ...
    async def count(self, wanted: CallFilter, most: int) -> int: ...
    async def count_some(self, wanted: CallFilter, most: int) -> tuple[int, bool]: ...
    async def values(self, name: str, since: datetime, most: int) -> list[str]: ...
    async def facets(self, call_ids: Collection[str]) -> dict[str, Facets]: ...
    async def matching(self, call_ids: Collection[str], wanted: CallFilter) -> set[str]: ...
    async def neighbour(
        self,
        wanted: CallFilter,
        place: tuple[datetime, str],
        *,
        newer: bool,
        bounded: bool = ...,
    ) -> tuple[str | None, bool]: ...
    async def newer_than(self, revision: int, limit: int = 200) -> list[Call]: ...
    async def count_newer(self, revision: int, most: int) -> int: ...
    async def revision(self) -> int: ...
    async def lock(self) -> None: ...
    async def touch(self, *call_ids: str) -> None: ...
    async def ended(self, ids: Sequence[str]) -> set[str]: ...
    async def unfinished(self) -> list[Call]: ...
    async def reattributed(self, known: Collection[Call]) -> dict[str, Call]: ...


class Tags(Protocol):
    """Tags of calls."""

    async def of(self, call_ids: Sequence[str]) -> dict[str, list[Tag]]: ...
    async def add(self, *tags: Tag) -> None: ...
    async def remove(self, call_id: str, name: str) -> None: ...


class CallEvidence(Protocol):
    """Evidence for the visitor of a call."""

    async def holders(self, number: str, at: datetime, most: int) -> list[CandidateFacts]: ...
    async def leases_before(
        self, number: str, at: datetime, before: datetime
    ) -> tuple[int, ...]: ...
    async def contacts_seen(
        self, visits: Collection[str], start: str, at: datetime
    ) -> set[str]: ...
    async def visits_by_form(
        self, site_id: str, phone: str, at: datetime, until: datetime
    ) -> list[CandidateFacts]: ...
    async def visit_by_code(self, site_id: str, code: str) -> CandidateFacts | None: ...


class EarlierCalls(Protocol):
    """Earlier calls of a phone, and of visitors who held a number."""

    async def by_phone(self, site_id: str, caller: str, at: datetime) -> list[EarlierCall]: ...
    async def by_holders(
        self, number: str, first: datetime, since: datetime, before: datetime
    ) -> list[NamedCall]: ...
    async def known_phones(self, phones: Collection[str]) -> set[str]: ...
    async def first(self, phones: Collection[str]) -> dict[tuple[str | None, str], datetime]: ...


class Training(Protocol):
    """Training data of a site's model, and the model."""

    async def model(self, site_id: str) -> tuple[Model, datetime] | None: ...
    async def save_model(self, site_id: str, model: Model, now: datetime) -> None: ...
    async def lease_spans(self, site_id: str, since: datetime, until: datetime) -> list[Span]: ...
    async def count_calls(self, site_id: str, since: datetime) -> int: ...
    async def mean_unattributed(self, site_id: str) -> float: ...
    async def count_unattributed(self, numbers: Sequence[str]) -> None: ...
    async def recount_unattributed(self, site_id: str, since: datetime) -> None: ...


class Witnesses(Protocol):
    """Proofs of calls' visitors."""

    async def find(
        self, site_id: str | None, since: datetime, until: datetime, most: int = ...
    ) -> list[Witness]: ...


class LateEvidenceQueue(Protocol):
    """The queue of late evidence for the worker."""

    async def add(self, evidence: Sequence[LateEvidence]) -> None: ...
    async def next_due(self) -> datetime | None: ...
    async def due(self, now: datetime, most: int) -> list[LateEvidence]: ...
    async def finish(self, looked: LateEvidence) -> None: ...


class CelLog(Protocol):
    """Cursors of CEL logs, and rows of open calls."""

    async def cursor(self, cel_log: str = ...) -> Cursor | None: ...
    async def set_cursor(self, cursor: Cursor, cel_log: str = ...) -> None: ...
    async def names(self) -> set[str]: ...
    async def open_rows(self, cel_log: str = ...) -> dict[str, list[Row]]: ...
    async def unreadable_open_rows(self, cel_log: str, at: datetime) -> dict[str, RejectedRow]: ...
    async def save_open_rows(
        self, rows: Mapping[str, Sequence[Row]], closed: Sequence[str], cel_log: str = ...
    ) -> None: ...
    async def set_aside(self, rejected: Sequence[RejectedRow]) -> None: ...


class RouteRequests(Protocol):
    """Route requests, until their calls are in the CEL log."""

    async def add(self, requests: Sequence[RouteRequest], cel_log: str) -> None: ...
    async def forget(self, linkedids: Sequence[str] = ...) -> None: ...
    async def before(self, cel_log: str, before: datetime) -> list[RouteRequest]: ...


class Holds(Protocol):
    """What the CEL log does not say of channels: when they were on hold, and keys they sent."""

    async def note(self, linkedid: str, channel: str, at: datetime, *, held: bool) -> None: ...
    async def of(self, linkedids: Sequence[str]) -> list[tuple[str, Hold]]: ...
    async def note_key(self, linkedid: str, channel: str, at: datetime, key: str) -> None: ...
    async def keys(self, linkedids: Sequence[str]) -> list[tuple[str, PressedKey]]: ...


class Recordings(Protocol):
    """Recordings, and which are due for the worker."""

    async def of(self, call_ids: Collection[str]) -> dict[str, Recording]: ...
    async def sizes(self, call_ids: Collection[str]) -> dict[str, int]: ...
    async def save(self, recordings: Sequence[Recording]) -> None: ...
    async def due(self, now: datetime, limit: int) -> list[Recording]: ...
    async def next_due(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """A part of a recording."""

    content_type: str
    total: int  # bytes of the whole recording
    start: int
    length: int
    chunks: AsyncIterator[bytes]


class DownloadFormat(StrEnum):
    """What a recording is converted to."""

    MP3 = "mp3"
    WAV = "wav"


class HeardSide(StrEnum):
    """Whose side alone is heard."""

    CALLER = "caller"
    COMPANY = "company"


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A recording that is converted while it is read."""

    content_type: str
    length: int | None  # bytes, where they are known before
    chunks: AsyncIterator[bytes]


class RecordingReader(Protocol):
    """Reads stored recordings."""

    async def open(
        self, recording: Recording, start: int = 0, length: int | None = None
    ) -> Audio: ...
    async def convert(
        self, recording: Recording, to: DownloadFormat, side: HeardSide | None
    ) -> Converted: ...
