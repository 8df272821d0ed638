"""The audio of a call: pyVoIP's RTP threads, carrying 16-bit samples both ways at once.

pyVoIP's own audio is 8-bit (48 dB), encodes A-law with the µ-law table, sends on a clock that
drifts, and picks a random port that it binds only later and never tries again. Of its client this
keeps the packets and the two loops.
"""

import asyncio
import audioop
import random
import socket
import threading
import time

import numpy as np
import numpy.typing as npt
from pyVoIP import RTP

Samples = npt.NDArray[np.int16]
RATE = 8000
FRAME = 160
_DECODERS = {
    RTP.PayloadType.PCMA: audioop.alaw2lin,
    RTP.PayloadType.PCMU: audioop.ulaw2lin,
}


class Media(RTP.RTPClient):
    """The RTP of one call, on an even port that is bound from the start; sends silence if there
    is nothing to say.
    """

    def __init__(self, bind: str) -> None:
        self.socket = _even_port(bind)
        self.port: int = self.socket.getsockname()[1]
        self._lock = threading.Lock()
        self._to_say = bytearray()
        self._heard: list[tuple[int, Samples]] = []
        self._end = 0
        self._last: tuple[int, int, int] | None = None
        self._threads: list[threading.Thread] = []
        self._gone = asyncio.Event()

    def connect(self, codecs: dict[int, RTP.PayloadType], remote: tuple[str, int]) -> None:
        """Start sending and receiving, with the first codec that the other side offered."""
        super().__init__(codecs, "", self.port, *remote, RTP.TransmitType.SENDRECV)
        # Random, as RFC 3550 requires: pyVoIP starts so low that none of its streams ever follows a
        # higher one.
        self.outSequence, self.outTimestamp = random.getrandbits(16), random.getrandbits(32)
        self.outSSRC = random.getrandbits(32)
        self.start()

    def start(self) -> None:
        # pyVoIP does not keep its threads, so their end cannot be awaited.
        self.sin = self.sout = self.socket
        self.sin.settimeout(0.02)
        self._due = self._began = time.monotonic()
        loop = asyncio.get_running_loop()
        receiver = threading.Thread(target=self.recv, name="softphone hears")

        def transmit() -> None:
            self.trans()
            receiver.join()
            loop.call_soon_threadsafe(self._gone.set)

        self._threads = [receiver, threading.Thread(target=transmit, name="softphone speaks")]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tell the threads to end; `closed` waits for them."""
        self.NSD = False

    async def closed(self) -> None:
        """Wait until the threads have ended, within about 20 ms, and close the port."""
        self.stop()
        if self._threads:
            await self._gone.wait()
            self._threads[1].join()
        self.socket.close()

    @property
    def trans_delay_reduction(self) -> float:
        return 4.0  # pyVoIP's own sleep drifts; it is shortened, and encode_packet does the pacing

    def encode_packet(self, payload: bytes) -> bytes:
        """The next 20 ms of audio, at the right time; `payload`, pyVoIP's 8-bit silence, is
        ignored.
        """
        self._due = max(self._due + FRAME / RATE, time.monotonic() - 0.2)
        time.sleep(max(0.0, self._due - time.monotonic()))
        self.outSequence &= 0xFFFF  # pyVoIP sends malformed packets when these overflow
        self.outTimestamp &= 0xFFFFFFFF
        with self._lock:
            frame = bytes(self._to_say[: 2 * FRAME]).ljust(2 * FRAME, b"\0")
            del self._to_say[: 2 * FRAME]
        if self.preference is RTP.PayloadType.PCMA:
            return audioop.lin2alaw(frame, 2)
        return audioop.lin2ulaw(frame, 2)

    def parse_packet(self, packet: bytes) -> None:
        # pyVoIP lets a short packet or an unknown event kill the receiving thread.
        try:
            message = RTP.RTPMessage(packet, self.assoc)
        except ValueError as error:
            raise RTP.RTPParseError(str(error)) from error
        decode = _DECODERS.get(message.payload_type)
        if decode is None:
            return
        samples = np.frombuffer(decode(message.payload, 2), np.int16)
        with self._lock:
            at = self._place(message.SSRC, message.timestamp)
            self._heard.append((at, samples))
            self._end = max(self._end, at + len(samples))

    def _place(self, source: int, timestamp: int) -> int:
        """The position of a packet in the received audio; a new source starts at the present
        moment.
        """
        step = 0
        if self._last and self._last[0] == source:
            step = (timestamp - self._last[1] + 2**31) % 2**32 - 2**31
        if self._last and self._last[0] == source and abs(step) < 10 * RATE:
            at = max(0, self._last[2] + step)
        elif self._last:
            at = max(self._end, int((time.monotonic() - self._began) * RATE))
        else:
            at, self._began = 0, time.monotonic()
        self._last = (source, timestamp, at)
        return at

    def say(self, samples: Samples) -> None:
        with self._lock:
            self._to_say += samples.astype("=i2").tobytes()

    @property
    def unsaid(self) -> float:
        """Seconds of speech still to be sent."""
        with self._lock:
            return len(self._to_say) / 2 / RATE

    def heard(self) -> Samples:
        """All audio received: 8 kHz, from the first packet on, with silence in gaps."""
        with self._lock:
            whole = np.zeros(self._end, np.int16)
            for at, samples in self._heard:
                whole[at : at + len(samples)] = samples
        return whole


def _even_port(bind: str) -> socket.socket:
    while True:
        candidate = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        candidate.bind((bind, 0))
        if candidate.getsockname()[1] % 2 == 0:
            return candidate
        candidate.close()
