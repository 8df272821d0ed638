"""Rate limits for log-ins and for requests of numbers."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address, IPv6Network

from fastapi import Request

from router.domain.visitors.client_key import networks
from router.errors import TooManyAttempts
from router.web.requests import client_host

FIVE_A_MINUTE = 5  # by login and address, so that others are not locked out
THIRTY_A_MINUTE = 30  # by address: a shift logs in from one office
A_HUNDRED_A_MINUTE = 100  # by login from all addresses, against botnets
TEN_A_MINUTE = 10  # by browser that logged in before: other attempts do not count
ONCE_IN_TEN_MINUTES = (1, 10)  # by login and address: the first is not counted with the others

LEASES_A_MINUTE = 60  # a whole office behind one address still gets its numbers
MINUTE, HOUR = 60, 3600
# Of one line (an IPv4 address, an IPv6 /64): its limits.
VISITS_A_MINUTE = 60
VISITS = ((VISITS_A_MINUTE, MINUTE), (1200, HOUR))  # new ones
REFUSALS = ((60, MINUTE),)  # stored for the report
VIEWS = ((300, MINUTE), (6000, HOUR))
FORMS = ((10, MINUTE), (20, HOUR))  # forms, which are unverified
NAMELESS = ((3, HOUR),)  # visitors of browsers that keep nothing, by line and User-Agent
# heartbeats and other messages: an office with a hundred open pages sends 300
MESSAGES = ((1200, MINUTE),)
WIDER = 4  # a network (/24, /48) may do as much as so many lines; a /56 half of that


class Counts:
    """Counts by line and network within fixed windows."""

    def __init__(
        self, limits: Iterable[tuple[int, int]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spans = [_Span(most, seconds) for most, seconds in limits]
        self._clock = clock

    def hit(self, address: str) -> bool:
        """Count one; False if the line or its network is over the limit."""
        now, nested = self._clock(), networks(address) or (address,)
        room = []
        for at, network in enumerate(nested):
            for span in self._spans:
                room.append(span.hit(network, _width(at, len(nested)), now))

        return all(room)

    def give_back(self, address: str) -> None:
        """Undo one count."""
        now = self._clock()
        for network in networks(address) or (address,):
            for span in self._spans:
                span.give_back(network, now)


class _Span:
    def __init__(self, most: int, seconds: int) -> None:
        self._most, self._seconds = most, seconds
        self._number, self._counts = -1, dict[str, int]()

    def hit(self, who: str, times: int, now: float) -> bool:
        number = int(now // self._seconds)
        if number != self._number:
            self._number, self._counts = number, {}
        count = self._counts[who] = self._counts.get(who, 0) + 1
        return count <= self._most * times

    def give_back(self, who: str, now: float) -> None:
        if int(now // self._seconds) == self._number and self._counts.get(who):
            self._counts[who] -= 1


class Window:
    """Counts within a sliding window, by a monotonic clock. Refused ones do not count."""

    def __init__(
        self, most: int, minutes: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._clock = most, 60.0 * minutes, clock
        self._hits: dict[tuple[str, ...], deque[float]] = {}
        self._swept_at = clock()

    def hit(self, *who: str) -> bool:
        """Count one, if within the limit."""
        now = self._clock()
        self._sweep(now)
        hits = self._hits.setdefault(who, deque())
        while hits and hits[0] <= now - self._seconds:
            hits.popleft()
        if len(hits) >= self._most:
            return False
        hits.append(now)
        return True

    def clear(self, *who: str) -> None:
        """Forget what was counted."""
        self._hits.pop(who, None)

    def _sweep(self, now: float) -> None:
        if now - self._swept_at >= self._seconds:
            self._swept_at = now
            self._hits = {
                who: hits for who, hits in self._hits.items() if hits[-1] > now - self._seconds
            }


def _width(at: int, levels: int) -> int:
    """How many lines' worth the network at this level may have: the line 1, the widest `WIDER`."""
    if at == 0:
        return 1
    if at == levels - 1:
        return WIDER
    return WIDER // 2


class RateLimits:
    """Counts log-ins and new leases of one web process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._logins = Window(FIVE_A_MINUTE, clock=clock)
        self._addresses = Window(THIRTY_A_MINUTE, clock=clock)
        self._everywhere = Window(A_HUNDRED_A_MINUTE, clock=clock)
        self._firsts = Window(*ONCE_IN_TEN_MINUTES, clock=clock)
        self._devices = Window(TEN_A_MINUTE, clock=clock)
        self._leases = Window(LEASES_A_MINUTE, clock=clock)
        # Every page of every visitor passes here: one number each, no list of moments.
        self.visits, self.refusals = Counts(VISITS, clock), Counts(REFUSALS, clock)
        self.views, self.forms = Counts(VIEWS, clock), Counts(FORMS, clock)
        self.nameless, self.messages = Counts(NAMELESS, clock), Counts(MESSAGES, clock)

    def count(self, login: str, address: str, device: str | None) -> None:
        """Count an attempt, before the password is checked. Raises `TooManyAttempts`.

        `device` is the id of a browser from which this login has succeeded before: it is not locked
        out by other attempts.
        """
        login = login.casefold()
        if device is not None:
            allowed = self._devices.hit(device)
        else:
            # Refused attempts do not count against other addresses.
            allowed = (
                self._addresses.hit(address)
                and self._logins.hit(login, address)
                and (self._firsts.hit(login, address) or self._everywhere.hit(login))
            )
        if not allowed:
            raise TooManyAttempts

    def forgive(self, login: str, address: str) -> None:
        """The password was right: reset this login's count for the address, not the address's
        own.
        """
        self._logins.clear(login.casefold(), address)

    def count_message(self, address: str) -> None:
        """Count a message of a page. Raises `TooManyAttempts`."""
        if not self.messages.hit(address):
            raise TooManyAttempts

    def count_lease(self, address: str) -> None:
        """Count a request for a number. Raises `TooManyAttempts`."""
        if not self._leases.hit(address):
            raise TooManyAttempts


def client_key(request: Request) -> str:
    """Whose address a request comes from: one line's IPv6 addresses are as many as it likes, so its
    /64 counts.
    """
    host = client_host(request)
    try:
        address = IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped:  # as proxies that listen for both write IPv4 addresses
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, 64), strict=False).network_address)
