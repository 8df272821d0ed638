"""Slows down who guesses passwords, and who would empty a pool by asking for numbers again and again."""

import time
from collections.abc import Callable
from ipaddress import IPv6Network

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from router.errors import TooManyAttempts

FIVE_A_MINUTE = RateLimitItemPerMinute(5)  # by login from one address: nobody can lock others out
THIRTY_A_MINUTE = RateLimitItemPerMinute(30)  # by address: a shift logs in from one office
A_HUNDRED_A_MINUTE = RateLimitItemPerMinute(100)  # by login from everywhere: a botnet guesses no faster
TEN_A_MINUTE = RateLimitItemPerMinute(10)  # by browser that has logged in before: strangers' attempts do not count
ONCE_IN_TEN_MINUTES = RateLimitItemPerMinute(1, 10)  # by login and address: the first is not counted with the others

LEASES_A_MINUTE = RateLimitItemPerMinute(60)  # a whole office behind one address still gets its numbers
VISITS_A_MINUTE = 60  # new ones
REFUSALS_A_MINUTE = 60  # are written for the report; what a flood adds tells nothing


class Minute:
    """Counts by address within one minute. Of a million addresses each costs one entry until the minute is over."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._minute, self._counts = 0, dict[str, int]()

    def hit(self, address: str) -> bool:
        """Count one more; False when there were too many."""
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        count = self._counts[address] = self._counts.get(address, 0) + 1
        return count <= self._most


class Attempts:
    """Counts the log-ins and the new leases of one web process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        # Every page of every visitor passes here: the library's storage walks through all its keys again and again.
        self.visits = Minute(VISITS_A_MINUTE)
        self.refusals = Minute(REFUSALS_A_MINUTE)

    def count(self, login: str, address: str, device: str | None) -> None:
        """Note an attempt, before the password is looked at. Raises `TooManyAttempts`.

        `device` is the id of a browser from which this login has succeeded before: it is never locked out by others.
        """
        hit, login = self._limiter.hit, login.casefold()
        if device is not None:
            allowed = hit(TEN_A_MINUTE, "device", device)
        else:
            # What one address is refused counts against no other: else it could lock them out.
            allowed = (
                hit(THIRTY_A_MINUTE, "address", address)
                and hit(FIVE_A_MINUTE, "login", login, address)
                and (hit(ONCE_IN_TEN_MINUTES, "first", login, address) or hit(A_HUNDRED_A_MINUTE, "login", login))
            )
        if not allowed:
            raise TooManyAttempts

    def forgive(self, login: str, address: str) -> None:
        """The password was right: this login's attempts from there are forgotten, the address's are not."""
        self._limiter.clear(FIVE_A_MINUTE, "login", login.casefold(), address)

    def count_lease(self, address: str) -> None:
        """Note that a page asks for a number. Raises `TooManyAttempts`."""
        if not self._limiter.hit(LEASES_A_MINUTE, "lease", address):
            raise TooManyAttempts


def household(request: Request) -> str:
    """Whose address a request comes from: one line's IPv6 addresses are as many as it likes, so its /64 counts."""
    host = request.client.host if request.client else ""
    if ":" not in host:
        return host
    try:
        return str(IPv6Network((host.partition("%")[0], 64), strict=False).network_address)
    except ValueError:
        return host
