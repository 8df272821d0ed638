"""A CEL log of any length out of three real calls: answered, busy and abandoned, as Asterisk 22
wrote them.

Uniqueids, times, numbers and bridges are made for each call; the calls overlap, as they do in
life.
"""

import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

SAMPLE = Path(__file__).parent / "cel_sample.csv"
KINDS = (0, 0, 0, 1, 0, 0, 2, 0, 0, 2)  # of ten calls: seven answered, one busy, two abandoned
SECONDS_BETWEEN = 6.0  # 100,000 calls in a week
_STRETCH = 20.0  # the sample's calls are short


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One real call: for each row the seconds since the first one, and the row with places to fill
    in.
    """

    rows: tuple[tuple[float, str], ...]

    @classmethod
    def read(cls, lines: Sequence[str]) -> Self:
        """From the lines of one call, the first of which names it."""
        _, time, uniqueid, *_ = (field.strip('"') for field in lines[0].split(","))
        began, stem = float(time), uniqueid.rpartition(".")[0]
        rows = []
        for line in lines:
            at = line.split('"')[3]
            text = line.replace("%", "%%").replace(f'"{at}"', '"%(at)s"')
            text = text.replace(f"{stem}.0", "%(caller_leg)s").replace(
                f"{stem}.1", "%(company_leg)s"
            )
            text = text.replace("74950000000", "%(did)s").replace("+79161234567", "%(number)s")
            text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "%(bridge)s", text)
            text = re.sub(r"(bench-(?:carrier|company))-0000000[01]", r"\1-%(channel)s", text)
            rows.append((float(at) - began, text))
        return cls(rows=tuple(rows))

    def call(self, n: int, began: float, did: str) -> list[tuple[float, int, int, str]]:
        """The rows of call `n`: moment, call, place in the call, text."""
        values = {
            "caller_leg": f"rt1-{int(began)}.{2 * n}",
            "company_leg": f"rt1-{int(began)}.{2 * n + 1}",
            "did": did,
            "number": f"+7916{n % 10_000_000:07}",
            "bridge": f"{n:08x}-0000-4000-8000-{n:012x}",
            "channel": f"{n:08x}",
        }
        rows = []
        for place, (offset, text) in enumerate(self.rows):
            at = began + offset * _STRETCH
            rows.append((at, n, place, text % {**values, "at": f"{at:.6f}"}))
        return rows


def write_cel_log(path: Path, calls: int, dids: Sequence[str], ends: datetime) -> None:
    """Write `calls` calls to `dids` in turn, the last of which ends about `ends`."""
    patterns = _patterns(SAMPLE.read_text().splitlines())
    first = ends.timestamp() - (calls + 20) * SECONDS_BETWEEN
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        file.writelines(f"{row}\n" for row in _rows(patterns, calls, dids, first))


def _patterns(lines: Sequence[str]) -> list[Pattern]:
    calls: dict[str, list[str]] = {}
    for line in lines:
        calls.setdefault(line.split('"')[7], []).append(line)
    return [Pattern.read(rows) for rows in calls.values()]


def _rows(
    patterns: Sequence[Pattern], calls: int, dids: Sequence[str], first: float
) -> Iterator[str]:
    waiting: list[tuple[float, int, int, str]] = []
    for n in range(calls):
        began = first + n * SECONDS_BETWEEN
        while waiting and waiting[0][0] < began:
            yield heapq.heappop(waiting)[3]
        for row in patterns[KINDS[n % len(KINDS)]].call(n, began, dids[n * 7 % len(dids)]):
            heapq.heappush(waiting, row)
    while waiting:
        yield heapq.heappop(waiting)[3]
