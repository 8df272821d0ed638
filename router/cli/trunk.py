"""`ringtrace trunk`: connections to carriers and to the company's telephony, written, checked and taken into use."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from router import bootstrap
from router.asterisk.pjsip import Contact, Pjsip
from router.asterisk.trunks import Cli, DidFrom, Side, Trunk, TrunkKind, Trunks
from router.cli.dialled import dialled_endpoints
from router.cli.opening import read_settings, ready_store
from router.cli.output import WIDE, AsJson, Column, note, plain, print_facts, print_json, print_record, print_table, say
from router.cli.password import FromStdin, read_password
from router.config import Settings
from router.domain.site import Destination
from router.errors import AsteriskUnavailable, ConfigurationError, Conflict, NotFound
from router.service import setup

app = typer.Typer(help="SIP connections to carriers and to the company's telephony.", no_args_is_help=True)

PASSWORD_VARIABLE = "RINGTRACE_TRUNK_PASSWORD"  # noqa: S105  a name, not a password
Name = Annotated[str, typer.Argument(metavar="NAME", help="1 to 40 of a-z, 0-9 and '-'; destinations dial it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a running Asterisk says of the trunks."""

    endpoints: frozenset[str] = frozenset()
    registrations: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, list[Contact]] = field(default_factory=dict)

    @classmethod
    async def ask(cls, pjsip: Pjsip) -> "Seen":
        """Ask once for all trunks. Raises `AsteriskUnavailable`."""
        return cls(
            endpoints=await pjsip.endpoints(),
            registrations=await pjsip.registrations(),
            contacts=await pjsip.contacts(),
        )

    def state(self, trunk: Trunk) -> str:
        """A trunk's state in a few words."""
        if trunk.name not in self.endpoints:
            return "not loaded"
        registration = self.registrations.get(trunk.name, "")
        return ", ".join(filter(None, (registration.lower(), *map(_reach, self.contacts.get(trunk.name, ()))))) or (
            "nobody registered" if trunk.kind is TrunkKind.ACCOUNT else "loaded"
        )


def _reach(contact: Contact) -> str:
    words = {"Avail": "reachable", "Unavail": "does not answer", "NonQual": "not asked yet"}
    time = f" in {contact.milliseconds:.0f} ms" if contact.milliseconds is not None else ""
    return words.get(contact.state, contact.state.lower()) + time


@app.command("add")
def add(
    name: Name,
    kind: Annotated[
        TrunkKind,
        typer.Option(help="registration: we log in there; ip: known by address; account: they log in here as NAME."),
    ],
    side: Annotated[Side, typer.Option(help="carrier: calls come in; company: calls go out to it.")] = Side.CARRIER,
    host: Annotated[str | None, typer.Option(metavar="HOST[:PORT]", help="Theirs; registration and ip.")] = None,
    match: Annotated[
        list[str] | None, typer.Option(metavar="NETWORK", help="Where their calls come from, if not HOST; ip; repeat.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="The name they gave us; registration.")] = None,
    number: Annotated[str | None, typer.Option(help="A number of ours, shown in From with --cli own.")] = None,
    cli: Annotated[Cli, typer.Option(help="Shown on calls out: a number of ours, or the caller's.")] = Cli.OWN,
    did_from: Annotated[DidFrom, typer.Option(help="Where they put the number that was dialled.")] = DidFrom.URI,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Write a trunk, let Asterisk read it, and see that it is there; if it is not, take it out again.

    The password is asked for, or read from RINGTRACE_TRUNK_PASSWORD or, with --password-stdin, from standard input.
    """
    trunk = Trunk(
        name=name,
        kind=kind,
        side=side,
        host=host,
        match=tuple(match or ()),
        user=user,
        number=number,
        cli=cli,
        did_from=did_from,
    )
    settings = read_settings()
    trunks = _trunks(settings)
    password = None
    if kind is not TrunkKind.IP:
        password = read_password(from_stdin=password_stdin, what="the trunk's password", variable=PASSWORD_VARIABLE)
    loaded = asyncio.run(_add(settings, trunks, trunk, password))
    if as_json:
        print_json({**plain(trunk), "loaded": loaded})
        return
    say(f"The trunk {name} was added." + (" Asterisk has loaded it." if loaded else ""))
    if side is Side.COMPANY:
        note(f"Destinations reach it as PJSIP/{name}, or PJSIP/EXTENSION@{name}.")
    elif kind is TrunkKind.REGISTRATION and loaded:
        note("`ringtrace trunk list` shows whether they let us in.")


async def _add(settings: Settings, trunks: Trunks, trunk: Trunk, password: str | None) -> bool:
    """Add and check; False when Asterisk does not run."""
    pjsip = await _running(settings)
    if pjsip and trunk.name in await pjsip.endpoints():
        raise Conflict(f"Asterisk has an endpoint '{trunk.name}' already: choose another name.")
    trunks.add(trunk, password)
    if pjsip is None:
        return False
    try:
        await pjsip.reload()
        if await pjsip.appears(trunk.name, identified=trunk.kind is TrunkKind.IP):
            return True
    except BaseException:
        trunks.remove(trunk.name)
        raise
    trunks.remove(trunk.name)
    await pjsip.reload()
    raise ConfigurationError(
        f"Asterisk did not take the trunk '{trunk.name}', so it was taken out again. Does the name "
        f"'{trunk.host}' resolve? What Asterisk said is in {settings.asterisk_home / 'log/messages'}."
    )


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every trunk, and its state if Asterisk runs."""
    settings = read_settings()
    trunks = _trunks(settings).all()
    seen = asyncio.run(_look(settings))
    if as_json:
        print_json([_as_json(trunk, seen) for trunk in trunks])
        return
    columns = (
        Column(title="name", whole=True),
        Column(title="kind"),
        Column(title="side"),
        Column(title="host"),
        Column(title="user", least=WIDE),
        Column(title="state"),
    )
    rows = ((t.name, t.kind, t.side, t.host, t.user, seen and seen.state(t)) for t in trunks)
    print_table(columns, rows, empty="There is no trunk here: `ringtrace trunk add` makes one.")


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Everything about one trunk but its password."""
    settings = read_settings()
    trunk = next((t for t in _trunks(settings).all() if t.name == name), None)
    if trunk is None:
        raise NotFound(f"There is no trunk '{name}' here.")
    seen = asyncio.run(_look(settings))
    if as_json:
        print_json(_as_json(trunk, seen))
        return
    print_record(trunk)
    print_facts((("state", seen.state(trunk) if seen else None),))


@app.command("remove")
def remove(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Although a destination dials it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a trunk out; refused while a destination dials it."""
    settings = read_settings()
    trunks = _trunks(settings)
    asyncio.run(_remove(settings, trunks, name, force=force))
    if as_json:
        print_json({"removed": name})
    else:
        say(f"The trunk {name} was removed.")


async def _remove(settings: Settings, trunks: Trunks, name: str, *, force: bool) -> None:
    if not force:
        async with ready_store(settings) as store:
            _refuse_if_dialled(name, await setup.list_all(store, Destination))
    trunks.remove(name)
    if pjsip := await _running(settings):
        await pjsip.reload()


def _refuse_if_dialled(name: str, destinations: Iterable[Destination]) -> None:
    users = [d.id for d in destinations if name in dialled_endpoints(d)]
    if users:
        raise Conflict(
            f"The trunk '{name}' is dialled by the destinations {', '.join(users)}: change them first, or --force."
        )


def _trunks(settings: Settings) -> Trunks:
    if not settings.ringtrace_etc.is_dir():
        raise ConfigurationError(f"{settings.ringtrace_etc} is not there: run `ringtrace prepare` first.")
    return Trunks(settings.ringtrace_etc)


async def _running(settings: Settings) -> Pjsip | None:
    """A running Asterisk's SIP stack, or None, which is said."""
    pjsip = Pjsip(bootstrap.console(settings))
    try:
        await pjsip.endpoints()
    except AsteriskUnavailable:
        note("Asterisk does not run here; it reads its trunks at the next start.")
        return None
    return pjsip


async def _look(settings: Settings) -> Seen | None:
    pjsip = await _running(settings)
    return await Seen.ask(pjsip) if pjsip else None


def _as_json(trunk: Trunk, seen: Seen | None) -> dict[str, Any]:
    return {
        **plain(trunk),
        "loaded": seen and trunk.name in seen.endpoints,
        "registration": seen and seen.registrations.get(trunk.name),
        "contacts": plain(seen.contacts.get(trunk.name, [])) if seen else None,
    }
