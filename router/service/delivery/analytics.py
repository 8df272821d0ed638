"""Analytics services as the senders use them: what they are sent, and what they can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.outcome import Outcome
from router.service.delivery.outcomes import SendResult


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsEvent:
    """One event for an analytics service: a call, or the sale that came of it."""

    call: CallEvent
    key: str  # the same on every attempt
    # value, currency, at; empty: the call itself
    sale: Mapping[str, Any] = field(default_factory=dict)
    record: int | None = None  # its place in the request that its receipt names
    again: bool = False  # the call itself was sent before: it became a target call since

    @property
    def at(self) -> datetime:
        """When it happened."""
        if not self.sale:
            return self.call.arrived_at
        return datetime.fromisoformat(self.sale["at"])


class Analytics(Protocol):
    """One account at an analytics service."""

    async def send(self, events: Sequence[AnalyticsEvent]) -> SendResult:
        """Send these events; returns the receipt. Raises `ReceiverUnavailable` and `Refused`. A
        receipt with `look_in` means that they are being processed: see `Working`.
        """
        ...


class Working(Analytics, Protocol):
    """A service that processes uploads later and reports the result."""

    async def outcome(
        self, events: Sequence[AnalyticsEvent], receipt: Outcome, *, looks: int
    ) -> SendResult:
        """The result of these events, after this many requests; may raise `NotYet`."""
        ...
