"""One transaction: reading and writing records."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Webhook
from router.domain.delivery.receiver_kind import ReceiverKinds
from router.domain.visitors.site import Destination, Pool, Site, TrackingNumber
from router.errors import Conflict, NotFound
from router.service.admin.changes import SET_UP, Changes
from router.store.call_backs import SqlCallBacks
from router.store.calls import SqlCalls
from router.store.cel_log import SqlCelLog
from router.store.configuration import COUNTER, SqlConfiguration
from router.store.counters import count_up
from router.store.deliveries import SqlDeliveries
from router.store.direct import AnyConnection
from router.store.earlier_calls import SqlEarlierCalls
from router.store.evidence import SqlEvidence
from router.store.failures import explained
from router.store.heartbeats import SqlHeartbeats
from router.store.holds import SqlHolds
from router.store.late_evidence import SqlLateEvidence
from router.store.leases import SqlLeases
from router.store.mail import SqlMails
from router.store.missed import SqlMissed
from router.store.pools import SqlPools
from router.store.qualification import SqlQualification
from router.store.receivers import SqlEntities, SqlReceivers
from router.store.recordings import SqlRecordings
from router.store.records import (
    DERIVED,
    MOST_KEYS,
    TABLES,
    batched,
    from_any_row,
    from_rows,
    from_rows_by,
    key_column,
    rows_among,
    to_new_row,
    to_row,
)
from router.store.retention import SqlRetention
from router.store.reviews import SqlReviews
from router.store.route_requests import SqlRouteRequests
from router.store.samples import SqlSamples
from router.store.scores import SqlScores
from router.store.spam import SqlSpam
from router.store.tag_registry import SqlTagRegistry
from router.store.tags import SqlTags
from router.store.training import SqlTraining
from router.store.transcripts import SqlTranscripts
from router.store.visits import SqlVisits
from router.store.witnesses import SqlWitnesses

Record = TypeVar("Record")

_CONFIGURATION = (Site, Destination, Pool, TrackingNumber, Webhook, Connection)


class SqlSession:
    """The `Session` of `router.service.ports`."""

    def __init__(self, connection: AnyConnection, receiver_kinds: ReceiverKinds) -> None:
        self.connection, self.receiver_kinds = connection, receiver_kinds
        self._undoing: list[Callable[[], None]] = []
        self.set_up = Changes()

        self.calls = SqlCalls(connection)
        self.call_backs = SqlCallBacks(connection)
        self.cel_log = SqlCelLog(connection)
        self.configuration = SqlConfiguration(connection, self.set_up)
        self.deliveries = SqlDeliveries(connection)
        self.earlier_calls = SqlEarlierCalls(connection)
        self.entities = SqlEntities(connection)
        self.evidence = SqlEvidence(connection)
        self.heartbeats = SqlHeartbeats(connection)
        self.holds = SqlHolds(connection)
        self.late_evidence = SqlLateEvidence(connection)
        self.leases = SqlLeases(connection)
        self.mails = SqlMails(connection)
        self.missed = SqlMissed(connection)
        self.pools = SqlPools(connection)
        self.qualification = SqlQualification(connection)
        self.receivers = SqlReceivers(connection)
        self.recordings = SqlRecordings(connection)
        self.retention = SqlRetention(connection)
        self.reviews = SqlReviews(connection)
        self.route_requests = SqlRouteRequests(connection)
        self.samples = SqlSamples(connection)
        self.scores = SqlScores(connection)
        self.spam = SqlSpam(connection)
        self.tag_registry = SqlTagRegistry(connection)
        self.tags = SqlTags(connection)
        self.training = SqlTraining(connection)
        self.transcripts = SqlTranscripts(connection)
        self.visits = SqlVisits(connection)
        self.witnesses = SqlWitnesses(connection)

    def if_undone(self, do: Callable[[], None]) -> None:
        """Call this if the transaction is rolled back, to undo counts in memory."""
        self._undoing.append(do)

    def undone(self) -> None:
        """The transaction was rolled back."""
        for do in self._undoing:
            do()

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part of the transaction that an exception undoes alone; errors of the database come out
        as ours.
        """
        async with explained():
            await self.connection.exec_driver_sql("SAVEPOINT part")
            try:
                yield
            except BaseException:
                await self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
                # parts may lie in one another, all by this name
                await self.connection.exec_driver_sql("RELEASE SAVEPOINT part")
                raise
            await self.connection.exec_driver_sql("RELEASE SAVEPOINT part")

    async def get(self, kind: type[Record], key: str) -> Record:
        """The record of this key. Raises `NotFound`."""
        record = await self.peek(kind, key)
        if record is None:
            raise NotFound(f"There is no {_name(kind)} '{key}'.")
        return record

    async def peek(self, kind: type[Record], key: str | None) -> Record | None:
        """The record of this key, if there is one."""
        if not key:
            return None
        row = (await self.connection.execute(_by_key(TABLES[kind]), {"key": key})).first()
        return from_any_row(kind, row)

    async def get_many(self, kind: type[Record], keys: Collection[str]) -> dict[str, Record]:
        """The records of these keys, those that are there."""
        found: dict[str, Record] = {}
        table, column = TABLES[kind], key_column(TABLES[kind])
        for some in batched(keys, MOST_KEYS):
            rows = await self.connection.execute(rows_among(table, column.name), {"keys": some})
            found |= from_rows_by(column.name, kind, rows)
        return found

    async def find(self, kind: type[Record], /, **equal: Any) -> list[Record]:
        """All records with these values, ordered by key."""
        rows = await self.connection.execute(_by_values(TABLES[kind], tuple(equal)), equal)
        return from_rows(kind, rows)

    async def add(self, *records: Any) -> None:
        """Add records. Raises `Conflict` if a key is taken, or a reference is missing."""
        for kind in dict.fromkeys(type(record) for record in records):
            mine = [record for record in records if type(record) is kind]
            try:
                await self.connection.execute(
                    _inserting(TABLES[kind]), [to_new_row(record) for record in mine]
                )
            except IntegrityError as error:
                raise Conflict(_why_not_added(kind, mine, error)) from error
            if kind in SET_UP:
                self.set_up.note_added(mine)
            await self._changed(kind)

    async def change(self, *records: Any) -> None:
        """Update records. Raises `NotFound`."""
        for record in records:
            kind, values = type(record), to_row(record)
            before = None
            if kind in SET_UP:
                before = await self.peek(kind, _key(record))

            if kind is TrackingNumber:
                # only changed by leases: an older value would free a number taken since
                del values["free_at"]
            done = await self.connection.execute(
                _changing(TABLES[kind]), {"key_": _key(record), **values}
            )
            if done.rowcount == 0:
                raise NotFound(f"There is no {_name(kind)} '{_key(record)}'.")
            if before is not None:
                self.set_up.note(before, record)
            await self._changed(kind)

    async def change_values(self, kind: type[Any], key: str, **values: Any) -> None:
        """Update some values of a record, without touching others."""
        table = TABLES[kind]
        await self.connection.execute(
            update(table).where(key_column(table) == key).values(**values)
        )

    async def remove(self, kind: type[Any], key: str) -> None:
        """Remove a record. Raises `NotFound`, and `Conflict` while something uses it."""
        before = None
        if kind in SET_UP:
            before = await self.peek(kind, key)

        try:
            done = await self.connection.execute(
                delete(TABLES[kind]).where(key_column(TABLES[kind]) == key)
            )
        except IntegrityError as error:
            raise Conflict(
                f"The {_name(kind)} '{key}' is still in use: change what uses it first."
            ) from error
        if done.rowcount == 0:
            raise NotFound(f"There is no {_name(kind)} '{key}'.")
        if before is not None:
            self.set_up.note(before, None)
        await self._changed(kind)

    async def _changed(self, kind: type[Any]) -> None:
        if kind in _CONFIGURATION:
            await count_up(self.connection, COUNTER)


# Frequent statements are built once: building one costs more than executing it.


@cache
def _by_key(table: Table) -> Select[Any]:
    return select(table).where(key_column(table) == bindparam("key"))


@cache
def _inserting(table: Table) -> Insert:
    if table in DERIVED:
        return insert(table).values(DERIVED[table])
    return insert(table)


@cache
def _changing(table: Table) -> Update:
    return update(table).where(key_column(table) == bindparam("key_"))


@cache
def _by_values(table: Table, names: tuple[str, ...]) -> Select[Any]:
    return (
        select(table)
        .where(*(table.c[name] == bindparam(name) for name in names))
        .order_by(key_column(table))
    )


def _why_not_added(kind: type[Any], records: Sequence[Any], error: IntegrityError) -> str:
    names = ", ".join(f"'{_key(record)}'" for record in records[:3])
    if "foreign key" in str(error.orig).lower():
        return f"The {_name(kind)} {names} refers to something that does not exist."
    return f"The {_name(kind)} {names} already exists."


def _name(kind: type[Any]) -> str:
    if kind is TrackingNumber:
        return "number"
    return kind.__name__.lower()


def _key(record: Any) -> Any:
    return getattr(record, key_column(TABLES[type(record)]).name)
