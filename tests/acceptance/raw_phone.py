"""A SIP and RTP phone for tests in which every line can be chosen: what real carriers send, and
SIPp does not.

It answers an OPTIONS and a BYE by itself, repeats an answer to a repeated request, and begins its
RTP at random numbers as RFC 3550 asks.
"""

import asyncio
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from tests.acceptance.raw_media import RawMedia
from tests.acceptance.raw_message import SipMessage
from tests.support.ports import free_port


@dataclass(eq=False)
class RawDialog:
    """What both sides of a call remember of it."""

    phone: "RawPhone"
    call_id: str
    local: str
    remote: str
    target: str  # the Contact of the other side
    answer: SipMessage | None = None  # the last answer to our INVITE
    offer: SipMessage | None = None  # their INVITE
    sequence: int = 1

    @property
    def media(self) -> tuple[str, int]:
        """Where the other side wants RTP."""
        said = self.answer or self.offer
        assert said is not None
        return said.media()

    async def ask(
        self, method: str, headers: Sequence[str] = (), body: str = "", *, timeout: float = 180.0
    ) -> SipMessage:
        """A request inside the call, and its final answer; ACK is sent for an INVITE."""
        self.sequence += 1
        answer = await self.phone.ask(self, method, headers, body, timeout=timeout)
        if method == "INVITE":
            self.answer = answer if answer.status == 200 else self.answer
        return answer

    async def hang_up(self) -> SipMessage:
        """BYE."""
        return await self.ask("BYE")


class RawPhone(asyncio.DatagramProtocol):
    """One UDP port that speaks SIP with Asterisk."""

    def __init__(self, host: str, peer_port: int, *, options: str | None = "200 OK") -> None:
        self.host, self.port, self.peer = host, free_port(host), ("127.0.0.1", peer_port)
        self.options = options  # None: an OPTIONS is not answered at all
        self.contact = f"<sip:raw@{host}:{self.port}>"
        self.seen: list[SipMessage] = []  # all that came
        self._waiting: list[tuple[Callable[[SipMessage], bool], asyncio.Future[SipMessage]]] = []
        self._unread: list[SipMessage] = []
        self._answers: dict[tuple[str, str], bytes] = {}
        self._transport: asyncio.DatagramTransport
        self._media: list[RawMedia] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()
        for media in self._media:
            media.close()

    async def new_media(self) -> RawMedia:
        """An RTP port that is closed with the phone."""
        media = await RawMedia(self.host).open()
        self._media.append(media)
        return media

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return  # a keep-alive
        message = SipMessage.parse(data)
        self.seen.append(message)
        key = (message.header("Via"), message.method)
        if not message.status and key in self._answers:
            self._transport.sendto(self._answers[key], self.peer)
        elif message.method == "OPTIONS" and not message.status:
            if self.options:
                self.reply(message, self.options)
        else:
            self._hand_over(message)

    def _hand_over(self, message: SipMessage) -> None:
        if message.method == "BYE" and not message.status:
            self.reply(message, "200 OK")
        for wanted, future in self._waiting:
            if not future.done() and wanted(message):
                future.set_result(message)
                return
        self._unread.append(message)

    async def expect(
        self, wanted: Callable[[SipMessage], bool], timeout: float = 180.0
    ) -> SipMessage:
        """The next message that is wanted, which may have come already."""
        for message in self._unread:
            if wanted(message):
                self._unread.remove(message)
                return message
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        try:
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError:
            raise AssertionError(
                f"nothing such came in {timeout} s: {[m.first for m in self.seen]}"
            ) from None

    async def request(self, method: str, timeout: float = 180.0) -> SipMessage:
        """The next request of that method."""
        return await self.expect(
            lambda message: not message.status and message.method == method, timeout
        )

    def send(
        self, first: str, headers: Sequence[str], body: str = "", *, kind: str = "application/sdp"
    ) -> None:
        """Send a message whole."""
        length = (
            *((f"Content-Type: {kind}",) if body else ()),
            f"Content-Length: {len(body.encode())}",
        )
        self._transport.sendto(
            "\r\n".join((first, *headers, *length, "", body)).encode(), self.peer
        )

    def reply(
        self, to: SipMessage, status: str, headers: Sequence[str] = (), body: str = ""
    ) -> None:
        """Answer a request."""
        tag = (
            ""
            if ";tag=" in to.header("To") or status.startswith("100")
            else f";tag=raw-{self.port}"
        )
        kept = [
            f"{name}: {value}"
            for name, value in to.headers
            if name in {"Via", "From", "Call-ID", "CSeq"}
        ]
        routes = [f"Record-Route: {route}" for route in to.all("Record-Route")]
        ours = (
            ()
            if any(line.startswith("Contact:") for line in headers)
            else (f"Contact: {self.contact}",)
        )
        lines = (*kept, *routes, f"To: {to.header('To')}{tag}", *ours, *headers)
        length = (
            *(("Content-Type: application/sdp",) if body else ()),
            f"Content-Length: {len(body.encode())}",
        )
        data = "\r\n".join((f"SIP/2.0 {status}", *lines, *length, "", body)).encode()
        if not status.startswith("1"):
            self._answers[to.header("Via"), to.method] = data
        self._transport.sendto(data, self.peer)

    async def ask(
        self,
        dialog: RawDialog,
        method: str,
        headers: Sequence[str] = (),
        body: str = "",
        *,
        timeout: float = 180.0,
    ) -> SipMessage:
        """Send a request of this dialog, and wait for its final answer."""
        kind = next(
            (h.partition(":")[2].strip() for h in headers if h.lower().startswith("content-type:")),
            None,
        )
        lines = [h for h in headers if not h.lower().startswith("content-type:")]
        common = self._lines(dialog)
        branch = f"Via: SIP/2.0/UDP {self.host}:{self.port};rport;branch=z9hG4bK{uuid.uuid4().hex}"
        sequence = dialog.sequence
        self.send(
            f"{method} {dialog.target} SIP/2.0",
            (branch, *common, f"CSeq: {sequence} {method}", *lines),
            body,
            kind=kind or "application/sdp",
        )

        def final(message: SipMessage) -> bool:
            return (
                message.status >= 200
                and message.header("CSeq") == f"{sequence} {method}"
                and same_call(message)
            )

        def same_call(message: SipMessage) -> bool:
            return message.header("Call-ID") == dialog.call_id

        answer = await self.expect(final, timeout)
        dialog.remote = answer.header("To") or dialog.remote
        if method == "INVITE":
            contact = re.search(r"<([^>]*)>", answer.header("Contact"))
            dialog.target = contact[1] if contact else dialog.target
            ack = branch if answer.status >= 300 else branch + "ack"
            self.send(
                f"ACK {dialog.target} SIP/2.0", (ack, *self._lines(dialog), f"CSeq: {sequence} ACK")
            )
        return answer

    def _lines(self, dialog: RawDialog) -> tuple[str, ...]:
        return (
            "Max-Forwards: 70",
            f"From: {dialog.local}",
            f"To: {dialog.remote}",
            f"Call-ID: {dialog.call_id}",
            f"Contact: {self.contact}",
        )

    def new_dialog(
        self, to: str, number: str = "+79161230000", *, uri: str | None = None
    ) -> RawDialog:
        """A call that was not sent yet."""
        target = uri or f"sip:{to}@{self.peer[0]}:{self.peer[1]}"
        return RawDialog(
            phone=self,
            call_id=f"{uuid.uuid4().hex}@{self.host}",
            local=f"<sip:{number}@{self.host}>;tag={uuid.uuid4().hex[:8]}",
            remote=f"<sip:{to}@{self.peer[0]}>",
            target=target,
        )

    async def call(
        self,
        to: str,
        body: str = "",
        headers: Sequence[str] = (),
        *,
        timeout: float = 180.0,
        **who: str,
    ) -> RawDialog:
        """Call a number; the dialog with the final answer in it."""
        dialog = self.new_dialog(to, **who)
        dialog.answer = await self.ask(dialog, "INVITE", headers, body, timeout=timeout)
        return dialog

    async def pick_up(
        self, body: Callable[[SipMessage], str], headers: Sequence[str] = ()
    ) -> RawDialog:
        """Wait for a call, ring and answer it with this SDP."""
        invite = await self.request("INVITE", 180.0)
        self.reply(invite, "180 Ringing")
        return await self.accept(invite, body(invite), headers)

    async def accept(self, invite: SipMessage, body: str, headers: Sequence[str] = ()) -> RawDialog:
        """Answer an INVITE with 200, and wait for its ACK."""
        self.reply(invite, "200 OK", headers, body)
        await self.expect(
            lambda message: message.first.startswith("ACK ") and _same(message, invite)
        )
        contact = re.search(r"<([^>]*)>", invite.header("Contact"))
        return RawDialog(
            phone=self,
            call_id=invite.header("Call-ID"),
            local=f"{invite.header('To')};tag=raw-{self.port}",
            remote=invite.header("From"),
            target=contact[1] if contact else "",
            offer=invite,
            sequence=1000,
        )


def _same(message: SipMessage, other: SipMessage) -> bool:
    return message.header("Call-ID") == other.header("Call-ID")
