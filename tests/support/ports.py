"""Free ports for programs that need theirs before they open them.

A port that the kernel gives is anybody's again as soon as it is let go: the next connection of any
program on this machine may have it before ours does. These lie where the kernel gives none of
itself, and apart for each process of the tests.
"""

import os
import random
import socket
from collections import deque

_RANGES = (range(10_000, 16_000), range(25_000, 29_900))  # below Linux's own, beside those of RTP
_APART = 8  # processes
_mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _APART
_given: deque[int] = deque(maxlen=200)


def free_port(host: str = "127.0.0.1") -> int:
    """An even port of `host` that nothing is bound to, by TCP or by UDP, and that was not
    given here lately.
    """
    candidates = [
        port
        for each in _RANGES
        for port in each
        if port % (2 * _APART) == 2 * _mine and port not in _given
    ]
    for port in random.sample(candidates, len(candidates)):
        if _is_free(host, port):
            _given.append(port)
            return port
    raise OSError(f"no free port at {host}")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(family, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
