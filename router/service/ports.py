"""Ports of all use cases: the store and its transactions."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from router.domain.delivery.receiver_kind import ReceiverKinds
from router.domain.mail import Mail, Mailbox
from router.domain.visitors.visit import Visit
from router.service.admin.ports import Configuration, Retention
from router.service.calls.ports import (
    CallEvidence,
    Calls,
    CelLog,
    EarlierCalls,
    Holds,
    LateEvidenceQueue,
    Recordings,
    RouteRequests,
    Tags,
    Training,
    Witnesses,
)
from router.service.delivery.ports import Deliveries, Entities, Receivers
from router.service.visitors.ports import Leases, Pools, Visits

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The heartbeat of a process, with details."""

    name: str  # ingest or agent, and the Asterisk's system name · worker
    at: datetime
    facts: Mapping[str, Any]


class Heartbeats(Protocol):
    """The last heartbeat of each process."""

    async def save(self, heartbeat: Heartbeat) -> None: ...
    async def all(self) -> list[Heartbeat]: ...
    async def bring_forward(self, now: datetime, by: timedelta) -> None: ...


class Mails(Protocol):
    """Mailboxes, and the mail that was read from them."""

    async def lock_mailbox(self, site_id: str) -> Mailbox | None: ...
    async def mailboxes_due(self) -> dict[str, datetime]: ...
    async def known_messages(self, site_id: str, message_ids: Collection[str]) -> set[str]: ...
    async def coded_visits(self, site_id: str, codes: Collection[str]) -> dict[str, Visit]: ...
    async def find(
        self,
        *,
        site_id: str | None = None,
        visitor_id: str | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> list[Mail]: ...


class Session(Protocol):
    """One transaction. Records are the frozen values of `router.domain`; a key is their primary
    key.

    `get` raises NotFound, `add` Conflict when the key is taken, `remove` Conflict while something
    uses it. Queries of a single use case have their own port.
    """

    receiver_kinds: ReceiverKinds  # what each kind of connection declares

    async def get(self, kind: type[Record], key: str) -> Record: ...
    async def peek(self, kind: type[Record], key: str) -> Record | None: ...
    async def get_many(self, kind: type[Record], keys: Collection[str]) -> dict[str, Record]: ...
    async def find(self, kind: type[Record], /, **equal: Any) -> list[Record]: ...
    async def add(self, *records: Any) -> None: ...
    async def change(self, *records: Any) -> None: ...
    async def change_values(self, kind: type[Any], key: str, **values: Any) -> None: ...
    async def remove(self, kind: type[Any], key: str) -> None: ...
    def savepoint(self) -> AbstractAsyncContextManager[None]: ...
    def if_undone(self, do: Callable[[], None]) -> None: ...

    @property
    def leases(self) -> Leases: ...
    @property
    def visits(self) -> Visits: ...
    @property
    def pools(self) -> Pools: ...
    @property
    def calls(self) -> Calls: ...
    @property
    def tags(self) -> Tags: ...
    @property
    def evidence(self) -> CallEvidence: ...
    @property
    def earlier_calls(self) -> EarlierCalls: ...
    @property
    def training(self) -> Training: ...
    @property
    def witnesses(self) -> Witnesses: ...
    @property
    def late_evidence(self) -> LateEvidenceQueue: ...
    @property
    def cel_log(self) -> CelLog: ...
    @property
    def route_requests(self) -> RouteRequests: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def recordings(self) -> Recordings: ...
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def receivers(self) -> Receivers: ...
    @property
    def entities(self) -> Entities: ...
    @property
    def mails(self) -> Mails: ...
    @property
    def heartbeats(self) -> Heartbeats: ...
    @property
    def configuration(self) -> Configuration: ...
    @property
    def retention(self) -> Retention: ...


class Store(Protocol):
    """The database. A block is one transaction: committed at its end, undone by an exception.

    `read` may take long, `survey` (searches and reports) longer, with few at once; both raise
    `TookTooLong`. `read_inline` and `write` must be short: a few rows by key, and nothing awaited
    in between.
    """

    receiver_kinds: ReceiverKinds

    def read(self) -> AbstractAsyncContextManager[Session]: ...
    def survey(self) -> AbstractAsyncContextManager[Session]: ...
    def read_inline(self) -> AbstractAsyncContextManager[Session]: ...
    def write(self) -> AbstractAsyncContextManager[Session]: ...
