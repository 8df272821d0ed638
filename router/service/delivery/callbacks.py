"""A CRM may tell us that something was created there: a hint to look now, and never more than that.

Such calls come late, twice or not at all, so nothing depends on them. What waits in mode
`telephony` is looked at sooner; the hint itself is not read.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from router.domain.delivery.connection import Connection, Mode
from router.domain.paths import API
from router.errors import NotFound
from router.service.ports import Store

# after a hint: what it tells of may not be complete, and a flood of them hurries nobody
SOON = timedelta(seconds=2)


def hint_key(secret: str, connection_id: str) -> str:
    """What the address for a connection's hints ends with; derived, so that there is nothing more
    to keep.
    """
    return hmac.new(secret.encode(), f"hint:{connection_id}".encode(), hashlib.sha256).hexdigest()[
        :32
    ]


def hint_path(secret: str, connection_id: str) -> str:
    """The address for a connection's hints, below that of the pages."""
    return f"{API}/hints/{connection_id}/{hint_key(secret, connection_id)}"


async def take_hint(store: Store, secret: str, connection_id: str, key: str, now: datetime) -> int:
    """Look soon at what waits for this connection; how many calls that are. Raises `NotFound` for a
    wrong key.
    """
    if not hmac.compare_digest(key.encode(), hint_key(secret, connection_id).encode()):
        raise NotFound("There is nothing here.")
    async with store.write() as session:
        connection = await session.peek(Connection, connection_id)
        if connection is None or not connection.active or connection.mode is not Mode.TELEPHONY:
            return 0
        return await session.deliveries.hurry(connection_id, now, now + SOON)
