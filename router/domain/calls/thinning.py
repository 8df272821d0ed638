"""Leaves detail out of a call with more rows than can be kept: a conference that people enter and
leave for hours, or a queue that rings the same phones again and again. The callers' own rows, the
transfers and the people with the caller stay as long as possible.
"""

from collections import Counter
from collections.abc import Sequence

from router.domain.calls.cel_facts import event_name
from router.domain.calls.ledger import Row
from router.domain.calls.presence import is_device

_MOVES = frozenset({"BRIDGE_ENTER", "BRIDGE_EXIT"})
_LIVES = frozenset({"CHAN_START", "ANSWER", "HANGUP", "CHAN_END", "LINKEDID_END"})
_TRANSFERS = frozenset({"BLINDTRANSFER", "ATTENDEDTRANSFER", "PARK_START", "FORWARD"})
_OURS = frozenset({"CALL", "ROUTE", "STEP", "END", "CLOCK"})
_NEEDED, _MARKED = 2, 3


def thin(rows: Sequence[Row], most: int) -> list[Row]:
    """About `most` of these rows, in their order, with as many of the facts as possible."""
    read = _MOVES | _LIVES | _TRANSFERS | _OURS
    kept = [row for row in rows if event_name(row) in read]
    ranks = _ranks(kept)
    kept = _without(kept, [channel for channel, rank in ranks.items() if rank < _NEEDED], most)
    kept = _without_middle(kept, len(kept) - most)
    return _without(kept, sorted(ranks, key=ranks.__getitem__), most)


def _without(rows: list[Row], channels: Sequence[str], most: int) -> list[Row]:
    """Without the first of these channels, until `most` rows are left."""
    sizes, left_out, surplus = Counter(row.uniqueid for row in rows), set[str](), len(rows) - most
    for channel in channels:
        if surplus > 0:
            left_out.add(channel)
            surplus -= sizes[channel]

    staying = [row for row in rows if row.uniqueid not in left_out]
    going_on = {row.linkedid for row in staying if row.event != "LINKEDID_END"}
    kept = []
    for row in rows:
        is_end = row.event == "LINKEDID_END" and row.linkedid in going_on
        if row.uniqueid not in left_out or is_end:
            kept.append(row)
    return kept


def _ranks(rows: Sequence[Row]) -> dict[str, int]:
    """The channels that are gone, except callers whose calls go on: 0 for phones that rang in vain,
    1 for visitors who were there with another visitor, more for all others.
    """
    ended = {row.linkedid for row in rows if row.event == "LINKEDID_END"}
    calls = [row for row in rows if event_name(row) == "CALL"]
    going_on = {row.uniqueid for row in calls if row.linkedid not in ended}

    talked = {row.uniqueid for row in rows if row.event in _MOVES}
    callers = {row.uniqueid for row in calls}
    needed = _never_alone([row for row in rows if row.uniqueid not in callers])
    marked = {row.uniqueid for row in rows if event_name(row) in _TRANSFERS | {"CALL"}}
    gone = dict.fromkeys(row.uniqueid for row in rows if row.event == "CHAN_END")
    ranks = {}
    for channel in gone:
        if channel in going_on:
            continue
        ranks[channel] = (channel in talked) + (channel in needed)
        if channel in marked:
            ranks[channel] = _MARKED
    return ranks


def _never_alone(rows: Sequence[Row]) -> set[str]:
    """Channels without which a bridge would have been empty of people for a time: where several
    were there at the same time, those who stay longest.
    """
    chosen = set[str]()
    for stays in _stays(rows).values():
        until, longest = -1, (-1, "")
        for begin, end, channel in sorted(stays):
            if begin > until < longest[0]:
                until = longest[0]
                chosen.add(longest[1])
            if begin > until:
                until = end
                chosen.add(channel)
            longest = max(longest, (end, channel))
        if until < longest[0]:
            chosen.add(longest[1])
    return chosen


def _stays(rows: Sequence[Row]) -> dict[str, list[tuple[int, int, str]]]:
    """When people were in each bridge, by places in the order of the rows."""
    stays: dict[str, list[tuple[int, int, str]]] = {}
    inside: dict[str, tuple[str, int]] = {}
    for place, row in enumerate(rows):
        if row.event not in {*_MOVES, "CHAN_END"} or not is_device(row.channel):
            continue
        if before := inside.pop(row.uniqueid, None):
            stays.setdefault(before[0], []).append((before[1], place, row.uniqueid))
        if row.event == "BRIDGE_ENTER":
            inside[row.uniqueid] = str(row.extra.get("bridge_id", "")), place
    for channel, (bridge, begin) in inside.items():
        stays.setdefault(bridge, []).append((begin, len(rows), channel))
    return stays


def _without_middle(rows: Sequence[Row], surplus: int) -> list[Row]:
    """Without the middle of what channels did more than once."""
    seen, repeated = set[tuple[str, str]](), list[int]()
    for place, row in enumerate(rows):
        if (row.uniqueid, row.event) in seen and row.event != "LINKEDID_END":
            repeated.append(place)
        seen.add((row.uniqueid, row.event))

    first = max(0, len(repeated) - surplus) // 2
    middle = set(repeated[first : first + max(0, surplus)])
    return [row for place, row in enumerate(rows) if place not in middle]
