"""`ringtrace webhook`: receivers of signed events about calls."""

from dataclasses import replace
from typing import Annotated

import typer
from pydantic import HttpUrl, TypeAdapter, ValidationError

from router.bootstrap import now
from router.cli.collection import Collection, changes, cleared
from router.cli.opening import read_settings, with_store
from router.cli.output import AsJson, Column, plain, print_facts, print_json, print_record, say
from router.cli.password import FromStdin, read_password
from router.domain.delivery.delivery import Webhook, shown
from router.domain.names import check_key
from router.errors import Conflict, InvalidInput
from router.receivers.webhook import server_of, webhook_secret
from router.secrets import keep_token, load_secrets
from router.service.admin import setup
from router.service.admin.changes import log_changed
from router.service.ports import Store

app = typer.Typer(help="Webhooks: receivers of signed events about calls.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="1 to 40 of a-z, 0-9 and '-'.")]
SiteKey = Annotated[
    str | None, typer.Option("--site", metavar="KEY", help="Calls of this site only.")
]
Active = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Whether calls are sent to it.")
]

webhooks = Collection(
    kind=Webhook,
    word="webhook",
    columns=(
        Column(title="key", whole=True),
        Column(title="address"),
        Column(title="site"),
        Column(title="active"),
    ),
    row=lambda w: (w.id, shown(w).url, w.site_id, w.active),
)
User = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="NAME",
        help="User name for Basic authentication; prompts for the password.",
    ),
]


def check_address(text: str) -> str:
    """A valid webhook address. Raises `InvalidInput`."""
    try:
        address = TypeAdapter(HttpUrl).validate_python(text)
    except ValidationError:
        raise InvalidInput(
            f"'{text[:80]}' is not an address: write it as https://crm.example.com/hook"
        ) from None
    if address.username or address.password:
        seen = "a password as an argument can be seen by `ps`"
        raise InvalidInput(f"{seen}: remove it from the address and use --user")
    return str(address)


def _password(user: str | None, from_stdin: bool) -> str | None:
    """The password for Basic authentication. Raises `InvalidInput`."""
    if user is None:
        return None
    if not user or ":" in user:
        raise InvalidInput("--user is a name without ':'")
    return read_password(from_stdin=from_stdin, what="the receiver's password")


def _keep(webhook: Webhook, user: str | None, password: str | None) -> None:
    """Store the login for the webhook's server."""
    if user is None or password is None:
        return
    login = {"user": user, "password": password, "server": server_of(webhook.url)}
    keep_token(read_settings().home, webhook.id, login)
    log_changed(webhook, webhook, secret="password")  # noqa: S106  a name


@app.command("add")
def add(
    key: Key,
    url: Annotated[str, typer.Argument(metavar="URL", help="Address that events are sent to.")],
    site: SiteKey = None,
    active: Active = None,
    user: User = None,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add a webhook; `ringtrace webhook show --secret` prints its signing secret."""
    webhook = Webhook(
        id=check_key("webhook", key),
        url=check_address(url),
        site_id=site,
        active=active is not False,
        created_at=now(),
    )
    password = _password(user, password_stdin)
    added = with_store(lambda store: setup.add(store, webhook))
    _keep(added, user, password)
    webhooks.tell(added, "added", as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all webhooks."""
    every = with_store(lambda store: setup.list_all(store, Webhook))
    webhooks.print_all([shown(webhook) for webhook in every], as_json)


@app.command("show")
def show(
    key: Key,
    secret: Annotated[bool, typer.Option("--secret", help="Include the signing secret.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one webhook."""
    webhook, secrets = shown(webhooks.get(key)), load_secrets(read_settings().home)
    login = secrets.tokens.get(key, {})
    if login:
        said = {"logs in as": login.get("user"), "password": "kept"}
    else:
        said = {}

    if secret:
        said["secret"] = webhook_secret(secrets.webhook_key, webhook.id)
    if as_json:
        print_json({**plain(webhook), **said})
        return
    print_record(webhook)
    print_facts(said.items())


@app.command("change")
def change(
    key: Key,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Address that events are sent to.")
    ] = None,
    site: SiteKey = None,
    no_site: Annotated[bool, typer.Option("--no-site", help="Calls of every site.")] = False,
    active: Active = None,
    user: User = None,
    no_user: Annotated[
        bool, typer.Option("--no-user", help="Remove user name and password.")
    ] = False,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Change a webhook; its password is only sent to the server it was entered for."""
    chosen = changes(url=check_address(url) if url else None, site_id=site, active=active)
    webhook = replace(webhooks.get(key), **(chosen | cleared(site_id=no_site)))
    password = _password(user, password_stdin)
    changed = with_store(lambda store: setup.change(store, webhook))
    _keep(changed, user, password)
    if no_user:
        keep_token(read_settings().home, key, None)
    webhooks.tell(shown(changed), "changed", as_json)


@app.command("remove")
def remove(
    keys: Annotated[list[str], typer.Argument(metavar="KEY", help="See `ringtrace webhook list`.")],
    force: Annotated[
        bool, typer.Option("--force", help="Remove it even if deliveries are pending; these fail.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove webhooks and their passwords; refused while deliveries are pending."""
    settings = read_settings()

    async def work(store: Store) -> int:
        return sum([await setup.remove(store, Webhook, key, force=force) for key in keys])

    try:
        count = with_store(work, settings)
    except Conflict as error:
        advice = "See `ringtrace delivery list`; use `--force` to remove it anyway."
        raise Conflict(f"{error.message} {advice}") from error
    for key in keys:
        keep_token(settings.home, key, None)
    if as_json:
        print_json({"removed": keys, "given_up": count})
        return
    for key in keys:
        say(f"The webhook {key} was removed.")
    if count:
        say(f"Pending deliveries that failed: {count}.")
