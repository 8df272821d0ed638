"""Parts of a file by HTTP's `Range` (RFC 9110 §14): one range of bytes, which is all that players
ask for.
"""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII)


class Unsatisfiable(Exception):
    """The range lies beyond the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Bytes `start` up to and including `last` of `total`."""

    start: int
    last: int
    total: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.start + 1

    @property
    def content_range(self) -> str:
        """The header of the answer."""
        return f"bytes {self.start}-{self.last}/{self.total}"


def read_range(header: str | None, total: int) -> Part | None:
    """The part asked for, or None for the whole: no range, several, or one that is malformed.

    Raises `Unsatisfiable` when it begins beyond the end.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":  # the last so many bytes
        start, end = max(0, total - int(last)), total - 1
    else:
        start, end = int(first), min(int(last or total), total - 1)
    if last and first and int(last) < int(first):
        return None
    if start >= total:
        raise Unsatisfiable
    return Part(start=start, last=end, total=total)
