"""`ringtrace crm rules`: how calls become CRM records, or how those of the telephony are found."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import typer

from router.bootstrap import now
from router.cli.collection import changes
from router.cli.crm_account import keeps_entities, kind_of, on_terminal, opened
from router.cli.crm_connect import Name, merged, read_pairs
from router.cli.crm_preview import read_templates
from router.cli.crm_trial import with_defaults
from router.cli.opening import read_settings, with_store
from router.cli.output import AsJson, note, print_facts, print_json, say
from router.config import Settings
from router.domain.delivery.call_event import FACTS
from router.domain.delivery.connection import Connection, Missed, Mode, Overwrite, Repeat, Scenario
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.templates import Part
from router.domain.language import Language
from router.domain.phone import parse_number
from router.errors import InvalidInput
from router.receivers.kept_tokens import TokenInFile
from router.secrets import load_secrets
from router.service.delivery import connections as service
from router.service.ports import Store

_OWN = (
    "scenario",
    "repeat",
    "missed",
    "shortest_talk",
    "ignored",
    "responsible",
    "defaults",
    "recordings",
    "recording_days",
)
_BOTH = ("fields", "language", "templates", "task", "task_user")
_TELEPHONY = ("targets", "before", "settle", "prefer", "wait", "overwrite")


def rules(
    name: Name,
    scenario: Annotated[
        Scenario | None, typer.Option(help="own: what is created for a new caller.")
    ] = None,
    repeat: Annotated[
        Repeat | None, typer.Option(help="own: what is created for a caller with an open deal.")
    ] = None,
    missed: Annotated[
        Missed | None, typer.Option(help="own: what is created for a missed call.")
    ] = None,
    shortest_talk: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="own: answered calls with a shorter talk time are spam."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="PHONE", help="own: ignore calls from this number.")
    ] = None,
    unignore: Annotated[
        list[str] | None, typer.Option(metavar="PHONE", help="own: stop ignoring this number.")
    ] = None,
    responsible: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=USER",
            help=(
                "own: CRM user for calls answered by this phone or sent to this destination; "
                "empty: remove."
            ),
        ),
    ] = None,
    target: Annotated[
        list[EntityKind] | None,
        typer.Option(
            help="telephony: kinds of records to search for, the preferred one first; repeat."
        ),
    ] = None,
    before: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="telephony: accept records created up to this many seconds before the call.",
        ),
    ] = None,
    settle: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="telephony: wait this long after the call before deciding."
        ),
    ] = None,
    prefer: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="telephony: wait this long for the first target."),
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="telephony: search this long; then the call needs review."
        ),
    ] = None,
    overwrite: Annotated[
        Overwrite | None,
        typer.Option(help="telephony: whether to replace a client ID written by others."),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FACT=FIELD",
            help=f"Write a fact into a CRM field; FACT is one of {', '.join(FACTS)}.",
        ),
    ] = None,
    default: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=TEXT",
            help="own: text for a required field of new records; empty: no default.",
        ),
    ] = None,
    language: Annotated[
        Language | None,
        typer.Option(
            help="Language of the texts and names written into the CRM, if not the site's."
        ),
    ] = None,
    sites_language: Annotated[
        bool,
        typer.Option(
            "--sites-language", help="Texts and names in the language of the call's site."
        ),
    ] = False,
    template: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART=TEXT",
            help=f"Text of {', '.join(Part)}, with names in braces as {{caller}}, and \\n for a "
            "new line; empty: the language's own. See `ringtrace crm preview`.",
        ),
    ] = None,
    task: Annotated[
        bool | None,
        typer.Option("--task/--no-task", help="Create a task in the CRM for each missed call."),
    ] = None,
    task_user: Annotated[
        str | None,
        typer.Option(
            metavar="USER",
            help="CRM user for a task of an unknown caller; empty: the CRM's default.",
        ),
    ] = None,
    recordings: Annotated[
        bool | None,
        typer.Option(
            "--recordings/--no-recordings",
            help="own: add recordings to the CRM's list of calls, by a link that needs no log-in.",
        ),
    ] = None,
    recording_days: Annotated[
        float | None, typer.Option(metavar="DAYS", help="own: how long the link works.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change the rules of a CRM connection; without options, show them."""
    settings = read_settings()
    connection = with_store(lambda store: service.show_connection(store, name), settings).connection
    old = connection.rules
    if not keeps_entities(connection.kind):
        raise InvalidInput(f"{connection.kind} has no CRM records, so it has no rules")
    more, fewer = (
        [parse_number(phone, settings.region) for phone in some or ()]
        for some in (ignore, unignore)
    )
    ignored = tuple(phone for phone in dict.fromkeys((*old.ignored, *more)) if phone not in fewer)
    chosen = changes(
        scenario=scenario,
        repeat=repeat,
        missed=missed,
        shortest_talk=shortest_talk,
        ignored=ignored if ignored != old.ignored else None,
        responsible=merged(old.responsible, read_pairs(responsible, "office=17"))
        if responsible
        else None,
        targets=tuple(target) if target else None,
        before=before,
        settle=settle,
        prefer=prefer,
        wait=wait,
        overwrite=overwrite,
        fields=merged(old.fields, read_pairs(field, "campaign=UF_CRM_2")) if field else None,
        defaults=merged(old.defaults, read_pairs(default, "city=Moscow")) if default else None,
        language=language,
        templates=read_templates(old.templates, template) if template else None,
        task=task,
        task_user=task_user,
        recordings=recordings,
        recording_days=recording_days,
    )
    if sites_language:
        chosen["language"] = None
    if chosen.get("task_user") == "":
        chosen["task_user"] = None
    changed = replace(connection, rules=replace(old, **chosen))
    _check_kind(changed)
    if chosen:
        changed = _completed(settings, changed)
        with_store(lambda store: service.change_connection(store, changed, now()), settings)
    if as_json:
        print_json(changed.rules)
        return
    if chosen:
        say(f"The rules of {name} were changed; they apply to deliveries from now on.")
        for unknown in with_store(
            lambda store: service.unknown_names(store, changed.rules), settings
        ):
            note(f"No destination and no phone has the name '{unknown}': check the spelling.")
    print_rules(changed)


def _completed(settings: Settings, connection: Connection) -> Connection:
    """With defaults for required fields that the new rules leave empty, where they are known."""
    known = connection.id in load_secrets(settings.home).tokens
    if not known or not on_terminal():
        return connection

    async def work(store: Store) -> Connection:
        kept = TokenInFile(settings.home, connection.id)
        async with opened(store, connection, kept) as account:
            return await with_defaults(connection, account)

    return with_store(work, settings)


def _check_kind(connection: Connection) -> None:
    """Raises `InvalidInput` for rules that this kind of CRM cannot follow."""
    kind, rules = kind_of(connection.kind), connection.rules
    if rules.task and not kind.tasks:
        raise InvalidInput(f"{kind.title} has no tasks")
    if rules.recordings and not kind.call_records:
        raise InvalidInput(f"{kind.title} has no list of calls")


def print_rules(connection: Connection) -> None:
    """Print the rules of the connection's mode; analytics services have none."""
    if not keeps_entities(connection.kind):
        return
    names = [*_TELEPHONY, *_BOTH]
    if connection.mode is Mode.OWN:
        names = [*_OWN, *_BOTH]

    facts = []
    for name in names:
        facts.append((name.replace("_", " "), _words(name, getattr(connection.rules, name))))
    print_facts(facts, title=f"Rules (mode {connection.mode})", indent=2)


def _words(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        pairs = (f"{key}={text}".replace("\n", "\\n") for key, text in value.items())
        return ", ".join(pairs) or "-"
    if isinstance(value, bool) or not isinstance(value, float | int):
        return value
    return f"{value:g} {'days' if name.endswith('_days') else 's'}"
