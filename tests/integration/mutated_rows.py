"""CEL rows as no Asterisk writes them: what calls write, doubled, torn, out of order, of any year,
binary, huge.

`python -m tests.integration.mutated_rows 100000` learns so many of them (`make mutated-rows`), less
than a minute.
"""

import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from router.asterisk.cel_log import CelLog
from router.domain.calls.call import Call, State
from router.service.calls.ingest import CallIngest
from router.service.calls.routing import load_table
from router.store.engine import SqlStore
from router.store.migrate import migrate
from tests.support.builders import (
    Clock,
    Story,
    answered_call,
    furnish,
    later,
    line,
    lines,
    missed_call,
)

CALLS_AT_ONCE = 6
YEARS = (
    "0.000000",
    "99999999999.999999",
    "253402300800.000000",
    "-1.000000",
    "1e9.000000",
    "١٢٣.000000",
)

EVENTS = (
    "RINGTRACE_CALL",
    "RINGTRACE_END",
    "LINKEDID_END",
    "CHAN_END",
    "BRIDGE_ENTER",
    "ATTENDEDTRANSFER",
)
LETTERS = ("\0", "\ufffe", "a\u2028b", "\x1b[2J", "😀" * 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What came of it."""

    rows: int
    set_aside: int
    seconds: float


def mutated(seed: int, most: int) -> Iterator[bytes]:
    """Parts of a CEL log, together at least `most` rows."""
    dice, serial, written = random.Random(seed), 0, 0
    while written < most:
        stories = []
        for _ in range(CALLS_AT_ONCE):
            serial += 10
            make = dice.choice((answered_call, missed_call))
            stories.append(make(serial, at=later(serial)))
        rows = _mixed(dice, stories)
        written += len(rows)
        yield b"".join(rows)


def _mixed(dice: random.Random, stories: list[Story]) -> list[bytes]:
    plain = [line(row) for story in stories for row in story.rows]
    names = [story.linkedid for story in stories]
    rows = [_mutate(dice, text, names) for text in plain]
    for _ in range(dice.randrange(4)):
        at, other = dice.randrange(len(rows)), dice.randrange(len(rows))
        rows[at], rows[other] = rows[other], rows[at]
    for _ in range(dice.randrange(4)):
        rows.insert(dice.randrange(len(rows)), dice.choice(rows))
    return rows


def _mutate(dice: random.Random, text: str, names: list[str]) -> bytes:
    if dice.random() < 0.6:
        return text.encode()
    return dice.choice(DAMAGES)(dice, text, names)


def _torn(dice: random.Random, text: str, _names: list[str]) -> bytes:
    return text.encode()[: dice.randrange(len(text))]


def _joined_to_the_next(_dice: random.Random, text: str, _names: list[str]) -> bytes:
    return text.rstrip("\n").encode()


def _wrong_bytes(dice: random.Random, text: str, _names: list[str]) -> bytes:
    data = bytearray(text.encode())
    for _ in range(dice.randrange(1, 6)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


def _of_another_year(dice: random.Random, text: str, _names: list[str]) -> bytes:
    event, _, rest = text.split(",", 2)
    return f'{event},"{dice.choice(YEARS)}",{rest}'.encode()


def _of_another_call(dice: random.Random, text: str, names: list[str]) -> bytes:
    for name in names:
        text = text.replace(f'"{name}"', f'"{dice.choice(names)}"', 1)
    return text.encode()


def _another_event(dice: random.Random, text: str, _names: list[str]) -> bytes:
    rest = text.partition(",")[2]
    return f'"{dice.choice(EVENTS)}",{rest}'.encode()


def _huge(dice: random.Random, text: str, _names: list[str]) -> bytes:
    return text.replace("Visitor", "x" * dice.choice((3_000, 70_000)), 1).encode()


def _binary(dice: random.Random, _text: str, _names: list[str]) -> bytes:
    return dice.randbytes(dice.randrange(1, 300)) + b"\n"


def _letters_that_no_database_keeps(dice: random.Random, text: str, _names: list[str]) -> bytes:
    return text.replace("Visitor", dice.choice(LETTERS), 1).encode()


def _json_that_is_none_or_deep(dice: random.Random, text: str, _names: list[str]) -> bytes:
    return text.replace("{", dice.choice(("{" * 2_000, "[", "{{", '{""a"":')), 1).encode()


def _other_punctuation(dice: random.Random, text: str, _names: list[str]) -> bytes:
    return text.replace(
        dice.choice('",=&'), dice.choice("\"',;=&\r"), dice.randrange(1, 4)
    ).encode()


DAMAGES = (
    _torn,
    _joined_to_the_next,
    _wrong_bytes,
    _of_another_year,
    _of_another_call,
    _another_event,
    _huge,
    _binary,
    _letters_that_no_database_keeps,
    _json_that_is_none_or_deep,
    _other_punctuation,
)


async def learn_mutated(store: SqlStore, directory: Path, seed: int, most: int) -> Learned:
    """Read and learn such a log, with a good call behind each part, which must be known. The store
    is empty.
    """
    began = time.monotonic()
    await furnish(store)
    async with store.read() as session:
        table = await load_table(session)
    clock = Clock(datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(days=1))
    call_ingest, cel_log = (
        CallIngest(store, lambda: table, clock),
        CelLog(directory / "cel.csv"),
    )
    good: list[Story] = []
    for count, part in enumerate(mutated(seed, most)):
        good.append(answered_call(5_000_000 + 10 * count, at=later(50_000 + count)))
        with cel_log.path.open("ab") as file:
            file.write(part + b"\n" + lines(good[-1].rows))
        if count % 8 == 7:
            await _ingest(call_ingest, cel_log)
            await call_ingest.close_silent(frozenset())
    with cel_log.path.open("ab") as file:
        file.write(lines(answered_call(9_000_000, at=later(80_000)).rows))
    await _ingest(call_ingest, cel_log)
    async with store.read() as session:
        known = await session.get_many(Call, [story.linkedid for story in good])
        aside = await session.connection.exec_driver_sql("SELECT count(*) FROM rejected_row")
        rejected = int(aside.scalar() or 0)
    lost = [story.linkedid for story in good if known[story.linkedid].state is not State.ENDED]
    assert lost == [], f"seed {seed}: calls that were not learned: {lost[:5]}"
    return Learned(rows=most, set_aside=rejected, seconds=time.monotonic() - began)


async def _ingest(call_ingest: CallIngest, cel_log: CelLog) -> None:
    await call_ingest.ready()
    while batch := cel_log.read(call_ingest.cursor):
        await call_ingest.ingest(batch.rows, batch.cursor, batch.rejected)


async def _main(most: int, seed: int) -> None:
    place = Path(tempfile.mkdtemp(prefix="ringtrace-mutated-"))
    store = SqlStore(f"sqlite+aiosqlite:///{place}/ringtrace.db")
    try:
        await migrate(store)
        print(await learn_mutated(store, place, seed, most))
    finally:
        await store.close()
        shutil.rmtree(place)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    asyncio.run(
        _main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6))
    )
