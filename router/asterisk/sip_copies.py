"""Parses copies of SIP messages from Asterisk (HEP version 3, res_hep_pjsip), including hostile
ones.
"""

import re
import struct
from dataclasses import dataclass
from ipaddress import ip_address

_SOURCE4, _SOURCE6, _KEY, _PAYLOAD = 0x0003, 0x0005, 0x000E, 0x000F
_HEADER = re.compile(rb"(?im)^(call-id|i|cseq|to|t|unsupported)[ \t]*:[ \t]*([^\r\n]*)")
_EXTENSION = re.compile(r"[A-Za-z0-9.-]{1,30}", re.ASCII)
_SHORT = {b"i": b"call-id", b"t": b"to"}
_MEDIA = re.compile(r"^m=(\w+) (\d+)(?:/\d+)? (\S+) ([^\r\n]*)", re.MULTILINE)
_NAMES = {
    "0": "PCMU",
    "3": "GSM",
    "4": "G723",
    "8": "PCMA",
    "9": "G722",
    "15": "G728",
    "18": "G729",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The first INVITE of a call."""

    call_id: bytes
    source: str  # address
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The final response to an INVITE."""

    call_id: bytes
    source: str  # address
    status: int
    unsupported: str = ""  # extensions that the INVITE requires and Asterisk does not have


def read_copy(packet: bytes, key: bytes) -> Offer | Refusal | None:
    """The first INVITE of a call or its refusal; None for others, and without our key."""
    chunks = _chunks(packet)
    payload = chunks.get(_PAYLOAD, b"")
    if chunks.get(_KEY) != key or not payload.startswith(
        (b"INVITE ", b"SIP/2.0 4", b"SIP/2.0 5", b"SIP/2.0 6")
    ):
        return None
    head, _, body = payload.partition(b"\r\n\r\n")
    headers = {}
    for name, value in _HEADER.findall(head):
        headers[_SHORT.get(name.lower(), name.lower())] = value

    call_id = headers.get(b"call-id", b"")[:256]
    address = chunks.get(_SOURCE4) or chunks.get(_SOURCE6) or b""
    if len(address) not in {4, 16}:
        return None
    source = str(ip_address(address))
    if not payload.startswith(b"SIP/"):
        text = body[:4000].decode("utf-8", "replace")
        if b";tag=" in headers.get(b"to", b""):
            return None
        return Offer(call_id=call_id, source=source, body=text)
    if not headers.get(b"cseq", b"").endswith(b"INVITE") or not payload[8:11].isdigit():
        return None
    return Refusal(
        call_id=call_id,
        source=source,
        status=int(payload[8:11]),
        unsupported=", ".join(
            _EXTENSION.findall(headers.get(b"unsupported", b"")[:80].decode("ascii", "ignore"))
        ),
    )


def _chunks(packet: bytes) -> dict[int, bytes]:
    """The packet's chunks by type, up to the first incomplete one."""
    found: dict[int, bytes] = {}
    at = 6
    if not packet.startswith(b"HEP3"):
        return found
    while at + 6 <= len(packet):
        _, kind, length = struct.unpack_from("!HHH", packet, at)
        if length < 6 or at + length > len(packet):
            break
        found.setdefault(kind, packet[at + 6 : at + length])
        at += length
    return found


def describe_refused(offer: Offer, refusal: Refusal) -> str:
    """Describe what a refused INVITE offered or required."""
    match refusal.status:
        case 420:
            return f"an unsupported extension: {refusal.unsupported or 'it has no name'}"
        case 422:
            return "a session timer that is too short"
        case 481:
            return "to replace an unknown call"
        case _:
            return describe_offer(offer.body)


def describe_offer(body: str) -> str:
    """Describe an SDP offer, using known SDP terms only."""
    streams = [match.groups() for match in _MEDIA.finditer(body)]
    if not streams:
        return "no readable SDP"
    sound = []
    for kind, port, profile, kinds in streams:
        if kind == "audio" and port != "0":
            sound.append((profile, kinds.split()))

    if not sound:
        kinds = sorted(
            {kind for kind, *_ in streams} & {"video", "image", "text", "application", "audio"}
        )
        return f"no sound, only {', '.join(kinds) or 'streams of other kinds'}"
    if all("SAVP" in profile for profile, _ in sound):
        return "encrypted sound alone"
    named = dict(re.findall(r"^a=rtpmap:(\d+) ([A-Za-z0-9-]{1,20})/", body, re.MULTILINE))
    codecs = set()
    for _, kinds in sound:
        for kind in kinds[:20]:
            codecs.add(named.get(kind) or _NAMES.get(kind))

    known = sorted(name for name in codecs - {None, "telephone-event", "CN"} if name)
    if not known:
        return "codecs that have no name"
    return f"the codecs {', '.join(known)[:80]}"
