"""The call of `ringtrace demo`, and what is printed of it."""

import json
import shlex

import typer
from rich.console import Console
from rich.table import Table

from router import bootstrap, logs
from router.config import Settings, load_settings
from router.demo.facts import Fact
from router.demo.run import Stage, demo_settings, go_on, invent, play, running
from router.demo.waiting import DemoFailed
from router.secrets import Secrets

_out, _err = Console(), Console(stderr=True)


def make_call(*, once: bool, as_json: bool) -> None:
    """Make it, print its facts, and keep the system running."""
    settings = demo_settings(load_settings())
    logs.configure_logs(settings.log_level)
    facts: list[Fact] = []
    bootstrap.run_until_stopped(_demo(settings, facts, once=once, as_json=as_json))
    if not facts or not all(fact.right for fact in facts):
        raise typer.Exit(1)


async def _demo(settings: Settings, facts: list[Fact], *, once: bool, as_json: bool) -> None:
    with _err.status("Starting Asterisk, agent, worker and web …") as status:
        async with running(settings) as stage:
            status.update(
                "A visitor opens the page, dials its number, and talks with the company …"
            )
            facts += await play(stage)
            status.stop()
            _print(settings, stage.secrets, facts, as_json=as_json)
            if not once:
                await _invent(stage)
                _err.print(
                    "The system keeps running, and somebody calls now and then; Ctrl-C stops it. "
                    "Use commands with"
                )
                _err.print(
                    f"  RINGTRACE_HOME={shlex.quote(str(settings.home))} ringtrace …",
                    soft_wrap=True,
                )
                await go_on(stage)


async def _invent(stage: Stage) -> None:
    """Fill the invented month, and say how far it is."""
    with _err.status("Filling an invented month …") as status:
        await invent(
            stage,
            lambda day, days: status.update(f"Filling an invented month: day {day} of {days} …"),
        )
    _err.print(
        "Beside this call, the pages show an invented month of a company: visits, calls, "
        "recordings, missed calls, tags, comments."
    )


def _print(settings: Settings, secrets: Secrets, facts: list[Fact], *, as_json: bool) -> None:
    wrong = [fact.name for fact in facts if not fact.right]
    if as_json:
        answer = {fact.name: fact.found for fact in facts}
        _out.print_json(
            json.dumps({**answer, "ok": not wrong, "wrong": wrong, "page": settings.url})
        )
        return
    table = Table("", "what", "found", title="One call, from the page to the CRM")
    for fact in facts:
        table.add_row("[green]✓[/]" if fact.right else "[red]✗[/]", fact.name, str(fact.found))
    _out.print(table)
    _out.print(
        f"Listen to it at [bold]{settings.url}[/] — login {bootstrap.FIRST_LOGIN}, "
        f"{secrets.first_password}"
    )
    if wrong:
        raise DemoFailed(f"Unexpected results: {', '.join(wrong)}")
