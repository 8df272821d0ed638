"""Tables of calls in a reader's language, for exports."""

from datetime import tzinfo

from router.domain.calls.columns import Column, Columns
from router.domain.visitors.site import Destination, Site
from router.exports.sheet import Sheet, SheetWords
from router.service.admin.setup import list_all
from router.service.ports import Store
from router.web import words
from router.web.filter_words import COLUMNS, NO, YES
from router.web.languages import Language
from router.web.words import N_

SECONDS, PERCENT = N_("%(name)s, seconds"), N_("%(name)s, %%")
_UNITS = {
    **dict.fromkeys(
        (Column.WAIT, Column.TALK, Column.SILENCE, Column.TALK_OVER, Column.HOLD), SECONDS
    ),
    **dict.fromkeys((Column.PROBABILITY, Column.SCORE), PERCENT),
}
# Where numbers have a decimal comma, spreadsheets separate cells by semicolons.
_SEPARATORS = {"ru": ";"}


async def names_of(store: Store) -> dict[str, dict[str, str]]:
    """The names of sites and destinations by their ids."""
    return {
        "site_id": {site.id: site.name for site in await list_all(store, Site)},
        "destination_id": {each.id: each.name for each in await list_all(store, Destination)},
    }


async def sheet_of(store: Store, columns: Columns, language: Language, zone: tzinfo) -> Sheet:
    """A table with these columns."""
    names = await names_of(store)
    return Sheet(
        columns=columns,
        words=_words(language),
        zone=zone,
        sites=names["site_id"],
        destinations=names["destination_id"],
    )


def _words(language: Language) -> SheetWords:
    gettext = language.messages.gettext
    return SheetWords(
        titles={column: _title(language, column) for column in COLUMNS},
        endings={ending: gettext(label) for ending, label in words.ENDINGS.items()},
        directions={which: gettext(label) for which, label in words.DIRECTIONS.items()},
        states={state: gettext(label) for state, label in words.STATES.items()},
        verdicts={verdict: gettext(label) for verdict, label in words.VERDICTS.items()},
        tags={name: gettext(label) for name, label in words.TAGS.items()},
        yes=gettext(YES),
        no=gettext(NO),
        anonymous=gettext(N_("Anonymous")),
        direct=gettext(N_("direct")),
        separator=_SEPARATORS.get(language.code, ","),
    )


def _title(language: Language, column: Column) -> str:
    gettext = language.messages.gettext
    name = gettext(COLUMNS[column])
    if column in _UNITS:
        return gettext(_UNITS[column]) % {"name": name}
    return name
