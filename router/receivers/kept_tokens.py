"""Stores the token of a connection: in `secrets.json`, or in memory while a connection is being
tested.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from router.receivers.json_body import filled
from router.secrets import change_token, load_secrets

_LOOK = 0.05  # seconds between checks whether another process has finished
# parts of a token that renewals change, and parts that are not secret
FLEETING = frozenset({"access_token", "expires_at", "refresh_token", "renewal_began"})
OPEN = frozenset({"client_id", "expires_at", "redirect_uri", "renewal_began", "user_id"})


def secrets_of(token: Mapping[str, str]) -> list[str]:
    """The parts of a token that must not be shown."""
    return [text for name, text in token.items() if name not in OPEN]


def lasting(token: Mapping[str, str]) -> dict[str, str]:
    """The parts of a token that only a person changes."""
    return {name: text for name, text in token.items() if name not in FLEETING}


def fixed_token(token: Mapping[str, str]) -> str | None:
    """The token of a connection that does not log in as an OAuth app. Raises `KeyError`."""
    if "client_id" in token:
        return None
    return token["token"]


def bearer(token: str | None, scheme: str = "Bearer") -> dict[str, str]:
    """The header of a fixed token; without one, the client's `login` signs requests."""
    if not token:
        return {}
    return {"Authorization": f"{scheme} {token}"}


class KeptToken(Protocol):
    """The token of one connection."""

    def read(self) -> dict[str, str]:
        """The present token."""
        ...

    def change(self, changes: Mapping[str, str]) -> None:
        """Store these parts; an empty one is removed."""
        ...

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Hold the lock: no other process renews the token meanwhile."""
        ...


class TokenInMemory:
    """The token of a connection that is not saved yet."""

    def __init__(self, token: Mapping[str, str]) -> None:
        self._token, self._lock = dict(token), asyncio.Lock()

    def read(self) -> dict[str, str]:
        return dict(self._token)

    def change(self, changes: Mapping[str, str]) -> None:
        self._token = filled({**self._token, **changes})

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._lock:
            yield


class TokenInFile:
    """The token of a connection in `secrets.json`, shared by all processes."""

    def __init__(self, home: Path, connection_id: str) -> None:
        self._home, self._id = home, connection_id

    def read(self) -> dict[str, str]:
        return dict(load_secrets(self._home).tokens.get(self._id, {}))

    def change(self, changes: Mapping[str, str]) -> None:
        change_token(self._home, self._id, changes)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold a file lock, which ends with the process that holds it.

        It is not the lock of `secrets.json`: a renewal waits for a server, and must not delay other
        commands.
        """
        directory = self._home / "locks"
        directory.mkdir(mode=0o700, exist_ok=True)
        file = os.open(directory / self._id, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            while not _locked(file):  # noqa: ASYNC110 (another process has the lock)
                await asyncio.sleep(_LOOK)
            yield
        finally:
            os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
