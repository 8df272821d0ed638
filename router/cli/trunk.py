"""`ringtrace trunk`: SIP connections to carriers and to the company's telephone system."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

import typer

from router.asterisk.trunks import Side, Trunk, TrunkKind, Trunks
from router.cli.opening import read_settings, ready_store
from router.cli.output import (
    WIDE,
    AsJson,
    Column,
    note,
    plain,
    print_facts,
    print_json,
    print_record,
    print_table,
    say,
)
from router.cli.password import FromStdin, read_password
from router.cli.trunk_facts import look_at_trunks, refused_calls, state_text, trunk_as_json
from router.cli.trunk_options import (
    PASSWORD_VARIABLE,
    AuthUser,
    DidDigits,
    FromDomain,
    Host,
    HowShown,
    Match,
    Name,
    Nat,
    Number,
    OfSide,
    OverTransport,
    OwnMusic,
    Proxy,
    Srtp,
    SrtpRequired,
    User,
    WhereDid,
)
from router.cli.trunk_use import add_trunk, change_trunk, running
from router.config import Settings
from router.domain.visitors.site import Destination
from router.errors import ConfigurationError, Conflict, InvalidInput, NotFound
from router.service.admin import setup
from router.service.admin.changes import log_changed

app = typer.Typer(
    help="Trunks: SIP connections to carriers and to the company's telephone system.",
    no_args_is_help=True,
)


@app.command("add")
def add(
    name: Name,
    kind: Annotated[
        TrunkKind,
        typer.Option(
            help="registration: Ringtrace registers at the carrier; ip: recognised by address; "
            "account: a phone or PBX registers here as NAME."
        ),
    ],
    side: OfSide = None,
    host: Host = None,
    match: Match = None,
    user: User = None,
    auth_user: AuthUser = None,
    number: Number = None,
    cli: HowShown = None,
    did_from: WhereDid = None,
    did_digits: DidDigits = None,
    proxy: Proxy = None,
    from_domain: FromDomain = None,
    transport: OverTransport = None,
    srtp: Srtp = None,
    srtp_required: SrtpRequired = None,
    nat: Nat = None,
    own_music: OwnMusic = None,
    password_stdin: FromStdin = False,
    force: Annotated[
        bool, typer.Option("--force", help="Allow an address that another endpoint has.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a trunk, reload Asterisk and verify that it is loaded; otherwise undo the change.

    Prompts for the password, or reads it from RINGTRACE_TRUNK_PASSWORD or, with --password-stdin,
    from standard input.
    """
    given = _given(
        side=side,
        host=host,
        match=match,
        user=user,
        auth_user=auth_user,
        number=number,
        cli=cli,
        did_from=did_from,
        did_digits=did_digits,
        proxy=proxy,
        from_domain=from_domain,
        transport=transport,
        srtp=srtp,
        srtp_required=srtp_required,
        nat=nat,
        own_music=own_music,
    )
    trunk = Trunk(name=name, kind=kind, **given)
    settings = read_settings()
    trunks = _trunks(settings)
    password = None
    if kind is not TrunkKind.IP:
        password = read_password(
            from_stdin=password_stdin, what="the trunk's password", variable=PASSWORD_VARIABLE
        )
    loaded = asyncio.run(add_trunk(settings, trunks, trunk, password, force=force))
    log_changed(None, trunk)
    if as_json:
        print_json({**plain(trunk), "loaded": loaded})
        return
    say(f"The trunk {name} was added." + (" Asterisk has loaded it." if loaded else ""))
    if trunk.side is Side.COMPANY:
        note(f"Destinations reach it as PJSIP/{name}, or PJSIP/EXTENSION@{name}.")
    elif kind is TrunkKind.REGISTRATION and loaded:
        note("`ringtrace trunk list` shows whether the registration succeeds.")


@app.command("change")
def change(
    name: Name,
    side: OfSide = None,
    host: Host = None,
    match: Match = None,
    user: User = None,
    auth_user: AuthUser = None,
    number: Number = None,
    cli: HowShown = None,
    did_from: WhereDid = None,
    did_digits: DidDigits = None,
    proxy: Proxy = None,
    from_domain: FromDomain = None,
    transport: OverTransport = None,
    srtp: Srtp = None,
    srtp_required: SrtpRequired = None,
    nat: Nat = None,
    own_music: OwnMusic = None,
    password: Annotated[
        bool, typer.Option("--password", help="Prompt for a new password.")
    ] = False,
    password_stdin: FromStdin = False,
    force: Annotated[
        bool, typer.Option("--force", help="Allow an address that another endpoint has.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Change a trunk without interrupting calls. An empty text removes a value.

    --password prompts for a new password; --password-stdin reads it from standard input.
    """
    given = _given(
        side=side,
        host=host,
        match=match,
        user=user,
        auth_user=auth_user,
        number=number,
        cli=cli,
        did_from=did_from,
        did_digits=did_digits,
        proxy=proxy,
        from_domain=from_domain,
        transport=transport,
        srtp=srtp,
        srtp_required=srtp_required,
        nat=nat,
        own_music=own_music,
    )
    settings = read_settings()
    trunks = _trunks(settings)
    known = _known(trunks, name)
    trunk = replace(known, **_emptied(given))
    if not given and not (password or password_stdin):
        raise InvalidInput("Nothing to change: use an option, or --password.")
    new = None
    if password or password_stdin:
        new = read_password(
            from_stdin=password_stdin, what="the trunk's password", variable=PASSWORD_VARIABLE
        )
    loaded = asyncio.run(change_trunk(settings, trunks, trunk, new, force=force))
    log_changed(known, trunk, secret=None if new is None else "password")
    if as_json:
        print_json({**plain(trunk), "loaded": loaded})
    else:
        say(f"The trunk {name} was changed." + (" Asterisk has loaded it." if loaded else ""))


def _emptied(given: dict[str, Any]) -> dict[str, Any]:
    return {key: None if value == "" else value for key, value in given.items()}


def _given(match: list[str] | None, **options: Any) -> dict[str, Any]:
    given = {key: value for key, value in options.items() if value is not None}
    if match is None:
        return given
    return {**given, "match": tuple(filter(None, match))}


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all trunks, with their state if Asterisk runs."""
    settings = read_settings()
    trunks = _trunks(settings).all()
    seen = asyncio.run(look_at_trunks(settings))
    if as_json:
        print_json([trunk_as_json(trunk, seen, refused_calls(settings)) for trunk in trunks])
        return
    columns = (
        Column(title="name", whole=True),
        Column(title="kind"),
        Column(title="side"),
        Column(title="host"),
        Column(title="user", least=WIDE),
        Column(title="state"),
    )
    refused = refused_calls(settings)
    rows = ((t.name, t.kind, t.side, t.host, t.user, state_text(t, seen, refused)) for t in trunks)
    print_table(columns, rows, empty="There are no trunks: `ringtrace trunk add` adds one.")


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show one trunk, without its password."""
    settings = read_settings()
    trunk = _known(_trunks(settings), name)
    seen = asyncio.run(look_at_trunks(settings))
    if as_json:
        print_json(trunk_as_json(trunk, seen, refused_calls(settings)))
        return
    print_record(trunk)
    print_facts((("state", state_text(trunk, seen, refused_calls(settings))),))


@app.command("remove")
def remove(
    name: Name,
    force: Annotated[
        bool, typer.Option("--force", help="Remove it even if a destination dials it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a trunk; refused while a destination dials it."""
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
    known = _known(trunks, name)
    trunks.remove(name)
    log_changed(known, None)
    if pjsip := await running(settings):
        await pjsip.reload()


def _refuse_if_dialled(name: str, destinations: Iterable[Destination]) -> None:
    users = [d.id for d in destinations if name in d.phones()]
    if users:
        raise Conflict(
            f"The destinations {name} dial this trunk ('{', '.join(users)}'): change them first, "
            "or use --force."
        )


def _trunks(settings: Settings) -> Trunks:
    if not settings.ringtrace_etc.is_dir():
        raise ConfigurationError(
            f"{settings.ringtrace_etc} does not exist: run `ringtrace prepare` first."
        )
    return Trunks(settings.ringtrace_etc)


def _known(trunks: Trunks, name: str) -> Trunk:
    trunk = next((known for known in trunks.all() if known.name == name), None)
    if trunk is None:
        raise NotFound(f"There is no trunk '{name}'.")
    return trunk
