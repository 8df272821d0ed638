"""Cleans text from outside for the database, pages and logs."""

import re

_HALF_EMOJI = "\u200d\ufe0f \n"  # what joins an emoji to its next part
_MOST_BYTES = 255  # of a name
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


def short_name(text: str, most: int) -> str:
    """A name on one line that fits wherever a CRM counts: in characters, in UTF-16 units (an emoji
    is two), or in bytes, of which its column has 255.
    """
    units = cut(" ".join(text.split()), most)
    return units.encode()[:_MOST_BYTES].decode(errors="ignore").rstrip(_HALF_EMOJI)


def cut(text: str, most: int) -> str:
    """At most so many characters as most CRMs count them, an emoji as two; no half of one is left
    at the end, and no space.
    """
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * most:
        return text
    return units[: 2 * most].decode("utf-16-le", "ignore").rstrip(_HALF_EMOJI)
