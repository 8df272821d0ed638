"""`ringtrace crm preview`: the texts and names that a call gets in a CRM."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from router.cli.crm_connect import CallId, Name, merged, read_pairs
from router.cli.opening import read_settings, with_store
from router.cli.output import AsJson, print_json, say
from router.domain.delivery.templates import Part
from router.domain.language import Language
from router.errors import InvalidInput
from router.service.delivery import connections as service
from router.service.delivery.texts import texts_of_call
from router.service.ports import Store


def preview(
    name: Name,
    call: CallId = None,
    language: Annotated[
        Language | None, typer.Option(help="Language of the preview, instead of the connection's.")
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(metavar="PART=TEXT", help="A template to try, instead of the connection's."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the texts and names that a call gets in the CRM; nothing is sent or changed."""
    settings = read_settings()

    async def work(store: Store) -> dict[str, str]:
        connection = (await service.show_connection(store, name)).connection
        rules = connection.rules
        templates = read_templates(rules.templates, template or ())
        service.check_rules(replace(rules, templates=templates))
        tried = replace(rules, language=language or rules.language, templates=templates)
        wanted = replace(connection, rules=tried)
        _, texts = await texts_of_call(store, wanted, call, settings.url)
        return {part.value: text for part, text in texts.items()}

    texts = with_store(work, settings)
    if as_json:
        print_json(texts)
        return
    for part, text in texts.items():
        say(f"{part}:")
        for line in text.splitlines():
            say(f"  {line}")


def read_templates(old: Mapping[Part, str], given: Sequence[str]) -> dict[Part, str]:
    """The templates with those that were typed. Raises `InvalidInput` for parts that there are
    not.
    """
    pairs = read_pairs(given, "title='{call} {caller}'")
    if unknown := pairs.keys() - set(Part):
        raise InvalidInput(f"'{min(unknown)[:40]}' has no template; {', '.join(Part)} have")
    known = {str(part): text for part, text in old.items()}
    texts = {name: text.replace("\\n", "\n") for name, text in pairs.items()}
    return {Part(name): text for name, text in merged(known, texts).items()}
