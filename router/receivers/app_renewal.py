"""Renews tokens of OAuth apps that no delivery uses: a CRM revokes an unused app's access, amoCRM
after three months.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from router.domain.delivery.connection import Connection, ReceiverHealth
from router.errors import DatabaseUnavailable
from router.receivers.kept_tokens import TokenInFile
from router.receivers.network import Network
from router.receivers.registry import KINDS, login_of
from router.service.clock import Clock
from router.service.delivery.attempt import Attempt, keep_health
from router.service.delivery.outcomes import ReceiverUnavailable
from router.service.ports import Store

log = structlog.get_logger()

UNUSED = timedelta(days=7)  # after the end of the last access token
_LOOK = 3600.0  # seconds between two checks


async def keep_apps(store: Store, home: Path, clock: Clock, network: Network) -> None:
    """Renew unused tokens, until cancelled."""
    while True:
        with contextlib.suppress(DatabaseUnavailable):
            await renew_unused(store, home, clock, network)
        await asyncio.sleep(_LOOK)


async def renew_unused(
    store: Store, home: Path, clock: Clock, network: Network | None = None
) -> None:
    """Renew each app's token that expired a week ago. A refusal is shown in the connection's
    status.
    """
    async with store.read() as session:
        connections = await session.find(Connection, active=True)
        health = await session.get_many(
            ReceiverHealth, {connection.id for connection in connections}
        )
    for connection in connections:
        known = health.get(connection.id)
        paused = known is not None and known.paused_until > clock()
        if not paused and is_unused(TokenInFile(home, connection.id).read(), clock()):
            await _renew(store, home, connection, clock, network)


def is_unused(token: Mapping[str, str], now: datetime) -> bool:
    """Whether the token of this app has not been used for a week."""
    if not token.get("refresh_token"):
        return False
    try:
        return now - datetime.fromisoformat(token["expires_at"]) > UNUSED
    except (KeyError, TypeError, ValueError):
        return True


async def _renew(
    store: Store, home: Path, connection: Connection, clock: Clock, network: Network | None
) -> None:
    kept = TokenInFile(home, connection.id)
    login = login_of(KINDS[connection.kind], connection, kept, clock, network)
    if login is None:
        return
    try:
        await login.current()
        tried = Attempt(answered=True)
        log.info("app_renewed", receiver=connection.id)
    except ReceiverUnavailable as error:
        tried = Attempt(trouble=error)
        log.warning("app_not_renewed", receiver=connection.id, reason=error.message)
    finally:
        await login.close()
    async with store.write() as session:
        await keep_health(session, connection.id, tried, clock())
