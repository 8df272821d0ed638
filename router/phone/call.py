"""One call of a softphone, outgoing or incoming: its state, its audio and its end."""

import asyncio
import re
from collections.abc import Awaitable
from contextlib import suppress
from enum import StrEnum
from typing import TypeVar

import numpy as np
from pyVoIP import SIP

from router.phone.errors import CallNotUp, CallRefused, TimeExpired
from router.phone.media import FRAME, RATE, Media, Samples
from router.phone.pyvoip import Wire
from router.phone.sip_message import Message, contact_uri

T = TypeVar("T")
PATIENCE = 2.0  # time limit in seconds for requests that a server answers at once


class CallState(StrEnum):
    DIALING = "dialing"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class PhoneCall:
    """Common code of outgoing and incoming calls.

    `status` is the final SIP status of the INVITE once there is one, `invite` the INVITE itself.
    """

    def __init__(self, wire: Wire, media: Media, invite: Message, state: CallState) -> None:
        self.state = state
        self.status: int | None = None
        self.invite = invite
        self._wire = wire
        self._media = media
        self._settled = asyncio.Event()
        self._over = asyncio.Event()
        self._replies: dict[tuple[str, str], str] = {}
        self._local = self._remote = self._target = ""
        self._cseq = 1

    @property
    def call_id(self) -> str:
        return str(self.invite.headers["Call-ID"])

    def header(self, name: str) -> str | None:
        """A header of the INVITE, by name in any case; the first if there are several."""
        return self.invite.fields.get(name.lower())

    @property
    def caller_number(self) -> str:
        """The user part of the INVITE's From."""
        found = re.search(r"sips?:([^@;>]*)@[^<]*$", self.header("from") or "")
        if not found:
            return ""
        return found[1]

    @property
    def caller_name(self) -> str:
        """The display name of the INVITE's From, unquoted; empty when there is none."""
        name = (self.header("from") or "").rpartition("<")[0].strip()
        if name[:1] == '"':
            return re.sub(r"\\(.)", r"\1", name[1:-1])
        return name

    async def answered(self, timeout: float) -> None:
        """Wait for the answer. Raises CallRefused if the call is refused, TimeExpired."""
        await before(timeout, self._settled.wait())
        if self.status is None or self.status >= 300:
            raise CallRefused(self.status)

    async def ended(self, timeout: float) -> None:
        """Wait until one side has ended the call. Raises TimeExpired."""
        await before(timeout, self._over.wait())

    async def say(self, speech: Samples | bytes) -> None:
        """Play 16-bit, 8 kHz mono audio in real time. Raises CallNotUp if the call ends
        meanwhile.
        """
        if isinstance(speech, bytes):
            speech = np.frombuffer(speech, np.int16)
        if self.state is CallState.ANSWERED:
            self._media.say(speech)
        while self.state is CallState.ANSWERED and (left := self._media.unsaid):
            with suppress(TimeExpired):
                await self.ended(left + FRAME / RATE)
        if self.state is not CallState.ANSWERED:
            raise CallNotUp

    def heard(self) -> Samples:
        """All audio received so far: 8 kHz mono, from the first packet on, with silence in gaps."""
        return self._media.heard()

    async def hang_up(self) -> None:
        """End an answered call; does nothing if the call has ended."""
        if self.state is CallState.ANSWERED:
            self._end()
            await self._request("BYE")

    async def released(self) -> None:
        """Wait until the call has ended and its audio threads and socket are closed."""
        await self._over.wait()
        await self._media.closed()

    def requested(self, request: Message) -> None:
        """Handle a request inside the call; a repeated one gets the same answer."""
        method = request.method
        key = (request.headers["CSeq"]["check"], method)
        if method == "ACK":
            return
        if key not in self._replies:
            self._replies[key] = self._reply_to(request)
        self._wire.send(self._replies[key])

    def _reply_to(self, request: Message) -> str:
        if request.method == "BYE":
            self._end()
        elif request.method == "INVITE":
            return self._renegotiate(request)
        elif request.method not in ("INFO", "NOTIFY", "OPTIONS", "MESSAGE"):
            return self._wire.gen_reply(request, SIP.SIPStatus.METHOD_NOT_ALLOWED)
        return self._wire.gen_reply(request, SIP.SIPStatus.OK)

    def _renegotiate(self, request: Message) -> str:
        if self.state is not CallState.ANSWERED or not request.codecs:
            return self._wire.gen_reply(request, SIP.SIPStatus.NOT_ACCEPTABLE_HERE)
        self._media.outIP, self._media.outPort = request.media
        return self._sdp_answer(request)

    def _sdp_answer(self, offer: Message) -> str:
        codecs = {self._media.port: offer.codecs}
        return self._wire.gen_answer(offer, "1", codecs, offer.answering_direction)

    def _up(self, sdp: Message, local: str, remote: str, target: str) -> None:
        self._local, self._remote, self._target = local, remote, target
        self.status, self.state = 200, CallState.ANSWERED
        if sdp.codecs:
            self._media.connect(sdp.codecs, sdp.media)
        self._settled.set()

    def _end(self) -> None:
        self.state = CallState.ENDED
        self._media.stop()
        self._settled.set()
        self._over.set()

    async def _request(self, method: str) -> None:
        self._cseq += 1
        text = self._wire.within(
            method, self._target, self._local, self._remote, self.call_id, self._cseq
        )
        with suppress(TimeExpired):  # the other side is gone, so the call has ended anyway
            await before(PATIENCE, self._wire.transact(text))


class OutgoingCall(PhoneCall):
    """A call that we made. `taken` is set once the server has answered anything."""

    def __init__(self, wire: Wire, media: Media, invite: Message) -> None:
        super().__init__(wire, media, invite, CallState.DIALING)
        self.taken = asyncio.Event()
        self._rang = asyncio.Event()
        self._unwanted = False

    async def ringing(self, timeout: float) -> None:
        """Wait until the other phone rings (180, 183) or answers. Raises TimeExpired."""
        await before(timeout, self._rang.wait())

    async def dial(self) -> None:
        """Send the INVITE and wait for its final answer; responds to one authentication
        challenge.
        """
        final = await self._wire.transact(self._text, self._progress)
        if final.code in (401, 407) and final.authentication:
            self.invite = Message(self._wire.gen_authorised(self._text, final).encode("utf8"))
            final = await self._wire.transact(self._text, self._progress)
        self.taken.set()
        self._rang.set()
        self.status = final.code
        self._cseq = int(self.invite.headers["CSeq"]["check"])
        if final.code >= 300:
            self._end()
            return
        self._wire.acknowledge(self.invite, final)
        if not final.codecs:
            self._unwanted = True  # answered without a codec that we have
        self._up(final, self.invite.fields["from"], final.fields["to"], contact_uri(final))
        if self._unwanted:
            await super().hang_up()

    async def hang_up(self) -> None:
        """End the call: BYE when answered, CANCEL while it rings."""
        if self.state in (CallState.DIALING, CallState.RINGING):
            self._unwanted = True
            fields, uri = self.invite.fields, str(self.invite.heading.split(b" ")[1], "utf8")
            number = int(self.invite.headers["CSeq"]["check"])
            cancel = self._wire.within(
                "CANCEL",
                uri,
                fields["from"],
                fields["to"],
                self.call_id,
                number,
                self.invite.branch,
            )
            try:
                await before(PATIENCE, self._wire.transact(cancel))
                await self.ended(PATIENCE)
            except TimeExpired:
                self._end()
        await super().hang_up()

    def abandon(self) -> None:
        """Forget a call that the server never answered."""
        self._end()

    @property
    def _text(self) -> str:
        return str(self.invite.raw, "utf8")

    def _progress(self, response: Message) -> None:
        self.taken.set()
        if response.code > 100:
            self.state = CallState.RINGING
            self._rang.set()


class IncomingCall(PhoneCall):
    """An incoming call, which rings until it is answered, rejected or cancelled."""

    def __init__(self, wire: Wire, media: Media, invite: Message) -> None:
        super().__init__(wire, media, invite, CallState.RINGING)

    async def answer(self) -> None:
        """Answer at once. Raises CallNotUp if the caller has hung up."""
        if self.state is not CallState.RINGING:
            raise CallNotUp
        text = self._sdp_answer(self.invite)
        self._reply(text)
        to = Message(text.encode("utf8")).fields["to"]
        self._up(self.invite, to, self.invite.fields["from"], contact_uri(self.invite))

    async def reject(self, status: SIP.SIPStatus = SIP.SIPStatus.BUSY_HERE) -> None:
        """Refuse the call: 486, or another final SIP status."""
        if self.state is CallState.RINGING:
            self.status = int(status)
            self._reply(self._wire.gen_reply(self.invite, status))
            self._end()

    async def hang_up(self) -> None:
        await self.reject()
        await super().hang_up()

    def ring(self) -> None:
        """Send 180 Ringing; refuse the call if we have none of its codecs."""
        if not self.invite.codecs:
            self.status = 488
            self._reply(self._wire.gen_reply(self.invite, SIP.SIPStatus.NOT_ACCEPTABLE_HERE))
            self._end()
        else:
            self._reply(self._wire.gen_reply(self.invite, SIP.SIPStatus.RINGING))

    def _reply(self, text: str) -> None:
        self._replies[self.invite.headers["CSeq"]["check"], "INVITE"] = text
        self._wire.send(text)

    def _reply_to(self, request: Message) -> str:
        if request.method == "CANCEL":
            if self.state is CallState.RINGING:
                self.status = 487
                self._reply(self._wire.gen_reply(self.invite, SIP.SIPStatus.REQUEST_TERMINATED))
                self._end()
            return self._wire.gen_reply(request, SIP.SIPStatus.OK)
        return super()._reply_to(request)


async def before(timeout: float, awaited: Awaitable[T]) -> T:
    """Await with a time limit in seconds. Raises TimeExpired."""
    try:
        return await asyncio.wait_for(awaited, timeout)
    except TimeoutError:
        raise TimeExpired from None
