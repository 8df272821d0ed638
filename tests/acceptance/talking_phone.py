"""A telephone that talks in numbered frames, rings, holds and transfers: what `raw_phone` writes
line by line, done.

For what SIPp cannot do: streams that begin at any sequence number, and begin again in the middle of
a call.
"""

import asyncio
import re
import uuid
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.acceptance.rtp import ALAW, Media, Start
from tests.acceptance.sip_text import Sip, answer_to
from tests.support.ports import free_port

PATIENCE = 120.0
_CODECS = {8: "PCMA", 0: "PCMU"}


class TalkingPhone(asyncio.DatagramProtocol):
    """A phone on a port of `host`: `async with` it, then `call` or `rings`."""

    def __init__(self, server_port: int, *, host: str, payload: int = ALAW, seed: int = 0) -> None:
        self.host, self.port = host, free_port(host)
        self.payload, self.seed = payload, seed
        self._server = ("127.0.0.1", server_port)
        self._calls: dict[str, PhoneCall] = {}
        self._rung = asyncio.Condition()
        self._incoming: list[PhoneCall] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for call in self._calls.values():
            call.media.close()
        self._transport.close()

    async def rings(self, sender: str = "") -> "PhoneCall":
        """The next call that comes in, from the number `sender` if given; the caller sees nothing
        yet but 100.
        """
        async with asyncio.timeout(PATIENCE), self._rung:
            while True:
                for call in self._incoming:
                    if not sender or f"sip:{sender}@" in call.remote:
                        self._incoming.remove(call)
                        return call
                await self._rung.wait()

    async def call(self, number: str, *, sender: str, speaker: int = 1) -> "PhoneCall":
        """Dial `number` as `sender`; returns when it is answered."""
        call = await self._new(uuid.uuid4().hex, speaker)
        call.local = f"<sip:{sender}@{self.host}>;tag={uuid.uuid4().hex[:8]}"
        call.remote = f"<sip:{number}@127.0.0.1>"
        call.target = f"sip:{number}@127.0.0.1:{self._server[1]}"
        answer = await call.request("INVITE", call.sdp())
        assert answer.status == 200, answer.text
        call.begin(answer)
        return call

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Hand a message to its call."""
        message = Sip(data.decode())
        call = self._calls.get(message.header("Call-ID"))
        if call:
            call.received(message)
        elif message.method == "INVITE" and not message.status:
            asyncio.get_running_loop().create_task(self._ring(message))
        elif not message.status and message.method != "ACK":
            self.send(answer_to(message, "200 OK"))

    async def _ring(self, invite: Sip) -> None:
        if invite.header("Call-ID") in self._calls:
            return
        call = await self._new(invite.header("Call-ID"), speaker=2)
        call.offered(invite)
        async with self._rung:
            self._incoming.append(call)
            self._rung.notify_all()

    async def _new(self, call_id: str, speaker: int) -> "PhoneCall":
        self.seed += 1
        call = PhoneCall(
            phone=self, call_id=call_id, start=Start.random(self.seed), media=Media(self.host)
        )
        call.media.payload, call.media.speaker = self.payload, speaker
        self._calls[call_id] = call
        await call.media.open()
        return call

    def send(self, text: str) -> None:
        """To the server."""
        self._transport.sendto(text.encode(), self._server)


@dataclass
class PhoneCall:
    """One dialog of a phone, and its sound."""

    phone: TalkingPhone
    call_id: str
    start: Start
    media: Media
    local: str = ""
    remote: str = ""
    target: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _invite: Sip | None = None
    _cseq: int = 0
    _version: int = 0
    _answers: dict[int, "asyncio.Queue[Sip]"] = field(default_factory=dict)
    _acked: asyncio.Event = field(default_factory=asyncio.Event)
    _transferred: asyncio.Event = field(default_factory=asyncio.Event)
    _server_media: tuple[str, int] | None = None

    def offered(self, invite: Sip) -> None:
        """An INVITE has come in."""
        self._invite = invite
        tag = f";tag={uuid.uuid4().hex[:8]}"
        self.local, self.remote = invite.header("To") + tag, invite.header("From")
        self.target = re.sub(r".*<(.*)>.*", r"\1", invite.header("Contact"))
        self._server_media = invite.media
        self._reply("100 Trying")

    @property
    def dialled(self) -> str:
        """The number the phone was rung by."""
        assert self._invite
        return self._invite.text.split("sip:", 1)[1].split("@", 1)[0]

    def say(self, status: str) -> None:
        """Answer without sound: `180 Ringing`, or a final no."""
        self._reply(status)

    def progress(self) -> None:
        """Say 183 with a ringing tone of its own, whose frames are numbered too."""
        self._reply("183 Session Progress", self.sdp())
        self.media.speak(self.start, self._server_media)

    async def answer(self) -> None:
        """Pick up and speak."""
        self._reply("200 OK", self.sdp())
        await asyncio.wait_for(self._acked.wait(), PATIENCE)
        self.media.speak(self.start, self._server_media)

    def begin(self, answer: Sip) -> None:
        """The other side picked up: speak."""
        self._server_media = answer.media
        self.media.speak(self.start, self._server_media)

    def restart(self, jump: int) -> None:
        """Go on as another stream, `jump` sequence numbers away, without a word of SIP."""
        self.start = self.start.jumped(jump)
        self.media.speak(self.start)

    async def reinvite(self, direction: str = "sendrecv") -> None:
        """Offer the sound again; `sendonly` is hold."""
        answer = await self.request("INVITE", self.sdp(direction))
        assert answer.status == 200, answer.text

    async def refer(self, to: str, *, replaces: "PhoneCall | None" = None) -> None:
        """Send the other side on to `to`, or join it with a call of ours there."""
        where = f"sip:{to}@127.0.0.1:{self.phone._server[1]}"
        if replaces:
            tags = [re.sub(r".*;tag=", "", of) for of in (replaces.remote, replaces.local)]
            where += f"?Replaces={replaces.call_id}%3Bto-tag%3D{tags[0]}%3Bfrom-tag%3D{tags[1]}"
        answer = await self.request("REFER", headers=f"Refer-To: <{where}>\r\n")
        assert answer.status == 202, answer.text

    async def transferred(self) -> None:
        """Wait until Asterisk has said more than 100 about a transfer: who hangs up right after
        the REFER may hang up on both.
        """
        await asyncio.wait_for(self._transferred.wait(), PATIENCE)

    async def press(self, keys: str) -> None:
        """Press keys as a person does, each by INFO."""
        for key in keys:
            body = f"Signal={key}\r\nDuration=160\r\n"
            await self.request("INFO", body, kind="application/dtmf-relay")
            await asyncio.sleep(0.4)

    async def hang_up(self) -> None:
        """End the call."""
        if not self.ended.is_set():
            self.media.fall_silent()
            await self.request("BYE")
            self.ended.set()

    async def request(
        self, method: str, body: str = "", *, headers: str = "", kind: str = "application/sdp"
    ) -> Sip:
        """Send a request inside the dialog until there is a final answer."""
        self._cseq += 1
        number, queue = self._cseq, asyncio.Queue[Sip]()
        self._answers[number] = queue
        text = self._write(method, number, body, headers, kind)
        provisional = False
        while True:
            if not provisional:
                self.phone.send(text)
            try:
                answer = await asyncio.wait_for(queue.get(), PATIENCE if provisional else 0.5)
            except TimeoutError:
                assert not provisional, f"no final answer to {method}"
                continue
            provisional = True
            if answer.status >= 200:
                break
        if method == "INVITE":
            self._establish(answer, number)
        return answer

    def received(self, message: Sip) -> None:
        """A message of this dialog."""
        if message.status:
            number = int(message.header("CSeq").split()[0])
            if number in self._answers:
                self._answers[number].put_nowait(message)
        elif message.method == "ACK":
            self._acked.set()
        elif message.method == "BYE":
            self.media.fall_silent()
            self.phone.send(answer_to(message, "200 OK"))
            self.ended.set()
        elif message.method == "INVITE" and "tag=" in message.header("To"):
            self._server_media = message.media
            self.phone.send(answer_to(message, "200 OK", self.sdp(), contact=self._contact))
        elif message.method == "CANCEL":
            self.phone.send(answer_to(message, "200 OK"))
            self.say("487 Request Terminated")
            self.ended.set()
        elif message.method != "INVITE":
            self.phone.send(answer_to(message, "200 OK"))
            if message.method == "NOTIFY" and "SIP/2.0 100" not in message.text:
                self._transferred.set()

    def sdp(self, direction: str = "sendrecv") -> str:
        """What we offer or answer: one codec."""
        self._version += 1
        payload = self.media.payload
        return (
            f"v=0\r\no=raw 7 {self._version} IN IP4 {self.phone.host}\r\ns=-\r\nc=IN IP4 "
            f"{self.phone.host}\r\nt=0 0\r\n"
            f"m=audio {self.media.port} RTP/AVP {payload} 101\r\na=rtpmap:{payload} "
            f"{_CODECS[payload]}/8000\r\n"
            f"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na={direction}\r\n"
        )

    @property
    def _contact(self) -> str:
        return f"<sip:raw@{self.phone.host}:{self.phone.port}>"

    def _reply(self, status: str, body: str = "") -> None:
        assert self._invite
        tag = "" if status.startswith("100") else re.sub(r".*(;tag=\w+)$", r"\1", self.local)
        self.phone.send(answer_to(self._invite, status, body, contact=self._contact, tag=tag))

    def _establish(self, answer: Sip, number: int) -> None:
        if answer.status == 200:
            self.remote = answer.header("To")
            self.target = re.sub(r".*<(.*)>.*", r"\1", answer.header("Contact"))
        self.phone.send(self._write("ACK", number))

    def _write(
        self, method: str, number: int, body: str = "", headers: str = "", kind: str = ""
    ) -> str:
        typed = f"Content-Type: {kind}\r\n" if body else ""
        return (
            f"{method} {self.target} SIP/2.0\r\n"
            "Via: SIP/2.0/UDP "
            f"{self.phone.host}:{self.phone.port};branch=z9hG4bK{uuid.uuid4().hex}\r\n"
            f"From: {self.local}\r\nTo: {self.remote}\r\nCall-ID: {self.call_id}\r\nCSeq: "
            f"{number} {method}\r\n"
            f"Contact: {self._contact}\r\nMax-Forwards: 70\r\n{headers}{typed}Content-Length: "
            f"{len(body)}\r\n\r\n{body}"
        )
