"""How often something may be asked: by a clock that cannot be set, and without what has not
happened.
"""

import time

import pytest
from starlette.requests import Request

from router.receivers.network import read_address
from router.web.rate_limits import Counts, RateLimits, Window, client_key


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_window_moves_and_what_is_refused_does_not_count() -> None:
    clock = Clock()
    window = Window(2, clock=clock)
    assert [window.hit("a"), window.hit("a"), window.hit("a"), window.hit("b")] == [
        True,
        True,
        False,
        True,
    ]
    clock.now += 61
    assert [window.hit("a"), window.hit("a"), window.hit("a")] == [True, True, False]
    window.clear("a")
    assert window.hit("a")


def test_a_clock_of_the_machine_that_is_set_back_locks_no_one_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts, wall = RateLimits(), time.time()
    monkeypatch.setattr(time, "time", lambda: wall)
    ticks = Clock()
    for window in (attempts._logins, attempts._addresses, attempts._everywhere, attempts._firsts):
        window._clock = ticks
    for _ in range(5):
        attempts.count("anna", "192.0.2.1", None)
    monkeypatch.setattr(time, "time", lambda: wall - 3600)
    ticks.now += 61
    attempts.count("anna", "192.0.2.1", None)


def test_what_is_given_back_was_not_counted() -> None:
    counts = Counts([(1, 60)], Clock())
    assert counts.hit("192.0.2.1")
    counts.give_back("192.0.2.1")
    assert counts.hit("192.0.2.1")
    assert not counts.hit("192.0.2.1")


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),  # from a proxy that listens for both
        ("::ffff:203.0.113.8", "203.0.113.8"),
        ("2001:db8:1:2:3::4%eth0", "2001:db8:1:2::"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_of_ipv4_is_one_client_however_it_is_written(address: str, key: str) -> None:
    assert client_key(Request({"type": "http", "client": (address, 0)})) == key


@pytest.mark.parametrize(
    "address",
    ["::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "100.64.0.1"],
)
def test_an_inner_address_of_ipv4_is_seen_in_ipv6(address: str) -> None:
    assert not read_address(address).is_global
