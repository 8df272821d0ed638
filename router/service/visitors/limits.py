"""What one address may do, counted in one process. What a failed transaction counted is given
back.
"""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from router.service.ports import Session


class Limit(Protocol):
    """Counts by address."""

    def hit(self, who: str) -> bool:
        """Count one more; True while there is room."""
        ...

    def give_back(self, who: str) -> None:
        """Count one less."""
        ...


class Unlimited:
    """There is always room."""

    def hit(self, who: str) -> bool:
        """Count nothing."""
        return True

    def give_back(self, who: str) -> None:
        """Nothing was counted."""


_UNLIMITED = Unlimited()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is limited."""

    visits: Limit = _UNLIMITED  # may another visit begin from there
    refusals: Limit = _UNLIMITED  # may another refusal be written
    views: Limit = _UNLIMITED  # may another page view be written
    forms: Limit = _UNLIMITED  # does another form count
    nameless: Limit = _UNLIMITED  # may another visitor of a browser that keeps nothing begin


def take(limit: Limit, who: str, session: Session) -> bool:
    """Count one more for this transaction; True while there is room."""
    session.if_undone(partial(limit.give_back, who))
    return limit.hit(who)
