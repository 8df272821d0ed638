"""Finds the receivers that are installed, and opens the adapter of a connection.

Each folder beside this file is a receiver; its `receiver.py` declares it as `RECEIVER`.
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from router import receivers
from router.domain.delivery.codes import SettingCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.receiver_kind import ReceiverKinds
from router.errors import ConfigurationError
from router.receivers.declaration import Declaration
from router.receivers.http import NO_RIGHT, HttpClient
from router.receivers.kept_tokens import KeptToken, TokenInFile, lasting, secrets_of
from router.receivers.network import Network
from router.receivers.oauth import AccessToken, is_app
from router.receivers.rate_limiter import RateLimiter
from router.secrets import load_secrets
from router.service.clock import Clock
from router.service.delivery.analytics import Analytics
from router.service.delivery.outcomes import ReceiverUnavailable
from router.service.delivery.ports import Crm
from router.service.ports import Store


def _declared() -> dict[str, Declaration]:
    """The declarations of all folders, by name."""
    folders = [module.name for module in pkgutil.iter_modules(receivers.__path__) if module.ispkg]
    modules = [import_module(f"{receivers.__name__}.{folder}.receiver") for folder in folders]
    return {module.RECEIVER.name: module.RECEIVER for module in modules}


KINDS = _declared()
RECEIVER_KINDS = ReceiverKinds(KINDS)


def login_of(
    kind: Declaration,
    connection: Connection,
    kept: KeptToken,
    clock: Clock,
    network: Network | None = None,
) -> AccessToken | None:
    """The login of an OAuth app; None for a connection with a fixed token."""
    if kind.oauth is None or not is_app(kept.read()):
        return None
    server = HttpClient(connection.address, {}, network=network)
    return AccessToken(kind.oauth, connection, kept, server, clock)


_Opened = tuple[Connection, Mapping[str, str], Any, HttpClient]


class Accounts:
    """Open adapters of this process, each with its connections to the server."""

    def __init__(
        self,
        store: Store,
        home: Path,
        clock: Clock,
        network: Network | None = None,
    ) -> None:
        self._store, self._home, self._clock, self._network = store, home, clock, network
        self._open: dict[str, _Opened] = {}
        self._left: list[HttpClient] = []

    def open(self, connection: Connection) -> Crm | Analytics:
        """The adapter; reopened if the connection or its token changed. Raises
        `ReceiverUnavailable`.
        """
        try:
            token = load_secrets(self._home).tokens.get(connection.id)
        except (ConfigurationError, OSError) as error:
            raise ReceiverUnavailable(
                SettingCode.SECRETS_UNREADABLE, pause=NO_RIGHT, detail=str(error)
            ) from error
        if token is None:
            raise ReceiverUnavailable(SettingCode.NO_TOKEN, pause=NO_RIGHT, receiver=connection.id)
        known = self._open.get(connection.id)
        if known is None or known[:2] != (connection, lasting(token)):
            if known is not None:
                self._left.append(known[3])  # other tasks may be in the middle of a request
            try:
                known = self._open[connection.id] = self._opened(connection, token)
            except (KeyError, TypeError, ValueError) as error:
                raise ReceiverUnavailable(
                    SettingCode.SETTINGS_UNUSABLE,
                    pause=NO_RIGHT,
                    receiver=connection.id,
                    detail=repr(error),
                ) from error
        adapter: Crm | Analytics = known[2]
        return adapter

    def _opened(self, connection: Connection, token: Mapping[str, str]) -> _Opened:
        kind = KINDS[connection.kind]
        pace = RateLimiter(self._store, connection.id, kind.per_second, kind.burst, self._clock)
        http = HttpClient(
            connection.address, {}, pace, secrets=secrets_of(token), network=self._network
        )
        kept = TokenInFile(self._home, connection.id)
        http.login = login_of(kind, connection, kept, self._clock, self._network)
        return connection, lasting(token), kind.adapter(connection, token, http), http

    async def close(self) -> None:
        """Close connections."""
        for http in (*self._left, *(opened[3] for opened in self._open.values())):
            await http.close()
