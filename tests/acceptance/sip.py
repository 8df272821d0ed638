"""Callers and company lines for tests: SIPp 3.6.1 processes driven by asyncio, their logs read into
values.

SIPp is the far end that misbehaves on purpose: busy, silent, holding, transferring, giving up. What
it saw is taken from its message log, because its own counters call an expected refusal a success.

SIPp begins every RTP stream at sequence number 0, and nothing changes that: what a stream's
beginning matters for is tested with `tests.acceptance.talking_phone`, which begins anywhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.sip_log import Message, Result, post_dial_delays
from tests.acceptance.sipp_process import Sipp
from tests.support.ports import free_port

__all__ = [
    "Caller", "Company", "Message", "Result", "Sipp", "answers", "caller", "callers", "company", "free_port", "holds",  # noqa: E501
    "post_dial_delays", "refuses", "rings_for_ever", "transfers_attended", "transfers_blind",
]  # fmt: skip
SCENARIOS = Path(__file__).parent / "sipp"
FOREVER = 3600.0
_SDP = (
    "v=0\n      o=sipp 1 {version} IN IP4 [local_ip]\n      s=-\n      c=IN IP4 [local_ip]\n  "
    "    t=0 0\n"
    "      m=audio {port} RTP/AVP 8\n      a=rtpmap:8 PCMA/8000\n      a=ptime:20\n      "
    "a={direction}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One caller. Times in seconds; `speech` is raw A-law, played once from the answer on.

    `to`: the user part of To where it differs from the Request-URI (then `did` may be the account's
    name). `from_header` replaces From whole, for what `number` and `name` cannot say.
    `abandon_after`: gives up that long after it began to ring.
    """

    did: str
    number: str = "+79161234567"
    name: str = ""
    to: str | None = None
    called_party: str | None = None
    from_header: str | None = None
    headers: tuple[str, ...] = ()
    talk: float = 5.0
    abandon_after: float | None = None
    speech: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """How a company line behaves. Times in seconds, `parts` are the files sipp/part_*.xml in order.

    `first` is what it says before: `ringing` (180), `progress` (183 with sound), or nothing.
    """

    first: str = "ringing"
    parts: tuple[str, ...] = ("answer", "talk")
    ring: float = 0.5
    talk: float = FOREVER
    status: str = ""
    pause: float = 2.0
    transfer_to: str = ""
    colleague: float = 0.5
    speech: Path | None = None
    echo: bool = False


def answers(
    after: float = 0.5, *, talk: float = FOREVER, speech: Path | None = None, echo: bool = False
) -> Company:
    """Answers after some ringing; hangs up after `talk`; speaks, or sends the caller's voice
    back.
    """
    return Company(ring=after, talk=talk, speech=speech, echo=echo)


def refuses(status: str = "486 Busy Here", after: float = 0.0) -> Company:
    """Refuses: `486 Busy Here`, `603 Decline`, `503 Service Unavailable`, or any other."""
    return Company(parts=("refuse",), status=status, ring=after)


def rings_for_ever() -> Company:
    """Never answers."""
    return refuses("480 Temporarily Unavailable", FOREVER)


def holds(speech: Path | None = None, pause: float = 1.0) -> Company:
    """Answers, holds after `pause`, resumes after another, and stays."""
    return Company(parts=("answer", "hold", "resume", "talk"), pause=pause, speech=speech)


def transfers_by_keys(speech: Path | None = None, after: float = 1.0) -> Company:
    """Answers, then presses ##202 on the phone."""
    return Company(parts=("answer", "keys", "talk"), pause=after, speech=speech)


def transfers_blind(to: str, speech: Path | None = None, after: float = 1.0) -> Company:
    """Answers, then sends the caller on with REFER."""
    return Company(parts=("answer", "refer"), transfer_to=to, pause=after, speech=speech)


def loses_in_transfer(status: str, ring: float = 0.5) -> Company:
    """Answers, and after a second sends the caller on to 202, whose phone rings so long and then
    refuses.
    """
    parts = ("unless_colleague", "answer", "refer", "colleague")
    return Company(parts=parts, transfer_to="202", pause=1.0, status=status, colleague=ring)


def transfers_attended(to: str, speech: Path | None = None, after: float = 1.0) -> Company:
    """Answers, holds, calls `to` itself, then joins both with REFER and Replaces."""
    return Company(parts=("answer", "hold", "consult"), transfer_to=to, pause=after, speech=speech)


def caller(work: Path, target_port: int, who: Caller, *, host: str = "127.0.0.1") -> Sipp:
    """One caller, any value of whom may be hostile: SIPp gets them as -key arguments and looks into
    none.
    """
    to = who.did if who.to is None else who.to
    shown = f'"{who.name}" ' if who.name else ""
    sender = who.from_header or f"{shown}<sip:{who.number}@127.0.0.1>"
    called_party = (
        []
        if who.called_party is None
        else [f"P-Called-Party-ID: <sip:{who.called_party}@127.0.0.1>"]
    )
    headers = "".join(f"\r\n{header}" for header in (*who.headers, *called_party))
    keys = {"its_did": who.did, "its_to": to, "its_from": sender, "its_headers": headers}
    arguments = (argument for name, value in keys.items() for argument in ("-key", name, value))
    values = _caller_values(
        who, did="[its_did]", to="[its_to]", sender="[its_from]", headers="[its_headers]"
    )
    return _sipp(work, _caller_file(who), values, target_port, "-m", "1", *arguments, host=host)


def callers(
    work: Path,
    target_port: int,
    rows: Sequence[Caller],
    *,
    rate: float,
    calls: int | None = None,
    limit: int = 3000,
    host: str = "127.0.0.1",
) -> Sipp:
    """Many callers at `rate` a second, taken from `rows` in turn; all talk as long as the first.

    Their DID, number and name go through SIPp's CSV, which cannot carry `;` and line ends:
    ValueError.
    """
    lines = [f"{row.did};{row.number};{row.name}" for row in rows]
    if any(line.count(";") != 2 or re.search(r"[\r\n]", line) for line in lines):
        raise ValueError("SIPp's CSV cannot carry ; and line ends: use caller()")
    values = _caller_values(
        rows[0],
        did="[field0]",
        to="[field0]",
        sender='"[field2]" <sip:[field1]@[local_ip]:[local_port]>',
    )
    sipp = _sipp(
        work, _caller_file(rows[0]), values, target_port, "-m", str(calls or len(rows)), "-r", str(rate),  # noqa: E501
        "-l", str(limit), "-inf", "rows.csv", "-recv_timeout", "60000", host=host,
    )  # fmt: skip
    (work / "rows.csv").write_text("SEQUENTIAL\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return sipp


def company(work: Path, asterisk_port: int, behaviour: Company, *, host: str = "127.0.0.1") -> Sipp:
    """A company line on a free port; a dead one is a `free_port()` with nothing behind it."""
    values = {
        "ring_ms": _ms(behaviour.ring), "talk_ms": _ms(behaviour.talk), "pause_ms": _ms(behaviour.pause),  # noqa: E501
        "colleague_ms": _ms(behaviour.colleague),
        "status": behaviour.status, "transfer_to": behaviour.transfer_to, "play": _play(behaviour.speech),  # noqa: E501
        "first": (SCENARIOS / f"part_{behaviour.first}.xml").read_text() if behaviour.first else "",
        "parts": "".join((SCENARIOS / f"part_{part}.xml").read_text() for part in behaviour.parts),
        "media_port": "[media_port]" if behaviour.echo else "[rtpstream_audio_port]",
    }  # fmt: skip
    echo = ("-rtp_echo", "-mp", str(free_port())) if behaviour.echo else ()
    return _sipp(work, "company.xml", values, asterisk_port, *echo, host=host)


def _sipp(
    work: Path,
    file: str,
    values: dict[str, str],
    port: int,
    *arguments: str,
    host: str = "127.0.0.1",
) -> Sipp:
    media = values.setdefault("media_port", "[rtpstream_audio_port]")
    for version, (name, direction) in enumerate(
        (("sdp", "sendrecv"), ("sdp_hold", "sendonly"), ("sdp_resume", "sendrecv")), 1
    ):
        values[name] = _SDP.format(version=version, port=media, direction=direction)
    scenario = (SCENARIOS / file).read_text()
    for files in ("first", "parts"):
        scenario = scenario.replace(f"{{{{{files}}}}}", values.pop(files, ""))
    scenario = re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], scenario)
    return Sipp(work, scenario, f"127.0.0.1:{port}", *arguments, host=host)


def _caller_file(who: Caller) -> str:
    return "caller.xml" if who.abandon_after is None else "caller_abandons.xml"


def _caller_values(
    who: Caller, *, did: str, to: str, sender: str, headers: str = ""
) -> dict[str, str]:
    return {
        "did": did, "to": to, "from": sender, "headers": headers,
        "talk_ms": _ms(who.talk), "abandon_ms": _ms(who.abandon_after or 0), "play": _play(who.speech),  # noqa: E501
    }  # fmt: skip


def _ms(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _play(speech: Path | None) -> str:
    # rtp_stream, because play_pcap_audio needs root; not endless (-1), because that stalls 3.6.1
    return f'<exec rtp_stream="{speech},1,8,PCMA/8000"/>' if speech else ""
