"""What a SIPp saw, read from its message log: the messages, the INVITEs among them, how each call
ended.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One SIP message as SIPp logged it; `at` in seconds since the epoch."""

    at: float
    sent: bool
    text: str

    @property
    def first(self) -> str:
        return self.text.partition("\n")[0].rstrip("\r")

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        found = re.search(rf"(?im)^{re.escape(name)}\s*:[ \t]*(.*?)\r?$", self.text)
        return found[1] if found else None

    @property
    def from_user(self) -> str:
        found = re.search(r"sips?:([^@;>]*)@[^<]*$", self.header("From") or "")
        return found[1] if found else ""

    @property
    def dialled(self) -> str:
        """The user part of the Request-URI."""
        found = re.match(r"\w+ sips?:([^@\s]*)@", self.first)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one SIPp did: its own counters (a company line counts an OPTIONS as a call), and all it
    saw.
    """

    exit_code: int
    attempted: int
    ok: int
    failed: int
    messages: tuple[Message, ...] = field(repr=False)
    errors: str = field(repr=False)

    @property
    def invites(self) -> tuple[Message, ...]:
        """The first INVITE of each call, sent by a caller or received by a company line, in
        order.
        """
        seen: dict[str | None, Message] = {}
        for message in self.messages:
            if message.first.startswith("INVITE ") and ";tag=" not in (message.header("To") or ""):
                seen.setdefault(message.header("Call-ID"), message)
        return tuple(seen.values())

    @property
    def statuses(self) -> tuple[int | None, ...]:
        """The final SIP status of each of `invites`; None where there was none."""
        final: dict[str | None, int] = {}
        for message in self.messages:
            found = re.match(r"SIP/2\.0 ([2-6]\d\d)", message.first)
            if found and "INVITE" in (message.header("CSeq") or ""):
                final.setdefault(message.header("Call-ID"), int(found[1]))
        return tuple(final.get(invite.header("Call-ID")) for invite in self.invites)

    @property
    def waited(self) -> float:
        """Seconds from the first INVITE to the first final answer to one: no caller has waited
        longer.
        """
        return next(m.at for m in self.messages if _is_final(m)) - self.invites[0].at

    @property
    def lasted(self) -> float:
        """Seconds from the first INVITE to the last message: no call has lasted longer."""
        return self.messages[-1].at - self.invites[0].at


def _is_final(message: Message) -> bool:
    return bool(re.match(r"SIP/2\.0 [2-6]", message.first)) and "INVITE" in (
        message.header("CSeq") or ""
    )


def post_dial_delays(callers: Result, company: Result) -> dict[str, float]:
    """Seconds from a caller's INVITE to the company's, by caller number; where the number is passed
    on.
    """
    out = {invite.from_user: invite.at for invite in callers.invites}
    return {m.from_user: m.at - out[m.from_user] for m in company.invites if m.from_user in out}


def read_messages(log: bytes) -> Iterator[Message]:
    """Read SIPp's message log by its byte counts: what a message holds cannot mislead it."""
    head = re.compile(
        rb"-{20,} (\S+ \S+)\nUDP message (sent|received) [\[(](\d+)\]? bytes\)? ?:\n\n"
    )
    at = 0
    while found := head.search(log, at):
        moment, way, size = found.groups()
        at = found.end() + int(size)
        yield Message(
            at=datetime.fromisoformat(moment.decode()).timestamp(),
            sent=way == b"sent",
            text=log[found.end() : at].decode("utf-8", "replace"),
        )
