"""Adds new messages to the catalogues and removes those that are gone: `make translations`.

Existing entries keep their text, comments and order; new ones are appended, empty. A test fails
until they are filled.
"""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from router.web import languages
from router.web.languages import FOLDER, LANGUAGES

ROOM = Path(languages.__file__).parent
SENTENCES = ROOM.parent / "domain"  # of outcomes
METHODS = [("pages/**.py", "python"), ("*.py", "python"), ("templates/**.html", "jinja2")]
OTHERS = sorted(LANGUAGES.keys() - {"en"})

Message = str | tuple[str, ...]


@cache
def written() -> dict[str, Message]:
    """Every message in the code and the templates, by its singular."""
    found = extract_from_dir(
        ROOM,
        METHODS,
        options_map={"templates/**.html": {"trimmed": "true"}},
        directory_filter=lambda folder: Path(folder).name not in {"frontend", "static"},
    )
    codes = extract_from_dir(SENTENCES, [("**/codes.py", "python"), ("**_codes.py", "python")])
    messages = [message for _, _, message, _, _ in (*found, *codes)]
    return {singular(message): message for message in messages}


def singular(message: Message) -> str:
    """The key of a message in a catalogue."""
    return message if isinstance(message, str) else message[0]


def translated(path: Path) -> Catalog:
    """The catalogue in this file."""
    with path.open("rb") as source:
        return read_po(source)


def updated(text: str) -> str:
    """A catalogue's text with an empty entry for each new message, and without those that are
    gone.
    """
    head, *entries = [part for part in text.strip("\n").split("\n\n") if part.strip()]
    keys = {entry: _key(head, entry) for entry in entries}
    kept = [entry for entry in entries if keys[entry] in written()]
    added = [_empty(message) for key, message in written().items() if key not in keys.values()]
    return "\n\n".join((head, *kept, *added)) + "\n"


def _key(head: str, entry: str) -> str:
    parsed = read_po(BytesIO(f"{head}\n\n{entry}\n".encode()))
    return next((singular(message.id) for message in parsed if message.id), "")


def _empty(message: Message) -> str:
    if isinstance(message, str):
        return f'msgid {_quoted(message)}\nmsgstr ""'
    one, many = message[:2]
    return (
        f'msgid {_quoted(one)}\nmsgid_plural {_quoted(many)}\nmsgstr[0] ""\nmsgstr[1] '
        '""\nmsgstr[2] ""'
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def main() -> None:
    """Update every catalogue."""
    for code in OTHERS:
        path = FOLDER / f"{code}.po"
        path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
