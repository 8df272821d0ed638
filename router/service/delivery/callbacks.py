"""Callbacks from CRMs: a signal that something was created. They may come late, twice or not at
all, so nothing depends on them. Pending deliveries in mode `telephony` are checked sooner; the
callback's content is not read.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from router.domain.delivery.connection import Connection, Mode
from router.domain.paths import API
from router.errors import NotFound
from router.service.ports import Store

# pause after a callback: the entity may be incomplete, and many callbacks are joined
SOON = timedelta(seconds=2)


def callback_key(secret: str, connection_id: str) -> str:
    """The secret part of a connection's callback address; derived, not stored."""
    return hmac.new(secret.encode(), f"hint:{connection_id}".encode(), hashlib.sha256).hexdigest()[
        :32
    ]


def callback_path(secret: str, connection_id: str) -> str:
    """The path of a connection's callback address."""
    return f"{API}/callbacks/{connection_id}/{callback_key(secret, connection_id)}"


async def accept_callback(
    store: Store, secret: str, connection_id: str, key: str, now: datetime
) -> int:
    """Make the connection's pending deliveries due soon; returns their number. Raises `NotFound`
    for a wrong key.
    """
    if not hmac.compare_digest(key.encode(), callback_key(secret, connection_id).encode()):
        raise NotFound("There is nothing here.")
    async with store.write() as session:
        connection = await session.peek(Connection, connection_id)
        if connection is None or not connection.active or connection.mode is not Mode.TELEPHONY:
            return 0
        return await session.deliveries.hurry(connection_id, now, now + SOON)
