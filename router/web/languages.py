"""The pages' languages. Messages are in English; other languages have `.po` files, which are read
at start without compiling.
"""

from dataclasses import dataclass
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

FOLDER = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language of the pages."""

    code: str
    name: str  # in itself
    locale: Locale  # for dates and numbers
    messages: NullTranslations


def _read(path: Path) -> NullTranslations:
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source))
    compiled.seek(0)
    return Translations(compiled)


LANGUAGES = {
    # 24-hour times
    "en": Language(
        code="en", name="English", locale=Locale.parse("en_GB"), messages=NullTranslations()
    ),
    "ru": Language(
        code="ru", name="Русский", locale=Locale.parse("ru_RU"), messages=_read(FOLDER / "ru.po")
    ),
}


def choose(remembered: str | None, accepted: str) -> Language:
    """The language chosen before, otherwise the first supported one of `Accept-Language`, otherwise
    English.
    """
    if remembered in LANGUAGES:
        return LANGUAGES[remembered]
    wanted = [part.partition(";")[0].strip().replace("-", "_") for part in accepted.split(",")[:20]]
    wanted += [tag.partition("_")[0] for tag in wanted]
    return LANGUAGES[negotiate_locale(wanted, LANGUAGES) or "en"]
