"""Slows down who guesses passwords, and who would empty a pool by asking for numbers again and again."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from router.errors import TooManyAttempts

FIVE_A_MINUTE = RateLimitItemPerMinute(5)  # by address and by login from there: nobody can lock others out
A_HUNDRED_A_MINUTE = RateLimitItemPerMinute(100)  # by login from everywhere: a botnet guesses no faster


LEASES_A_MINUTE = RateLimitItemPerMinute(60)  # a whole office behind one address still gets its numbers


class Attempts:
    """Counts the log-ins and the new leases of one web process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, login: str, address: str) -> None:
        """Note an attempt, before the password is looked at. Raises `TooManyAttempts`."""
        by_login = self._limiter.hit(FIVE_A_MINUTE, "login", login.casefold(), address)
        by_login &= self._limiter.hit(A_HUNDRED_A_MINUTE, "login", login.casefold())
        by_address = self._limiter.hit(FIVE_A_MINUTE, "address", address)
        if not (by_login and by_address):
            raise TooManyAttempts

    def forgive(self, login: str, address: str) -> None:
        """The password was right: this login's attempts from there are forgotten, the address's are not."""
        self._limiter.clear(FIVE_A_MINUTE, "login", login.casefold(), address)

    def count_lease(self, address: str) -> None:
        """Note that a page asks for a number. Raises `TooManyAttempts`."""
        if not self._limiter.hit(LEASES_A_MINUTE, "lease", address):
            raise TooManyAttempts
