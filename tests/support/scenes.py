"""What several channels of one call write into the CEL log: tables of rows in a few words."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self

from router.domain.calls.call import Call
from router.domain.calls.folding import fold
from router.domain.calls.ledger import Row
from tests.support.builders import NOON

CALLER = "caller"


class Scene:
    """One caller and the others who take part, by short names. A channel is named `PJSIP/<name>-…`
    unless said otherwise.
    """

    def __init__(self, at: datetime = NOON) -> None:
        self.at, self.rows = at, list[Row]()
        self._channels: dict[str, tuple[str, str, str]] = {}  # name to uniqueid, linkedid, channel
        self._places: dict[str, str] = {}

    def wait(self, seconds: float) -> Self:
        self.at += timedelta(seconds=seconds)
        return self

    def row(
        self, event: str, who: str, *, extension: str = "s", number: str = "", **extra: Any
    ) -> Self:
        uniqueid, linkedid, channel = self._channels[who]
        self.at += timedelta(milliseconds=1)
        row = Row(
            event=event,
            at=self.at,
            uniqueid=uniqueid,
            linkedid=linkedid,
            channel=channel,
            caller_number=number,
            extension=extension,
            extra=extra,
        )
        self.rows.append(row)
        return self

    def arrives(self, who: str = CALLER, number: str = "+79161234567") -> Self:
        """A carrier brings a call, and it is routed."""
        self.starts(
            who, channel=f"PJSIP/carrier-{len(self._channels):08x}", linkedid=who, number=number
        )
        self.row("RINGTRACE_CALL", who, extra="did=74950000001&trunk=carrier")
        return self.row(
            "RINGTRACE_ROUTE", who, extra="by=agent&number=+74950000001&destination=office"
        )

    def starts(
        self,
        who: str,
        *,
        channel: str = "",
        extension: str = "s",
        linkedid: str = CALLER,
        number: str = "",
    ) -> Self:
        name = channel or f"PJSIP/{who.split('#')[0]}-{len(self._channels):08x}"
        self._channels[who] = (f"u-{who}", f"u-{linkedid}", name)
        return self.row("CHAN_START", who, extension=extension, number=number)

    def local(self, who: str, extension: str) -> Self:
        """A Local channel: its halves are `who;1` and `who;2`."""
        for half in ("1", "2"):
            name = f"Local/{extension}@office-{who:0>8};{half}"
            self._channels[f"{who};{half}"] = (f"u-{who};{half}", f"u-{CALLER}", name)
            self.row("CHAN_START", f"{who};{half}", extension=extension)
        return self

    def answers(self, *names: str) -> Self:
        for who in names:
            self.row("ANSWER", who)
        return self

    def meets(self, bridge: str, *names: str, technology: str = "simple_bridge") -> Self:
        """Channels enter a bridge, after leaving the one they are in."""
        for who in names:
            self.leaves(who)
            self._places[who] = bridge
            self.row("BRIDGE_ENTER", who, bridge_id=bridge, bridge_technology=technology)
        return self

    def leaves(self, *names: str) -> Self:
        for who in names:
            if bridge := self._places.pop(who, None):
                self.row("BRIDGE_EXIT", who, bridge_id=bridge, bridge_technology="simple_bridge")
        return self

    def joins(self, who: str, linkedid: str = CALLER) -> Self:
        """A channel moves to the linkedid of another call."""
        uniqueid, _, channel = self._channels[who]
        self.row("LINKEDID_END", who)
        self._channels[who] = (uniqueid, f"u-{linkedid}", channel)
        return self

    def ends(self, who: str, cause: int = 16, by: str = "") -> Self:
        self.leaves(who)
        source = self._channels[by][2] if by else ""
        return self.row("HANGUP", who, hangupcause=cause, hangupsource=source).row("CHAN_END", who)

    def blind(self, by: str, to: str, who: str = CALLER) -> Self:
        """A phone transfers the caller to an extension and is gone."""
        transferee = {
            "transferee_channel_name": self.channel(who),
            "transferee_channel_uniqueid": f"u-{who}",
        }
        self.row("BLINDTRANSFER", by, bridge_id=self._places[by], **transferee)
        self.rows[-1] = replace(self.rows[-1], extra={"extension": to, **self.rows[-1].extra})
        return self.ends(by).leaves(who)

    def attended(self, first: str, second: str, target: str) -> Self:
        """A phone joins the caller with the one it consulted on its second line."""
        return self.row(
            "ATTENDEDTRANSFER",
            first,
            bridge1_id=self._places.get(first, ""),
            bridge2_id=self._places.get(second, ""),
            channel2_name=self.channel(second),
            channel2_uniqueid=f"u-{second}",
            transferee_channel_uniqueid=f"u-{CALLER}",
            transfer_target_channel_name=self.channel(target),
            transfer_target_channel_uniqueid=f"u-{target}",
        )

    def channel(self, who: str) -> str:
        return self._channels[who][2]

    def over(
        self,
        status: str = "ANSWER",
        *,
        by: str = CALLER,
        cause: int = 16,
        ring: object = "",
        who: str = CALLER,
    ) -> Self:
        """The caller's channel ends, by its own will unless said otherwise, and with it the
        call.
        """
        self.leaves(CALLER)
        self.row("RINGTRACE_END", CALLER, extra=f"status={status}&cause={cause}&step=1&ring={ring}")
        return self.ends(CALLER, cause, by=by).row("LINKEDID_END", CALLER)

    def call(self, **options: Any) -> Call:
        """The one call of it, the same however its rows come."""
        (call,) = fold(self.rows, **options)
        return call


def answered(by: str = "201", ring: float = 5) -> Scene:
    """A call that a phone answers after some seconds."""
    scene = Scene().arrives().starts(by).wait(ring).answers(by, CALLER)
    return scene.meets("b1", by, CALLER)


def course(call: Call) -> list[tuple[str, int]]:
    """The periods with their whole seconds."""
    return [(period.kind, round(period.seconds)) for period in call.periods]


def outcomes(call: Call) -> list[tuple[str, str, Any, str | None, int]]:
    return [(t.kind, t.to, t.outcome, t.answered_by, round(t.wait_seconds)) for t in call.transfers]
