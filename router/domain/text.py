"""Text from outside, made fit for the database, a page and a log."""

import re

_UNKEPT = re.compile("[\0\ud800-\udfff]")


def one_line(text: str, most: int = 300) -> str:
    """The text on one line, without what cannot be seen, at most `most` characters of it."""
    shown = text[: most * 4]
    if not shown.isprintable():
        shown = "".join(letter if letter.isprintable() else " " for letter in shown)
    return " ".join(shown.split())[:most].strip()


def storable(text: str) -> str:
    """The text with U+FFFD for what no database keeps: NUL and halves of a letter, which JSON can
    spell.
    """
    return _UNKEPT.sub("\ufffd", text)
