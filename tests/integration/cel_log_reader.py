"""A reader of CEL logs for tests, and what is written for it to read."""

import bz2
import gzip
import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.asterisk.cel_log import Batch, CelLog
from router.domain.calls.ledger import Row
from router.service.calls.ports import Cursor, RejectedRow
from tests.support.builders import Story, answered_call, later

CALL = answered_call()


class Reader:
    """Reads a CEL log as the agent does, and remembers what it saw."""

    def __init__(self, path: Path, chunk: int = 64 * 1024) -> None:
        self.cel_log = CelLog(path, chunk)
        self.cursor: Cursor | None = None
        self.rows: list[Row] = []
        self.rejected: list[RejectedRow] = []

    def step(self) -> Batch | None:
        batch = self.cel_log.read(self.cursor)
        if batch:
            self.cursor = batch.cursor
            self.rows += batch.rows
            self.rejected += batch.rejected
        return batch

    def read(self) -> list[Row]:
        """Read all there is; what was new."""
        before = len(self.rows)
        for _ in range(100_000):
            if self.step() is None:
                return self.rows[before:]
        raise AssertionError("the reader goes on for ever")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cel.csv"


@pytest.fixture
def reader(path: Path) -> Reader:
    return Reader(path)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def stories(count: int) -> Iterator[Story]:
    return (answered_call(10 * i, at=later(100 * i)) for i in range(count))


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def shift(path: Path, suffix: str) -> None:
    """As logrotate with `compress` and without `delaycompress`."""
    for number in range(9, 0, -1):
        old = Path(f"{path}.{number}{suffix}")
        if old.exists():
            old.rename(f"{path}.{number + 1}{suffix}")
    Path(f"{path}.1{suffix}").write_bytes(PACKERS[suffix](path.read_bytes()))
    path.unlink()
