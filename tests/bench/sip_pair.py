"""Both ends of many calls in one process, for post-dial delay: one clock sees the INVITE go in and
come out.

SIPp's two processes and millisecond scheduler are too coarse where a millisecond is the question.
This pair speaks INVITE, 200, ACK, BYE and OPTIONS, sends no media, and expects a loopback that
loses nothing.
"""

import asyncio
import contextlib
import math
import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_SDP = (
    "v=0\r\no=pair 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
)
# no DID looks so: whatever header carries it betrays the call
_CALLER_NUMBER = re.compile(r"\+7900\d{7}\b")
_COMPANY = "127.0.0.1"


@dataclass(slots=True, kw_only=True)
class PairCall:
    """One call; moments are CLOCK_MONOTONIC seconds, `legs` are the Call-IDs it arrived with at the
    company.
    """

    did: str
    number: str
    talk: float
    call_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    sent: float = 0.0
    arrived: float | None = None
    answered: float | None = None
    status: int | None = None
    legs: set[str] = field(default_factory=set)
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairResult:
    """What became of the calls. `lag`: how late, in seconds, the pair itself was with its latest
    INVITE.
    """

    calls: tuple[PairCall, ...] = field(repr=False)
    lag: float

    @property
    def good(self) -> int:
        """Calls that reached the company exactly once, were answered and ended."""
        return sum(c.status == 200 and len(c.legs) == 1 and c.over.is_set() for c in self.calls)

    @property
    def delays(self) -> list[float]:
        """Post-dial delay, INVITE out to INVITE in, of each call that arrived: seconds,
        ascending.
        """
        return sorted(c.arrived - c.sent for c in self.calls if c.arrived is not None)

    def delay(self, quantile: float) -> float:
        """A quantile of `delays`: 0.5 is the median; endless when no call arrived."""
        delays = self.delays or [math.inf]
        return delays[min(len(delays) - 1, int(quantile * len(delays)))]


class SipPair:
    """`async with SipPair(port) as pair`: send the DIDs to `pair.company_port`, then `await
    pair.run(...)`.

    `carrier`: the loopback address that the callers send from, by which Asterisk knows their trunk.
    """

    def __init__(self, asterisk_port: int, carrier: str = "127.0.0.1") -> None:
        self._asterisk = ("127.0.0.1", asterisk_port)
        self._carrier = carrier
        self._calls: dict[str, PairCall] = {}
        self._by_number: dict[str, PairCall] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        here, there = (self._carrier, 0), (_COMPANY, 0)
        self._out, _ = await loop.create_datagram_endpoint(
            lambda: _End(self._caller_hears), local_addr=here
        )
        self._in, _ = await loop.create_datagram_endpoint(
            lambda: _End(self._company_hears), local_addr=there
        )
        self.caller_port: int = self._out.get_extra_info("sockname")[1]
        self.company_port: int = self._in.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._out.close()
        self._in.close()

    async def run(
        self,
        dids: Sequence[str],
        *,
        rate: float,
        calls: int,
        talk: float = 0.5,
        patience: float = 10.0,
    ) -> PairResult:
        """Place `calls` calls to `dids` in turn, `rate` a second, each talking `talk` seconds; wait
        for them.
        """
        begin, lag = time.monotonic(), 0.0
        placed: list[PairCall] = []
        for n in range(calls):
            due = begin + n / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            lag = max(lag, time.monotonic() - due)
            placed.append(self._dial(dids[n % len(dids)], talk))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(talk + patience):
                for call in placed:
                    await call.over.wait()
        return PairResult(calls=tuple(placed), lag=lag)

    def _dial(self, did: str, talk: float) -> PairCall:
        call = PairCall(did=did, number=f"+7900{len(self._calls):07}", talk=talk)
        self._calls[call.call_id] = self._by_number[call.number] = call
        invite = self._request("INVITE", call, "", 1, _SDP)
        call.sent = time.monotonic()
        self._out.sendto(invite, self._asterisk)
        return call

    def _caller_hears(self, text: str, now: float) -> None:
        call = self._calls.get(_header(text, "Call-ID"))
        if call is None:
            return
        if not text.startswith("SIP/2.0 "):
            if text.startswith("BYE "):
                call.over.set()
            self._out.sendto(
                _reply(text, "200 OK", f"{self._carrier}:{self.caller_port}"), self._asterisk
            )
            return
        status, tag = int(text[8:11]), _header(text, "To").partition(";tag=")[2]
        if "INVITE" in _header(text, "CSeq"):
            self._invited(call, status, tag, now)
        elif status >= 200:
            call.over.set()

    def _invited(self, call: PairCall, status: int, tag: str, now: float) -> None:
        if status < 200:
            return
        repeated, call.status = call.status is not None, status
        self._out.sendto(self._request("ACK", call, tag, 1), self._asterisk)
        if not repeated:
            call.answered = now
            if status >= 300:
                call.over.set()
            else:
                bye = self._request("BYE", call, tag, 2)
                asyncio.get_running_loop().call_later(
                    call.talk, self._out.sendto, bye, self._asterisk
                )

    def _company_hears(self, text: str, now: float) -> None:
        if text.startswith(("SIP/2.0 ", "ACK ")):
            return
        invited = text.startswith("INVITE ")
        if invited:
            found = _CALLER_NUMBER.search(text)
            call = self._by_number.get(found[0]) if found else None
            if call:
                call.legs.add(_header(text, "Call-ID"))
                call.arrived = call.arrived or now
        contact = f"{_COMPANY}:{self.company_port}"
        self._in.sendto(_reply(text, "200 OK", contact, _SDP if invited else ""), self._asterisk)

    def _request(self, method: str, call: PairCall, tag: str, cseq: int, body: str = "") -> bytes:
        # An ACK to a refusal belongs to the INVITE's transaction, one to a 200 is its own: a branch
        # for each.
        branch = (
            "i" if method == "INVITE" or (method == "ACK" and (call.status or 0) >= 300) else method
        )
        return (
            f"{method} sip:{call.did}@127.0.0.1:{self._asterisk[1]} SIP/2.0\r\n"
            "Via: SIP/2.0/UDP "
            f"{self._carrier}:{self.caller_port};branch=z9hG4bK{call.call_id}{branch}\r\n"
            f"From: <sip:{call.number}@127.0.0.1>;tag={call.call_id}\r\n"
            f"To: <sip:{call.did}@127.0.0.1>{';tag=' * bool(tag)}{tag}\r\nCall-ID: "
            f"{call.call_id}\r\n"
            f"CSeq: {cseq} {method}\r\nContact: "
            f"<sip:{call.number}@{self._carrier}:{self.caller_port}>\r\n"
            f"Max-Forwards: 70\r\n{_body(body)}"
        ).encode()


class _End(asyncio.DatagramProtocol):
    """One socket; the moment of arrival is taken before anything else."""

    def __init__(self, hears: Callable[[str, float], None]) -> None:
        self._hears = hears

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        now = time.monotonic()
        self._hears(data.decode("utf8", "replace"), now)


def _header(text: str, name: str) -> str:
    begin = text.find(f"\r\n{name}: ")
    return "" if begin < 0 else text[begin + len(name) + 4 : text.index("\r\n", begin + 2)]


def _reply(request: str, status: str, contact: str, body: str = "") -> bytes:
    vias = "".join(f"{line}\r\n" for line in request.split("\r\n") if line.startswith("Via: "))
    to = _header(request, "To")
    return (
        f"SIP/2.0 {status}\r\n{vias}From: {_header(request, 'From')}\r\n"
        f"To: {to}{'' if ';tag=' in to else ';tag=pair'}\r\nCall-ID: "
        f"{_header(request, 'Call-ID')}\r\n"
        f"CSeq: {_header(request, 'CSeq')}\r\nContact: <sip:pair@{contact}>\r\n{_body(body)}"
    ).encode()


def _body(body: str) -> str:
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
