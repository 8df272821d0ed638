"""The command line: each command group in a file of its own, put together here."""

import typer

from router.cli import demo, running

app = typer.Typer(
    name="ringtrace",
    help="Self-hosted call tracking on Asterisk.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
running.register(app)
app.command()(demo.demo)
