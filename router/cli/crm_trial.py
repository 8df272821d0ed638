"""How `ringtrace crm connect` and `crm rules` try an account: what is missing is created or asked
for.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import typer

from router.cli.crm_account import on_terminal
from router.cli.output import note
from router.domain.delivery.catalogue import Field, listed, misfit
from router.domain.delivery.connection import Connection
from router.errors import RingtraceError
from router.receivers.declaration import Declaration
from router.service.delivery import connections as service
from router.service.delivery.catalogue import missing_defaults
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check
from router.service.ports import Store


async def try_account(
    store: Store, connection: Connection, account: service.Examined, kind: Declaration, yes: bool
) -> tuple[list[Check], list[str]]:
    """Look at token, rights and fields; create missing fields, if a person agrees."""
    checks = await service.examine(store, connection, account)
    well = keepable(checks)
    if not (yes or (not well and _may_prepare(kind))):
        return checks, []
    try:
        created = await service.prepare(account)
    except RingtraceError as error:
        if well:
            raise
        note(error.message)  # the checks say better what to do
        return checks, []
    return await service.examine(store, connection, account), created


def keepable(checks: list[Check]) -> bool:
    """Whether calls would arrive; what is optional may still be wrong."""
    return all(check.well or check.optional for check in checks)


def _may_prepare(kind: Declaration) -> bool:
    question = f"Some fields are missing. Create them in {kind.title}?"
    return on_terminal() and bool(typer.confirm(question, default=True, err=True))


async def with_defaults(connection: Connection, account: object) -> Connection:
    """The connection with a text for each required field that its rules leave empty: a person at
    the terminal is asked.
    """
    missing: Mapping[str, Field] = {}
    with suppress(ReceiverUnavailable, Refused):
        missing = await missing_defaults(connection, account)
    if not missing or not on_terminal():
        return connection
    given = {name: _asked(field) for name, field in missing.items()}
    defaults = {**connection.rules.defaults, **{name: text for name, text in given.items() if text}}
    return replace(connection, rules=replace(connection.rules, defaults=defaults))


def _asked(field: Field) -> str:
    """A text that the field takes; empty where the person has none."""
    options = ""
    if field.options:
        options = f", one of {listed(field.options)}"

    question = f"The CRM requires '{field.title or field.name}'. Text for new entities{options}"
    while True:
        text = str(typer.prompt(question, default="", show_default=False, err=True)).strip()
        reason = misfit(field, text)
        if not reason:
            return text
        note(str(reason))
