"""`ringtrace site`: web sites whose visitors call."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from phonenumbers import SUPPORTED_REGIONS

from router.bootstrap import now
from router.cli.collection import Collection, changes, cleared
from router.cli.opening import read_settings, with_store
from router.cli.output import AsJson, Column, note, print_json
from router.domain.language import Language
from router.domain.visitors.site import Site, SourceRule
from router.errors import InvalidInput
from router.service.admin import setup

app = typer.Typer(help="Web sites whose visitors call.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="KEY", help="1 to 40 of a-z, 0-9 and '-'.")]
Name = Annotated[str | None, typer.Option(help="Display name.")]
Origins = Annotated[
    list[str] | None,
    typer.Option(
        "--origin", help="Origin of pages that may request numbers, https://example.com; repeat."
    ),
]
DefaultLine = Annotated[
    str | None,
    typer.Option(
        "--destination",
        metavar="KEY",
        help="The default line, for unknown DIDs and numbers without a destination.",
    ),
]
Region = Annotated[
    str | None,
    typer.Option(metavar="XX", help="Country of numbers in national format (ISO 3166, e.g. RU)."),
]

Exclude = Annotated[
    str | None,
    typer.Option(
        metavar="CSS", help="CSS selector of elements that the script never changes; '' for none."
    ),
]
Contacts = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Path prefix of the contacts page, e.g. /contacts."),
]
Consent = Annotated[
    bool | None,
    typer.Option(
        "--consent/--no-consent", help="Wait for the visitor's consent before any cookie."
    ),
]
Certainty = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Name a visitor with at least this probability (0.5)."),
]
Rules = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="FIELD:TEXT=CHANNEL",
        help=(
            "Rule applied before GA4's channel groups: 'source:avito=Classifieds'. FIELD is "
            "source, medium, campaign, term, landing or referrer. Repeat; the first match "
            "counts."
        ),
    ),
]
Errands = Annotated[
    list[str] | None,
    typer.Option(
        "--errand",
        metavar="HOST",
        help=(
            "Host where visitors pay or log in, e.g. pay.example.com: a return from it, or from "
            "a host below it, continues the visit. Repeat."
        ),
    ),
]
Mail = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Mail address whose +tags or catch-all identify visitors; '' for none.",
    ),
]

LanguageOf = Annotated[
    Language | None, typer.Option("--language", help="Language of texts about its calls in CRMs.")
]

sites = Collection(
    kind=Site,
    word="site",
    columns=(
        Column(title="key", whole=True),
        Column(title="name"),
        Column(title="default line"),
        Column(title="region"),
        Column(title="origins"),
    ),
    row=lambda site: (site.id, site.name, site.destination_id, site.region, site.origins),
)


@app.command("add")
def add(
    key: Key,
    name: Name = None,
    origin: Origins = None,
    destination: DefaultLine = None,
    region: Region = None,
    exclude: Exclude = None,
    contacts: Contacts = None,
    consent: Consent = None,
    certainty: Certainty = None,
    rule: Rules = None,
    errand: Errands = None,
    mail: Mail = None,
    language: LanguageOf = None,
    as_json: AsJson = False,
) -> None:
    """Add a site; its name defaults to its key."""
    settings = read_settings()
    site = Site(
        id=key,
        name=name or key,
        origins=tuple(origin or ()),
        destination_id=destination,
        region=check_region(region or settings.region),
        source_rules=read_rules(rule or ()),
        errand_hosts=tuple(errand or ()),
        language=language or Language.ENGLISH,
        created_at=now(),
        **changes(
            exclude=exclude, contacts=contacts, consent=consent, certainty=certainty, mail=mail
        ),
    )
    sites.tell(with_store(lambda store: setup.add(store, site), settings), "added", as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all sites."""
    sites.find(as_json)


@app.command("change")
def change(
    key: Key,
    name: Name = None,
    origin: Origins = None,
    no_origins: Annotated[
        bool, typer.Option("--no-origins", help="No page may request numbers.")
    ] = False,
    destination: DefaultLine = None,
    no_destination: Annotated[
        bool, typer.Option("--no-destination", help="No default line.")
    ] = False,
    region: Region = None,
    exclude: Exclude = None,
    contacts: Contacts = None,
    consent: Consent = None,
    certainty: Certainty = None,
    rule: Rules = None,
    no_rules: Annotated[
        bool, typer.Option("--no-rules", help="Only GA4's channel groups.")
    ] = False,
    errand: Errands = None,
    no_errands: Annotated[
        bool, typer.Option("--no-errands", help="Only the built-in hosts for payment and log-in.")
    ] = False,
    mail: Mail = None,
    language: LanguageOf = None,
    as_json: AsJson = False,
) -> None:
    """Change a site; --origin replaces all origins, --rule all rules, --errand all hosts."""
    chosen = changes(
        name=name, destination_id=destination, region=check_region(region) if region else None
    )
    chosen |= changes(
        exclude=exclude, contacts=contacts, consent=consent, certainty=certainty, mail=mail
    )
    chosen |= changes(language=language)
    chosen |= _replaced("origins", origin, no_origins)
    chosen |= _replaced("errand_hosts", errand, no_errands)
    if no_rules:
        chosen["source_rules"] = ()
    elif rule:
        chosen["source_rules"] = read_rules(rule)
    site = replace(sites.get(key), **(chosen | cleared(destination_id=no_destination)))
    sites.tell(with_store(lambda store: setup.change(store, site)), "changed", as_json)


def _replaced(field: str, given: Sequence[str] | None, none: bool) -> dict[str, Any]:
    """The new value of a field with several texts, if one was given."""
    if none:
        return {field: ()}
    if given:
        return {field: tuple(given)}
    return {}


@app.command("snippet")
def snippet(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The site's key.")],
    as_json: AsJson = False,
) -> None:
    """Print the script line for every page of the site; put it right after <head>."""
    # the pages' libraries, which no other command should wait for
    from router.web.script import (
        snippet as line_for,
    )

    settings = read_settings()
    site = with_store(lambda store: setup.get_one(store, Site, key), settings)
    line = line_for(settings.url.rstrip("/"), site.id)
    if as_json:
        print_json({"site": site.id, "snippet": line})
    else:
        typer.echo(line)  # never wrapped, because it is copied
    if not settings.public_url:
        note(
            "Visitors cannot reach this address: set RINGTRACE_PUBLIC_URL to the public https "
            "address."
        )
    if not site.origins:
        note(
            f"No page may request numbers yet: `ringtrace site change {site.id} --origin https://…`"
        )


def read_rules(texts: Iterable[str]) -> tuple[SourceRule, ...]:
    """Parse rules `FIELD:TEXT=CHANNEL`. Raises a usage error."""
    rules = []
    for text in texts:
        (field, colon, rest), wrong = (
            text.partition(":"),
            f"'{text[:60]}': write 'source:avito=Classifieds'",
        )
        wanted, equals, channel = (part.strip() for part in rest.rpartition("="))
        if not (colon and equals):
            raise typer.BadParameter(wrong)
        try:
            rules.append(SourceRule(field=field.strip(), text=wanted, channel=channel))
        except InvalidInput as error:
            raise typer.BadParameter(f"{wrong}; {error.message}") from error
    return tuple(rules)


def check_region(text: str) -> str:
    """Check a region of phone numbers. Raises a usage error."""
    region = text.upper()
    if region not in SUPPORTED_REGIONS:
        raise typer.BadParameter(
            f"'{text[:20]}' is not a region: write two letters of ISO 3166, e.g. RU"
        )
    return region


sites.add_show(app)
sites.add_remove(app)
