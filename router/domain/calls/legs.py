"""The legs of one call: its channels, and those of the people that the caller was with."""

from dataclasses import dataclass, field
from datetime import datetime

from router.domain.calls.call import Leg
from router.domain.calls.ledger import Row


@dataclass(slots=True)
class _LegDraft:
    channel: str
    step: int
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None

    def freeze(self, role: str, cut_at: datetime | None) -> Leg:
        step = self.step
        if role == "caller":
            step = 0
        return Leg(
            channel=self.channel,
            role=role,
            step=step,
            started_at=self.started_at,
            answered_at=self.answered_at,
            ended_at=self.ended_at or cut_at,
            cause=self.cause,
        )


@dataclass(slots=True)
class Legs:
    """What became of each channel. Those in a conference with the caller have linkedids of their
    own: they are legs if they met the caller, and the call does not wait for their end.
    """

    caller: str  # uniqueid
    callers: frozenset[str]  # of all outside callers in the group
    met: set[str] = field(default_factory=set)  # uniqueids of all people the caller was with
    ended: set[str] = field(default_factory=set)  # linkedids
    _drafts: dict[str, _LegDraft] = field(default_factory=dict)
    _linkedids: dict[str, set[str]] = field(default_factory=dict)  # that each channel has had

    def see(self, row: Row) -> None:
        """A row of any kind."""
        self._linkedids.setdefault(row.uniqueid, set()).add(row.linkedid)

    def start(self, row: Row, step: int) -> None:
        """A channel begins, while this step is dialled."""
        draft = _LegDraft(channel=row.channel, step=step, started_at=row.at)
        self._drafts.setdefault(row.uniqueid, draft)

    def answer(self, row: Row) -> None:
        """A channel is answered."""
        if (leg := self._drafts.get(row.uniqueid)) and leg.answered_at is None:
            leg.answered_at = row.at

    def hang_up(self, row: Row) -> None:
        """A channel is hung up."""
        cause = row.extra.get("hangupcause")
        if (leg := self._drafts.get(row.uniqueid)) and isinstance(cause, int):
            leg.cause = cause

    def end(self, row: Row) -> None:
        """A channel is gone."""
        if leg := self._drafts.get(row.uniqueid):
            leg.ended_at = row.at

    def is_answered(self, uniqueid: str) -> bool:
        """Whether something took this channel."""
        leg = self._drafts.get(uniqueid)
        return leg is not None and leg.answered_at is not None

    def causes(self) -> list[int | None]:
        """Why each ended."""
        return [leg.cause for leg in self._drafts.values()]

    def over(self) -> bool:
        """Whether the call has ended, though a conference that it was in may go on."""
        own = self._own_linkedids()
        mine = (leg for key, leg in self._drafts.items() if self._linkedids[key] & own)
        return self.ended >= own and all(leg.ended_at is not None for leg in mine)

    def freeze(self, cut_at: datetime | None) -> tuple[Leg, ...]:
        """The legs. The legs without Local channels, which are not phones."""
        own = self._own_linkedids()
        frozen = []
        for key, leg in self._drafts.items():
            if leg.channel.startswith("Local/"):
                continue
            if self._linkedids[key] & own or key in self.met:
                frozen.append(leg.freeze(self._role(key), cut_at))
        return tuple(frozen)

    def _own_linkedids(self) -> set[str]:
        """The caller's, and those that ever shared a channel with one of them."""
        own, found = set[str](), self._linkedids[self.caller]
        while not found <= own:
            own |= found
            found = set().union(*(ids for ids in self._linkedids.values() if ids & own))
        return own

    def _role(self, uniqueid: str) -> str:
        if uniqueid == self.caller:
            return "caller"
        if uniqueid in self.callers:
            return "other_caller"
        return "company"
