"""Every sentence of the pages is there in every language, and nothing else is."""

from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.checkers import python_format
from babel.messages.pofile import read_po

from router.web.languages import FOLDER, choose
from tests.support.translations import OTHERS, singular, translated, updated, written


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_has_a_translation(code: str) -> None:
    catalog = translated(FOLDER / f"{code}.po")
    missing = [key for key in written() if not (catalog.get(key) and all(_forms(catalog, key)))]
    assert missing == []


@pytest.mark.parametrize("code", OTHERS)
def test_no_translation_is_stale(code: str) -> None:
    assert [
        message.id
        for message in translated(FOLDER / f"{code}.po")
        if message.id and singular(message.id) not in written()
    ] == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_keep_their_placeholders(code: str) -> None:
    catalog = translated(FOLDER / f"{code}.po")
    for message in catalog:
        if message.id and "%(" in singular(message.id):
            message.flags.add("python-format")
            python_format(catalog, message)
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            assert all(name in form for form in forms for name in _names(singular(message.id)))


def test_an_update_adds_new_messages_empty_and_removes_old_ones() -> None:
    head = 'msgid ""\nmsgstr ""\n"Language: ru\\n"\n'
    text = updated(
        f'{head}\n# Kept.\nmsgid "Calls"\nmsgstr "Звонки"\n\nmsgid "Gone."\nmsgstr "x"\n'
    )
    catalog = read_po(BytesIO(text.encode()))
    assert text.startswith(head + '\n# Kept.\nmsgid "Calls"\nmsgstr "Звонки"\n\n')
    assert {singular(message.id) for message in catalog if message.id} == written().keys()
    assert (catalog["Calls"].string, catalog["Log in"].string) == ("Звонки", "")


@pytest.mark.parametrize("code", OTHERS)
def test_an_update_of_a_whole_catalogue_changes_nothing(code: str) -> None:
    text = (FOLDER / f"{code}.po").read_text(encoding="utf-8")
    assert updated(text).split() == text.split()


def test_messages_are_found_at_all() -> None:
    assert {
        "Log in",
        "Calls",
        "Hung up while ringing",
        "Wrong login or password.",
        "%(num)s attempt",
    } <= set(written())


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
def test_the_chosen_language_wins_over_the_browsers(
    remembered: str | None, accepted: str, code: str
) -> None:
    assert choose(remembered, accepted).code == code


def _forms(catalog: Catalog, key: str) -> tuple[str, ...]:
    string = catalog[key].string
    return string if isinstance(string, tuple) else (string,)


def _names(text: str) -> list[str]:
    return ["%(" + part.partition(")")[0] + ")" for part in text.split("%(")[1:]]
