"""Groups rows of the CEL log into calls and detects their end.

A call ends only on LINKEDID_END, when its last channel is gone. A transfer can join what began as
two calls: their channels then meet under one linkedid, so groups that share a channel become one
group, which ends when each of its linkedids has ended. A linkedid also ends when its channels move
to another one, so a group is over only when all its channels have ended. Who enters a conference
keeps a linkedid of their own, so groups that meet in one become one group, too.

A row is counted once, however often it is read: a CEL log that is copied and truncated while a call
goes on is read again from its beginning.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from typing import Any

LONG = 1_000  # rows of a group, beyond which it leaves out its past
CONFERENCE = "softmix"  # the bridge technology in which everybody hears everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event of the CEL log."""

    # CHAN_START, ANSWER, BRIDGE_ENTER, … or the dialplan's own: RINGTRACE_CALL, …_ROUTE, …_STEP,
    # …_END
    event: str
    at: datetime
    uniqueid: str
    linkedid: str
    channel: str
    caller_number: str = ""
    caller_name: str = ""
    extension: str = ""
    context: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """Rows that belong together, in the order of the CEL log."""

    id: str
    rows: list[Row] = field(default_factory=list)
    linkedids: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    living: set[str] = field(default_factory=set)
    conferences: set[str] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)  # the rows, as `_identity`

    @property
    def over(self) -> bool:
        """Every linkedid and every channel of it has ended."""
        return self.ended >= self.linkedids and not self.living


class Ledger:
    """All calls that have begun and not ended."""

    def __init__(self, open_rows: Mapping[str, Iterable[Row]] | None = None) -> None:
        self._by_linkedid: dict[str, Group] = {}
        self._by_channel: dict[str, Group] = {}
        self._by_conference: dict[str, Group] = {}
        self._touched: dict[str, Group] = {}
        self._absorbed: list[str] = []
        for name, rows in (open_rows or {}).items():
            for row in rows:
                self.add(row)
                self._by_linkedid[row.linkedid].id = name  # which may not be its first row's
        self._touched.clear()
        self._absorbed.clear()

    def __contains__(self, linkedid: str) -> bool:
        """Whether a call with this linkedid is open."""
        return linkedid in self._by_linkedid

    def rows(self, linkedid: str) -> list[Row]:
        """The rows of an open call."""
        group = self._by_linkedid.get(linkedid)
        if group is None:
            return []
        return group.rows

    def __iter__(self) -> Iterator[Group]:
        return iter({id(group): group for group in self._by_linkedid.values()}.values())

    def add(self, row: Row) -> None:
        """Add the next row of the CEL log."""
        group = self._by_linkedid.get(row.linkedid) or self._by_channel.get(row.uniqueid)
        if group is None:
            group = Group(id=row.linkedid)
        if _identity(row) in group.seen:
            return
        for other in self._others(row, group):
            group = self._join(group, other)
        group.rows.append(row)
        group.seen.add(_identity(row))
        group.linkedids.add(row.linkedid)
        group.channels.add(row.uniqueid)
        self._by_linkedid[row.linkedid] = group
        self._by_channel[row.uniqueid] = group
        if conference := _conference(row):
            group.conferences.add(conference)
            self._by_conference[conference] = group
        if row.event == "LINKEDID_END":
            group.ended.add(row.linkedid)
        elif row.event == "CHAN_START":
            group.ended.discard(row.linkedid)
            group.living.add(row.uniqueid)
        elif row.event == "CHAN_END":
            group.living.discard(row.uniqueid)
        self._touched[group.id] = group

    def touched(self) -> tuple[list[Group], list[str]]:
        """The groups that changed since the last `settle`, and the ids of groups that went into
        another one.
        """
        return list(self._touched.values()), list(self._absorbed)

    def settle(self) -> None:
        """Confirm that the `touched` groups are stored: groups that are over are removed."""
        touched = list(self._touched.values())
        self._touched, self._absorbed = {}, []
        for group in touched:
            if group.over:
                self.forget(group)
            elif len(group.rows) > LONG:
                self._leave_out_past(group)

    def keep(self, group: Group, rows: list[Row]) -> None:
        """Keep only these rows of a group, in their order."""
        group.rows, group.seen = rows, {_identity(row) for row in rows}
        linkedids, channels = {row.linkedid for row in rows}, {row.uniqueid for row in rows}
        for linkedid in group.linkedids - linkedids:
            self._by_linkedid.pop(linkedid, None)
        for channel in group.channels - channels:
            self._by_channel.pop(channel, None)
        group.linkedids &= linkedids
        group.ended &= linkedids
        group.channels &= channels

    def _leave_out_past(self, group: Group) -> None:
        """Leave out who had left a conference before any call that goes on began: it never met
        them. The first part stays, because the group is named after it.
        """
        gone = _past(group)
        self.keep(group, [row for row in group.rows if row.linkedid not in gone])

    def silent(self, alive: frozenset[str], before: datetime) -> list[Group]:
        """The groups without live channels and without rows since `before`: Asterisk died during
        the call or could not write the CEL log, so their end will never come.
        """
        dead = [group for group in self if not (group.channels | group.linkedids) & alive]
        return [group for group in dead if group.rows[-1].at < before]

    def _others(self, row: Row, group: Group) -> Iterator[Group]:
        """The groups that this row joins with its own."""
        for other in (
            self._by_channel.get(row.uniqueid, group),
            self._by_conference.get(_conference(row), group),
        ):
            if other is not group:
                yield other

    def _join(self, one: Group, other: Group) -> Group:
        older, younger = sorted((one, other), key=lambda group: group.rows[0].at)
        # Each keeps its own order, which is true even where the clock was set back.
        older.rows = list(merge(older.rows, younger.rows, key=lambda row: row.at))
        older.linkedids |= younger.linkedids
        older.ended |= younger.ended
        older.channels |= younger.channels
        older.living |= younger.living
        older.conferences |= younger.conferences
        older.seen |= younger.seen
        self._by_linkedid.update(dict.fromkeys(younger.linkedids, older))
        self._by_channel.update(dict.fromkeys(younger.channels, older))
        self._by_conference.update(dict.fromkeys(younger.conferences, older))
        self._touched.pop(younger.id, None)
        self._absorbed.append(younger.id)
        return older

    def forget(self, group: Group) -> None:
        """Remove a group."""
        self._touched.pop(group.id, None)
        for linkedid in group.linkedids:
            self._by_linkedid.pop(linkedid, None)
        for channel in group.channels:
            self._by_channel.pop(channel, None)
        for conference in group.conferences:
            self._by_conference.pop(conference, None)


def _identity(row: Row) -> int:
    return hash((row.event, row.at, row.uniqueid, row.linkedid, str(row.extra)))


def _conference(row: Row) -> str:
    """The conference that a channel enters; empty for any other row."""
    if row.event != "BRIDGE_ENTER" or row.extra.get("bridge_technology") != CONFERENCE:
        return ""
    return str(row.extra.get("bridge_id", ""))


def _past(group: Group) -> set[str]:
    """The linkedids whose channels are all gone, and were before the calls that go on began."""
    living = {row.linkedid for row in group.rows if row.uniqueid in group.living}
    parts = _parts(group.rows)
    over = [part for part in parts if part <= group.ended and not part & living]
    going_on = group.linkedids.difference(*over)
    calls = [r.at for r in group.rows if r.event.endswith("_CALL") and r.linkedid in going_on]
    since = min(calls, default=None)
    last = {row.linkedid: row.at for row in group.rows}
    past = set[str]()
    for part in over:
        ended_before = since is None or max(last[key] for key in part) < since
        if ended_before and group.id not in part:
            past |= part
    return past


def _parts(rows: Iterable[Row]) -> list[set[str]]:
    """The linkedids that belong together because they share a channel."""
    by_channel: dict[str, set[str]] = {}
    for row in rows:
        by_channel.setdefault(row.uniqueid, set()).add(row.linkedid)
    parts: list[set[str]] = []
    for linkedids in by_channel.values():
        joined = [part for part in parts if part & linkedids]
        parts = [part for part in parts if not part & linkedids]
        parts.append(linkedids.union(*joined))
    return parts
