"""Slows down who guesses passwords: five attempts a minute by login, and five by address."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from router.errors import TooManyAttempts

FIVE_A_MINUTE = RateLimitItemPerMinute(5)


class Attempts:
    """Counts log-ins of one web process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, login: str, address: str) -> None:
        """Note an attempt, before the password is looked at. Raises `TooManyAttempts`."""
        by_login = self._limiter.hit(FIVE_A_MINUTE, "login", login.casefold())
        by_address = self._limiter.hit(FIVE_A_MINUTE, "address", address)
        if not (by_login and by_address):
            raise TooManyAttempts

    def forgive(self, login: str) -> None:
        """The password was right: this login's attempts are forgotten, the address's are not."""
        self._limiter.clear(FIVE_A_MINUTE, "login", login.casefold())
