"""The options of `ringtrace trunk add` and `ringtrace trunk change`."""

from typing import Annotated

import typer

from router.asterisk.trunks import Cli, DidFrom, Side, Transport

PASSWORD_VARIABLE = "RINGTRACE_TRUNK_PASSWORD"  # noqa: S105  a name, not a password

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="1 to 40 of a-z, 0-9 and '-'; destinations dial it.")
]
OfSide = Annotated[
    Side | None, typer.Option(help="carrier: calls come in; company: calls go out to it.")
]
Host = Annotated[
    str | None,
    typer.Option(
        metavar="HOST[:PORT]", help="Theirs; registration and ip. IPv6 as [2001:db8::1]:5060."
    ),
]
Match = Annotated[
    list[str] | None,
    typer.Option(metavar="NETWORK", help="Where their calls come from, if not HOST; ip; repeat."),
]
User = Annotated[str | None, typer.Option(help="The name they gave us; registration.")]
AuthUser = Annotated[
    str | None, typer.Option(help="The name to log in with, if it is not --user; registration.")
]
Number = Annotated[str | None, typer.Option(help="A number of ours, shown in From with --cli own.")]
HowShown = Annotated[
    Cli | None, typer.Option("--cli", help="Shown on calls out: a number of ours, or the caller's.")
]
WhereDid = Annotated[
    DidFrom | None, typer.Option("--did-from", help="Where they put the number that was dialled.")
]
Proxy = Annotated[
    str | None,
    typer.Option(
        metavar="HOST[:PORT]", help="All we send goes through this proxy; registration and ip."
    ),
]
FromDomain = Annotated[
    str | None, typer.Option(metavar="DOMAIN", help="In From, if it is not HOST.")
]
OverTransport = Annotated[
    Transport | None,
    typer.Option("--transport", help="How SIP messages to them travel; registration and ip."),
]
Srtp = Annotated[
    bool | None,
    typer.Option("--srtp/--no-srtp", help="Encrypted sound (SDES) is taken and offered."),
]
Nat = Annotated[
    bool | None,
    typer.Option("--nat/--no-nat", help="A carrier behind NAT: its Contact cannot be reached."),
]
OwnMusic = Annotated[
    bool | None,
    typer.Option(
        "--own-music/--no-own-music",
        help="Their PBX plays music to callers on hold, so that we do not.",
    ),
]
