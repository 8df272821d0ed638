"""Ids of records: UUIDv7 (RFC 9562) as 32 hexadecimal digits, which sort by the time they begin
with.

They cannot be guessed: after the counter each has 62 random bits. Older ids have the same time in
front and no version; both kinds sort together.
"""

import hashlib
import secrets
from datetime import datetime
from threading import Lock

_STEP_BACK = 1000  # ms by which a moment may lie before that of the last id and still follow it
_LARGEST_COUNTER = 0xFFF

_lock = Lock()
_last = (0, 0)  # the time in ms and the counter of this process's last id


def new_id(now: datetime) -> str:
    """An id of this moment, greater than those that this process made before; a clock that was set
    back by more than a second is followed.
    """
    ms, counter = _next(max(0, int(now.timestamp() * 1000)))
    return f"{ms:012x}7{counter:03x}{0b10 << 62 | secrets.randbits(62):016x}"


def id_within(other: str, key: str) -> str:
    """The id of what this key names within the record of another id: the same each time. It begins
    with the other's time, and is a UUIDv8.
    """
    digest = hashlib.sha256(f"{other}\n{key}".encode()).hexdigest()
    return f"{other[:12]}8{digest[:3]}8{digest[3:18]}"


def earliest(moment: datetime) -> str:
    """What ids of this moment and later ones are greater than, and earlier ones less."""
    return f"{int(moment.timestamp() * 1000):012x}"


def _next(ms: int) -> tuple[int, int]:
    global _last
    with _lock:
        last_ms, counter = _last
        if not last_ms - _STEP_BACK <= ms <= last_ms:
            _last = ms, secrets.randbits(11)
        elif counter < _LARGEST_COUNTER:
            _last = last_ms, counter + 1
        else:
            _last = last_ms + 1, 0
        return _last
