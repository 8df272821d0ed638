"""The agent's answers to the dialplan, as files. Manager accounts need the right `call` for
`Setvar`, and with it they could read passwords, run programs and call out. So an answer is a
file named after the call, in a directory in memory that only Asterisk's user can enter. The
dialplan polls for it until its deadline. The file `heartbeat` says that the agent is answering.
"""

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from router.asterisk.files import make_directory
from router.atomic_file import write_whole
from router.errors import InvalidInput

HEARTBEAT, UNRECORDED = "heartbeat", "unrecorded"
KEPT_SECONDS = 60.0  # far longer than a deadline; late answers are removed too
_UNIQUEID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Answers:
    """Writes the files that the dialplan reads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, uniqueid: str, line: str) -> None:
        """Answer the route request of this call. Raises `InvalidInput` for a bad uniqueid, and
        OSError.
        """
        if not _UNIQUEID.fullmatch(uniqueid) or uniqueid in {HEARTBEAT, UNRECORDED}:
            raise InvalidInput(f"'{uniqueid[:70]}' is not a uniqueid")
        write_whole(self._directory / uniqueid, line, durable=False)  # a caller waits

    def remove(self, uniqueid: str) -> None:
        """Remove an answer that was read. Raises OSError."""
        (self._directory / uniqueid).unlink(missing_ok=True)

    def beat(self) -> None:
        """Touch the heartbeat, and remove old answers. Raises OSError."""
        make_directory(self._directory)
        _touch(self._directory / HEARTBEAT)
        oldest = time.time() - KEPT_SECONDS
        for path in self._directory.iterdir():
            with suppress(OSError):  # removed meanwhile, or not ours
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def leave_unrecorded(self) -> None:
        """Tell the dialplan not to record calls for the next seconds. Raises OSError."""
        make_directory(self._directory)
        _touch(self._directory / UNRECORDED)

    def record_again(self) -> None:
        """Tell the dialplan to record calls. The sign would be recent for too long after the clock
        was set back. Raises OSError.
        """
        (self._directory / UNRECORDED).unlink(missing_ok=True)

    def stop(self) -> None:
        """Remove the heartbeat."""
        with suppress(OSError):
            (self._directory / HEARTBEAT).unlink()


def _touch(sign: Path) -> None:
    """Touch a file; one of another user is replaced."""
    try:
        if sign.exists():
            os.utime(sign)
            return
    except PermissionError:
        pass
    write_whole(sign, "", durable=False)


def last_beat(directory: Path) -> float | None:
    """Time of the last heartbeat, in seconds since the epoch; None without one."""
    try:
        return (directory / HEARTBEAT).stat().st_mtime
    except OSError:
        return None
