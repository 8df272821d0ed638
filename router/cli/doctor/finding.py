"""Findings of doctor, and the case that checks examine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from router import asterisk_setup
from router.asterisk.process import Console
from router.config import Settings
from router.secrets import Secrets
from router.store.engine import SqlStore


class Level(StrEnum):
    """Severity."""

    OK = "ok"
    WARN = "warn"  # calls work, but an administrator should look
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of output."""

    name: str
    level: Level
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the checks examine."""

    settings: Settings
    store: SqlStore
    secrets: Secrets | None  # None before the first start

    def console(self) -> Console:
        """Asterisk's console; opened only if Asterisk is installed, because searching may download
        it.
        """
        return asterisk_setup.console(self.settings)


# `ringtrace prepare` is refused while `ringtrace run` runs, which prepares everything when it
# starts.
PREPARE = (
    "Restart `ringtrace run`, or run `ringtrace prepare` if each process is a separate service"
)

Check = Callable[[Case], Awaitable[Finding | list[Finding]]]


def ok(name: str, found: str) -> Finding:
    """The check passed."""
    return Finding(name=name, level=Level.OK, found=found)


def warn(name: str, found: str, fix: str) -> Finding:
    """A warning."""
    return Finding(name=name, level=Level.WARN, found=found, fix=fix)


def fail(name: str, found: str, fix: str) -> Finding:
    """A failure."""
    return Finding(name=name, level=Level.FAIL, found=found, fix=fix)
