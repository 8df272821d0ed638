"""What an invented call writes into the CEL log, in the order in which Asterisk 22 writes it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self

from router.domain.calls.ledger import Row

_TICK = timedelta(milliseconds=1)
_CONTEXT = "ringtrace-company-line"


class CallRows:
    """The rows of one call. Each verb adds some; `at` moves on by itself or with `wait`."""

    def __init__(
        self, serial: int, at: datetime, *, did: str, caller: str, name: str, system: str
    ) -> None:
        self.at, self.rows, self.serial = at, list[Row](), serial
        self.linkedid = f"{system}-{int(at.timestamp())}.{serial}"
        self._did, self._caller, self._name = did, caller, name
        self._channel = f"PJSIP/demo-carrier-{serial:08x}"
        self._legs = 0
        self._step = 0

    def arrives(self, number: str, destination: str, spool: str) -> Self:
        """A carrier brings the call, and it is routed."""
        self._add("CHAN_START", extension=self._did, context="ringtrace-from-trunk")
        self._said("RINGTRACE_CALL", did=self._did, trunk="demo-carrier")
        by = "default"
        if number:
            by = "agent"
        route = {"by": by, "number": number, "destination": destination, "lease": ""}
        return self._said("RINGTRACE_ROUTE", **route, file=spool)

    def wait(self, seconds: float) -> Self:
        self.at += timedelta(seconds=seconds)
        return self

    def dials(self, phone: str, step: str = "") -> Self:
        """A phone of the company is called."""
        self._step, self._legs = self._step + (not step), self._legs + 1
        self._said("RINGTRACE_STEP", step=step or self._step, dial=f"PJSIP/{phone}")
        return self._add("CHAN_START", phone)

    def answers(self, phone: str, *, first: bool = True) -> Self:
        """The phone answers and talks with the caller."""
        self._add("ANSWER", phone)
        if first:
            self._add("ANSWER")
        bridge = self._bridge()
        return self._add("BRIDGE_ENTER", phone, **bridge)._add("BRIDGE_ENTER", **bridge)

    def announces(self) -> Self:
        """An announcement answers."""
        return self._add("ANSWER")

    def transfers(self, phone: str, extension: str) -> Self:
        """The phone transfers the caller and is gone."""
        bridge = self._bridge()
        transferee = {
            "transferee_channel_name": self._channel,
            "transferee_channel_uniqueid": self.linkedid,
        }
        moved = {"extension_": extension, **bridge, **transferee}
        self._add("BLINDTRANSFER", phone, **moved)._add("BRIDGE_EXIT", **bridge)
        return self._add("BRIDGE_EXIT", phone, **bridge).ends(phone)

    def ends(self, phone: str, cause: int = 16) -> Self:
        """The phone's channel ends."""
        return self._add("HANGUP", phone, hangupcause=cause)._add("CHAN_END", phone)

    def parts(self, phone: str) -> Self:
        """Caller and phone leave their bridge."""
        bridge = self._bridge()
        return self._add("BRIDGE_EXIT", **bridge)._add("BRIDGE_EXIT", phone, **bridge)

    def over(self, status: str, cause: int = 16, *, rang: bool = True, by_caller: bool) -> Self:
        """The caller's channel ends, and with it the call."""
        ring, source = "", "dialplan/builtin"
        if rang:
            ring = "3"
        if by_caller:
            source = self._channel
        self._said("RINGTRACE_END", status=status, cause=cause, step=self._step or "", ring=ring)
        self._add("HANGUP", hangupcause=cause, hangupsource=source, dialstatus=status)
        return self._add("CHAN_END")._add("LINKEDID_END")

    def channel(self, phone: str) -> str:
        """The name of the phone's newest channel."""
        return f"PJSIP/{phone}-{self.serial + self._legs:08x}"

    def _said(self, event: str, **facts: object) -> Self:
        return self._add(event, extra="&".join(f"{name}={value}" for name, value in facts.items()))

    def _bridge(self) -> dict[str, str]:
        return {"bridge_id": f"b{self.serial}-{self._legs}", "bridge_technology": "simple_bridge"}

    def _add(
        self,
        event: str,
        phone: str = "",
        *,
        extension: str = "s",
        context: str = _CONTEXT,
        **extra: Any,
    ) -> Self:
        """One row, of the caller's channel unless a phone is named."""
        self.at += _TICK
        row = Row(
            event=event,
            at=self.at,
            uniqueid=self.linkedid,
            linkedid=self.linkedid,
            channel=self._channel,
            caller_number=self._caller,
            caller_name=self._name,
            extension=extension,
            context=context,
            extra={name.rstrip("_"): value for name, value in extra.items()},
        )
        if phone:
            leg = f"{self.linkedid.partition('.')[0]}.{self.serial + self._legs}"
            channel = self.channel(phone)
            row = replace(row, uniqueid=leg, channel=channel, caller_number="", caller_name="")
        self.rows.append(row)
        return self
