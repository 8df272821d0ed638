"""Counts problems on pages for doctor: origins that the site does not list, and company numbers
that the script cannot replace.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from router.domain.visitors.site import RefusedOrigin, UnchangedPage
from router.errors import DatabaseUnavailable
from router.service.ports import Store

BETWEEN_WRITES = timedelta(minutes=1)
MOST_KEYS = 100  # limits per process, because origins and paths are unverified
LONGEST = 200  # characters of an origin or a path


class PageCounts:
    """The counts of one kind in one process; stored once a minute."""

    def __init__(self, store: Store, kind: type[RefusedOrigin] | type[UnchangedPage]) -> None:
        self._store, self._kind = store, kind
        self._counts: dict[tuple[str, str], int] = {}
        self._written_at: dict[tuple[str, str], datetime] = {}

    async def count(self, site_id: str, page: str, now: datetime) -> None:
        """Count one: the page is its origin, or its path."""
        key = (site_id, page[:LONGEST])
        if key not in self._counts and len(self._counts) >= MOST_KEYS:
            return
        self._counts[key] = self._counts.get(key, 0) + 1
        written = self._written_at.get(key)
        if written and abs(now - written) < BETWEEN_WRITES:
            return
        self._written_at[key] = now
        count, self._counts[key] = self._counts[key], 0
        try:
            await self._write(*key, count, now)
        except DatabaseUnavailable:  # with the next one, a minute later
            self._counts[key] += count

    async def _write(self, site_id: str, page: str, count: int, now: datetime) -> None:
        key = f"{site_id} {page}"
        async with self._store.write() as session:
            known = await session.peek(self._kind, key)
            if known:
                await session.change(replace(known, count=known.count + count, last_at=now))
            else:
                await session.add(self._row(key, site_id, page, count, now))

    def _row(
        self, key: str, site_id: str, page: str, count: int, now: datetime
    ) -> RefusedOrigin | UnchangedPage:
        if self._kind is RefusedOrigin:
            return RefusedOrigin(id=key, site_id=site_id, origin=page, count=count, last_at=now)
        return UnchangedPage(id=key, site_id=site_id, path=page, count=count, last_at=now)
