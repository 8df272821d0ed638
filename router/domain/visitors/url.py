"""Parses page addresses from browsers; broken ones never raise.

Links are pasted by hand, encoded twice, in an old Russian encoding, with two question marks or with
HTML's `&amp;`. Unreadable parts are left empty.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit

from router.domain.text import one_line

MAX_WORD = 200  # characters kept of a host, a path or a word of a label
# characters kept of a parameter: a cut click ID is useless, and Facebook's are long
MAX_LABEL = 500
MAX_ADDRESS = 2000  # characters kept of an address; what is longer is cut before it is looked at
MAX_LABELS = 100  # parameters of an address that are read

_SCHEMES = frozenset({"http", "https", "android-app", "ios-app"})
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_BETWEEN = re.compile(r"[&?]|;(?=utm_)")  # two question marks are a frequent slip
# what a cut leaves at the end: half an escape behind a letter, and half a letter
_HALF_ESCAPE = re.compile(rb"(?<=[\x80-\xff])%[0-9A-Fa-f]?$")
_HALF_LETTER = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,2}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A parsed address. `text` is empty when there is none or it is none of a page or an
    application.
    """

    text: str = ""  # the whole of it, cleaned and cut
    host: str = ""  # lower case, in its own letters, without www., port and user
    path: str = ""
    # the query's, then the fragment's; names in lower case
    labels: Mapping[str, str] = field(default_factory=dict)


def read_address(text: str | None) -> Address:
    """Parse an address. Never raises."""
    cleaned = clean(text, MAX_ADDRESS)
    try:
        parts = urlsplit(cleaned)
        host = host_of(parts.hostname)
    except ValueError:  # e.g. half an IPv6 address, or letters that turn into slashes
        return Address()
    if parts.scheme not in _SCHEMES or not host:
        return Address()
    labels = _labels(f"{parts.query}&{parts.fragment}")
    return Address(text=cleaned, host=host, path=_decoded(parts.path) or "/", labels=labels)


def host_of(text: str | None) -> str:
    """A host's name for comparing: lower case, in its own letters instead of xn--, without a
    leading www.
    """
    host = clean(text).lower().rstrip(".").removeprefix("www.")
    if "xn--" in host:
        try:
            host = host.encode("ascii").decode("idna")
        except UnicodeError:
            return host
    return host


def within(host: str, domain: str) -> bool:
    """Whether the host is the domain or one below it."""
    return host == domain or host.endswith(f".{domain}")


def clean(text: str | None, limit: int = MAX_WORD) -> str:
    """The text on one line, without what cannot be seen, at most `limit` characters of it."""
    return one_line(text or "", limit)


def _labels(query: str) -> dict[str, str]:
    """The parameters of a query; the first non-empty value of each name."""
    found: dict[str, str] = {}
    for pair in _pairs(query):
        name, _, value = pair.partition("=")
        name = _decoded(name).lower().removeprefix("?").removeprefix("amp;").removesuffix("[]")
        if name and (said := _decoded(value.replace("+", " "), MAX_LABEL)):
            found.setdefault(name, said)
    return found


def _pairs(query: str) -> list[str]:
    """The parts of a query, also of one that was encoded whole."""
    found: list[str] = []
    for pair in _BETWEEN.split(query, maxsplit=MAX_LABELS)[:MAX_LABELS]:
        if "=" in pair:
            found.append(pair)
        else:
            found += _BETWEEN.split(_decoded(pair, MAX_ADDRESS))
    return found[:MAX_LABELS]


def _decoded(text: str, limit: int = MAX_WORD) -> str:
    """The text without percent signs, even where it was encoded twice or in windows-1251."""
    for _ in range(3):
        if not _ENCODED.search(text):
            break
        text = _text(unquote_to_bytes(text))
    return clean(text, limit)


def _text(raw: bytes) -> str:
    """Bytes of an address as text. A long one may have been cut inside a letter."""
    raw = _HALF_ESCAPE.sub(b"", raw)
    whole = _HALF_LETTER.sub(b"", raw)
    for tried in (raw, raw if whole.isascii() else whole):
        try:
            return tried.decode()
        except UnicodeDecodeError:
            continue
    return raw.decode("cp1251", errors="ignore")
