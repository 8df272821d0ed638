"""Folds the rows of one group into its `Call`: a mutable draft collects facts, then is frozen into a record.

ANSWER of the caller's channel alone proves nothing (an announcement answers too): a call is answered when the
caller and a leg of the company first stand in the same bridge. What Dial said last (RINGTRACE_END) decides how an
unanswered call ended; the causes of the legs tell a refusal from a busy line.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from router.domain.call import Call, Disposition, Ending, Leg, RoutedBy, State, Transfer, TransferKind
from router.domain.ledger import Row

REFUSED_CAUSE = 21  # Q.850: call rejected; Asterisk's word for SIP 603

_DISPOSITIONS = {
    Ending.ANSWERED: Disposition.ANSWERED,
    Ending.NO_ANSWER: Disposition.NO_ANSWER,
    Ending.BUSY: Disposition.BUSY,
    Ending.REFUSED: Disposition.BUSY,
    Ending.ABANDONED_RINGING: Disposition.NO_ANSWER,
    Ending.ABANDONED_EARLY: Disposition.NO_ANSWER,
    Ending.UNREACHABLE: Disposition.CONGESTION,
    Ending.CUT: Disposition.FAILED,
}


def fold(rows: Sequence[Row], *, cut_at: datetime | None = None) -> tuple[Call, ...]:
    """The calls these rows tell of: one for each caller that a carrier brought, usually one, often none.

    `cut_at` closes them by force at that moment: Asterisk died and will not tell the rest.
    """
    callers = [row.uniqueid for row in rows if row.event == "RINGTRACE_CALL"]
    entries: dict[str, list[Call]] = {}
    for caller in dict.fromkeys(callers):
        call = _fold(rows, caller, cut_at)
        entries.setdefault(call.id, []).append(call)
    return tuple(_joined(calls) for calls in entries.values())


def _joined(entries: Sequence[Call]) -> Call:
    """One caller who entered our dialplan more than once under one linkedid, as one call.

    Another dialplan dials a number of ours and, where nobody answers, a second one; or a manager redirects a channel
    to us. The call began with the first entry; the entry that was answered, else the last, says how it ended.
    """
    first = min(entries, key=lambda call: call.arrived_at)
    last = next((call for call in entries if call.answered_at), entries[-1])
    if last is first:
        return first
    named = first if first.number else last
    earlier = (last.arrived_at - first.arrived_at).total_seconds()
    return replace(
        last,
        did=first.did,
        trunk=first.trunk,
        number=named.number,
        caller_raw=first.caller_raw,
        caller_name=first.caller_name,
        arrived_at=first.arrived_at,
        wait_seconds=last.wait_seconds + earlier,
    )


def _fold(rows: Iterable[Row], caller: str, cut_at: datetime | None) -> Call:
    draft = _Draft(caller=caller)
    for row in rows:
        draft.take(row)
    return draft.freeze(cut_at)


def facts(row: Row) -> dict[str, str]:
    """What the dialplan wrote with CELGenUserEvent: `key=value&key=value`."""
    pairs = (part.partition("=") for part in str(row.extra.get("extra", "")).split("&"))
    return {name: value for name, _, value in pairs}


@dataclass(slots=True)
class _LegDraft:
    channel: str
    step: int
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None
    local: bool = False

    def freeze(self, *, caller: bool) -> Leg:
        return Leg(
            channel=self.channel,
            role="caller" if caller else "company",
            step=0 if caller else self.step,
            started_at=self.started_at,
            answered_at=self.answered_at,
            ended_at=self.ended_at,
            cause=self.cause,
        )


@dataclass(slots=True)
class _Draft:
    caller: str  # uniqueid of the channel the carrier brought
    linkedid: str = ""
    did: str = ""
    trunk: str = ""
    caller_raw: str = ""
    caller_name: str = ""
    arrived_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    ended_at: datetime | None = None
    over: bool = False
    step: int = 0
    spool_name: str = ""
    route: dict[str, str] = field(default_factory=dict)
    end: dict[str, str] = field(default_factory=dict)
    legs: dict[str, _LegDraft] = field(default_factory=dict)
    bridges: dict[str, set[str]] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    first_rows: dict[str, Row] = field(default_factory=dict)
    linkedids: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    last_at: datetime | None = None

    def take(self, row: Row) -> None:
        self.last_at = row.at
        self.linkedids.add(row.linkedid)
        handler = _HANDLERS.get(row.event)
        if handler is not None:
            handler(self, row)

    def channel_start(self, row: Row) -> None:
        self.first_rows.setdefault(row.uniqueid, row)
        self.legs[row.uniqueid] = _LegDraft(
            channel=row.channel, step=self.step, started_at=row.at, local=row.channel.startswith("Local/")
        )

    def call(self, row: Row) -> None:
        if row.uniqueid != self.caller or self.arrived_at is not None:
            return  # another caller's call, joined to this one by a transfer; or the same one, entering again
        first = self.first_rows.get(row.uniqueid, row)
        said = facts(row)
        self.linkedid = row.linkedid
        self.spool_name = said.get("file", "")
        self.did, self.trunk = said.get("did", ""), said.get("trunk", "")
        self.caller_raw, self.caller_name = first.caller_number, first.caller_name
        self.arrived_at = first.at

    def routed(self, row: Row) -> None:
        if row.uniqueid == self.caller:
            self.route, self.step = facts(row), 1  # later steps are told by RINGTRACE_STEP

    def stepped(self, row: Row) -> None:
        step = facts(row).get("step", "")
        self.step = int(step) if re.fullmatch("[0-9]{1,3}", step) else self.step

    def answer(self, row: Row) -> None:
        if (leg := self.legs.get(row.uniqueid)) and leg.answered_at is None:
            leg.answered_at = row.at

    def bridge_enter(self, row: Row) -> None:
        if row.extra.get("bridge_technology") == "holding_bridge":
            return
        inside = self.bridges.setdefault(str(row.extra.get("bridge_id", "")), set())
        inside.add(row.uniqueid)
        if self.answered_at is None and self.caller in inside and len(inside) > 1:
            self.answered_at = row.at
            other = next(uniqueid for uniqueid in inside if uniqueid != self.caller)
            self.answered_by = _endpoint(self.legs[other].channel) if other in self.legs else None

    def bridge_exit(self, row: Row) -> None:
        self.bridges.get(str(row.extra.get("bridge_id", "")), set()).discard(row.uniqueid)

    def blind_transfer(self, row: Row) -> None:
        to = str(row.extra.get("extension", ""))
        self.transfers.append(Transfer(kind=TransferKind.BLIND, at=row.at, to=to[:80]))

    def attended_transfer(self, row: Row) -> None:
        to = str(row.extra.get("transfer_target_channel_name") or row.extra.get("channel2_name") or "")
        self.transfers.append(Transfer(kind=TransferKind.ATTENDED, at=row.at, to=_endpoint(to)[:80]))

    def hang_up(self, row: Row) -> None:
        cause = row.extra.get("hangupcause")
        if (leg := self.legs.get(row.uniqueid)) and isinstance(cause, int):
            leg.cause = cause

    def channel_end(self, row: Row) -> None:
        if leg := self.legs.get(row.uniqueid):
            leg.ended_at = row.at
        if row.uniqueid == self.caller:
            self.ended_at = row.at

    def finished(self, row: Row) -> None:
        if row.uniqueid == self.caller:
            self.end = facts(row)

    def linkedid_end(self, row: Row) -> None:
        self.ended.add(row.linkedid)

    def freeze(self, cut_at: datetime | None) -> Call:
        assert self.arrived_at is not None, "there was a RINGTRACE_CALL"
        assert self.last_at is not None
        living = any(leg.ended_at is None for leg in self.legs.values())
        over = cut_at is not None or (self.ended >= self.linkedids and not living)
        ended_at = (self.ended_at or cut_at or self.last_at) if over else None
        ending = self._ending(cut=cut_at is not None and self.ended_at is None) if over else None
        reached = self.answered_at or ended_at or self.last_at
        talked = (ended_at or self.last_at) - self.answered_at if self.answered_at else None
        return Call(
            id=self.linkedid,
            did=self.did[:40],
            trunk=self.trunk[:64],
            number=self.route.get("number") or None,
            caller_raw=self.caller_raw[:80],
            caller_name=self.caller_name[:200],
            arrived_at=self.arrived_at,
            answered_at=self.answered_at,
            ended_at=ended_at,
            state=State.ENDED if over else State.TALKING if self.answered_at else State.RINGING,
            disposition=self._disposition(ending),
            ending=ending,
            wait_seconds=max(0.0, (reached - self.arrived_at).total_seconds()),
            talk_seconds=max(0.0, talked.total_seconds()) if talked else 0.0,
            destination_id=self.route.get("destination", "")[:40] or None,
            answered_by=self.answered_by,
            routed_by=self._routed_by(),
            transfers=tuple(self.transfers),
            legs=self._legs(cut_at),
            spool_name=(self.spool_name or self.route.get("file", ""))[:80] or None,
        )

    def _legs(self, cut_at: datetime | None) -> tuple[Leg, ...]:
        legs = []
        for uniqueid, leg in self.legs.items():
            if leg.local:
                continue  # glue between two of our own channels, nobody's phone
            if cut_at is not None and leg.ended_at is None:
                leg.ended_at = cut_at
            legs.append(leg.freeze(caller=uniqueid == self.caller))
        return tuple(legs)

    def _ending(self, *, cut: bool) -> Ending:
        if cut:
            return Ending.CUT
        if self.answered_at:
            return Ending.ANSWERED
        status = self.end.get("status", "")
        if status in {"BUSY", "NOANSWER"}:
            causes = {leg.cause for leg in self.legs.values()}
            if REFUSED_CAUSE in causes:
                return Ending.REFUSED
            return Ending.BUSY if status == "BUSY" else Ending.NO_ANSWER
        if status in {"CHANUNAVAIL", "CONGESTION", "INVALIDARGS"} or self.route.get("by") == "nobody":
            causes = {leg.cause for leg in self.legs.values()}
            return Ending.REFUSED if REFUSED_CAUSE in causes else Ending.UNREACHABLE
        return Ending.ABANDONED_RINGING if self.end.get("ring") else Ending.ABANDONED_EARLY

    def _disposition(self, ending: Ending | None) -> Disposition | None:
        if ending is None:
            return None
        if ending is Ending.CUT and self.answered_at:
            return Disposition.ANSWERED
        return _DISPOSITIONS[ending]

    def _routed_by(self) -> RoutedBy | None:
        by = self.route.get("by")
        return RoutedBy(by) if by in set(RoutedBy) else None


def _endpoint(channel: str) -> str:
    """`PJSIP/company-0000002a` → `company`."""
    return channel.partition("/")[2].rpartition("-")[0]


_HANDLERS: dict[str, Callable[[_Draft, Row], Any]] = {
    "CHAN_START": _Draft.channel_start,
    "RINGTRACE_CALL": _Draft.call,
    "RINGTRACE_ROUTE": _Draft.routed,
    "RINGTRACE_STEP": _Draft.stepped,
    "RINGTRACE_END": _Draft.finished,
    "ANSWER": _Draft.answer,
    "BRIDGE_ENTER": _Draft.bridge_enter,
    "BRIDGE_EXIT": _Draft.bridge_exit,
    "BLINDTRANSFER": _Draft.blind_transfer,
    "ATTENDEDTRANSFER": _Draft.attended_transfer,
    "HANGUP": _Draft.hang_up,
    "CHAN_END": _Draft.channel_end,
    "LINKEDID_END": _Draft.linkedid_end,
}
