"""The sound of a raw phone: its RTP ports, and the SDP that names them."""

import asyncio
import audioop
import math
import random
import struct
from typing import Any, Self

from tests.support.ports import free_port

FRAME = 160  # samples of 20 ms

TONE = audioop.lin2alaw(
    b"".join(
        struct.pack("<h", int(8000 * math.sin(2 * math.pi * 500 * at / 8000)))
        for at in range(FRAME)
    ),
    2,
)


class RawMedia(asyncio.DatagramProtocol):
    """One RTP port: what it heard, and what it says."""

    def __init__(self, host: str) -> None:
        self.host, self.port = host, free_port(host)
        self.heard: list[tuple[float, bytes]] = []  # when, and the whole packet
        self._sequence, self._stamp = random.randrange(1 << 16), random.randrange(1 << 32)
        self._source = random.randrange(1 << 32)
        self._transport: asyncio.DatagramTransport

    async def open(self) -> Self:
        """Bind the port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        return self

    def close(self) -> None:
        """Let go of the port."""
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append((asyncio.get_running_loop().time(), data))

    def say(self, to: tuple[str, int], payload: bytes = TONE, kind: int = 8) -> None:
        """Send one frame."""
        head = struct.pack("!BBHII", 0x80, kind, self._sequence, self._stamp, self._source)
        self._sequence = (self._sequence + 1) % (1 << 16)
        self._stamp = (self._stamp + FRAME) % (1 << 32)
        self._transport.sendto(head + payload, to)

    async def talk(
        self, to: tuple[str, int], seconds: float, payload: bytes = TONE, kind: int = 8
    ) -> None:
        """Send a frame each 20 ms."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for frame in range(round(seconds * 50)):
            self.say(to, payload, kind)
            await asyncio.sleep(max(0.0, began + (frame + 1) * 0.02 - loop.time()))

    def audible(self, since: int = 0, kind: int = 8) -> int:
        """How many of the packets heard after the first `since` carry A-law sound that is not
        silence.
        """
        packets = [packet for _, packet in self.heard[since:] if packet[1] & 0x7F == kind]
        return sum(audioop.rms(audioop.alaw2lin(packet[12:], 2), 2) > 100 for packet in packets)


def sdp(
    media: RawMedia,
    payloads: str = "8",
    *,
    direction: str = "sendrecv",
    more: str = "",
    **options: Any,
) -> str:
    """An offer or an answer. `profile` and `address` replace those of the audio; `more` follows
    it.
    """
    profile, address = options.get("profile", "RTP/AVP"), options.get("address", media.host)
    lines = (
        *(
            "v=0",
            f"o=- {random.randrange(1 << 31)} 1 IN IP4 {media.host}",
            "s=-",
            f"c=IN IP4 {address}",
            "t=0 0",
        ),
        f"m=audio {options.get('port', media.port)} {profile} {payloads}",
        *options.get("lines", ()),
        f"a={direction}",
    )
    return "\r\n".join(lines) + "\r\n" + more
