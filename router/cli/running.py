"""Commands that start the system or a part of it."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from router import bootstrap, supervise
from router.config import Settings, load_settings

_err = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (run, prepare, agent, worker, web):
        app.command()(command)


def _settings() -> Settings:
    settings = load_settings()
    bootstrap.configure_logs(settings.log_level)
    return settings


def run() -> None:
    """Start Asterisk, agent, worker and web, and restart what dies. Ctrl-C ends all of them."""
    settings = _settings()
    first = not (settings.home / "secrets.json").exists()
    secrets = asyncio.run(bootstrap.prepare(settings))

    def started() -> None:
        _err.print(f"Ringtrace runs. Pages: [bold]{settings.url}[/]  (Ctrl-C ends it)")
        if first:
            _err.print(f"First login: {bootstrap.FIRST_LOGIN} / {secrets.first_password}  (until you change it)")

    bootstrap.run_until_stopped(supervise.supervise(settings, started))


def prepare() -> None:
    """Make directories, secrets, tables and Asterisk's configuration files; safe to repeat."""
    settings = _settings()
    asyncio.run(bootstrap.prepare(settings))
    _err.print(f"{settings.home} is ready.")
    _err.print(
        f"First login: {bootstrap.FIRST_LOGIN}; its password is `first_password` in {settings.home / 'secrets.json'}. "
        f"Set your own: ringtrace user password {bootstrap.FIRST_LOGIN}"
    )


def agent(
    part: Annotated[str, typer.Option(hidden=True, help="ledger: only read the journal")] = "",
) -> None:
    """Answer Asterisk's questions and read its journal.

    The journal is read by a process of its own below this one: a caller's question waits behind no batch of rows.
    """
    settings = _settings()
    if part == "ledger":
        bootstrap.run_until_stopped(bootstrap.run_ledger(settings))
    else:
        bootstrap.run_until_stopped(supervise.agent(settings))


def worker() -> None:
    """Shelve recordings and make deliveries."""
    bootstrap.run_until_stopped(bootstrap.run_worker(_settings()))


def web() -> None:
    """Serve the pages and the API."""
    bootstrap.run_until_stopped(bootstrap.run_web(_settings()))
