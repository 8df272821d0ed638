"""What a CRM makes of the texts that it saves: whether a saved text is still the written one."""

import html
import math
import re

_SHORTEST_CUT = 20  # letters: a shorter beginning may be typed by a person
_SEPARATORS = re.compile(r"[\s'’]")  # of thousands; \s also matches narrow and fixed spaces


def same_id(written: str, found: str) -> bool:
    """Whether a client ID is unchanged; spaces around it and escapes of HTML are no change."""
    return html.unescape(found).strip() == written.strip()


def same_text(written: str, found: str) -> bool:
    """Whether a text is unchanged but for spaces, case, escapes of HTML and the way in which
    numbers are written.
    """
    return _tidy(written) == _tidy(found) or _same_number(written, found)


def made_of(written: str, found: str) -> bool:
    """Whether the saved text is the written one, or its beginning: some CRMs cut long texts."""
    beginning = _tidy(found).rstrip("\ufffd")
    is_cut = len(beginning) >= _SHORTEST_CUT and _tidy(written).startswith(beginning)
    return is_cut or same_text(written, found)


def is_changed(written: str, found: str) -> bool:
    """Whether a CRM made the one client ID of the other: cut it, changed its case, or took it for a
    number.
    """
    plain, whole = _tidy(found), _tidy(written)
    if whole.startswith(plain) or plain.startswith(whole):
        return True
    number = _number(written)
    return any(
        number is not None and math.isclose(number, other, rel_tol=1e-9)
        for other in _readings(found)
    )


def _tidy(text: str) -> str:
    return " ".join(html.unescape(text).split()).casefold()


def _same_number(written: str, found: str) -> bool:
    number = _number(written)
    return number is not None and number in _readings(found)


def _readings(text: str) -> list[float]:
    """The numbers that a text may be, with a comma or a point before the fraction."""
    plain = _SEPARATORS.sub("", html.unescape(text))
    english, other = plain.replace(",", ""), plain.replace(".", "").replace(",", ".")
    numbers = [_number(english), _number(other)]
    return [number for number in numbers if number is not None]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
