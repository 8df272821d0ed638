"""Outcomes of transfers: decided when a person takes the call, or when the caller stops waiting."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.domain.calls.call import Leg, Transfer, TransferKind, TransferOutcome

BUSY_CAUSE = 17  # Q.850, here and below
REFUSED_CAUSE = 21  # call rejected; Asterisk's word for SIP 603
# the phone rang, and Asterisk stopped calling it
RANG_CAUSES = frozenset({None, 0, 16, 18, 19, 26})
AT_ONCE = timedelta(seconds=1)  # Asterisk ends channels for one reason within this time

_REACHED = frozenset({TransferOutcome.ANSWERED, TransferOutcome.RETURNED})


@dataclass(slots=True)
class TransferDraft:
    """A transfer, while it is being followed."""

    kind: TransferKind
    at: datetime
    to: str
    by: str  # the endpoint that transferred the caller
    left: frozenset[str]  # uniqueids of earlier participants: none of them is the target
    own: frozenset[str] = frozenset()  # uniqueids of the person who transferred the caller
    taken_at: datetime | None = None
    taken_by: str | None = None
    parked: bool = False
    accompanied: bool = False  # another person stayed with the caller

    @property
    def open(self) -> bool:
        """Whether the caller still waits for a person."""
        return self.taken_at is None

    def look(
        self, people: Iterable[str], at: datetime, who: Callable[[str], str], *, parked: bool
    ) -> None:
        """Who is with the caller at this moment."""
        if not self.open:
            return
        self.parked |= parked
        others = [uniqueid for uniqueid in people if uniqueid not in self.own]
        self.accompanied |= bool(others)
        if new := [uniqueid for uniqueid in others if uniqueid not in self.left]:
            self.taken_at, self.taken_by = at, who(new[0])

    def freeze(self, legs: Sequence[Leg], end: "TransferEnd | None") -> Transfer:
        """The transfer with its outcome; `end` is when and why the caller stopped waiting, None
        while they wait.
        """
        mine = [leg for leg in legs if leg.role == "company" and leg.started_at >= self.at]
        until = self.at
        if self.taken_at is not None:
            until = self.taken_at
        elif end is not None:
            until = end.at
        return Transfer(
            kind=self.kind,
            at=self.at,
            to=self.to[:80],
            outcome=self._outcome(mine, end),
            answered_by=self.taken_by,
            wait_seconds=max(0.0, (until - self.at).total_seconds()),
        )

    def _outcome(self, legs: Sequence[Leg], end: "TransferEnd | None") -> TransferOutcome | None:
        if self.taken_at is not None:
            if self._came_back(legs):
                return TransferOutcome.RETURNED
            return TransferOutcome.ANSWERED
        if end is None:
            return None
        rung = [leg for leg in legs if leg.started_at <= end.at]
        if end.by_caller:
            return _given_up(rung, end)
        return _refused(rung, end, end.at - self.at)

    def _came_back(self, legs: Sequence[Leg]) -> bool:
        """Answered by the endpoint that transferred it, after a parking lot or after another phone
        rang in vain.

        The endpoint alone does not prove it: a PBX trunk has many people behind it.
        """
        if self.taken_by != self.by or self.taken_at is None:
            return False
        before = [leg for leg in legs if leg.started_at < self.taken_at and leg.endpoint != self.by]
        return self.parked or bool(before)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferEnd:
    """When and why the caller stopped waiting for a person."""

    at: datetime
    by_caller: bool  # the caller hung up
    status: str = ""  # what Dial said last, where it was asked for this transfer


def _given_up(rung: Sequence[Leg], end: TransferEnd) -> TransferOutcome:
    if end.status == "CANCEL" or any(_rang_until(leg, end.at) for leg in rung):
        return TransferOutcome.ABANDONED_RINGING
    if rung and rung[-1].cause not in RANG_CAUSES:  # the caller heard a busy tone, and hung up
        return _by_cause(rung[-1].cause)
    return TransferOutcome.ABANDONED


def _rang_until(leg: Leg, at: datetime) -> bool:
    if leg.ended_at is None:
        return True
    return leg.cause in RANG_CAUSES and abs(at - leg.ended_at) < AT_ONCE


def _refused(rung: Sequence[Leg], end: TransferEnd, waited: timedelta) -> TransferOutcome:
    causes = {leg.cause for leg in rung}
    for cause in (REFUSED_CAUSE, BUSY_CAUSE):
        if cause in causes:
            return _by_cause(cause)
    if end.status == "BUSY":
        return TransferOutcome.BUSY
    if causes & RANG_CAUSES or end.status == "NOANSWER":
        return TransferOutcome.NO_ANSWER
    if rung or waited < AT_ONCE:
        return TransferOutcome.FAILED
    return TransferOutcome.NO_ANSWER


def _by_cause(cause: int | None) -> TransferOutcome:
    words = {REFUSED_CAUSE: TransferOutcome.DECLINED, BUSY_CAUSE: TransferOutcome.BUSY}
    return words.get(cause or 0, TransferOutcome.FAILED)
