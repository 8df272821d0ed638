"""The command line: each command group in a file of its own, put together here."""

import typer

from router.cli import (
    attribution,
    call,
    crm,
    database,
    delivery,
    demo,
    destination,
    mail,
    missed,
    number,
    pool,
    recording,
    running,
    site,
    token,
    transcript,
    trunk,
    user,
    webhook,
    words,
)
from router.cli.doctor import doctor

app = typer.Typer(
    name="ringtrace",
    help="Self-hosted call tracking on Asterisk.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
running.register(app)
app.command()(demo.demo)
app.command()(doctor)
call.app.command()(missed.missed)
for group in (
    trunk,
    site,
    destination,
    pool,
    number,
    webhook,
    token,
    user,
    call,
    mail,
    recording,
    transcript,
    words,
    delivery,
    crm,
    attribution,
    database,
):
    app.add_typer(group.app, name=group.__name__.rpartition(".")[2])
