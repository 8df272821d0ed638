"""Chooses the user of the embedded Asterisk if `ringtrace run` is started as root, because SIP
parsers are attacked daily. It is `asterisk` or `ringtrace` if the machine has one, otherwise an
unused ID; no account is created. It owns Asterisk's directories and the spool, and can read
nothing else in the home.
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
    """Choose the user for this home."""
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
    """The first parent directory that other users cannot enter; None if all are open."""
    for path in paths:
        for directory in reversed(path.resolve().parents):
            if directory.exists() and not directory.stat().st_mode & stat.S_IXOTH:
                return directory
    return None


def hand_over(directories: Iterable[Path], user: User) -> None:
    """Change the owner of these directories recursively, without following links."""
    for directory in filter(os.path.isdir, directories):
        _give(str(directory), user)
        for parent, below, names in os.walk(directory):
            for name in (*below, *names):
                _give(os.path.join(parent, name), user)


def _give(path: str, user: User) -> None:
    known = os.lstat(path)
    if (known.st_uid, known.st_gid) != (user.uid, user.gid):
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
