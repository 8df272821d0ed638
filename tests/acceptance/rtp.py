"""RTP of test phones: numbered frames that are accounted for in a recording, and streams that begin
anywhere.

A frame is 20 ms of A-law or µ-law in which a speaker and a number can be read again, whatever the
recording did to the place: a mark, then 16 bits of nine samples each. Quiet on the line is ±8, as
of a telephone, never digital zero.
"""

import asyncio
import audioop
import contextlib
import random
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
FRAME = 160
ALAW, ULAW = 8, 0
_MARK = np.repeat(np.array([1, -1, -1, 1], np.int16) * 24_000, 4)  # louder than any bit
_BIT, _LEVEL = 9, 8_000
_ENCODE = {ALAW: audioop.lin2alaw, ULAW: audioop.lin2ulaw}
_DECODE = {ALAW: audioop.alaw2lin, ULAW: audioop.ulaw2lin}


def numbered(speaker: int, number: int) -> Samples:
    """The frame `number` (below 4096) of `speaker` (1 to 15)."""
    word = speaker << 12 | number
    bits = np.array([word >> shift & 1 for shift in reversed(range(16))], np.int16)
    return np.concatenate([_MARK, np.repeat((2 * bits - 1) * _LEVEL, _BIT)])


def read_numbers(samples: Samples) -> list[tuple[int, int]]:
    """The (speaker, number) of every whole frame that is heard, in the order in which they are
    heard.
    """
    if samples.size < FRAME:
        return []
    loud = np.sign(samples) * (np.abs(samples.astype(np.int32)) > (_LEVEL + 24_000) // 2)
    windows = np.lib.stride_tricks.sliding_window_view(
        loud[: samples.size - FRAME + _MARK.size], _MARK.size
    )
    starts = np.flatnonzero((windows == np.sign(_MARK)).all(axis=1))
    found = []
    for start in starts:
        body = samples[start + _MARK.size : start + FRAME].reshape(16, _BIT)
        word = int("".join("1" if value > 0 else "0" for value in body[:, _BIT // 2]), 2)
        found.append((word >> 12, word & 0xFFF))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a stream begins: what RFC 3550 wants to be random."""

    ssrc: int
    sequence: int
    timestamp: int

    @classmethod
    def random(cls, seed: int) -> Self:
        """Somewhere, the same for the same seed."""
        draw = random.Random(seed)
        return cls(
            ssrc=draw.getrandbits(32), sequence=draw.getrandbits(16), timestamp=draw.getrandbits(32)
        )

    def jumped(self, by: int) -> Self:
        """Another source whose sequence numbers are `by` away."""
        return replace(
            self,
            ssrc=self.ssrc ^ 0x5A5A5A5A,
            sequence=(self.sequence + by) & 0xFFFF,
            timestamp=(self.timestamp + 977 * by) & 0xFFFFFFFF,
        )


@dataclass
class Media(asyncio.DatagramProtocol):
    """One RTP port: sends a frame each 20 ms while it speaks, and keeps the numbers it hears."""

    host: str
    payload: int = ALAW
    speaker: int = 1
    sent: list[int] = field(default_factory=list)
    heard: list[tuple[int, int]] = field(default_factory=list)
    packets: int = 0
    copies: int = 1  # of each packet: a network may double them
    held: list[bytes] | None = None  # packets that a network keeps back
    _remote: tuple[str, int] | None = None
    _task: asyncio.Task[None] | None = None
    _next: int = 0

    async def open(self) -> Self:
        """Bind an even port."""
        self._socket = _even_port(self.host)
        self.port: int = self._socket.getsockname()[1]
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=self._socket)
        return self

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Keep the number in a packet."""
        payload = data[1] & 0x7F
        if payload in _DECODE:
            self.packets += 1
            self.heard += read_numbers(np.frombuffer(_DECODE[payload](data[12:], 2), np.int16))

    def speak(
        self, start: Start, remote: tuple[str, int] | None = None, *, quiet: bool = False
    ) -> None:
        """Send from now on as a stream of its own, in place of the one before; `quiet` is a silent
        room.
        """
        self.fall_silent()
        self._remote = remote or self._remote
        self._task = asyncio.create_task(self._stream(start, quiet))

    def fall_silent(self) -> None:
        """Send nothing more."""
        if self._task:
            self._task.cancel()
            self._task = None

    async def stand_still(self, seconds: float) -> None:
        """Nothing arrives for so long, and then everything at once."""
        self.held = []
        await asyncio.sleep(seconds)
        held, self.held = self.held, None
        for packet in held:
            self._transport.sendto(packet, self._remote)

    def close(self) -> None:
        """Give the port back."""
        self.fall_silent()
        self._transport.close()

    async def _stream(self, start: Start, quiet: bool) -> None:
        due = time.monotonic()
        for packet in _packets(start, self.payload):
            frame = _QUIET if quiet else numbered(self.speaker, self._next)
            if not quiet:
                self.sent.append(self._next)
                self._next += 1
            packet += _ENCODE[self.payload](frame.tobytes(), 2)
            if self.held is not None:
                self.held.append(packet)
            else:
                with contextlib.suppress(OSError):
                    for _ in range(self.copies):
                        self._transport.sendto(packet, self._remote)
            due += FRAME / 8000
            await asyncio.sleep(max(0.0, due - time.monotonic()))


_QUIET = np.tile(np.array([8, -8], np.int16), FRAME // 2)


def _packets(start: Start, payload: int) -> Iterator[bytes]:
    """The headers of a stream, without end; the first has the marker."""
    for number in range(1 << 30):
        marker = 0 if number else 0x80
        sequence = (start.sequence + number) & 0xFFFF
        timestamp = (start.timestamp + number * FRAME) & 0xFFFFFFFF
        yield struct.pack("!BBHII", 0x80, marker | payload, sequence, timestamp, start.ssrc)


def _even_port(host: str) -> socket.socket:
    while True:
        candidate = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        candidate.bind((host, 0))
        if candidate.getsockname()[1] % 2 == 0:
            candidate.setblocking(False)
            return candidate
        candidate.close()
