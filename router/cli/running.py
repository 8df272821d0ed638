"""Commands that start the system or one process."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from router import bootstrap, logs, supervise
from router.config import Settings, load_settings
from router.errors import Conflict
from router.secrets import Secrets

_err = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (run, prepare, agent, worker, web):
        app.command()(command)


def _settings(part: str) -> Settings:
    settings = load_settings()
    logs.configure_logs(settings.log_level, part)
    return settings


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the home for this process. Raises `Conflict` while `ringtrace run` holds it.

    `prepare` writes Asterisk's configuration: from a shell with other variables it would change the
    ports of the Asterisk that runs.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / ".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Conflict(
                f"Ringtrace is already running in {settings.home} (process "
                f"{file.read(20).strip()}): stop it first, or set RINGTRACE_HOME to another "
                "directory."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def run() -> None:
    """Start Asterisk, agent, worker and web, and restart any that ends. Ctrl-C stops all of
    them.
    """
    settings = _settings("run")
    first = not (settings.home / "secrets.json").exists()
    with alone(settings):
        secrets = asyncio.run(bootstrap.prepare(settings))

        def started() -> None:
            _err.print(f"Ringtrace is running. Pages: [bold]{settings.url}[/]  (Ctrl-C stops it)")
            if first:
                _err.print(f"This is a new installation. Its state is in {settings.home}")
                _err.print(
                    f"First login: {bootstrap.FIRST_LOGIN}, {_first_password(settings, secrets)}"
                )

        bootstrap.run_until_stopped(supervise.supervise(settings, started))


def _first_password(settings: Settings, secrets: Secrets) -> str:
    """The password if stderr is a terminal; otherwise where to find it, because logs are kept and
    read by others.
    """
    if _err.is_terminal:
        return f"password {secrets.first_password} (until you change it)"
    return f"its password is `first_password` in {settings.home / 'secrets.json'}"


def prepare() -> None:
    """Create directories, secrets, tables and Asterisk's configuration files; safe to repeat."""
    settings = _settings("prepare")
    with alone(settings):
        asyncio.run(bootstrap.prepare(settings))
    _err.print(f"{settings.home} is ready.")
    _err.print(
        f"First login: {bootstrap.FIRST_LOGIN}; its password is `first_password` in "
        f"{settings.home / 'secrets.json'}. "
        f"Set your own: ringtrace user password {bootstrap.FIRST_LOGIN}"
    )


def agent(
    part: Annotated[str, typer.Option(hidden=True, help="ingest: only read the CEL log")] = "",
) -> None:
    """Answer Asterisk's route requests and read its CEL log.

    A child process reads the CEL log, so that route requests do not wait for batches of rows.
    """
    settings = _settings(part or "agent")
    if part == "ingest":
        bootstrap.run_until_stopped(bootstrap.run_ingest(settings))
    else:
        bootstrap.run_until_stopped(supervise.agent(settings))


def worker() -> None:
    """Store recordings and send deliveries."""
    bootstrap.run_until_stopped(bootstrap.run_worker(_settings("worker")))


def web() -> None:
    """Serve the pages and the API."""
    bootstrap.run_until_stopped(bootstrap.run_web(_settings("web")))
