"""What the use cases need from outside: a store with transactions, and a shelf to read recordings from."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from router.domain.call import Call, CallFilter, Recording, Tag
from router.domain.delivery import Delivery, DeliveryState
from router.domain.lease import Lease
from router.domain.ledger import Row
from router.domain.site import TrackingNumber

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far the journal was read: the file's identity (device:inode) and the offset in bytes."""

    file: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A journal row that could not be read, set aside with its reason."""

    file: str
    offset: int
    text: str
    reason: str
    at: datetime


class Session(Protocol):
    """One transaction. Records are the frozen values of `router.domain`; a key is their primary key.

    `get` raises NotFound, `add` Conflict when the key is taken, `remove` Conflict while something uses it.
    """

    async def get(self, kind: type[Record], key: str) -> Record: ...
    async def peek(self, kind: type[Record], key: str) -> Record | None: ...
    async def find(self, kind: type[Record], **equal: Any) -> list[Record]: ...
    async def add(self, *records: Any) -> None: ...
    async def change(self, *records: Any) -> None: ...
    async def remove(self, kind: type[Any], key: str) -> None: ...

    # leases
    async def take_idle_number(self, pool_id: str, now: datetime) -> TrackingNumber | None: ...
    async def current_lease(self, visitor_id: str, pool_id: str, now: datetime) -> Lease | None: ...
    async def last_leases(self, moments: Sequence[tuple[str, datetime]]) -> list[Lease | None]: ...
    async def leases(
        self, *, number: str | None = None, visitor_id: str | None = None, limit: int = 50
    ) -> list[Lease]: ...

    # calls
    async def save_calls(self, calls: Sequence[Call]) -> None: ...
    async def calls(
        self, wanted: CallFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[Call]: ...
    async def calls_newer_than(self, revision: int, limit: int = 200) -> list[Call]: ...
    async def revision(self) -> int: ...
    async def touch_call(self, call_id: str) -> None: ...
    async def ended_calls(self, ids: Sequence[str]) -> set[str]: ...
    async def tags(self, call_ids: Sequence[str]) -> dict[str, list[Tag]]: ...
    async def set_tag(self, tag: Tag) -> None: ...
    async def remove_tag(self, call_id: str, name: str) -> None: ...

    # journal
    async def cursor(self) -> Cursor | None: ...
    async def set_cursor(self, cursor: Cursor) -> None: ...
    async def open_rows(self) -> dict[str, list[Row]]: ...
    async def save_open_rows(self, rows: dict[str, Sequence[Row]], closed: Sequence[str]) -> None: ...
    async def set_aside(self, rejected: Sequence[RejectedRow]) -> None: ...

    # work that waits
    async def due_recordings(self, now: datetime, limit: int) -> list[Recording]: ...
    async def due_deliveries(self, now: datetime, limit: int) -> list[Delivery]: ...
    async def deliveries(
        self, *, state: DeliveryState | None = None, call_id: str | None = None, limit: int = 50
    ) -> list[Delivery]: ...
    async def next_due(self, kind: type[Any]) -> datetime | None: ...
    async def configuration_revision(self) -> int: ...


class Store(Protocol):
    """Where everything is kept. A block is one transaction: committed at its end, undone by an exception."""

    def read(self) -> AbstractAsyncContextManager[Session]: ...
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

    async def open(self, recording: Recording, start: int = 0, length: int | None = None) -> Audio: ...
