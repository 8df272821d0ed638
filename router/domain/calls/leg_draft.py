"""A leg while its CEL rows are read."""

from dataclasses import dataclass
from datetime import datetime

from router.domain.calls.call import Leg


@dataclass(slots=True)
class LegDraft:
    channel: str
    step: int
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None

    def freeze(self, role: str, cut_at: datetime | None) -> Leg:
        return Leg(
            channel=self.channel,
            role=role,
            step=0 if role == "caller" else self.step,
            started_at=self.started_at,
            answered_at=self.answered_at,
            ended_at=self.ended_at or cut_at,
            cause=self.cause,
        )
