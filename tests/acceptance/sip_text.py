"""A SIP message as a talking phone reads it, and answers to one."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sip:
    """One message, as far as a telephone has to read it."""

    text: str

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        return int(self.text[8:11]) if self.text.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Of a request, or of the request that is answered."""
        return self.header("CSeq").split()[1]

    def header(self, name: str) -> str:
        """The first header of that name; empty without one."""
        found = re.search(rf"(?im)^{re.escape(name)}:[ \t]*(.*?)\r?$", self.text)
        return found[1] if found else ""

    @property
    def media(self) -> tuple[str, int]:
        """Where the other side wants its sound."""
        host, port = re.search(r"c=IN IP4 (\S+)", self.text), re.search(r"m=audio (\d+)", self.text)
        assert host, self.text
        assert port, self.text
        return host[1], int(port[1])


def answer_to(
    request: Sip, status: str, body: str = "", *, contact: str = "", tag: str = ""
) -> str:
    """An answer that copies what it must of the request."""
    vias = "".join(
        f"Via: {via}\r\n" for via in re.findall(r"(?im)^Via:[ \t]*(.*?)\r?$", request.text)
    )
    copied = "".join(f"{name}: {request.header(name)}\r\n" for name in ("From", "Call-ID", "CSeq"))
    more = (f"Contact: {contact}\r\n" if contact else "") + (
        "Content-Type: application/sdp\r\n" if body else ""
    )
    to = f"To: {request.header('To')}{tag}\r\n"
    return f"SIP/2.0 {status}\r\n{vias}{copied}{to}{more}Content-Length: {len(body)}\r\n\r\n{body}"
