"""Rate limits by address, counted per process. Counts of a failed transaction are undone."""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from router.service.ports import Session


class Limit(Protocol):
    """Counts by address."""

    def hit(self, who: str) -> bool:
        """Count one; True if within the limit."""
        ...

    def give_back(self, who: str) -> None:
        """Count one less."""
        ...


class Unlimited:
    """No limit."""

    def hit(self, who: str) -> bool:
        """Count nothing."""
        return True

    def give_back(self, who: str) -> None:
        """Nothing was counted."""


_UNLIMITED = Unlimited()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits."""

    visits: Limit = _UNLIMITED  # new visits
    refusals: Limit = _UNLIMITED  # stored fallbacks
    views: Limit = _UNLIMITED  # page views
    forms: Limit = _UNLIMITED  # forms
    nameless: Limit = _UNLIMITED  # new visitors of browsers that keep nothing


def take(limit: Limit, who: str, session: Session) -> bool:
    """Count one for this transaction; True if within the limit."""
    session.if_undone(partial(limit.give_back, who))
    return limit.hit(who)
