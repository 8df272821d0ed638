"""The user that the embedded Asterisk runs as where `ringtrace run` is started as root: never root,
if that can be.

SIP parsers are attacked daily. A user `asterisk` or `ringtrace` of this machine is taken, else a
number that nothing else has: no account is made. It owns Asterisk's own directories and the spool,
and can read nothing else of the home.
"""

import hashlib
import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAMES = ("asterisk", "ringtrace")
NUMBERS = range(61_184, 65_520)  # systemd's range for users that have no account


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user and its group, by number."""

    uid: int
    gid: int


def choose_user(home: Path) -> User:
    """The user that belongs to this home."""
    for name in NAMES:
        try:
            known = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(uid=known.pw_uid, gid=known.pw_gid)
    digest = hashlib.sha256(str(home).encode()).digest()
    number = NUMBERS[int.from_bytes(digest[:4]) % len(NUMBERS)]
    return User(uid=number, gid=number)


def first_closed(paths: Iterable[Path]) -> Path | None:
    """The first directory on the way to one of these that other users may not enter; None: all are
    open.
    """
    for path in paths:
        for directory in reversed(path.resolve().parents):
            if directory.exists() and not directory.stat().st_mode & stat.S_IXOTH:
                return directory
    return None


def hand_over(directories: Iterable[Path], user: User) -> None:
    """Give these directories and all in them to the user; links are given themselves, not what they
    lead to.
    """
    for directory in filter(os.path.isdir, directories):
        _give(str(directory), user)
        for parent, below, names in os.walk(directory):
            for name in (*below, *names):
                _give(os.path.join(parent, name), user)


def _give(path: str, user: User) -> None:
    known = os.lstat(path)
    if (known.st_uid, known.st_gid) != (user.uid, user.gid):
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
