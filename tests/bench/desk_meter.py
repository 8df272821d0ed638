"""Processor time of the web process and of the database processes that work for it.

Times on the clock say little on a machine that others use too; processor time grows far less with
their load.
"""

import time
from dataclasses import dataclass
from pathlib import Path

QUIET = 0.004  # seconds without work after which a process is idle
LONGEST_WAIT = 2.0  # seconds
_NANOSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads the scheduler's own figures, which are exact to the nanosecond."""

    web: int  # process id
    postgres: int | None  # of the server whose children are the connections

    def milliseconds(self) -> float:
        """What has been used so far."""
        processes = [self.web, *_connections(self.postgres)]
        return sum(map(_used, processes)) / _NANOSECONDS

    def settled(self) -> float:
        """The same, as soon as nothing works any more."""
        ends, used = time.monotonic() + LONGEST_WAIT, self.milliseconds()
        while time.monotonic() < ends:
            time.sleep(QUIET)
            before, used = used, self.milliseconds()
            if used - before < 0.2:
                break
        return used


def _used(process: int) -> int:
    total = 0
    for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
        try:
            total += int(thread.read_text().split()[0])
        except OSError:  # it has just ended
            continue
    return total


def _connections(postgres: int | None) -> list[int]:
    """PostgreSQL's processes that answer clients; readers have no parallel workers."""
    if postgres is None:
        return []
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == postgres and b"tests desk" in (stat.parent / "cmdline").read_bytes():
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found
