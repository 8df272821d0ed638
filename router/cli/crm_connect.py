"""`ringtrace crm connect`: prompts for what it needs, tests the account, and saves it if all checks
pass.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlsplit

import typer

from router.bootstrap import now
from router.cli.collection import changes
from router.cli.crm_account import (
    kind_of,
    on_terminal,
    opened,
    print_checks,
    print_dry_run,
    read_token,
)
from router.cli.crm_app import log_in
from router.cli.crm_trial import keepable, try_account, with_defaults
from router.cli.opening import read_settings, with_store
from router.cli.output import AsJson, note, print_json, say
from router.cli.webhook import check_address
from router.config import Settings
from router.domain.delivery.connection import Connection, Mode
from router.domain.names import check_key
from router.errors import InvalidInput
from router.receivers.kept_tokens import KeptToken, TokenInFile, TokenInMemory
from router.secrets import keep_token, load_secrets
from router.service.delivery import connections as service
from router.service.delivery.dry_run import DryRun, Step, dry_run_call
from router.service.delivery.ports import Check
from router.service.ports import Store

_WEBHOOK = re.compile(r"/rest/\d+/\w+")  # of Bitrix24, which is a secret
Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Your name for this account: 1 to 40 of a-z, 0-9 and '-'."),
]
Site = Annotated[str | None, typer.Option("--site", metavar="KEY", help="Calls of this site only.")]
Address = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Address of the account, e.g. https://example.amocrm.ru"),
]
ModeOf = Annotated[
    Mode | None,
    typer.Option(
        help="own: Ringtrace creates CRM records; telephony: your telephony creates them, "
        "Ringtrace adds the client ID."
    ),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="An option listed by `ringtrace crm kinds`; an empty value removes it.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Print what would be sent for a call; save and send nothing."),
]
CallId = Annotated[
    str | None,
    typer.Option(
        "--call", metavar="CALL_ID", help="Show it for this call instead of the last one."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The result of connecting."""

    connection: Connection
    kept: bool
    checks: Sequence[Check]
    created: Sequence[str]


def connect(
    name: Name,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="See `ringtrace crm kinds`.")
    ] = None,
    address: Address = None,
    site: Site = None,
    mode: ModeOf = None,
    option: Options = None,
    default: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=TEXT", help="Text of a required field of new entities."),
    ] = None,
    token_file: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="File with the token as JSON; - reads standard input."),
    ] = None,
    token: Annotated[list[str] | None, typer.Option(hidden=True)] = None,
    app: Annotated[
        bool,
        typer.Option(
            "--app",
            help="Log in as an OAuth app: you allow it on a page, whose address is printed. The "
            "client ID and secret of a known app are used again.",
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Create missing fields in the account without asking.")
    ] = False,
    dry_run: DryRunOption = False,
    call: CallId = None,
    as_json: AsJson = False,
) -> None:
    """Connect an account, or replace its token; it is tested before it is saved."""
    if token:
        raise typer.BadParameter(
            "a token as an argument can be seen by `ps`: leave it out for a prompt, or use "
            "--token-file"
        )
    if call and not dry_run:
        raise typer.BadParameter("--call needs --dry-run")
    settings = read_settings()
    known = with_store(lambda store: service.find_connection(store, name), settings)
    described = _described(known, name, kind, address, option or [])
    check_mode(described.kind, mode)
    defaults = merged(described.rules.defaults, read_pairs(default or (), "city=Moscow"))
    rules = replace(described.rules, defaults=defaults)
    connection = replace(described, rules=rules, **changes(site_id=site, mode=mode))
    with_store(lambda store: service.check_connection(store, connection), settings)
    old: dict[str, str] = {}
    if known:
        old = load_secrets(settings.home).tokens.get(name, old)

    trial: KeptToken
    if dry_run and old and token_file is None:
        trial = TokenInFile(settings.home, name)
    elif app:
        trial = TokenInMemory(log_in(settings, connection, old, token_file))
    else:
        trial = TokenInMemory(read_token(kind_of(connection.kind), token_file))
    if dry_run:
        show_dry_run(try_call(settings, connection, trial, call), as_json)
        return

    async def work(store: Store) -> Tried:
        async with opened(store, connection, trial) as account:
            whole = await with_defaults(connection, account)
            kind = kind_of(whole.kind)
            checks, created = await try_account(store, whole, account, kind, yes)
        kept = keepable(checks)
        if kept:
            await service.keep_connection(
                store, whole, now(), lambda: keep_token(settings.home, whole.id, trial.read())
            )
        return Tried(connection=whole, kept=kept, checks=checks, created=created)

    _tell(with_store(work, settings), as_json)


def try_call(
    settings: Settings, connection: Connection, kept: KeptToken, call_id: str | None
) -> DryRun:
    """What would be written for a call, without writing it. Raises `NotFound`."""
    unsent: list[Step] = []
    analytics = kind_of(connection.kind).analytics

    async def work(store: Store) -> DryRun:
        async with opened(store, connection, kept, unsent if analytics else None) as account:
            return await dry_run_call(
                store, connection, account, call_id, settings.url, now(), unsent
            )

    return with_store(work, settings)


def show_dry_run(run: DryRun, as_json: bool) -> None:
    """Print a dry run."""
    if as_json:
        print_json(run)
    else:
        print_dry_run(run)


def read_options(kind: str, texts: Sequence[str]) -> dict[str, str]:
    """Parse `name=value` options. Raises `InvalidInput` for names that this kind does not know."""
    options = read_pairs(texts, "--option field=UF_CRM_1")
    known = kind_of(kind).options
    for name in options:
        if name not in known:
            raise InvalidInput(
                f"{kind} has no option '{name[:40]}'; it has {', '.join(known) or 'none'}"
            )
    return options


def read_pairs(texts: Sequence[str], example: str) -> dict[str, str]:
    """`name=value` several times; the value may be empty. Raises a usage error."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip()):
            raise typer.BadParameter(f"'{text[:60]}' is not a pair: write {example}")
        pairs[name.strip()] = value.strip()
    return pairs


def merged(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """The old pairs updated with the new ones, without empty values."""
    return {name: value for name, value in {**old, **new}.items() if value}


def check_server(text: str) -> str:
    """Check the address of an account, which must not contain a password. Raises `InvalidInput`."""
    address = check_address(text).rstrip("/")
    parts = urlsplit(address)
    if "@" in parts.netloc or parts.query or _WEBHOOK.search(parts.path):
        raise InvalidInput(
            f"the address contains a secret: enter {parts.hostname} only; the token is prompted for"
        )
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "[::1]", "::1"}:
        note(
            f"The connection to {parts.hostname} is not encrypted, so others on the network can "
            "read the token: use https if you can."
        )
    return address


def check_mode(kind: str, mode: Mode | None) -> None:
    """Raises `InvalidInput` if this kind has no mode."""
    if mode is not None and kind_of(kind).analytics:
        raise InvalidInput(f"{kind} has no CRM records, so it has no --mode")


def _described(
    known: Connection | None, name: str, kind: str | None, address: str | None, texts: Sequence[str]
) -> Connection:
    """The known connection with changes, or a new one; prompts for what is missing. Raises
    `InvalidInput`.
    """
    check_key("connection", name)
    if known is not None:
        if kind not in {None, known.kind}:
            raise InvalidInput(
                f"'{name}' is a connection to {known.kind}: remove it first, or choose another name"
            )
        options = merged(known.options, read_options(known.kind, texts))
        return replace(known, address=check_server(address or known.address), options=options)
    kind = kind or _asked("Kind", "--kind (see `ringtrace crm kinds`)")
    needs = kind_of(kind)
    address = (
        address or needs.address or _asked(f"Address of the {needs.title} account", "--address")
    )
    options = merged(_asked_options(kind, texts), read_options(kind, texts))
    return Connection(
        id=name, kind=kind, address=check_server(address), options=options, created_at=now()
    )


def _asked(what: str, option: str) -> str:
    if not on_terminal():
        raise InvalidInput(f"{option} is missing")
    return str(typer.prompt(what, err=True))


def _asked_options(kind: str, texts: Sequence[str]) -> dict[str, str]:
    """Prompt for options that were not given; empty ones use the adapter's default."""
    given = read_options(kind, texts)
    answers: dict[str, str] = {}
    if not on_terminal():
        return answers
    for name, meaning in kind_of(kind).options.items():
        if name not in given:
            text = f"{name} ({meaning})"
            answers[name] = str(typer.prompt(text, default="", show_default=False, err=True))
    return answers


def _tell(tried: Tried, as_json: bool) -> None:
    if as_json:
        print_json(tried)
    else:
        print_checks(tried.checks, tried.created)
        if tried.kept:
            say(
                f"The connection {tried.connection.id} was saved: calls that end from now on are "
                "sent to it."
            )
    if not tried.kept:
        note(
            "The connection was not saved: fix the failed checks above and connect again. --yes "
            "creates missing fields."
        )
        raise typer.Exit(1)
