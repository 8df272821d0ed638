"""A raw phone that speaks SIP over TLS and SRTP with keys from SDP (SDES, RFC 4568 and 3711)."""

import asyncio
import base64
import hashlib
import hmac
import os
import re
import ssl
import subprocess
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.acceptance.raw_media import RawMedia
from tests.acceptance.raw_phone import RawPhone

SUITE = "AES_CM_128_HMAC_SHA1_80"
TAG = 10  # bytes behind each packet


def make_certificate(directory: Path, host: str) -> Path:
    """A certificate for an address, signed by itself, with its key in the same file."""
    path = directory / f"{host}.pem"
    command = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    rest = ("-nodes", "-days", "2", "-subj", f"/CN={host}", "-addext", f"subjectAltName=IP:{host}")
    key = directory / f"{host}.key"
    files = ("-keyout", str(key), "-out", str(path))
    subprocess.run((*command, *rest, *files), check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path


class SrtpKey:
    """One direction's key: what encrypts and decrypts its packets, until the sequence numbers
    wrap.
    """

    def __init__(self, master: bytes) -> None:
        self.master = master
        self._key, self._auth, self._salt = (
            self._derive(*what) for what in ((0, 16), (1, 20), (2, 14))
        )

    @classmethod
    def of(cls, sdp: str) -> Self:
        """The key that the other side offers."""
        found = re.search(rf"a=crypto:\d+ {SUITE} inline:([^|\s]+)", sdp)
        assert found, sdp
        return cls(base64.b64decode(found[1]))

    @property
    def line(self) -> str:
        """Its line of SDP."""
        return f"a=crypto:1 {SUITE} inline:{base64.b64encode(self.master).decode()}"

    def _derive(self, label: int, length: int) -> bytes:
        start = int.from_bytes(self.master[16:]) ^ (label << 48)
        return _counter(self.master[:16], (start << 16).to_bytes(16), bytes(length))

    def crypt(self, packet: bytes) -> bytes:
        """Encrypt or decrypt the sound of a packet without a tag."""
        sequence, source = int.from_bytes(packet[2:4]), int.from_bytes(packet[8:12])
        start = (int.from_bytes(self._salt) << 16) ^ (source << 64) ^ (sequence << 16)
        return packet[:12] + _counter(self._key, start.to_bytes(16), packet[12:])

    def tag(self, packet: bytes) -> bytes:
        """What vouches for an encrypted packet."""
        return hmac.new(self._auth, packet + bytes(4), hashlib.sha1).digest()[:TAG]


def _counter(key: bytes, start: bytes, data: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.CTR(start)).encryptor().update(data)


class SecureMedia(RawMedia):
    """An RTP port whose packets are encrypted both ways."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self._sequence %= 30_000
        self.ours, self.theirs = SrtpKey(os.urandom(30)), SrtpKey(bytes(30))
        self.spoilt = 0

    async def open(self) -> Self:
        await super().open()
        self._transport = _Encrypting(self._transport, self.ours)  # type: ignore[assignment]
        return self

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        packet, tag = data[:-TAG], data[-TAG:]
        if 200 <= data[1] <= 207:
            return  # RTCP
        if hmac.compare_digest(self.theirs.tag(packet), tag):
            super().datagram_received(self.theirs.crypt(packet), addr)
        else:
            self.spoilt += 1


class _Encrypting:
    def __init__(self, transport: asyncio.DatagramTransport, key: SrtpKey) -> None:
        self._transport, self._key, self.close = transport, key, transport.close

    def sendto(self, data: bytes, to: Any) -> None:
        packet = self._key.crypt(data)
        self._transport.sendto(packet + self._key.tag(packet), to)


class SecurePhone(RawPhone):
    """A TLS server on its own port, or with `connect` the client of a TLS port."""

    def __init__(self, host: str, peer_port: int, certificate: Path) -> None:
        super().__init__(host, peer_port)
        self.contact = f"<sip:raw@{host}:{self.port};transport=tls>"
        self._certificate = certificate
        self._own: _Stream | None = None

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        self._server = await asyncio.start_server(self._read, self.host, self.port, ssl=context)
        return self

    async def connect(self) -> None:
        """Open the connection that our requests travel over."""
        context = ssl.create_default_context(cafile=str(self._certificate))
        where = {"local_addr": (self.host, 0), "ssl": context, "server_hostname": "127.0.0.1"}
        reader, writer = await asyncio.open_connection(*self.peer, **where)
        self._own = self._transport = _Stream(writer)  # type: ignore[assignment]
        self._reading = asyncio.create_task(self._read(reader, writer))

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for media in self._media:
            media.close()

    async def new_media(self) -> SecureMedia:
        media = await SecureMedia(self.host).open()
        self._media.append(media)
        return media

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = _Stream(writer)
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            length = re.search(rb"(?im)^Content-Length:\s*(\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            # the peer opens connections too, and closes them: ours is for what we ask
            self._transport = stream  # type: ignore[assignment]
            self.datagram_received(head + body, self.peer)
            self._transport = self._own or stream  # type: ignore[assignment]


class _Stream:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer, self.close = writer, writer.close

    def sendto(self, data: bytes, _: Any) -> None:
        self._writer.write(data.replace(b"\r\nVia: SIP/2.0/UDP", b"\r\nVia: SIP/2.0/TLS"))
