"""Opens the adapter of a connection: the one place that knows which kinds there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from router.config import load_secrets
from router.crm.tryton import Tryton
from router.domain.connection import Connection
from router.errors import ReceiverUnavailable
from router.outside import NO_RIGHT, Outside, Pacer
from router.service.couriers import Analytics
from router.service.crm import Crm
from router.service.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of account: its adapter, what it logs in with, what else it may be told, and how fast it takes requests.

    Options are shown with what they mean; an empty default may stay empty.
    """

    title: str
    adapter: Callable[[Connection, Mapping[str, str], Outside], Any]
    token: Mapping[str, str]  # name → what it is, for the person who is asked
    options: Mapping[str, str]  # likewise
    per_second: float
    burst: int
    address: str = ""  # where there is one server for everybody
    analytics: bool = False
    most: int = 1  # deliveries in one request


KINDS: Mapping[str, Kind] = {
    "tryton": Kind(
        title="Tryton",
        adapter=Tryton,
        token={"key": "key of a user application 'rest'"},
        options={"database": "name of the database", "company": "its number", "field": "field of the client ID"},
        per_second=20,
        burst=20,
    ),
}


class Accounts:
    """Adapters that are open in this process, each with its connections to the server."""

    def __init__(self, store: Store, home: Path, clock: Callable[[], datetime]) -> None:
        self._store, self._home, self._clock = store, home, clock
        self._open: dict[str, tuple[Connection, Mapping[str, str], Any, Outside]] = {}

    def open(self, connection: Connection) -> Crm | Analytics:
        """The adapter; opened anew when the connection or its token has changed. Raises `ReceiverUnavailable`."""
        kind, token = KINDS[connection.kind], load_secrets(self._home).tokens.get(connection.id)
        if token is None:
            reason = f"'{connection.id}' has no token: run `ringtrace crm connect {connection.id}`"
            raise ReceiverUnavailable(reason, pause=NO_RIGHT)
        known = self._open.get(connection.id)
        if known is None or known[:2] != (connection, token):
            pace = Pacer(self._store, connection.id, kind.per_second, kind.burst, self._clock)
            outside = Outside(connection.address, {}, pace)
            known = self._open[connection.id] = (connection, token, kind.adapter(connection, token, outside), outside)
        adapter: Crm | Analytics = known[2]
        return adapter

    @staticmethod
    def most(connection: Connection) -> int:
        """How many deliveries one request may carry."""
        return KINDS[connection.kind].most

    async def close(self) -> None:
        """Let go of connections."""
        for *_, outside in self._open.values():
            await outside.close()
