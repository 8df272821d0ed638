"""Optional abilities of CRMs, each a narrow port."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Catalogue
from router.domain.delivery.entity import EntityKind, Ref


@runtime_checkable
class HasCatalogue(Protocol):
    """A CRM that lists its fields, users, pipelines and order methods."""

    async def catalogue(self, *, whole: bool = False) -> Catalogue:
        """The fields of the account, cached for some minutes; `whole`: fresh, with pipelines, order
        methods and the users in the rules.

        Raises `ReceiverUnavailable` and `Refused`.
        """
        ...

    def client_id_field(self, kind: EntityKind) -> str:
        """The field for the Google client ID, which the catalogue has like others."""
        ...


@runtime_checkable
class HasClock(Protocol):
    """A CRM whose server tells its time."""

    def clock_ahead(self) -> timedelta:
        """By how much its clock was ahead of ours in its last answer; small differences are 0."""
        ...


@runtime_checkable
class HasSuccessors(Protocol):
    """A CRM that says what became of a converted lead or a merged record."""

    async def became(self, ref: Ref) -> Sequence[Ref]:
        """The records that took its place; none if it is as it was. Raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task of the CRM's own, on an entity; `responsible` None: as the CRM has it."""

    ref: Ref
    call_id: str
    text: str
    due_at: datetime
    responsible: str | None = None


class TaskBook(Protocol):
    """The tasks of one account. Raises `ReceiverUnavailable` and `Refused`."""

    async def responsible(self, ref: Ref) -> str | None:
        """The user who is responsible for this entity. Raises `EntityGone`."""
        ...

    async def add(self, task: Task) -> None:
        """Add it, unless this call has one on the entity already."""
        ...


@runtime_checkable
class HasTasks(Protocol):
    """A CRM that has tasks."""

    @property
    def tasks(self) -> TaskBook | None:
        """Its tasks; None in a dry run of a CRM without any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A call for the CRM's own list of calls, with its recording if there is one."""

    call: CallEvent
    link: str  # to the audio; needs no log-in; empty: there is no recording
    file_name: str
    seconds: float
    refs: Sequence[Ref]  # what the call became
    responsible: str | None = None
    text: str = ""  # a title


class CallBook(Protocol):
    """The calls of one account. Raises `ReceiverUnavailable` and `Refused`."""

    async def record(self, record: CallRecord) -> None:
        """Add the call, unless it is there already."""
        ...


@runtime_checkable
class HasCallRecords(Protocol):
    """A CRM that has records of calls, which play a recording."""

    @property
    def calls(self) -> CallBook:
        """Its records of calls."""
        ...
