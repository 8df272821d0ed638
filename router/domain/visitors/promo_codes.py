"""Promo codes: short words that a visitor reads out and an operator types.

The letters are those that look alike in Latin and Cyrillic script, so that a code is typed right in
either layout; whatever looks like a digit is left out. 18 letters in 6 places are 34 million codes:
a slip of the finger almost never hits another visit's.
"""

import secrets

LETTERS = "23456789ACEHKMPTXY"
LENGTH = 6
_CYRILLIC = str.maketrans("АСЕНКМРТХУ", "ACEHKMPTXY")


def draw_code() -> str:
    """A random code. Whether it is in use already is for the caller to see."""
    rest, drawn = secrets.randbelow(len(LETTERS) ** LENGTH), ""
    for _ in range(LENGTH):
        rest, place = divmod(rest, len(LETTERS))
        drawn += LETTERS[place]
    return drawn


def read_code(text: str) -> str | None:
    """The code as it was drawn, from what somebody typed; None when it cannot be one.

    Small letters, Cyrillic ones and spaces or dashes between are understood.
    """
    typed = "".join(letter for letter in text[:40].upper() if letter.isalnum()).translate(_CYRILLIC)
    return typed if len(typed) == LENGTH and all(letter in LETTERS for letter in typed) else None
