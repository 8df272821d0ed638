"""Folds the rows of one group into its `Call`: a mutable draft collects facts, then is frozen into
a record.

ANSWER of the caller's channel does not prove an answer (announcements answer too): a call is
answered when a person of the company first shares a bridge with the caller.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from router.domain.calls.call import Call, Direction, State
from router.domain.calls.cel_facts import event_name, facts, is_withheld, routed_by
from router.domain.calls.clock_steps import without_clock_steps
from router.domain.calls.endings import End, disposition, ending, refused_by_trunk
from router.domain.calls.ledger import Row
from router.domain.calls.legs import Legs
from router.domain.calls.periods import Mark, periods, with_periods
from router.domain.calls.presence import Presence
from router.domain.calls.transfer_legs import Transfers
from router.domain.calls.transfer_outcomes import TransferEnd

_QUOTED = re.compile(r'\\(["\\])')  # in a name, as SIP writes it


def fold(rows: Sequence[Row], *, cut_at: datetime | None = None) -> tuple[Call, ...]:
    """Fold rows into calls: one for each channel from a carrier, usually one, often none. `cut_at`
    closes them at that moment, because Asterisk died.
    """
    entries = [row for row in rows if event_name(row) == "CALL"]
    callers = frozenset({row.linkedid: row.uniqueid for row in reversed(entries)}.values())
    steady = without_clock_steps(rows)
    until = cut_at and cut_at + steady.offset

    calls: dict[str, list[Call]] = {}
    for caller in dict.fromkeys(row.uniqueid for row in entries):
        call = _fold(steady.rows, caller, callers, until)
        calls.setdefault(call.id, []).append(call)
    return tuple(replace(_joined(same), clock_stepped=steady.stepped) for same in calls.values())


def _joined(entries: Sequence[Call]) -> Call:
    """Join the calls of one caller who entered Ringtrace's dialplan more than once under one
    linkedid: another dialplan dials a tracking number and then a second one, or a manager
    redirects the channel. The call began with the first entry; the entry that was answered, else
    the last, says how it ended.
    """
    first = min(entries, key=lambda call: call.arrived_at)
    last = next((call for call in entries if call.answered_at), entries[-1])
    if last is first:
        return first
    named = last
    if first.number:
        named = first
    joined = replace(
        last,
        did=first.did,
        trunk=first.trunk,
        number=named.number,
        caller_raw=first.caller_raw,
        withheld=first.withheld,
        caller_name=first.caller_name,
        arrived_at=first.arrived_at,
    )
    waited, *course = last.periods
    return with_periods(joined, (replace(waited, started_at=first.arrived_at), *course))


def _fold(
    rows: Sequence[Row], caller: str, callers: frozenset[str], cut_at: datetime | None
) -> Call:
    draft = _Draft(caller, callers)
    for row in rows:
        draft.take(row)
    return draft.freeze(cut_at)


@dataclass(slots=True)
class _Draft:
    caller: str  # uniqueid of the carrier's channel
    callers: frozenset[str]  # of the first such channel of each linkedid in this group
    presence: Presence = field(init=False)
    transfers: Transfers = field(init=False)
    linkedid: str = ""
    said: dict[str, dict[str, str]] = field(default_factory=dict)  # values of the dialplan's events
    arrived_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    last_person: str | None = None  # uniqueid
    ended_at: datetime | None = None
    hung_up_by: str = ""  # a channel's name, or Asterisk's own source name
    step: int = 0
    forwarded_to: str | None = None
    legs: Legs = field(init=False)
    marks: list[Mark] = field(default_factory=list)
    first_rows: dict[str, Row] = field(default_factory=dict)
    last_at: datetime | None = None

    def __post_init__(self) -> None:
        self.presence = Presence(caller=self.caller)
        self.legs = Legs(caller=self.caller, callers=self.callers)
        self.transfers = Transfers(self.caller, self.callers, self.presence, self.first_rows)

    def take(self, row: Row) -> None:
        self.last_at = max(row.at, self.last_at or row.at)
        self.legs.see(row)
        self.presence.appear(row)
        handler = _HANDLERS.get(event_name(row))
        if handler is not None:
            handler(self, row)
            self.look(row.at)

    def look(self, at: datetime) -> None:
        """Update who is with the caller."""
        if self.arrived_at is None:
            return
        people = self.presence.people()
        company = [uniqueid for uniqueid in people if uniqueid not in self.callers]
        self.legs.met.update(people)

        if company and self.answered_at is None:
            self.answered_at, self.answered_by = at, self.transfers.who(company[0])
        if company and self.last_person not in company:
            self.last_person = company[-1]

        self.transfers.look(people, at)
        self.mark(people, at)

    def mark(self, people: Sequence[str], at: datetime) -> None:
        gone = self.transfers.leaving
        channels = tuple(
            self.presence.names[uniqueid] for uniqueid in people if uniqueid not in gone
        )
        answered = self.answered_at is not None
        mark = Mark(at=at, channels=channels, answered=answered, transferred=self.transfers.open)
        if mark != replace(self.marks[-1], at=at):
            self.marks.append(mark)

    def channel_start(self, row: Row) -> None:
        self.first_rows.setdefault(row.uniqueid, row)
        self.legs.start(row, self.step)

    def call(self, row: Row) -> None:
        if row.uniqueid != self.caller or self.arrived_at is not None:
            # another caller's call, joined to this one by a transfer; or the same one, entering
            # again
            return
        self.linkedid = row.linkedid
        self.said["CALL"] = facts(row)
        first = self.first_rows.setdefault(row.uniqueid, row)
        # the dialplan has read more of the INVITE by now than Asterisk when the channel began
        number = row.caller_number or first.caller_number
        self.first_rows[row.uniqueid] = replace(first, caller_number=number)
        self.arrived_at = first.at
        self.marks.append(Mark(at=self.arrived_at, channels=(), answered=False, transferred=False))

    def routed(self, row: Row) -> None:
        if row.uniqueid == self.caller:
            self.said["ROUTE"], self.step = facts(row), 1  # later steps are in STEP

    def stepped(self, row: Row) -> None:
        step = facts(row).get("step", "")
        if re.fullmatch("[0-9]{1,3}", step):
            self.step = int(step)

    def hang_up(self, row: Row) -> None:
        self.legs.hang_up(row)
        if row.uniqueid == self.caller:
            self.hung_up_by = str(row.extra.get("hangupsource", ""))

    def channel_end(self, row: Row) -> None:
        self.presence.vanish(row)
        self.legs.end(row)
        if row.uniqueid == self.caller:
            self.ended_at = row.at

    def forward(self, row: Row) -> None:
        if row.uniqueid == self.caller:
            self.forwarded_to = str(row.extra.get("forward", ""))[:80] or None

    def finished(self, row: Row) -> None:
        said = facts(row)
        back = said.get("token")  # a call back ends with the phone that made it
        if row.uniqueid == self.caller or (back and back == self.token):
            self.said["END"] = said

    @property
    def token(self) -> str:
        """That of a call back; empty for a call that came in."""
        return self.said.get("CALL", {}).get("token", "")

    @property
    def direction(self) -> Direction:
        if self.token:
            return Direction.OUTGOING
        return Direction.INCOMING

    @property
    def caller_name(self) -> str:
        """The caller's; that of a call back is the company's own."""
        if self.token:
            return ""
        return _QUOTED.sub(r"\1", self.first_rows[self.caller].caller_name)[:200]

    def state(self, *, over: bool) -> State:
        if over:
            return State.ENDED
        if self.answered_at:
            return State.TALKING
        return State.RINGING

    def freeze(self, cut_at: datetime | None) -> Call:
        assert self.arrived_at is not None, "the dialplan said CALL"
        assert self.last_at is not None
        over = cut_at is not None or self.legs.over()
        last = self.ended_at or cut_at or self.last_at
        ended_at = end = result = how = None
        if over:
            ended_at = max(last, self.arrived_at)
            end = self.end(cut=cut_at is not None and self.ended_at is None)
            result, how = disposition(end), ending(end)
        legs = self.legs.freeze(cut_at)
        said, route = self.said.get("CALL", {}), self.said.get("ROUTE", {})
        first = self.first_rows[self.caller]

        call = Call(
            id=self.linkedid,
            direction=self.direction,
            call_back_id=self.token[:40] or None,
            did=said.get("did", "")[:40],
            trunk=said.get("trunk", "")[:64],
            number=route.get("number") or None,
            caller_raw=(said.get("customer") or first.caller_number)[:80],
            withheld=not self.token and is_withheld(first.caller_number, said),
            forwarded_to=self.forwarded_to,
            caller_name=self.caller_name,
            arrived_at=self.arrived_at,
            answered_at=self.answered_at,
            ended_at=ended_at,
            state=self.state(over=over),
            disposition=result,
            ending=how,
            destination_id=route.get("destination", "")[:40] or None,
            answered_by=self.answered_by,
            last_answered_by=self.last_person and self.transfers.who(self.last_person),
            routed_by=routed_by(route.get("by")),
            transfers=self.transfers.freeze(legs, self.transfer_end(end, ended_at)),
            legs=legs,
            spool_name=(said.get("file") or route.get("file", ""))[:80] or None,
        )
        return with_periods(
            call, periods(self.marks, ended_at or self.last_at, self.transfers.consultations)
        )

    def end(self, *, cut: bool) -> End:
        said = self.said.get("END", {})
        status = said.get("status", "")
        return End(
            cut=cut,
            answered=self.answered_at is not None,
            lost=self.transfers.lost,
            picked_up=self.legs.is_answered(self.caller),
            by_caller=status == "CANCEL" or self.hung_up_by == self.presence.names[self.caller],
            status=status,
            rang=bool(said.get("ring")),
            routed=self.said.get("ROUTE", {}).get("by") != "nobody",
            causes=self.legs.causes(),
            setup=bool(said.get("setup")) or refused_by_trunk(said.get("said", "")),
            outgoing=bool(self.token),
        )

    def transfer_end(self, end: End | None, ended_at: datetime | None) -> TransferEnd | None:
        if end is None or ended_at is None or end.cut:
            return None
        return TransferEnd(at=ended_at, by_caller=end.by_caller, status=end.status)


_HANDLERS: dict[str, Callable[[_Draft, Row], Any]] = {
    "CHAN_START": _Draft.channel_start,
    "CALL": _Draft.call,
    "ROUTE": _Draft.routed,
    "STEP": _Draft.stepped,
    "END": _Draft.finished,
    "ANSWER": lambda draft, row: draft.legs.answer(row),
    "BRIDGE_ENTER": lambda draft, row: draft.presence.enter(row),
    "BRIDGE_EXIT": lambda draft, row: draft.presence.leave(row),
    "BLINDTRANSFER": lambda draft, row: draft.transfers.blind(row),
    "ATTENDEDTRANSFER": lambda draft, row: draft.transfers.attended(row),
    "PARK_START": lambda draft, row: draft.transfers.park(row),
    "HANGUP": _Draft.hang_up,
    "CHAN_END": _Draft.channel_end,
    "FORWARD": _Draft.forward,
    "LINKEDID_END": lambda draft, row: draft.legs.ended.add(row.linkedid),
}
