"""One transaction: reading and writing records."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Executable,
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
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Webhook
from router.domain.delivery.receiver_kind import ReceiverKinds
from router.domain.visitors.site import Destination, Pool, Site, TrackingNumber
from router.errors import Conflict, NotFound
from router.service.admin.changes import SET_UP, Changes
from router.store import tables
from router.store.calls import Calls
from router.store.cel_log import CelLog
from router.store.direct import DirectConnection
from router.store.evidence import EvidenceKept
from router.store.failures import explained
from router.store.late import LateEvidenceKept
from router.store.leases import Leases
from router.store.mail import Mails
from router.store.records import (
    DERIVED,
    MOST_KEYS,
    TABLES,
    batched,
    from_row,
    key_column,
    rows_among,
    to_new_row,
    to_row,
)
from router.store.reports import Reports
from router.store.retention import Retention
from router.store.visits import Visits
from router.store.work import Work

Record = TypeVar("Record")

_CONFIGURATION = (Site, Destination, Pool, TrackingNumber, Webhook, Connection)


class SqlSession(
    Calls, CelLog, EvidenceKept, LateEvidenceKept, Leases, Mails, Reports, Retention, Visits, Work
):
    """The `Session` of `router.service.ports`."""

    def __init__(
        self, connection: AsyncConnection | DirectConnection, receiver_kinds: ReceiverKinds
    ) -> None:
        self.connection, self.receiver_kinds = connection, receiver_kinds
        self._undoing: list[Callable[[], None]] = []
        self.set_up = Changes()

    def if_undone(self, do: Callable[[], None]) -> None:
        """Have this done when nothing of the transaction is kept, for what memory has counted in
        it.
        """
        self._undoing.append(do)

    def undone(self) -> None:
        """Nothing of the transaction was kept."""
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
                raise
            await self.connection.exec_driver_sql("RELEASE SAVEPOINT part")

    async def get(self, kind: type[Record], key: str) -> Record:
        """The record of this key. Raises `NotFound`."""
        record = await self.peek(kind, key)
        if record is None:
            raise NotFound(f"There is no {_name(kind)} '{key}' here.")
        return record

    async def peek(self, kind: type[Record], key: str) -> Record | None:
        """The record of this key, if there is one."""
        row = (await self.connection.execute(_by_key(TABLES[kind]), {"key": key})).first()
        return from_row(kind, row) if row else None

    async def get_many(self, kind: type[Record], keys: Collection[str]) -> dict[str, Record]:
        """The records of these keys, those that are there."""
        found: dict[str, Record] = {}
        table, column = TABLES[kind], key_column(TABLES[kind])
        for some in batched(keys, MOST_KEYS):
            rows = await self.connection.execute(rows_among(table, column.name), {"keys": some})
            found |= {row._mapping[column]: from_row(kind, row) for row in rows}
        return found

    async def find(self, kind: type[Record], /, **equal: Any) -> list[Record]:
        """All records with these values, ordered by key."""
        rows = await self.connection.execute(_by_values(TABLES[kind], tuple(equal)), equal)
        return [from_row(kind, row) for row in rows]

    async def add(self, *records: Any) -> None:
        """Write new records. Raises `Conflict` when a key is taken, or something they name is not
        there.
        """
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
        """Write changed records. Raises `NotFound`."""
        for record in records:
            kind, values = type(record), to_row(record)
            before = await self.peek(kind, _key(record)) if kind in SET_UP else None
            if kind is TrackingNumber:
                # moved by leases alone: whoever read it before would free a number taken since
                del values["free_at"]
            done = await self.connection.execute(
                _changing(TABLES[kind]), {"key_": _key(record), **values}
            )
            if done.rowcount == 0:
                raise NotFound(f"There is no {_name(kind)} '{_key(record)}' here.")
            if before is not None:
                self.set_up.note(before, record)
            await self._changed(kind)

    async def change_values(self, kind: type[Any], key: str, **values: Any) -> None:
        """Change some values of a record and leave the others as they are, whoever changed those
        meanwhile.
        """
        table = TABLES[kind]
        await self.connection.execute(
            update(table).where(key_column(table) == key).values(**values)
        )

    async def remove(self, kind: type[Any], key: str) -> None:
        """Remove a record. Raises `NotFound`, and `Conflict` while something uses it."""
        before = await self.peek(kind, key) if kind in SET_UP else None
        try:
            done = await self.connection.execute(
                delete(TABLES[kind]).where(key_column(TABLES[kind]) == key)
            )
        except IntegrityError as error:
            raise Conflict(
                f"The {_name(kind)} '{key}' is still in use: change what uses it first."
            ) from error
        if done.rowcount == 0:
            raise NotFound(f"There is no {_name(kind)} '{key}' here.")
        if before is not None:
            self.set_up.note(before, None)
        await self._changed(kind)

    def note_secret(self, record: Any, name: str) -> None:
        """Have the log say that a secret of this record was replaced, which the database does not
        keep.
        """
        self.set_up.note_secret(record, name)

    async def configuration_revision(self) -> int:
        """Grows whenever sites, destinations, pools, numbers or webhooks change."""
        return await self._counter("configuration")

    async def _changed(self, kind: type[Any]) -> None:
        if kind in _CONFIGURATION:
            await self._count("configuration")

    # What the parts share

    async def _upsert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None:
        """Insert or replace, many rows in one statement."""
        if rows:
            await self.connection.execute(
                _upserting(table, self.connection.dialect.name), list(rows)
            )

    async def _add_absent(self, table: Any, row: dict[str, Any]) -> None:
        """Insert, unless another process has just done so."""
        dialect = sqlite if self.connection.dialect.name == "sqlite" else postgresql
        await self.connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())

    async def _counter(self, name: str) -> int:
        return (await self.connection.execute(_COUNTER, {"counter": name})).scalar() or 0

    async def _hold(self, name: str) -> None:
        """Let nobody else count until the transaction ends; on SQLite nobody could."""
        await self.connection.execute(_HOLDING, {"counter": name})

    async def _count(self, name: str) -> int:
        """Count up; whoever counts waits for the other writers, so numbers are in the order of
        commits.
        """
        return int((await self.connection.execute(_COUNTING, {"counter": name})).scalar_one())


_NAMED = tables.counter.c.name == bindparam("counter")
_COUNTER = select(tables.counter.c.value).where(_NAMED)
_HOLDING = _COUNTER.with_for_update()
_COUNTING = (
    update(tables.counter)
    .where(_NAMED)
    .values(value=tables.counter.c.value + 1)
    .returning(tables.counter.c.value)
)


# Hot statements are built once: building one costs more than carrying it out.


@cache
def _by_key(table: Table) -> Select[Any]:
    return select(table).where(key_column(table) == bindparam("key"))


@cache
def _inserting(table: Table) -> Insert:
    return insert(table).values(DERIVED[table]) if table in DERIVED else insert(table)


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


@cache
def _upserting(table: Table, dialect: str) -> Executable:
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    derived = DERIVED.get(table, {})
    if derived:
        statement = statement.values(derived)
    keys = [column.name for column in table.primary_key.columns]
    others = {
        c.name: statement.excluded[c.name] for c in table.c if c.name not in {*keys, *derived}
    }
    whole: Executable = (
        statement.on_conflict_do_update(index_elements=keys, set_=others)
        if others
        else statement.on_conflict_do_nothing()
    )
    return whole


def _why_not_added(kind: type[Any], records: Sequence[Any], error: IntegrityError) -> str:
    names = ", ".join(f"'{_key(record)}'" for record in records[:3])
    if "foreign key" in str(error.orig).lower():
        return f"The {_name(kind)} {names} names something that is not here."
    return f"The {_name(kind)} {names} is here already."


def _name(kind: type[Any]) -> str:
    return "number" if kind is TrackingNumber else kind.__name__.lower()


def _key(record: Any) -> Any:
    return getattr(record, key_column(TABLES[type(record)]).name)
