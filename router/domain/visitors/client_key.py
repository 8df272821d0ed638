"""The client of a request, for fair shares: its line, and the network around it.

A line of IPv4 is an address; of IPv6 it is a /56, for providers give a line that much, or a /64.
The network around them is a /24 and a /48, which one hosting customer may have whole.
"""

import hashlib
import hmac
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

LEAST_SHARE, LEAST_NETWORK_SHARE = 2, 4
SMALL_POOL = 8  # numbers; smaller pools keep no reserve


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A client without its address: a keyed hash of the line, and the truncated network."""

    client_key: str
    network: str  # e.g. 203.0.113.0/24


def asker(address: str, key: str) -> Asker | None:
    """The client at this address; None if it is not a visitor's."""
    nested = networks(address)
    if not nested:
        return None
    line = nested[-2]
    return Asker(client_key=keyed(line, key), network=nested[-1])


def keyed(text: str, key: str) -> str:
    """A hash with the installation's key."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:24]


def networks(address: str) -> tuple[str, ...]:
    """The networks around an address, the narrowest first: /32 and /24, or /64, /56 and /48."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ()
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    lengths = {4: (32, 24), 6: (64, 56, 48)}[found.version]
    return tuple(str(ip_network((found, length), strict=False)) for length in lengths)


def share(numbers: int) -> int:
    """The share of one line in a pool of this size; above it others come first."""
    return max(LEAST_SHARE, numbers // 10)


def network_share(numbers: int) -> int:
    """The share of one network."""
    return max(LEAST_NETWORK_SHARE, numbers // 5)


def kept_back(numbers: int) -> int:
    """Idle numbers that are reserved for clients below their share."""
    if numbers >= SMALL_POOL:
        return numbers // 4
    return 0
