"""The cookies of the pages: one says who is logged in, the other which browser has logged in
before.

Both are signed, so that a forged one costs no look at the database. The session cookie carries a
secret, of which the database keeps the digest, and a mark of the password's hash: logging out ends
this session, and a changed password ends all of them.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from router.domain.access import LoginSession, Person

LIFETIME = timedelta(days=7)
DEVICE_LIFETIME = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a valid session cookie says."""

    digest: str  # of the session's secret
    login: str
    mark: str

    def fits(self, person: Person) -> bool:
        """The password is still the one of the log-in."""
        return person.login == self.login and _mark(person) == self.mark


class Sessions:
    """Issues and reads cookies under one secret key."""

    def __init__(self, key: str) -> None:
        self._signer = URLSafeTimedSerializer(key, salt="ringtrace.session")
        self._devices = URLSafeTimedSerializer(key, salt="ringtrace.device")
        # browsers do not tell ports apart: two instances on one host must not share a cookie
        instance = hashlib.sha256(key.encode()).hexdigest()[:8]
        self.cookie = f"ringtrace_session_{instance}"
        self.device_cookie = f"ringtrace_device_{instance}"

    def issue(self, person: Person, now: datetime) -> tuple[str, LoginSession]:
        """The cookie's value for a person who has just logged in, and the session to keep."""
        secret = secrets.token_urlsafe(24)
        session = LoginSession(
            digest=_digest(secret),
            login=person.login,
            created_at=now,
            expires_at=now + LIFETIME,
        )
        return str(self._signer.dumps([secret, person.login, _mark(person)])), session

    def read(self, value: str | None) -> Ticket | None:
        """The ticket in a cookie's value, or None when it is missing, forged or damaged. How old
        it is says the stored session, which lasts as long where the clock is set.
        """
        try:
            secret, login, mark = self._signer.loads(value or "")
        except (BadSignature, ValueError, TypeError):
            return None
        return Ticket(digest=_digest(str(secret)), login=str(login), mark=str(mark))

    def issue_device(self, login: str) -> str:
        """The value of the cookie that tells later that this login has succeeded from this
        browser.
        """
        return str(self._devices.dumps([secrets.token_urlsafe(9), login.casefold()]))

    def known_device(self, value: str | None, login: str) -> str | None:
        """The id of the browser, if this login has succeeded from it before."""
        try:
            device, known = _load_device(self._devices, value)
        except (BadSignature, ValueError, TypeError):
            return None
        if known == login.casefold():
            return str(device)
        return None


def _load_device(signer: URLSafeTimedSerializer, value: str | None) -> Any:
    """What the cookie of a browser holds. Raises `BadSignature`. One from the future is good,
    unlike with the serializer's own `max_age`: the clock was set back since.
    """
    content, signed_at = signer.loads(value or "", return_timestamp=True)
    if datetime.now(UTC) - signed_at > DEVICE_LIFETIME:
        raise SignatureExpired("too old")
    return content


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _mark(person: Person) -> str:
    return hashlib.sha256(person.password_hash.encode()).hexdigest()[:16]
