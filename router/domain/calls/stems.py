"""Words as the search over transcripts compares them: small letters, without endings, in Russian
and English.
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

MOST_STEMS = 40_000  # of one text
LONGEST = 200_000  # letters of all the stems of a call
LONGEST_WORD = 60  # letters that are compared
_WORD = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[а-я]")


def stems(text: str) -> list[str]:
    """The stems of the words of a text, in their order."""
    folded = text.casefold().replace("ё", "е")
    return [_stem(word[:LONGEST_WORD]) for word in _WORD.findall(folded)[:MOST_STEMS]]


def search_stems(texts: Iterable[str]) -> str:
    """The stems of a call, each once, with a space before and after each."""
    found: dict[str, None] = {}
    for text in texts:
        found.update(dict.fromkeys(stems(text)))
    if not found:
        return ""
    text = f" {' '.join(found)} "
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rpartition(" ")[0] + " "


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    language = "english"
    if _CYRILLIC.search(word):
        language = "russian"
    stemmer = _stemmer(language)
    return str(stemmer.stemWord(word)) or word


@cache
def _stemmer(language: str) -> Any:
    """Loaded with the first word: commands that search nothing need not wait for it."""
    import snowballstemmer

    return snowballstemmer.stemmer(language)
