"""Commands that start the system or a part of it."""

import asyncio

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
    secrets = asyncio.run(bootstrap.prepare(settings))

    def started() -> None:
        _err.print(f"Ringtrace runs. Pages: [bold]{settings.url}[/]  (Ctrl-C ends it)")
        _err.print(f"First login: {bootstrap.FIRST_LOGIN} / {secrets.first_password}  (until you change it)")

    bootstrap.run_until_stopped(supervise.supervise(settings, started))


def prepare() -> None:
    """Make directories, secrets, tables and Asterisk's configuration files; safe to repeat."""
    settings = _settings()
    asyncio.run(bootstrap.prepare(settings))
    _err.print(f"{settings.home} is ready.")


def agent() -> None:
    """Answer Asterisk's questions and read its journal."""
    bootstrap.run_until_stopped(bootstrap.run_agent(_settings()))


def worker() -> None:
    """Shelve recordings and make deliveries."""
    bootstrap.run_until_stopped(bootstrap.run_worker(_settings()))


def web() -> None:
    """Serve the pages and the API."""
    bootstrap.run_until_stopped(bootstrap.run_web(_settings()))
