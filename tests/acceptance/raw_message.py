"""A SIP message as a raw phone reads it."""

import re
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class SipMessage:
    """One message as it came; names of headers in any case."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a datagram."""
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(first, tuple((name.strip(), value.strip()) for name, _, value in pairs), body)

    def all(self, name: str) -> list[str]:
        """The values of every header of that name."""
        return [value for known, value in self.headers if known.lower() == name.lower()]

    def header(self, name: str) -> str:
        """The first header of that name; empty where there is none."""
        return next(iter(self.all(name)), "")

    @property
    def status(self) -> int:
        """An answer's status; 0 for a request."""
        found = re.match(r"SIP/2\.0 (\d{3})", self.first)
        return int(found[1]) if found else 0

    @property
    def method(self) -> str:
        """The method of a request, or of the request that this answers."""
        return (
            self.header("CSeq").rpartition(" ")[2] if self.status else self.first.partition(" ")[0]
        )

    def media(self, kind: str = "audio") -> tuple[str, int]:
        """Where the sender of this SDP wants its RTP; port 0 where it wants none."""
        section = re.search(rf"^m={kind} (\d+) [\s\S]*?(?=^m=|\Z)", self.body, re.MULTILINE)
        host = re.search(r"^c=IN IP4 (\S+)", section[0] if section else "", re.MULTILINE)
        host = host or re.search(r"^c=IN IP4 (\S+)", self.body, re.MULTILINE)
        return (host[1] if host else "", int(section[1]) if section else 0)
