"""Follows the transfers of one caller through the CEL log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from router.domain.calls.call import Hold, Leg, Transfer, TransferKind, endpoint
from router.domain.calls.ledger import Row
from router.domain.calls.presence import Presence
from router.domain.calls.transfer_outcomes import AT_ONCE, TransferDraft, TransferEnd


@dataclass(slots=True)
class Transfers:
    """All transfers of a caller so far, and the consultations before them."""

    caller: str  # uniqueid
    callers: frozenset[str]  # of all outside callers in this group
    presence: Presence
    first_rows: dict[str, Row]
    drafts: list[TransferDraft] = field(default_factory=list)
    consultations: list[Hold] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether the caller waits after a transfer."""
        return bool(self.drafts) and self.drafts[-1].open

    @property
    def leaving(self) -> frozenset[str]:
        """The uniqueids of the person who transferred the caller: out of the call, whatever bridge
        they are in.
        """
        if self.open:
            return self.drafts[-1].own
        return frozenset()

    @property
    def lost(self) -> bool:
        """Whether no person was with the caller after the last transfer."""
        return self.open and not self.drafts[-1].accompanied

    def look(self, people: Sequence[str], at: datetime) -> None:
        """Who is with the caller at this moment."""
        if self.drafts:
            self.drafts[-1].look(people, at, self.who, parked=self.presence.parked)

    def freeze(self, legs: Sequence[Leg], end: TransferEnd | None) -> tuple[Transfer, ...]:
        """The transfers with their outcomes. Each ends the waiting after the previous one."""
        next_ones = [TransferEnd(at=draft.at, by_caller=False) for draft in self.drafts[1:]]
        return tuple(
            draft.freeze(legs, until)
            for draft, until in zip(self.drafts, [*next_ones, end], strict=False)
        )

    def who(self, uniqueid: str) -> str:
        """The channel's owner: the endpoint, or the number of another caller."""
        if uniqueid in self.callers and uniqueid in self.first_rows:
            return self.first_rows[uniqueid].caller_number
        return endpoint(self.presence.names.get(uniqueid, ""))

    def blind(self, row: Row) -> None:
        """A phone sent the caller to an extension. It may have left the bridge already, or leave it
        now.
        """
        if not self._concerns(row, "bridge_id"):
            return
        if self._is_parking(row.at):
            self.drafts.pop()
        own = frozenset({row.uniqueid})
        left = own
        if not self.presence.caller_is_elsewhere(str(row.extra.get("bridge_id", ""))):
            left |= frozenset(self.presence.people())
        to = str(row.extra.get("extension", ""))
        self._begin(TransferKind.BLIND, row, to, self.who(row.uniqueid), left, own)

    def attended(self, row: Row) -> None:
        """A phone connected the caller with the target of a consultation, or of a call that still
        rings.
        """
        if not self._concerns(row, "bridge1_id", "bridge2_id"):
            return
        second = str(row.extra.get("channel2_uniqueid", ""))
        consulted = None
        if second != row.uniqueid:
            consulted = self.first_rows.get(second)
        if consulted and consulted.at > self._answered_at(row):
            self.consultations.append(
                Hold(channel=row.channel, started_at=consulted.at, ended_at=row.at)
            )
        own = frozenset({row.uniqueid, second})
        to = self._target(row, consulted)
        self._begin(TransferKind.ATTENDED, row, to, self.who(row.uniqueid), own, own)

    def park(self, row: Row) -> None:
        """A phone parked the caller with a key; a transfer to the parking lot's extension has been
        followed before.
        """
        if self.open or not self.presence.is_connected(row.uniqueid):
            return
        by = str(row.extra.get("parker_dial_string", "")).partition("/")[2]
        to = str(row.extra.get("parking_lot", ""))
        people = frozenset(self.presence.people())
        self._begin(TransferKind.PARK, row, to, by, people, people)

    def _is_parking(self, at: datetime) -> bool:
        """Whether the caller was parked by the same transfer: two threads write the two rows."""
        if not self.open:
            return False
        last = self.drafts[-1]
        return last.kind is TransferKind.PARK and at - last.at < AT_ONCE

    def _begin(
        self,
        kind: TransferKind,
        row: Row,
        to: str,
        by: str,
        left: frozenset[str],
        own: frozenset[str],
    ) -> None:
        self.drafts.append(TransferDraft(kind=kind, at=row.at, to=to, by=by, left=left, own=own))

    def _answered_at(self, row: Row) -> datetime:
        """Since when the phone that transfers the caller has been in the call."""
        first = self.first_rows.get(row.uniqueid)
        if first:
            return first.at
        return row.at

    def _concerns(self, row: Row, *bridges: str) -> bool:
        """Whether a transfer is one of this caller, and not of another one in the group."""
        named = {str(row.extra[name]) for name in bridges if row.extra.get(name)}
        transferee = row.extra.get("transferee_channel_uniqueid")
        if transferee == self.caller or not (named or transferee):
            return True
        return bool(named & self.presence.bridges_of_caller)

    def _target(self, row: Row, consulted: Row | None) -> str:
        """The target of an attended transfer: the extension dialled for the consultation, otherwise
        the endpoint.
        """
        if (
            consulted
            and consulted.uniqueid not in self.callers
            and consulted.extension not in {"", "s"}
        ):
            return consulted.extension
        target = str(row.extra.get("transfer_target_channel_uniqueid", ""))
        if target == self.caller:  # this caller was the one who waited
            target = str(row.extra.get("transferee_channel_uniqueid", ""))
        if target in self.presence.names:
            return self.who(target)
        return endpoint(
            str(
                row.extra.get("transfer_target_channel_name")
                or row.extra.get("channel2_name")
                or ""
            )
        )
