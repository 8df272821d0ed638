"""Comments on calls."""

from dataclasses import dataclass
from datetime import datetime

from router.domain.text import storable
from router.errors import InvalidInput

LONGEST = 4000  # characters
MOST_READERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What a person or a program wrote about a call."""

    id: str
    call_id: str
    author: str  # login, or `api:` and the name of a token
    text: str
    at: datetime
    at_seconds: float | None = None  # a moment of the recording
    private: bool = False  # only its author and `readers` see it
    readers: tuple[str, ...] = ()  # logins
    edited_at: datetime | None = None

    def is_seen_by(self, login: str | None) -> bool:
        """Whether this person sees it; None is a reader who sees what all see."""
        return not self.private or (login is not None and login in (self.author, *self.readers))


def comment_text(typed: str) -> str:
    """The text of a comment as it is stored. Raises `InvalidInput`."""
    text = storable(typed.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        raise InvalidInput("A comment has no text.")
    if len(text) > LONGEST:
        raise InvalidInput(f"A comment has at most {LONGEST} characters, not {len(text)}.")
    return text
