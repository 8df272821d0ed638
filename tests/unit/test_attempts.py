"""How often something may be asked: by a clock that cannot be set, and without what has not
happened.
"""

import time

import pytest

from router.web.rate_limits import Counts, RateLimits, Window


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
