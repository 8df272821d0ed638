"""The pages' session: a signed cookie, so that several web processes need no common memory.

The cookie carries a mark of the password's hash beside the login: a changed password ends every session.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from itsdangerous import BadSignature, URLSafeTimedSerializer

from router.domain.access import Person

LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a valid cookie says: who logged in, and the mark of the password they had."""

    login: str
    mark: str

    def fits(self, person: Person) -> bool:
        """The password is still the one of the log-in."""
        return person.login == self.login and _mark(person) == self.mark


class Sessions:
    """Issues and reads session cookies under one secret key."""

    def __init__(self, key: str) -> None:
        self._signer = URLSafeTimedSerializer(key, salt="ringtrace.session")
        # browsers do not tell ports apart: two instances on one host must not share a cookie
        self.cookie = f"ringtrace_session_{hashlib.sha256(key.encode()).hexdigest()[:8]}"

    def issue(self, person: Person) -> str:
        """The cookie's value for someone who has just logged in."""
        return str(self._signer.dumps([person.login, _mark(person)]))

    def read(self, value: str | None) -> Ticket | None:
        """The ticket in a cookie's value, or None when it is missing, forged, damaged or too old."""
        try:
            login, mark = self._signer.loads(value or "", max_age=int(LIFETIME.total_seconds()))
        except (BadSignature, ValueError, TypeError):
            return None
        return Ticket(login=str(login), mark=str(mark))


def _mark(person: Person) -> str:
    return hashlib.sha256(person.password_hash.encode()).hexdigest()[:16]
