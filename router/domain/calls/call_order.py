"""Orders of a list of calls."""

from dataclasses import dataclass
from enum import StrEnum

_UP = ".up"  # in addresses: talk.up


class OrderBy(StrEnum):
    """What a list is sorted by; calls without the figure are not in a list that is sorted by it."""

    TIME = "time"
    WAIT = "wait"
    TALK = "talk"
    SILENCE = "silence"
    TALK_OVER = "talk_over"
    PROBABILITY = "probability"
    SCORE = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """An order; calls of the same figure are sorted by their arrival."""

    by: OrderBy = OrderBy.TIME
    ascending: bool = False

    @classmethod
    def read(cls, text: str | None) -> "CallOrder":
        """The order in an address; anything else is newest first."""
        name = (text or "").removesuffix(_UP)
        if name not in list(OrderBy):
            return NEWEST
        return cls(by=OrderBy(name), ascending=(text or "").endswith(_UP))

    def written(self) -> str:
        """The same for an address; empty: newest first."""
        if self == NEWEST:
            return ""
        if self.ascending:
            return self.by + _UP
        return str(self.by)

    def turned(self, by: OrderBy) -> "CallOrder":
        """What a second press on the same column asks for: first the most, then the least."""
        return CallOrder(by=by, ascending=self.by is by and not self.ascending)


NEWEST = CallOrder()
