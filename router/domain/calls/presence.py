"""Who is with the caller: follows channels through bridges and Local channels to the devices behind
them.

A person is a channel of a real technology that can hear the caller. A Local channel has two halves:
a channel in a bridge with one half is connected to those in a bridge with the other. A half that
runs Queue, Playback or VoiceMail is in no bridge, so no person is found behind it until an agent
answers.
"""

import re
from dataclasses import dataclass, field

from router.domain.calls.ledger import Row

# Asterisk's own technologies: announcers, recorders and the like. Any other technology is a device.
MACHINES = frozenset(
    {
        *(
            "Announcer",
            "AsyncGoto",
            "AudioSocket",
            "Bridge",
            "CBAnn",
            "CBRec",
            "Local",
            "Message",
            "MulticastRTP",
        ),
        *("Parked", "Recorder", "Rtp", "Snoop", "Surrogate", "UnicastRTP", "WebSocket"),
    }
)
HOLDING = "holding_bridge"  # parking lots and waiting rooms: everyone in them hears only music
_HALF = re.compile(r"(Local/.*);([12])")


def is_device(channel: str) -> bool:
    """Whether a channel is a phone or a trunk, not a part of Asterisk itself."""
    technology, slash, _ = channel.partition("/")
    return bool(slash) and technology not in MACHINES


@dataclass(slots=True)
class Presence:
    """Which channel is in which bridge, as far as the CEL log has been read."""

    caller: str  # uniqueid
    names: dict[str, str] = field(default_factory=dict)  # uniqueid to channel
    parked: bool = False  # the caller is in a parking lot or a waiting room
    bridges_of_caller: set[str] = field(
        default_factory=set
    )  # all channels that ever led to the caller
    _order: dict[str, int] = field(default_factory=dict)  # uniqueids by their start
    _places: dict[str, str] = field(default_factory=dict)  # uniqueid to bridge
    _inside: dict[str, set[str]] = field(default_factory=dict)  # bridge to uniqueids
    _holding: set[str] = field(default_factory=set)
    _halves: dict[str, str] = field(default_factory=dict)  # name of a Local half to uniqueid

    def appear(self, row: Row) -> None:
        """A row names a channel."""
        if row.uniqueid not in self.names:
            self.names[row.uniqueid] = row.channel
            self._order[row.uniqueid] = len(self._order)
            if _HALF.fullmatch(row.channel):
                self._halves[row.channel] = row.uniqueid

    def enter(self, row: Row) -> None:
        """A channel enters a bridge, and so leaves the one before."""
        bridge = str(row.extra.get("bridge_id", ""))
        self._take_out(row.uniqueid)
        self._places[row.uniqueid] = bridge
        self._inside.setdefault(bridge, set()).add(row.uniqueid)
        if row.extra.get("bridge_technology") == HOLDING:
            self._holding.add(bridge)
        else:
            self._holding.discard(bridge)
        self._look()

    def leave(self, row: Row) -> None:
        """A channel leaves a bridge; the row of a bridge it has left before changes nothing."""
        if self._places.get(row.uniqueid) == str(row.extra.get("bridge_id", "")):
            self.vanish(row)

    def vanish(self, row: Row) -> None:
        """A channel is in no bridge any more."""
        self._take_out(row.uniqueid)
        self._look()

    def people(self) -> tuple[str, ...]:
        """The uniqueids of all devices that can hear the caller, in the order of their start."""
        found = (uniqueid for uniqueid in self._connected() if is_device(self.names[uniqueid]))
        return tuple(sorted(found, key=self._order.__getitem__))

    def caller_is_elsewhere(self, bridge: str) -> bool:
        """Whether the caller is in another bridge: in a conference already, for its thread may be
        faster than that of the phone that transferred them there.
        """
        place = self._places.get(self.caller)
        return bool(bridge) and place is not None and place != bridge

    def is_connected(self, uniqueid: str) -> bool:
        """Whether a channel, Local halves included, is the caller's or connected to it."""
        return uniqueid == self.caller or uniqueid in self._connected()

    def _take_out(self, uniqueid: str) -> None:
        bridge = self._places.pop(uniqueid, None)
        if bridge is not None:
            self._inside[bridge].discard(uniqueid)

    def _look(self) -> None:
        place = self._places.get(self.caller)
        self.parked = place in self._holding
        self._connected()

    def _connected(self) -> set[str]:
        found, waiting = set[str](), [self.caller]
        while waiting:
            bridge = self._places.get(waiting.pop())
            if bridge is None or bridge in self._holding:
                continue
            self.bridges_of_caller.add(bridge)
            new = self._inside[bridge] - found - {self.caller}
            others = set(filter(None, map(self._other_half, new)))
            waiting += others - found - {self.caller}
            found |= new
        return found

    def _other_half(self, uniqueid: str) -> str | None:
        half = _HALF.fullmatch(self.names[uniqueid])
        if half is None:
            return None
        other = {"1": "2", "2": "1"}[half[2]]
        return self._halves.get(f"{half[1]};{other}")
