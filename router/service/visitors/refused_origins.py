"""Counts the pages that got no number because the site does not list their origin: visitors' browsers do not say so."""

from dataclasses import replace
from datetime import datetime, timedelta

from router.domain.visitors.site import RefusedOrigin
from router.errors import DatabaseUnavailable
from router.service.ports import Store

BETWEEN_WRITES = timedelta(minutes=1)
MOST_ORIGINS = 100  # one process counts; anyone may send any origin
LONGEST_ORIGIN = 200  # characters


class Refusals:
    """The refusals of one process; those of one minute and origin are written together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: dict[tuple[str, str], int] = {}
        self._written_at: dict[tuple[str, str], datetime] = {}

    async def count(self, site_id: str, origin: str, now: datetime) -> None:
        """Count one refusal."""
        key = (site_id, origin[:LONGEST_ORIGIN])
        if key not in self._counts and len(self._counts) >= MOST_ORIGINS:
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

    async def _write(self, site_id: str, origin: str, count: int, now: datetime) -> None:
        key = f"{site_id} {origin}"
        async with self._store.write() as session:
            known = await session.peek(RefusedOrigin, key)
            if known:
                await session.change(replace(known, count=known.count + count, last_at=now))
            else:
                await session.add(RefusedOrigin(id=key, site_id=site_id, origin=origin, count=count, last_at=now))
