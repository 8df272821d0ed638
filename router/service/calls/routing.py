"""Answers route requests from a routing table in memory."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

import structlog

from router.domain.calls.routing import NOWHERE, Route, RoutingTable, encode
from router.domain.visitors.site import Destination, Pool, Site, TrackingNumber
from router.domain.visitors.visit import spoken_source
from router.service.ports import Session, Store

log = structlog.get_logger()

# how long a call waits for the caller's identity from the database
IDENTITY_SECONDS = 0.1
REST_SECONDS = 5.0  # after a timeout, calls get no identity for this long


async def load_table(session: Session) -> RoutingTable:
    """Load the routing table from the set-up."""
    return RoutingTable(
        await session.find(Site),
        await session.find(Destination),
        await session.find(Pool),
        await session.find(TrackingNumber),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identity:
    lease_id: str = ""
    client_id: str = ""
    source: str = ""


class Routes:
    """The routing table of a process, reloaded when the configuration has changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._revision = -1
        self._resting_until = 0.0
        self._asking: asyncio.Task[_Identity] | None = None
        self.table = RoutingTable((), (), (), ())

    @property
    def loaded(self) -> bool:
        """Whether the table is loaded."""
        return self._revision >= 0

    async def refresh(self) -> bool:
        """Reload the table if the set-up changed; True if it changed."""
        async with self._store.read_inline() as session:
            revision = await session.configuration.revision()
            if revision == self._revision:
                return False
            self.table = await load_table(session)
        self._revision = revision
        log.info("routes_loaded", revision=revision, numbers=len(self.table.fallback()))
        return True

    async def answer(self, did: str, now: datetime) -> str:
        """The route line for the dialplan."""
        route = self.table.find(did)
        if route is None:
            return NOWHERE
        identity = await self._identify(route, now)
        return encode(
            route, lease_id=identity.lease_id, client_id=identity.client_id, source=identity.source
        )

    async def _identify(self, route: Route, now: datetime) -> _Identity:
        wanted = route.destination.send_client_id or route.destination.send_source
        if not wanted or route.number is None or time.monotonic() < self._resting_until:
            return _Identity()
        if self._asking is not None and not self._asking.done():
            return _Identity()  # the last query is still running: the database hangs
        self._asking = asyncio.create_task(self._who(route.number.e164, now))
        # Not `timeout`: a driver whose server is frozen takes seconds to let itself be cancelled.
        done, _ = await asyncio.wait({self._asking}, timeout=IDENTITY_SECONDS)
        if done and not self._asking.exception():
            return self._asking.result()
        self._asking.cancel()
        self._resting_until = time.monotonic() + REST_SECONDS
        log.warning("identity_skipped", reason="the database is slow", seconds=REST_SECONDS)
        return _Identity()

    async def _who(self, number: str, now: datetime) -> _Identity:
        async with self._store.read_inline() as session:
            who = await session.leases.holder(number, now)
        if who is None:
            return _Identity()
        spoken = spoken_source(who.campaign or who.source or "")
        return _Identity(lease_id=who.lease_id, client_id=who.client_id or "", source=spoken)
