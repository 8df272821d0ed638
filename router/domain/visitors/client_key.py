"""From where somebody asks, as far as shares of scarce things go: one line, and the network around
it.

A line of IPv4 is an address; of IPv6 it is a /56, for providers give a line that much, or a /64.
The network around them is a /24 and a /48, which one hosting customer may have whole.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

LEAST_SHARE, LEAST_NETWORK_SHARE = 2, 4
SMALL_POOL = 8  # numbers; of a smaller pool nothing is kept back


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, without the address: a keyed hash of the line, and the network that many share."""

    household: str
    network: str  # e.g. 203.0.113.0/24


def asker(address: str, key: str) -> Asker | None:
    """Who asks from this address; None where it is no address of a visitor."""
    nested = networks(address)
    if not nested:
        return None
    line = nested[0] if len(nested) == 2 else nested[1]
    return Asker(household=keyed(line, key), network=nested[-1])


def keyed(text: str, key: str) -> str:
    """A hash that nobody can compute without the installation's key."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:24]


def networks(address: str) -> tuple[str, ...]:
    """The networks around an address, the narrowest first: /32 and /24, or /64, /56 and /48."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ()
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    lengths: Iterable[int] = (32, 24) if found.version == 4 else (64, 56, 48)
    return tuple(str(ip_network((found, length), strict=False)) for length in lengths)


def share(numbers: int) -> int:
    """How many numbers of a pool of that size one household holds before others go first."""
    return max(LEAST_SHARE, numbers // 10)


def network_share(numbers: int) -> int:
    """How many the households of one network hold together."""
    return max(LEAST_NETWORK_SHARE, numbers // 5)


def kept_back(numbers: int) -> int:
    """How many idle numbers of a pool are for those alone who hold less than their share."""
    return numbers // 4 if numbers >= SMALL_POOL else 0
