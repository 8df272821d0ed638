"""What a visitor is shown for a pool: a number of their own, or one step down the ladder, written
with its reason.
"""

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
    """The number for the page; None leaves the company's own there."""

    level: DisplayLevel
    number: str | None = None  # E.164
    lease_id: str | None = None


def shown(lease: Lease) -> Shown:
    """A number of the visitor's own."""
    return Shown(DisplayLevel.DYNAMIC, lease.number, lease.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """Where a visitor came from, as far as static numbers go by it."""

    source: str | None
    medium: str | None
    channel: str | None


def fall_back(
    config: SiteConfig, pool: Pool, came: From, reason: Reason, visit_id: str | None, now: datetime
) -> tuple[Shown, Fallback]:
    """The static number of where the visitor came from, else the company's own; and what the report
    keeps of it.

    A robot is always shown the company's own number, which search engines then index. So is a crowd
    that nothing is known to have sent: it may be a robot that says it is a browser.
    """
    for_people = reason is not Reason.ROBOT and not (
        reason is Reason.CROWD and came.source == DIRECT
    )
    number = (
        static_of(config.statics, came.source, came.medium, came.channel) if for_people else None
    )
    level = DisplayLevel.STATIC if number else DisplayLevel.OWN
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
