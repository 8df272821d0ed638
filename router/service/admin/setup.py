"""What the administrator sets up: sites, destinations, pools, numbers and webhooks."""

import asyncio
import codecs
import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from router.domain.calls.transcript import TranscriptionRule
from router.domain.calls.word_list import WordList
from router.domain.delivery.codes import SendingCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Webhook
from router.domain.delivery.outcome import Outcome
from router.domain.phone import parse_number
from router.domain.visitors.site import Destination, NumberKind, Pool, Site, TrackingNumber
from router.errors import Conflict, InvalidInput, RingtraceError
from router.service.delivery.connections import give_up
from router.service.ports import Session, Store

Thing = TypeVar(
    "Thing", Site, Destination, Pool, TrackingNumber, Webhook, TranscriptionRule, WordList
)


async def list_all(store: Store, kind: type[Thing], **equal: Any) -> list[Thing]:
    """All sites, destinations, pools, numbers or webhooks, ordered by key."""
    async with store.read() as session:
        return await session.find(kind, **equal)


async def get_one(store: Store, kind: type[Thing], key: str) -> Thing:
    """One of them. Raises `NotFound`."""
    async with store.read() as session:
        return await session.get(kind, key)


async def add(store: Store, thing: Thing) -> Thing:
    """Add an object. Raises `Conflict` if its key is taken, `InvalidInput` if it refers to a
    missing one.
    """
    async with store.write() as session:
        await _check_references(session, thing)
        if isinstance(thing, Webhook) and await session.peek(Connection, thing.id) is not None:
            raise Conflict(
                f"A connection is already called '{thing.id}': names of receivers must be unique."
            )
        if isinstance(thing, TrackingNumber):
            thing = await _as_leased(session, thing)
        await session.add(thing)
    return thing


async def change(store: Store, thing: Thing) -> Thing:
    """Store a changed object. Raises `NotFound`."""
    async with store.write() as session:
        await _check_references(session, thing)
        await session.change(thing)
    return thing


async def keep_words(store: Store, wanted: WordList) -> WordList:
    """Add a word list, or change the one with its key. Raises `InvalidInput`."""
    async with store.write() as session:
        await _check_references(session, wanted)
        known = await session.peek(WordList, wanted.id)
        if known is None:
            await session.add(wanted)
            return wanted
        changed = replace(wanted, created_at=known.created_at)
        await session.change(changed)
    return changed


async def remove(store: Store, kind: type[Thing], key: str, *, force: bool = False) -> int:
    """Remove an object; returns how many pending deliveries of a webhook failed. Raises `NotFound`,
    and `Conflict` while it is in use. `force` removes a webhook with pending deliveries.
    """
    async with store.write() as session:
        await session.remove(kind, key)
        if kind is not Webhook:
            return 0
        reason = Outcome.of(SendingCode.WEBHOOK_REMOVED, receiver=key)
        return await give_up(session, key, reason, force=force)


async def _as_leased(session: Session, number: TrackingNumber) -> TrackingNumber:
    """The number with the lease of its last visitor, if it existed before: their page may still
    show it.
    """
    last = await session.leases.find(number=number.e164, limit=1)
    if not last:
        return number
    return replace(number, free_at=max(number.free_at, *(lease.ends_at for lease in last)))


async def _check_references(session: Session, thing: Thing) -> None:
    kinds: dict[str, type[Any]] = {"site_id": Site, "destination_id": Destination, "pool_id": Pool}
    for name, kind in kinds.items():
        key = getattr(thing, name, None)
        if key is not None and await session.peek(kind, key) is None:
            raise InvalidInput(f"there is no {kind.__name__.lower()} '{key}': add it first")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A bad line of a CSV file."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """The result of an import."""

    added: tuple[TrackingNumber, ...]
    bad: tuple[BadLine, ...]


async def import_numbers(
    store: Store, text: str, *, site_id: str, now: datetime, partly: bool = False
) -> Import:
    """Add the numbers of a CSV: number, kind or pool, destination, channel (a header line names the
    columns).

    All or none, unless `partly`: then the good lines are added and the bad ones reported.
    """
    async with store.read() as session:
        site = await session.get(Site, site_id)
        known = {
            "number": {number.e164 for number in await session.find(TrackingNumber)},
            "pool": {pool.id for pool in await session.find(Pool, site_id=site_id)},
            "destination": {destination.id for destination in await session.find(Destination)},
            "file": set(),
        }
    # a large file takes seconds to read: let other requests run
    added, bad = await asyncio.to_thread(_read_numbers, text, site, known, now)
    if bad and not partly:
        return Import(added=(), bad=tuple(bad))
    async with store.write() as session:
        added = [await _as_leased(session, number) for number in added]
        await session.add(*added)
    return Import(added=tuple(added), bad=tuple(bad))


def read_text(data: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 as spreadsheets save "Unicode text". Raises
    `UnicodeDecodeError`.
    """
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if utf16 else "utf-8-sig")


MOST_LINES = 20_000  # of one import


def _read_numbers(
    text: str, site: Site, known: dict[str, set[str]], now: datetime
) -> tuple[list[TrackingNumber], list[BadLine]]:
    """Read the numbers of a CSV, and its bad lines."""
    added: list[TrackingNumber] = []
    bad: list[BadLine] = []

    for line, row in _rows(text):
        if len(added) + len(bad) >= MOST_LINES:
            raise InvalidInput(f"the file has more than {MOST_LINES} lines: import it in parts")
        try:
            added.append(_number(row, site, known, now))
        except RingtraceError as error:
            shown = ",".join(map(str, row.values()))[:120]
            bad.append(BadLine(line=line, text=shown, reason=error.message))
    return added, bad


COLUMNS = ("number", "pool", "destination", "channel")


def _rows(text: str) -> Iterable[tuple[int, dict[str, str]]]:
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=delimiter, restkey="rest", restval=""
    )
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        if "number" not in names or set(names) - set(COLUMNS):
            raise InvalidInput(
                f"the first line must name columns of: {', '.join(COLUMNS)} (number is needed), "
                f"with these names; it is: {first.strip()[:80]!r}"
            )
        reader.fieldnames = names
        for row in reader:
            # sheets end in empty rows
            if any("".join(cell or "").strip() for cell in row.values()):
                yield reader.line_num, row
    except csv.Error as error:
        raise InvalidInput(f"line {reader.line_num} is not CSV: {error}") from error


def _number(
    row: dict[str, str], site: Site, known: dict[str, set[str]], now: datetime
) -> TrackingNumber:
    """The number of a row; it is known from then on."""
    if "rest" in row:
        raise InvalidInput("more fields than the first line names")
    cells = {name: (row.get(name) or "").strip() or None for name in COLUMNS}
    if cells["number"] is None:
        raise InvalidInput("the number is missing")
    for name in ("pool", "destination"):
        if cells[name] is not None and cells[name] not in known[name]:
            raise InvalidInput(f"site '{site.id}' has no {name} '{cells[name]}': add it first")
    kind = NumberKind.STATIC
    if cells["pool"]:
        kind = NumberKind.DYNAMIC

    number = TrackingNumber(
        e164=parse_number(cells["number"], site.region),
        site_id=site.id,
        kind=kind,
        pool_id=cells["pool"],
        destination_id=cells["destination"],
        channel=cells["channel"],
        free_at=now,
        created_at=now,
    )
    if number.e164 in known["number"]:
        raise InvalidInput(f"{number.e164} already exists")
    if number.e164 in known["file"]:
        raise InvalidInput(f"{number.e164} is in the file twice")
    known["file"].add(number.e164)
    return number
