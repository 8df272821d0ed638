"""Every sentence of the pages is there in every language, and nothing else is."""

from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.checkers import python_format
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from router.web import languages
from router.web.languages import FOLDER, LANGUAGES, choose

ROOM = Path(languages.__file__).parent
METHODS = [("pages/**.py", "python"), ("*.py", "python"), ("templates/**.html", "jinja2")]


@cache
def written() -> dict[str, str | tuple[str, ...]]:
    """Every message in the code and the templates, by its singular."""
    found = extract_from_dir(
        ROOM,
        METHODS,
        options_map={"templates/**.html": {"trimmed": "true"}},
        directory_filter=lambda folder: Path(folder).name not in {"frontend", "static"},
    )
    messages = [message for _, _, message, _, _ in found]
    return {message if isinstance(message, str) else message[0]: message for message in messages}


def translated(code: str) -> Catalog:
    """The translations of a language."""
    with (FOLDER / f"{code}.po").open("rb") as source:
        return read_po(source)


OTHERS = sorted(LANGUAGES.keys() - {"en"})


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_has_a_translation(code: str) -> None:
    catalog = translated(code)
    missing = [key for key in written() if not (catalog.get(key) and all(_forms(catalog, key)))]
    assert missing == []


@pytest.mark.parametrize("code", OTHERS)
def test_no_translation_is_stale(code: str) -> None:
    assert [message.id for message in translated(code) if message.id and _key(message.id) not in written()] == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_keep_their_placeholders(code: str) -> None:
    catalog = translated(code)
    for message in catalog:
        if message.id and "%(" in _key(message.id):
            message.flags.add("python-format")
            python_format(catalog, message)
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            assert all(name in form for form in forms for name in _names(_key(message.id)))


def test_messages_are_found_at_all() -> None:
    assert {"Log in", "Calls", "Hung up while ringing", "Wrong login or password.", "%(num)s attempt"} <= set(written())


@pytest.mark.parametrize(
    ("remembered", "accepted", "code"),
    [
        (None, "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        (None, "de, en-GB;q=0.7, ru;q=0.3", "en"),
        (None, "de", "en"),
        (None, "", "en"),
        ("ru", "en-US", "ru"),
        ("tlh", "ru", "ru"),
        (None, "\x00;;,=q" * 1000, "en"),
    ],
)
def test_the_chosen_language_wins_over_the_browsers(remembered: str | None, accepted: str, code: str) -> None:
    assert choose(remembered, accepted).code == code


def _forms(catalog: Catalog, key: str) -> tuple[str, ...]:
    string = catalog[key].string
    return string if isinstance(string, tuple) else (string,)


def _key(message: str | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def _names(text: str) -> list[str]:
    return ["%(" + part.partition(")")[0] + ")" for part in text.split("%(")[1:]]
