"""What the use cases need from outside: a store with transactions, and a shelf to read recordings
from.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from router.domain.attribution.calibration import Witness
from router.domain.attribution.late_evidence import LateEvidence
from router.domain.attribution.model import Model
from router.domain.attribution.population import Span
from router.domain.attribution.terms import Candidate, Share, Suspect
from router.domain.calls.call import Call, CallFilter, Hold, Recording, Tag
from router.domain.calls.ledger import Row
from router.domain.delivery.connection import Account
from router.domain.delivery.delivery import Delivery, DeliveryState
from router.domain.delivery.entity import Entity
from router.domain.delivery.receiver_kind import ReceiverKinds
from router.domain.mail import Mail, Mailbox
from router.domain.visitors.client_key import Asker
from router.domain.visitors.lease import Lease
from router.domain.visitors.occupancy import Held
from router.domain.visitors.site import TrackingNumber
from router.domain.visitors.visit import Reason, Rung, Visit, Visitor

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far the journal was read: the file's identity, the offset in bytes, and the files read
    before it.
    """

    file: str  # device:inode@digest of its first row
    offset: int
    finished: tuple[str, ...] = ()  # digests of the first rows of files that were read to their end


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A journal row that could not be read, set aside with its reason."""

    file: str
    offset: int
    text: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRequest:
    """A call that the dialplan asked a route for: its only trace where the CEL log has none."""

    linkedid: str
    spool_name: str
    did: str
    trunk: str
    caller_number: str
    caller_name: str
    # the route that was given, as far as the process that heard it knows
    destination_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A process of ours was at work at this moment, and what it says of it."""

    name: str  # ingest or agent, and the Asterisk's system name · worker
    at: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What the company's telephony may be told of a number's holder while the caller waits."""

    lease_id: str
    client_id: str | None  # Google's
    campaign: str | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """So many visits were shown less than a number of their own."""

    rung: Rung
    reason: Reason
    visits: int


class Browser(Protocol):
    """What a request's User-Agent says."""

    @property
    def device(self) -> str: ...  # desktop · mobile · tablet · other
    @property
    def browser(self) -> str | None: ...
    @property
    def system(self) -> str | None: ...
    @property
    def robot(self) -> bool: ...


class Place(Protocol):
    """Where an address is, in English."""

    @property
    def country(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the world knows of a visitor: each is looked up without waiting; unknown is None."""

    # a host → its name and kind
    referrers: Callable[[str], tuple[str, str] | None] = lambda _: None
    browsers: Callable[[str], Browser | None] = lambda _: None  # a User-Agent
    places: Callable[[str], Place | None] = lambda _: None  # an IP address


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCall:
    """A call before the one that is judged, and whose it was found to be."""

    call_id: str
    at: datetime
    number: str | None
    caller: str | None
    suspects: tuple[Suspect, ...]
    origins: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCall:
    """A call whose caller was named, and how surely."""

    call_id: str
    visitor_id: str
    caller: str | None
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """So many deliveries are pending for a receiver, the first of them due then."""

    receiver_id: str
    deliveries: int
    due_at: datetime


class Session(Protocol):
    """One transaction. Records are frozen values of `router.domain`, keys their primary keys.

    `get` raises NotFound, `add` Conflict when the key is taken, `remove` Conflict while something
    uses it.
    """

    receiver_kinds: ReceiverKinds  # what each kind of connection declares

    def savepoint(self) -> AbstractAsyncContextManager[None]: ...
    def if_undone(self, do: Callable[[], None]) -> None: ...
    async def get(self, kind: type[Record], key: str) -> Record: ...
    async def peek(self, kind: type[Record], key: str) -> Record | None: ...
    async def get_many(self, kind: type[Record], keys: Collection[str]) -> dict[str, Record]: ...
    async def find(self, kind: type[Record], /, **equal: Any) -> list[Record]: ...
    async def add(self, *records: Any) -> None: ...
    async def change(self, *records: Any) -> None: ...
    async def change_values(self, kind: type[Any], key: str, **values: Any) -> None: ...
    async def remove(self, kind: type[Any], key: str) -> None: ...
    def note_secret(self, record: Any, name: str) -> None: ...

    # leases
    async def save_lease(self, lease: Lease) -> None: ...
    async def save_leases(self, leases: Sequence[Lease]) -> None: ...
    async def lock_number(self, e164: str) -> TrackingNumber | None: ...
    async def lock_numbers(self, e164s: Collection[str]) -> dict[str, TrackingNumber]: ...
    async def take_idle_numbers(self, pool_id: str, now: datetime, most: int = 1) -> list[str]: ...
    async def newest_leases(self, visitor_ids: Collection[str]) -> dict[tuple[str, str], Lease]: ...
    async def holdings(
        self, pool_id: str, askers: Sequence[Asker], now: datetime
    ) -> tuple[int, dict[str, int], dict[str, int]]: ...
    async def take_over_held(
        self,
        pool_id: str,
        now: datetime,
        most: int,
        share: int,
        network_share: int,
        unshown_since: datetime,
    ) -> list[Lease]: ...
    async def note_holders(self, holders: Mapping[str, Asker | None], now: datetime) -> None: ...
    async def most_held(self, pool_id: str, now: datetime) -> tuple[str, int] | None: ...
    async def leases_begun(self, pool_id: str, since: datetime) -> int: ...
    async def holder(self, number: str, now: datetime) -> Holder | None: ...
    async def last_leases(self, moments: Sequence[tuple[str, datetime]]) -> list[Lease | None]: ...
    async def leases(
        self, *, number: str | None = None, visitor_id: str | None = None, limit: int = 50
    ) -> list[Lease]: ...

    # visits
    async def going_visits(
        self, visitor_ids: Collection[str], since: datetime
    ) -> dict[str, Visit]: ...
    async def left_visitors(
        self, clients: Collection[str], since: datetime, now: datetime
    ) -> dict[str, str]: ...
    async def who_visits(self, visit_id: str) -> tuple[Visit, Visitor] | None: ...
    async def see_visits(self, visit_ids: Collection[str], now: datetime) -> None: ...
    async def codes_in_use(self, codes: Collection[str], since: datetime) -> set[str]: ...
    async def seen_of(self, kind: type[Any], visit_ids: Collection[str]) -> dict[str, int]: ...

    # calls
    async def save_calls(self, calls: Sequence[Call]) -> None: ...
    async def calls(
        self, wanted: CallFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[Call]: ...
    async def calls_newer_than(self, revision: int, limit: int = 200) -> list[Call]: ...
    async def count_newer(self, revision: int, most: int) -> int: ...
    async def revision(self) -> int: ...
    async def hold_calls(self) -> None: ...
    async def touch_call(self, call_id: str) -> None: ...
    async def ended_calls(self, ids: Sequence[str]) -> set[str]: ...
    async def open_calls(self) -> list[Call]: ...
    async def tags(self, call_ids: Sequence[str]) -> dict[str, list[Tag]]: ...
    async def set_tag(self, *tags: Tag) -> None: ...
    async def remove_tag(self, call_id: str, name: str) -> None: ...

    # evidence
    async def holders(self, number: str, at: datetime, most: int) -> list[Candidate]: ...
    async def leases_before(
        self, number: str, at: datetime, before: datetime
    ) -> tuple[int, ...]: ...
    async def contacts_seen(
        self, visits: Collection[str], start: str, at: datetime
    ) -> set[str]: ...
    async def visits_by_form(
        self, site_id: str, phone: str, at: datetime, until: datetime
    ) -> list[Candidate]: ...
    async def visit_by_code(self, site_id: str, code: str) -> Candidate | None: ...
    async def calls_by_phone(
        self, site_id: str, caller: str, at: datetime
    ) -> list[EarlierCall]: ...
    async def known_phones(self, phones: Collection[str]) -> set[str]: ...
    async def first_calls(
        self, phones: Collection[str]
    ) -> dict[tuple[str | None, str], datetime]: ...
    async def calls_of_holders(
        self, number: str, first: datetime, since: datetime, before: datetime
    ) -> list[NamedCall]: ...
    async def judged_again(self, known: Collection[Call]) -> dict[str, Call]: ...
    async def model(self, site_id: str) -> tuple[Model, datetime] | None: ...
    async def save_model(self, site_id: str, model: Model, now: datetime) -> None: ...
    async def lease_spans(self, site_id: str, since: datetime, until: datetime) -> list[Span]: ...
    async def calls_since(self, site_id: str, since: datetime) -> int: ...
    async def mean_strays(self, site_id: str) -> float: ...
    async def count_strays(self, numbers: Sequence[str]) -> None: ...
    async def recount_strays(self, site_id: str, since: datetime) -> None: ...

    # retention
    async def remove_old(
        self, name: str, after: str, before: str, most: int, ended_before: datetime
    ) -> tuple[str | None, int]: ...
    async def remove_aged(self, name: str, before: datetime, most: int) -> int: ...

    # late evidence
    async def queue_late(self, evidence: Sequence[LateEvidence]) -> None: ...
    async def late_due(self) -> datetime | None: ...
    async def due_late(self, now: datetime, most: int) -> list[LateEvidence]: ...
    async def finish_late(self, looked: LateEvidence) -> None: ...

    # mail
    async def lock_mailbox(self, site_id: str) -> Mailbox | None: ...
    async def mailboxes_due(self) -> dict[str, datetime]: ...
    async def known_messages(self, site_id: str, message_ids: Collection[str]) -> set[str]: ...
    async def coded_visits(self, site_id: str, codes: Collection[str]) -> dict[str, Visit]: ...
    async def mails(
        self,
        *,
        site_id: str | None = None,
        visitor_id: str | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> list[Mail]: ...

    # journal
    async def cursor(self, journal: str = ...) -> Cursor | None: ...
    async def set_cursor(self, cursor: Cursor, journal: str = ...) -> None: ...
    async def journals(self) -> set[str]: ...
    async def open_rows(self, journal: str = ...) -> dict[str, list[Row]]: ...
    async def unreadable_open_rows(self, journal: str, at: datetime) -> dict[str, RejectedRow]: ...
    async def save_open_rows(
        self, rows: Mapping[str, Sequence[Row]], closed: Sequence[str], journal: str = ...
    ) -> None: ...
    async def set_aside(self, rejected: Sequence[RejectedRow]) -> None: ...
    async def add_route_requests(self, requests: Sequence[RouteRequest], journal: str) -> None: ...
    async def forget_route_requests(self, linkedids: Sequence[str] = ...) -> None: ...
    async def route_requests(self, journal: str, before: datetime) -> list[RouteRequest]: ...
    async def beat(self, heartbeat: Heartbeat) -> None: ...
    async def heartbeats(self) -> list[Heartbeat]: ...

    async def hold(self, linkedid: str, channel: str, at: datetime, *, held: bool) -> None: ...
    async def holds(self, linkedids: Sequence[str]) -> list[tuple[str, Hold]]: ...

    # work that waits
    async def recordings(self, call_ids: Collection[str]) -> dict[str, Recording]: ...
    async def save_recordings(self, recordings: Sequence[Recording]) -> None: ...
    async def add_deliveries(self, deliveries: Sequence[Delivery]) -> None: ...
    async def due_recordings(self, now: datetime, limit: int) -> list[Recording]: ...
    async def due_deliveries(
        self, now: datetime, limit: int, receiver_id: str | None = None
    ) -> list[Delivery]: ...
    async def receivers_due(self) -> dict[str, datetime]: ...
    async def replace_pending(self, delivery: Delivery) -> bool: ...
    async def hurry(self, receiver_id: str, now: datetime, due_at: datetime) -> int: ...
    async def settle(self, taken: Delivery, outcome: Delivery) -> bool: ...
    async def give_up(self, receiver_id: str, reason: str) -> int: ...
    async def recent_entities(
        self, connection_id: str, caller: str, since: datetime
    ) -> list[Entity]: ...
    async def lock_account(self, receiver_id: str, now: datetime) -> Account: ...
    async def save_account(self, account: Account) -> None: ...
    async def deliveries(
        self,
        *,
        state: DeliveryState | None = None,
        receiver_id: str | None = None,
        call_id: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Delivery]: ...
    async def count_deliveries(self, state: DeliveryState, most: int) -> int: ...
    async def waiting(self) -> list[Waiting]: ...
    async def next_due(self, kind: type[Any]) -> datetime | None: ...
    async def configuration_revision(self) -> int: ...

    # plans and reports
    async def arrivals(
        self,
        site_id: str,
        since: datetime,
        until: datetime,
        *,
        regions: Collection[str] = (),
        without: Collection[str] = (),
    ) -> dict[datetime, int]: ...
    async def pool_service(
        self, pool_id: str, since: datetime, until: datetime
    ) -> tuple[int, float | None]: ...
    async def stepped_down(
        self, pool_id: str, since: datetime, until: datetime
    ) -> list[Stepped]: ...
    async def held(
        self, pool_id: str, since: datetime, until: datetime, longest: timedelta
    ) -> list[Held]: ...
    async def witnesses(
        self, site_id: str | None, since: datetime, until: datetime, most: int = ...
    ) -> list[Witness]: ...


class Store(Protocol):
    """Where everything is kept. A block is one transaction: committed at its end, undone by an
    exception.

    `read` may take long, `survey` (searches and reports) longer, with few at once; both raise
    `TookTooLong`. `glance` and `write` may not: a few rows by their keys, and nothing awaited in
    between.
    """

    receiver_kinds: ReceiverKinds

    def read(self) -> AbstractAsyncContextManager[Session]: ...
    def survey(self) -> AbstractAsyncContextManager[Session]: ...
    def glance(self) -> AbstractAsyncContextManager[Session]: ...
    def write(self) -> AbstractAsyncContextManager[Session]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """A part of a recording on its way to a listener."""

    content_type: str
    total: int  # bytes of the whole recording
    start: int
    length: int
    chunks: AsyncIterator[bytes]


class Listening(Protocol):
    """Reads finished recordings from the shelf."""

    async def open(
        self, recording: Recording, start: int = 0, length: int | None = None
    ) -> Audio: ...
