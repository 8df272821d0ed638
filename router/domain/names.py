"""Keys that people choose for sites, pools and destinations. They are used in URLs, route lines and
configuration files, so few characters are allowed.
"""

import re

from router.errors import InvalidInput

_KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def check_key(kind: str, text: str) -> str:
    """`text` itself if it can name a `kind`; raises `InvalidInput` otherwise."""
    if not _KEY.fullmatch(text):
        raise InvalidInput(
            f"'{text[:50]}' cannot name a {kind}: use 1 to 40 of a-z, 0-9 and '-', with no "
            "'-' at the ends"
        )
    return text
