"""`ringtrace crm`: connections to CRMs and analytics services, and their rules."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from router.bootstrap import now
from router.cli.collection import changes, cleared
from router.cli.crm_account import keeps_entities, needed_token, opened, print_checks
from router.cli.crm_connect import (
    Address,
    CallId,
    DryRunOption,
    ModeOf,
    Name,
    Options,
    Site,
    check_mode,
    check_server,
    connect,
    merged,
    read_options,
    show_dry_run,
    try_call,
)
from router.cli.crm_preview import preview
from router.cli.crm_rules import print_rules, rules
from router.cli.opening import read_settings, with_store
from router.cli.output import (
    AsJson,
    Column,
    moment,
    note,
    plain,
    print_facts,
    print_json,
    print_table,
    say,
)
from router.domain.delivery.connection import Connection, Mode
from router.domain.delivery.crm_codes import CrmCode
from router.errors import Conflict
from router.receivers.kept_tokens import TokenInFile
from router.receivers.registry import KINDS
from router.secrets import keep_token, load_secrets
from router.service.delivery import connections as service
from router.service.delivery.callbacks import callback_path
from router.service.delivery.connections import Standing
from router.service.delivery.ports import Check
from router.service.ports import Store

app = typer.Typer(help="Connections to CRMs and analytics services.", no_args_is_help=True)
app.command("connect")(connect)
app.command("rules")(rules)
app.command("preview")(preview)


@app.command("kinds")
def kinds(as_json: AsJson = False) -> None:
    """List the kinds of connections and what each needs."""
    if as_json:
        names = ("title", "address", "analytics", "token", "options")
        print_json(
            {
                key: {name: plain(getattr(kind, name)) for name in names}
                for key, kind in KINDS.items()
            }
        )
        return
    for key, kind in KINDS.items():
        what = "CRM"
        if kind.analytics:
            what = "analytics"

        facts = [("address", kind.address or "of your account")]
        facts += [(f"token {name}", meaning) for name, meaning in kind.token.items()]
        facts += [(f"option {name}", meaning) for name, meaning in kind.options.items()]
        print_facts(facts, title=f"{key}: {kind.title}, {what}", indent=2)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all connections with their status."""
    connections = with_store(service.list_connections)
    if as_json:
        print_json([_plain(standing) for standing in connections])
        return
    names = ("name", "kind", "address", "site", "mode", "active", "state")
    rows = (
        (standing.connection.id, c.kind, c.address, c.site_id, _mode(c), c.active, _state(standing))
        for standing in connections
        for c in [standing.connection]
    )
    columns = tuple(Column(title=name, whole=name == "name") for name in names)
    print_table(
        columns, rows, empty="No connections: `ringtrace crm kinds` lists what can be connected."
    )


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show one connection with its rules; its token is never shown."""
    settings = read_settings()
    standing = with_store(lambda store: service.show_connection(store, name), settings)
    has_token = name in load_secrets(settings.home).tokens
    if as_json:
        print_json({**_plain(standing), "has_token": has_token})
        return
    c = standing.connection
    facts: dict[str, Any] = {
        "name": c.id,
        "kind": c.kind,
        "address": c.address,
        "calls of": c.site_id or "every site",
    }
    facts |= {
        "mode": _mode(c) or None,
        "active": "yes" if c.active else "no",
        "connected": moment(c.created_at),
    }
    facts |= {"token": "kept" if has_token else "missing", "state": _state(standing)}
    if c.mode is Mode.TELEPHONY and has_token:
        facts["callback address"] = settings.url + callback_path(
            load_secrets(settings.home).session_key, c.id
        )
    facts |= {f"option {name}": value for name, value in c.options.items()}
    print_facts(facts.items())
    print_rules(c)


@app.command("check")
def check(
    name: Name, dry_run: DryRunOption = False, call: CallId = None, as_json: AsJson = False
) -> None:
    """Test a connection's token, rights and fields; with --dry-run, show what would be written for
    a call.
    """
    settings = read_settings()
    connection = with_store(lambda store: service.show_connection(store, name), settings).connection
    needed_token(load_secrets(settings.home).tokens, name)
    kept = TokenInFile(settings.home, name)
    if dry_run:
        show_dry_run(try_call(settings, connection, kept, call), as_json)
        return

    async def work(store: Store) -> list[Check]:
        async with opened(store, connection, kept) as account:
            return await service.examine(store, connection, account)

    checks = with_store(work, settings)
    if as_json:
        print_json(checks)
    else:
        print_checks(checks)
    if not all(check.well for check in checks):
        raise typer.Exit(1)


@app.command("change")
def change(
    name: Name,
    address: Address = None,
    site: Site = None,
    no_site: Annotated[bool, typer.Option("--no-site", help="Calls of every site.")] = False,
    mode: ModeOf = None,
    option: Options = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether calls are sent to it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a connection; to replace the token, use `ringtrace crm connect`."""
    old = with_store(lambda store: service.show_connection(store, name)).connection
    check_mode(old.kind, mode)
    chosen = changes(
        address=check_server(address) if address else None, site_id=site, mode=mode, active=active
    )
    chosen |= cleared(site_id=no_site)
    options = merged(old.options, read_options(old.kind, option or ()))
    changed = replace(old, options=options, **chosen)

    async def work(store: Store) -> None:
        home = read_settings().home
        if name in load_secrets(home).tokens:
            # refuses options that it cannot use
            async with opened(store, changed, TokenInFile(home, name)):
                pass
        await service.change_connection(store, changed, now())

    with_store(work)
    if as_json:
        print_json(changed)
        return
    say(f"The connection {name} was changed.")
    if address or mode or option:
        note(f"Run `ringtrace crm check {name}` to verify its rights and fields.")
    if active is False:
        note(
            "Its pending deliveries fail; `ringtrace delivery resend --failed` sends them when it "
            "is active again."
        )


@app.command("remove")
def remove(
    name: Name,
    force: Annotated[
        bool, typer.Option("--force", help="Remove it even if deliveries are pending; these fail.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a connection and its token; refused while deliveries are pending. What it created
    stays.
    """
    settings = read_settings()
    try:
        count = with_store(
            lambda store: service.remove_connection(store, name, force=force), settings
        )
    except Conflict as error:
        raise Conflict(
            f"{error.message} See `ringtrace delivery list`; use `--force` to remove it anyway."
        ) from error
    keep_token(settings.home, name, None)
    if as_json:
        print_json({"removed": name, "given_up": count})
    else:
        say(f"The connection {name} was removed; pending deliveries that failed: {count}.")


def _plain(standing: Standing) -> dict[str, Any]:
    health = plain(standing.health, without={"receiver_id", "next_at"})
    return {**plain(standing.connection), "rests": standing.rests(now()), "health": health}


def _mode(connection: Connection) -> str:
    if not keeps_entities(connection.kind):
        return ""
    return connection.mode


def _state(standing: Standing) -> str:
    health = standing.health
    if health is None:
        return "nothing sent yet"
    if health.reason is not None and health.reason.code == CrmCode.CLIENT_ID_FIELD_REFUSES:
        return f"{health.refusals} calls: {health.reason}"
    if health.refusals:
        return f"the last {health.refusals} deliveries refused: {health.reason}"
    if not health.failures:
        return "OK"
    if standing.rests(now()):
        rest = f"paused until {moment(health.paused_until)}"
    else:
        rest = f"{health.failures} failures"

    return f"{rest}: {health.reason or 'no reason given'}"
