"""Set-up changes of a transaction: counted for readers, logged after the commit."""

from dataclasses import dataclass
from typing import Any

from router.service.admin.changes import Changes
from router.store.counters import counter
from router.store.direct import AnyConnection

COUNTER = "configuration"


@dataclass(frozen=True, slots=True)
class SqlConfiguration:
    """The `Configuration` of `router.service.admin.ports`."""

    connection: AnyConnection
    changes: Changes

    async def revision(self) -> int:
        """Grows whenever sites, destinations, pools, numbers or webhooks change."""
        return await counter(self.connection, COUNTER)

    def note_secret(self, record: Any, name: str) -> None:
        """Log that a secret of this record was replaced; it is not in the database."""
        self.changes.note_secret(record, name)
