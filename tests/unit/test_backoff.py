"""Pauses between attempts: they grow, they end, and no two callers wait alike."""

from datetime import timedelta

from router.domain.backoff import backoff

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def longest_seen(failures: int) -> timedelta:
    """The longest of many pauses after so many failures."""
    return max(backoff(failures, SECOND, HOUR) for _ in range(2000))


def test_the_span_doubles_with_each_failure_and_ends_at_the_longest() -> None:
    for failures, span in ((1, 1), (2, 2), (3, 4), (8, 128), (13, 3600), (10**9, 3600)):
        assert 0.9 * span < longest_seen(failures).total_seconds() <= span


def test_a_pause_is_drawn_from_the_whole_span() -> None:
    pauses = [backoff(5, 1.0, 100.0) for _ in range(2000)]
    assert all(0 <= pause <= 16 for pause in pauses)
    assert min(pauses) < 1
    assert max(pauses) > 15


def test_the_first_pause_is_no_longer_than_the_longest() -> None:
    assert all(backoff(1, 30.0, 5.0) <= 5 for _ in range(100))
