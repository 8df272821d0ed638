"""What a check found, and what it looked at."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from router import asterisk_setup
from router.asterisk.process import Console
from router.config import Settings
from router.secrets import Secrets
from router.store.engine import SqlStore


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # calls go on; somebody should look
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor."""

    name: str
    level: Level
    found: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the checks look at."""

    settings: Settings
    store: SqlStore
    secrets: Secrets | None  # None before the first start

    def console(self) -> Console:
        """Asterisk's console; asked for only once an Asterisk was found, because looking for one
        may fetch it.
        """
        return asterisk_setup.console(self.settings)


# `ringtrace prepare` is refused while `ringtrace run` runs, which prepares everything when it
# starts.
PREPARE = (
    "Restart `ringtrace run`, or run `ringtrace prepare` where each part is a service of its own"
)

Check = Callable[[Case], Awaitable[Finding | list[Finding]]]


def ok(name: str, found: str) -> Finding:
    """All is well."""
    return Finding(name=name, level=Level.OK, found=found)


def warn(name: str, found: str, mend: str) -> Finding:
    """Somebody should look."""
    return Finding(name=name, level=Level.WARN, found=found, mend=mend)


def fail(name: str, found: str, mend: str) -> Finding:
    """Something does not work."""
    return Finding(name=name, level=Level.FAIL, found=found, mend=mend)
