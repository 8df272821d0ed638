"""Caches the set-up of sites for visitors' requests."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from router.domain.visitors.offering import statics_by_channel
from router.domain.visitors.site import NumberKind, Pool, Site, TrackingNumber
from router.errors import InvalidInput, NotFound
from router.service.ports import Session, Store

FRESH_SECONDS = 1.0  # seconds between checks for changes


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """A site with its pools and the static numbers of its channels."""

    site: Site
    pools: Mapping[str, Pool]
    statics: Mapping[str, str]  # by channel or source in lower case


class Sites:
    """The cached sites of a process, at most a second old."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._revision = -1
        self._look_after = 0.0
        self._configs: dict[str, SiteConfig] = {}

    async def get(self, site_id: str) -> SiteConfig:
        """The site. Raises `NotFound`."""
        if time.monotonic() >= self._look_after:
            await self._look()
        config = self._configs.get(site_id)
        if config is None:
            raise NotFound(f"There is no site '{site_id[:40]}' here.")
        return config

    async def _look(self) -> None:
        async with self._store.read_inline() as session:
            revision = await session.configuration.revision()
            if revision != self._revision:
                self._configs = await _load(session)
        self._revision, self._look_after = revision, time.monotonic() + FRESH_SECONDS


async def _load(session: Session) -> dict[str, SiteConfig]:
    pools, numbers = (
        await session.find(Pool),
        await session.find(TrackingNumber, kind=NumberKind.STATIC),
    )
    configs = {}
    for site in await session.find(Site):
        configs[site.id] = SiteConfig(
            site=site,
            pools={pool.id: pool for pool in pools if pool.site_id == site.id},
            statics=statics_by_channel(number for number in numbers if number.site_id == site.id),
        )
    return configs


def check_origin(site: Site, origin: str | None) -> None:
    """Check that pages of `origin` are allowed (None: not a browser, or the same origin). Raises
    `InvalidInput`.
    """
    if origin is not None and origin not in site.origins:
        raise InvalidInput(f"pages of {origin[:80]} may not lease numbers of site '{site.id}'")
