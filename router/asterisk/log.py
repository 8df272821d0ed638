"""Rotates the embedded Asterisk's log: any UDP packet can write a line to it, and nothing else
rotates it.
"""

import asyncio
from pathlib import Path

import structlog

from router.asterisk.process import Console
from router.errors import AsteriskUnavailable

log = structlog.get_logger()

EVERY = 10.0  # seconds
MOST_BYTES = 10_000_000  # of the file that Asterisk writes to
OLD_FILES = 4  # messages.0 is the youngest


async def bound_log(path: Path, console: Console) -> None:
    """Check the log's size until cancelled."""
    while True:
        await asyncio.sleep(EVERY)
        try:
            await look(path, console)
        except (AsteriskUnavailable, OSError) as error:
            log.warning("asterisk_log_not_rotated", reason=str(error))


async def look(path: Path, console: Console) -> None:
    """Rotate the file if it is too big, and remove old ones."""
    if _size(path) > MOST_BYTES:
        await console.run("logger rotate")
    _remove_old(path)


def _size(path: Path) -> int:
    if not path.exists():
        return 0
    return path.stat().st_size


def _remove_old(path: Path) -> None:
    for old in path.parent.glob(f"{path.name}.*"):
        if old.suffix[1:].isdigit() and int(old.suffix[1:]) >= OLD_FILES:
            old.unlink(missing_ok=True)
