"""Reads the text of a page, which some servers answer with when something went wrong."""

import html
import re

_MARKUP = re.compile(r"<(style|script|title)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_MOST = 4000  # letters of a page that are searched: hostile ones take long


def without_markup(text: str) -> str:
    """The text of a page; other text is returned unchanged."""
    if not text.lstrip().startswith("<"):
        return text
    words = _MARKUP.sub(" ", text[:_MOST])
    return " ".join(html.unescape(words).split())
