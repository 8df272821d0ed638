"""pyVoIP 1.6.8's SIP with its faults fixed, over one asyncio socket.

pyVoIP reads and writes SIP messages well enough, but signals with blocking reads under a lock and
misses half of what can happen to a call. This file has two narrow subclasses; each override names
the behaviour of pyVoIP that makes it necessary. `media` does the same for RTP.
"""

import asyncio
import re
import uuid
from collections.abc import Callable
from typing import Any

from pyVoIP import RTP, SIP

from router.phone.sip_message import OFFER, Message, contact_uri


class Wire(SIP.SIPClient, asyncio.DatagramProtocol):
    """pyVoIP's writer of SIP messages on an asyncio socket, with transactions that end and time
    out.

    pyVoIP's own socket handling is not used: `invite` and `register` block, without a time limit,
    under the lock of the receiving thread, which starts a second late and drops 486, 603, 480, 487
    and OPTIONS.
    """

    def __init__(self, server: str, port: int, user: str, password: str, bind: str) -> None:
        super().__init__(server, port, user, password, phone=None, myIP=bind, myPort=0)  # type: ignore[arg-type]
        self.on_request: Callable[[Message], None] = lambda request: None
        self.closed = asyncio.Event()
        self._finals: dict[tuple[str, str], asyncio.Queue[Message]] = {}
        self._acks: dict[tuple[str, str], str] = {}

    async def open(self) -> None:
        """Bind a free port."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.myIP, 0))
        self.transport = transport
        self.myPort = transport.get_extra_info("sockname")[1]

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            message = Message(data)
            if message.type is SIP.SIPMessageType.RESPONSE:
                self._responded(message)
            else:
                self.on_request(message)
        except (KeyError, IndexError, ValueError, AttributeError, SIP.SIPParseError):
            # pyVoIP's parser raises many kinds of errors for what is not SIP; the sender repeats
            return

    def _responded(self, message: Message) -> None:
        if queue := self._finals.get((message.branch, message.headers["CSeq"]["method"])):
            queue.put_nowait(message)
        elif ack := self._acks.get((message.headers["Call-ID"], message.headers["CSeq"]["check"])):
            self.send(ack)  # the other side has not seen our ACK and repeats its final answer

    def send(self, text: str) -> None:
        self.transport.sendto(text.encode("utf8"), (self.server, self.port))

    async def transact(
        self, text: str, heard: Callable[[Message], None] = lambda response: None
    ) -> Message:
        """Send a request, repeat it until there is an answer, and return the final response.

        `heard` is called with each provisional one. There is no time limit: the caller sets it.
        """
        sent = Message(text.encode("utf8"))
        key = (sent.branch, sent.headers["CSeq"]["method"])
        queue = self._finals[key] = asyncio.Queue()
        patience: float | None = 0.5
        try:
            while True:
                if patience:
                    self.send(text)
                try:
                    response = await asyncio.wait_for(queue.get(), patience)
                except TimeoutError:
                    patience = min(2 * (patience or 2.0), 4.0)
                    continue
                if response.code >= 200:
                    if response.code >= 300 and key[1] == "INVITE":
                        self.acknowledge(sent, response)
                    return response
                patience = None
                heard(response)
        finally:
            del self._finals[key]

    def acknowledge(self, invite: Message, response: Message) -> None:
        """ACK a final response.

        pyVoIP's `gen_ack` invents a To-tag: the peer goes on repeating its answer and drops the
        call after 32 seconds.
        """
        target, branch = contact_uri(response), None
        if response.code >= 300:
            target, branch = str(invite.heading.split(b" ")[1], "utf8"), invite.branch
        ack = self.within(
            "ACK",
            target,
            invite.fields["from"],
            response.fields["to"],
            invite.headers["Call-ID"],
            int(invite.headers["CSeq"]["check"]),
            branch=branch,
        )
        self._acks[invite.headers["Call-ID"], invite.headers["CSeq"]["check"]] = ack
        self.send(ack)

    def within(
        self,
        method: str,
        target: str,
        sender: str,
        receiver: str,
        call_id: str,
        cseq: int,
        branch: str | None = None,
    ) -> str:
        """Write a request inside a dialog.

        pyVoIP's `gen_bye` copies the Via of the INVITE, which for an incoming call is the peer's
        own, and it has no CANCEL at all.
        """
        return (
            f"{method} {target} SIP/2.0\r\n"
            "Via: SIP/2.0/UDP "
            f"{self.myIP}:{self.myPort};branch={branch or self.gen_branch()};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {sender}\r\nTo: {receiver}\r\nCall-ID: {call_id}\r\n"
            f"CSeq: {cseq} {method}\r\nContact: {self.contact}\r\nContent-Length: 0\r\n\r\n"
        )

    @property
    def contact(self) -> str:
        return f"<sip:{self.username}@{self.myIP}:{self.myPort}>"

    def gen_call_id(self) -> str:
        # pyVoIP hashes a counter: its Call-IDs are the same in every run, so that servers take a
        # new call for a repetition.
        return f"{uuid.uuid4().hex}@{self.myIP}"

    def gen_branch(self, length: int = 32) -> str:
        return f"z9hG4bK{uuid.uuid4().hex}"

    def gen_answer(self, request: Any, sess_id: str, ms: Any, sendtype: Any) -> str:
        self.tagLibrary[request.headers["Call-ID"]] = ""
        text = self._tagged(super().gen_answer(request, sess_id, ms, sendtype), request)
        del self.tagLibrary[request.headers["Call-ID"]]
        return text

    def gen_reply(self, request: Message, status: SIP.SIPStatus) -> str:
        """Write any answer without a body. pyVoIP gives each of them a To-tag of its own."""
        text = self.gen_ok(request).replace("200 OK", f"{int(status)} {status.phrase}", 1)
        return self._tagged(
            text.replace("\r\nUser-Agent", f"\r\nContact: {self.contact}\r\nUser-Agent", 1), request
        )

    def gen_tag(self) -> str:
        # pyVoIP keeps every tag it ever made in a list and searches it
        return uuid.uuid4().hex[:12]

    def _dialog_tag(self, request: Message) -> str:
        return uuid.uuid5(uuid.UUID(self.urnUUID), request.headers["Call-ID"]).hex[:12]

    def _tagged(self, text: str, request: Message) -> str:
        to = request.fields["to"]
        if not request.headers["To"]["tag"]:
            to += f";tag={self._dialog_tag(request)}"
        return re.sub(r"(?m)^To: .*\r$", lambda _: f"To: {to}\r", text, count=1)

    def gen_call(self, number: str, port: int, sender: str | None) -> str:
        """Write an INVITE to `number` offering A-law and µ-law on `port`; `sender` goes into
        From.
        """
        call_id = self.gen_call_id()
        session = str(self.sessID.next())
        codecs: Any = {port: OFFER}  # pyVoIP's annotation says strings, its code wants numbers
        direction = RTP.TransmitType.SENDRECV
        text = self.gen_invite(number, session, codecs, direction, self.gen_branch(), call_id)
        if sender:
            text = re.sub(
                r"(?m)^From: .*?(;tag=\w+)\r$", lambda m: f"From: {sender}{m[1]}\r", text, count=1
            )
        return text

    def gen_authorised(self, text: str, challenge: Message) -> str:
        """Write the INVITE again with credentials; pyVoIP keeps its branch, which makes it a
        repetition.
        """
        proof = str(self.gen_authorization(challenge), "utf8")
        name = "Authorization"
        if challenge.code == 407:
            name = "Proxy-Authorization"
        given = challenge.authentication
        credentials = (
            f"{name}: Digest "
            f'username="{self.username}",realm="{given["realm"]}",nonce="{given["nonce"]}",'
            f'uri="sip:{self.server};transport=UDP",response="{proof}",algorithm=MD5\r\n'
        )
        text = re.sub(r"(?m)branch=\w+", f"branch={self.gen_branch()}", text, count=1)
        text = re.sub(r"(?m)^CSeq: (\d+) ", lambda m: f"CSeq: {int(m[1]) + 1} ", text, count=1)
        return text.replace("Content-Length", credentials + "Content-Length", 1)
