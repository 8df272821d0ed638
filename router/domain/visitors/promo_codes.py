"""Promo codes: short words that a visitor reads out and an operator types.

The letters look alike in Latin and Cyrillic, so that a code can be typed in either layout; letters
that look like digits are left out. 18 letters in 6 places are 34 million codes, so a typing error
almost never matches another visit.
"""

import secrets

LETTERS = "23456789ACEHKMPTXY"
LENGTH = 6
_CYRILLIC = str.maketrans("АСЕНКМРТХУ", "ACEHKMPTXY")


def draw_code() -> str:
    """A random code; the caller checks whether it is in use."""
    rest, drawn = secrets.randbelow(len(LETTERS) ** LENGTH), ""
    for _ in range(LENGTH):
        rest, place = divmod(rest, len(LETTERS))
        drawn += LETTERS[place]
    return drawn


def read_code(text: str) -> str | None:
    """Parse a typed code; None if it cannot be one. Accepts lower case, Cyrillic letters, spaces
    and dashes.
    """
    typed = "".join(letter for letter in text[:40].upper() if letter.isalnum()).translate(_CYRILLIC)
    if len(typed) == LENGTH and all(letter in LETTERS for letter in typed):
        return typed
    return None
