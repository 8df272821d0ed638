"""Cleans text from outside for the database, pages and logs."""

import re

_UNKEPT = re.compile("[\0\ud800-\udfff]")


def one_line(text: str, most: int = 300) -> str:
    """The text on one line, without invisible characters, cut to `most` characters."""
    shown = text[: most * 4]
    if not shown.isprintable():
        shown = "".join(letter if letter.isprintable() else " " for letter in shown)
    return " ".join(shown.split())[:most].strip()


def storable(text: str) -> str:
    """The text with U+FFFD for characters that databases refuse: NUL and lone surrogates."""
    return _UNKEPT.sub("\ufffd", text)
