"""The options of `ringtrace trunk add` and `ringtrace trunk change`."""

from typing import Annotated

import typer

from router.asterisk.trunks import Cli, DidFrom, Side, Transport

PASSWORD_VARIABLE = "RINGTRACE_TRUNK_PASSWORD"  # noqa: S105  a name, not a password

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="1 to 40 of a-z, 0-9 and '-'; destinations dial it.")
]
OfSide = Annotated[
    Side | None, typer.Option(help="carrier: calls arrive from it; company: calls are sent to it.")
]
Host = Annotated[
    str | None,
    typer.Option(
        metavar="HOST[:PORT]",
        help="Address of the other side (registration, ip); IPv6 as [2001:db8::1]:5060.",
    ),
]
Match = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NETWORK",
        help="Address that calls come from, if not HOST (registration, ip); repeat.",
    ),
]
User = Annotated[str | None, typer.Option(help="User name at the carrier (registration).")]
AuthUser = Annotated[
    str | None, typer.Option(help="Authentication user, if it is not --user (registration).")
]
Number = Annotated[str | None, typer.Option(help="Your number, shown in From with --cli own.")]
HowShown = Annotated[
    Cli | None,
    typer.Option("--cli", help="Number shown on outgoing calls: yours, or the caller's."),
]
WhereDid = Annotated[
    DidFrom | None, typer.Option("--did-from", help="Where the carrier sends the dialled number.")
]
DidDigits = Annotated[
    int | None,
    typer.Option(
        "--did-digits",
        metavar="NUMBER",
        help="Fewest digits of a number, if the carrier sends them one by one: fewer are answered "
        "484. 0: it sends whole numbers.",
    ),
]
Proxy = Annotated[
    str | None,
    typer.Option(metavar="HOST[:PORT]", help="Outbound proxy (registration, ip)."),
]
FromDomain = Annotated[
    str | None, typer.Option(metavar="DOMAIN", help="Domain in From, if it is not HOST.")
]
OverTransport = Annotated[
    Transport | None,
    typer.Option(
        "--transport", help="Transport of SIP messages to the other side (registration, ip)."
    ),
]
Srtp = Annotated[
    bool | None,
    typer.Option("--srtp/--no-srtp", help="Accept and offer encrypted media (SDES)."),
]
SrtpRequired = Annotated[
    bool | None,
    typer.Option(
        "--srtp-required/--no-srtp-required",
        help="Refuse calls whose media is not encrypted (SDES) with 488.",
    ),
]
Nat = Annotated[
    bool | None,
    typer.Option(
        "--nat/--no-nat", help="The carrier is behind NAT: its Contact cannot be reached."
    ),
]
OwnMusic = Annotated[
    bool | None,
    typer.Option(
        "--own-music/--no-own-music",
        help="The PBX plays its own music on hold.",
    ),
]
