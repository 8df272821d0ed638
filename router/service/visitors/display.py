"""The number shown for a pool: dynamic, or a fallback that is stored with its reason."""

from dataclasses import dataclass
from datetime import datetime

from router.domain.ids import new_id
from router.domain.visitors.lease import Lease
from router.domain.visitors.offering import static_of
from router.domain.visitors.site import Pool
from router.domain.visitors.visit import DIRECT, DisplayLevel, Fallback, Reason
from router.service.visitors.site_config import SiteConfig


@dataclass(frozen=True, slots=True)
class Shown:
    """The number for the page; None keeps the company number."""

    level: DisplayLevel
    number: str | None = None  # E.164
    lease_id: str | None = None


def shown(lease: Lease) -> Shown:
    """A dynamic number."""
    return Shown(DisplayLevel.DYNAMIC, lease.number, lease.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """The visitor's source, for static numbers."""

    source: str | None
    medium: str | None
    channel: str | None


def fall_back(
    config: SiteConfig, pool: Pool, came: From, reason: Reason, visit_id: str | None, now: datetime
) -> tuple[Shown, Fallback]:
    """The static number of the visitor's source, otherwise the company number; and the fallback to
    store. Robots always see the company number, which search engines then index, and so does a
    crowd without a source, which may be a robot.
    """
    for_people = reason is not Reason.ROBOT and not (
        reason is Reason.CROWD and came.source == DIRECT
    )
    number = None
    if for_people:
        number = static_of(config.statics, came.source, came.medium, came.channel)

    level = DisplayLevel.OWN
    if number:
        level = DisplayLevel.STATIC

    kept = Fallback(
        id=new_id(now),
        visit_id=visit_id,
        pool_id=pool.id,
        level=level,
        reason=reason,
        number=number,
        at=now,
    )
    return Shown(level, number), kept
