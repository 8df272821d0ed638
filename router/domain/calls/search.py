"""Search text for calls, the same for pages, API and commands. Digits are searched in the caller's
number (the examples are Russian, `region` decides):

- `8 916 123-45-67`, `+7 (916) 123-45-67`, `9161234567`: a whole number, in any spelling;
- `+7 916`, `8 916`, `8 (916) 12`, `8-800`: the number begins with this;
- `4567`, `45-67`, `17-29`: up to four digits are the end of the number;
- `916`: three digits are also the area code;
- `8916314`, `123456`: five digits and more are any part of the number, or its beginning.

Words are searched in the caller's name, in that of the line or person who answered, and in the
visit's source, campaign and term, and in comments that everyone may read. The whole id of a CRM
record finds its calls. Case and ё are ignored; one or two letters are the beginning of a word.
`maria 4567` means both.

Instead of in these texts, all the words may be in the call's transcript, with any ending.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import phonenumbers

from router.domain.calls.stems import stems
from router.domain.phone import caller_number, digits, national_prefix

FIRST, LAST = "\x02", "\x03"  # around the caller's digits in a call's search text
ID, END = "\x04", "\x05"  # around the id of a CRM record
COMMENTED = "\x06"  # comments have a search text of their own, because they are long
MOST_TEXT = 600  # letters of a search text
MOST_COMMENTS = 20_000  # letters of that of comments
_CODE = 3  # digits of an area code
_ENDING = 4  # digits up to which a number's end is meant
_SHORT_WORD = 2
_WORD = "  "  # before each word, so that one letter makes a trigram
_NUMBER = re.compile(r"[0-9+().,/\u2010-\u2015-]+")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A parsed search: a call matches if each of `terms` has a needle in the call's search text."""

    terms: tuple[tuple[str, ...], ...]
    numbers: tuple[tuple[str, ...], ...] = ()  # those of `terms` that are numbers
    said: tuple[str, ...] = ()  # the stems of the words: they may also be in the transcript

    @property
    def caller(self) -> str | None:
        """The whole number, E.164, if that is all that was typed."""
        if len(self.terms) != 1 or len(self.terms[0]) != 1:
            return None
        needle = self.terms[0][0]
        if needle[0] == FIRST and needle[-1] == LAST:
            return f"+{needle[1:-1]}"
        return None

    def finds(self, text: str) -> bool:
        """Whether this search text matches."""
        return all(any(needle in text for needle in needles) for needles in self.terms)


def search_text(
    caller: str | None,
    raw: str,
    *names: str | None,
    entity_ids: Iterable[str] = (),
    commented: bool = False,
) -> str:
    """The search text of a call: its caller, names of both sides and words of its visit, and the
    ids of its CRM records.
    """
    mark = spelled = ""
    if commented:
        mark = COMMENTED
    if any(character.isalpha() for character in raw):
        spelled = raw

    number = f"{FIRST}{digits(caller or raw)}{LAST}"
    words = dict.fromkeys(" ".join(_folded(text or "") for text in (*names, spelled)).split())
    ids = "".join(f"{ID}{_folded(entity_id)}{END}" for entity_id in entity_ids)
    return "".join((mark, number, ids, *(_WORD + word for word in words)))[:MOST_TEXT]


def comments_text(comments: Iterable[str]) -> str:
    """The search text of a call's comments: their words, each once."""
    words = dict.fromkeys(" ".join(_folded(text) for text in comments).split())
    return "".join(_WORD + word for word in words)[:MOST_COMMENTS]


def read_search(typed: str, region: str = "RU") -> Search:
    """Parse `typed`; `region` (ISO 3166) is where numbers are written without a country."""
    pieces = _folded(typed).split()
    numbers = [terms for terms, is_number in _terms(typed, region) if is_number]
    return Search(
        terms=tuple(terms for terms, _ in _terms(typed, region)),
        numbers=tuple(numbers),
        said=tuple(stems(" ".join(piece for piece in pieces if not _is_number(piece)))),
    )


def _terms(typed: str, region: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The needles of each term, and whether it is a number."""
    for is_number, pieces in groupby(_folded(typed).split(), _is_number):
        if not is_number:
            for piece in pieces:
                yield (_word(piece),), False
            continue
        number = " ".join(pieces)
        if digits(number):
            yield _number(number, region), True
        else:
            yield (number,), True


def _is_number(piece: str) -> bool:
    return _NUMBER.fullmatch(piece) is not None


def _word(piece: str) -> str:
    if piece.isalnum() and len(piece) <= _SHORT_WORD:
        return _WORD + piece
    return piece


def _number(number: str, region: str) -> tuple[str, ...]:
    """The needles of a number, or of a part of one."""
    if whole := caller_number(number, region):
        return (f"{FIRST}{digits(whole)}{LAST}",)

    said = digits(number)
    if number.startswith("+"):
        return (FIRST + said,)

    country, prefix = _country(region), national_prefix(region)
    in_front = re.match(
        rf"(?:{country}|{prefix or country})[^0-9]+(?=(?:[^0-9]*[0-9]){{{_CODE}}})", number
    )
    if in_front:
        return (FIRST + country + digits(number[in_front.end() :]),)
    if len(said) == _CODE:
        return (said + LAST, FIRST + country + said, ID + said + END)
    if len(said) <= _ENDING:
        return (said + LAST, ID + said + END)
    if prefix and said.startswith(prefix):
        return (said, FIRST + country + said[len(prefix) :])
    return (said,)


def _country(region: str) -> str:
    return str(phonenumbers.country_code_for_region(region) or "")


def _folded(text: str) -> str:
    """Small letters, ё as е, single spaces."""
    return " ".join(_UNSEEN.sub(" ", text).casefold().replace("ё", "е").split())
