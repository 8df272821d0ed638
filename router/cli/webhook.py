"""`ringtrace webhook`: receivers that are told of every call."""

from dataclasses import replace
from typing import Annotated

import typer
from pydantic import HttpUrl, TypeAdapter, ValidationError

from router.bootstrap import now
from router.cli.collection import Collection, changes, cleared
from router.cli.opening import read_settings, with_store
from router.cli.output import AsJson, Column, plain, print_facts, print_json, print_record
from router.config import load_secrets
from router.domain.delivery.delivery import Webhook
from router.domain.names import check_key
from router.errors import InvalidInput
from router.receivers.webhook import webhook_secret
from router.service.admin import setup

app = typer.Typer(help="Receivers that are told of calls, signed.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="1 to 40 of a-z, 0-9 and '-'.")]
SiteKey = Annotated[
    str | None, typer.Option("--site", metavar="KEY", help="Calls of this site alone.")
]
Active = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Whether it is told of calls.")
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
    row=lambda w: (w.id, w.url, w.site_id, w.active),
)


def check_address(text: str) -> str:
    """An address we can post to. Raises `InvalidInput`."""
    try:
        return str(TypeAdapter(HttpUrl).validate_python(text))
    except ValidationError as error:
        raise InvalidInput(
            f"'{text[:80]}' is not an address: write it as https://crm.example.com/hook"
        ) from error


@app.command("add")
def add(
    key: Key,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where calls are posted to.")],
    site: SiteKey = None,
    active: Active = None,
    as_json: AsJson = False,
) -> None:
    """Add a receiver; `ringtrace webhook show --secret` prints what its signatures are made
    with.
    """
    webhook = Webhook(
        id=check_key("webhook", key),
        url=check_address(url),
        site_id=site,
        active=active is not False,
        created_at=now(),
    )
    webhooks.tell(with_store(lambda store: setup.add(store, webhook)), "added", as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every receiver."""
    webhooks.find(as_json)


@app.command("show")
def show(
    key: Key,
    secret: Annotated[
        bool, typer.Option("--secret", help="With the secret that its signatures are made with.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Everything about one receiver."""
    webhook = webhooks.get(key)
    said = (
        {"secret": webhook_secret(load_secrets(read_settings().home).webhook_key, webhook.id)}
        if secret
        else {}
    )
    if as_json:
        print_json({**plain(webhook), **said})
        return
    print_record(webhook)
    print_facts(said.items())


@app.command("change")
def change(
    key: Key,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where calls are posted to.")
    ] = None,
    site: SiteKey = None,
    no_site: Annotated[bool, typer.Option("--no-site", help="Calls of every site.")] = False,
    active: Active = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given."""
    chosen = changes(url=check_address(url) if url else None, site_id=site, active=active)
    webhook = replace(webhooks.get(key), **(chosen | cleared(site_id=no_site)))
    webhooks.tell(with_store(lambda store: setup.change(store, webhook)), "changed", as_json)


webhooks.add_remove(app)
