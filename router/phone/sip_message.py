"""A SIP message as pyVoIP parses it, with the gaps of its parser filled."""

import re
from collections.abc import Callable
from typing import Any

from pyVoIP import RTP, SIP

OFFER = {8: RTP.PayloadType.PCMA, 0: RTP.PayloadType.PCMU, 101: RTP.PayloadType.EVENT}

_HEADERS = ("Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Type", "Content-Length")

_CANONICAL = {name.lower(): name for name in _HEADERS} | {
    "v": "Via",
    "f": "From",
    "t": "To",
    "i": "Call-ID",
    "m": "Contact",
    "c": "Content-Type",
    "l": "Content-Length",
    "www-authenticate": "WWW-Authenticate",
    "proxy-authenticate": "WWW-Authenticate",
}

_METHODS = [
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "INVITE",
    "MESSAGE",
    "NOTIFY",
    "OPTIONS",
    "REFER",
    "REGISTER",
    "UPDATE",
]

_MIRRORED = {
    "sendonly": RTP.TransmitType.RECVONLY,
    "recvonly": RTP.TransmitType.SENDONLY,
    "inactive": RTP.TransmitType.INACTIVE,
}


class Message(SIP.SIPMessage):
    """One SIP message; `fields` has the text of every header by lower-case name, the first of
    each.
    """

    def parse(self, data: bytes) -> None:
        # pyVoIP raises on OPTIONS, NOTIFY and every other method it does not itself send.
        self.SIPCompatibleMethods = _METHODS
        self.fields: dict[str, str] = {}
        head, _, body = data.partition(b"\r\n\r\n")
        super().parse(
            re.sub(rb"\r\n[ \t]+", b" ", head) + b"\r\n\r\n" + body.replace(b"\r\n\r\n", b"\r\n")
        )

    def parse_raw_header(  # type: ignore[override]  # static there, but always called on the message
        self, headers_raw: list[bytes], handle: Callable[[str, Any], None]
    ) -> None:
        # pyVoIP dies on an empty value, on ': ' inside a value, on bytes that are not UTF-8, on
        # short names.
        via: list[str] = []
        for line in headers_raw:
            name, _, value = (
                part.strip() for part in line.decode("utf8", "replace").partition(":")
            )
            name = _CANONICAL.get(name.lower(), name)
            if name == "Via":
                via += [hop.strip() for hop in value.split(",")]
            elif name.lower() not in self.fields:
                self.fields[name.lower()] = value
                handle(name, value)
        handle("Via", via)

    def parse_header(self, header: str, data: Any) -> None:
        # pyVoIP cuts an address at the first 'sip:' and ';tag=', which a caller's display name may
        # hold.
        if header in ("From", "To"):
            raw, tag = data, ""
            if ";tag=" in data.rpartition(">")[2]:
                raw, _, tag = data.rpartition(";tag=")
            self.headers[header] = {"raw": raw, "tag": tag}
        else:
            super().parse_header(header, data)

    @property
    def code(self) -> int:
        """The status of a response."""
        return int(self.status)

    @property
    def branch(self) -> str:
        return str(self.headers["Via"][0].get("branch", ""))

    @property
    def codecs(self) -> dict[int, RTP.PayloadType]:
        """The codecs in this SDP that we have, in its order; empty if there is no usable audio."""
        offered = [int(m) for m in self._audio.get("methods", ())]
        chosen = {}
        for pt in offered:
            if "telephone-event" in str(self._audio["attributes"][str(pt)]):
                chosen[pt] = OFFER[101]
            elif pt in {0, 8}:
                chosen[pt] = OFFER[pt]
        if {0, 8} & chosen.keys():
            return chosen
        return {}

    @property
    def media(self) -> tuple[str, int]:
        """Where this SDP wants the audio to be sent."""
        return self.body["c"][0]["address"], self._audio["port"]

    @property
    def answering_direction(self) -> RTP.TransmitType:
        """The direction of our answer: hold (`sendonly`) is answered `recvonly`, and so on."""
        asked = str(self.body.get("a", {}).get("transmit_type", "sendrecv"))
        return _MIRRORED.get(asked, RTP.TransmitType.SENDRECV)

    @property
    def _audio(self) -> dict[str, Any]:
        return next((m for m in self.body.get("m", ()) if m["type"] == "audio"), {})


def contact_uri(message: Message) -> str:
    """Where requests inside the dialog go."""
    contact = message.fields.get("contact", message.fields["to"])
    found = re.search(r"<([^>]+)>", contact)
    if found:
        return found[1]
    return contact.partition(";")[0]
