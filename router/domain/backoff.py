"""Pauses before retries.

The range doubles with each failure, up to a limit, and the pause is drawn from the whole range, so
that clients that failed together do not retry together ("full jitter").
"""

import random
from datetime import timedelta
from typing import TypeVar

Span = TypeVar("Span", float, timedelta)

_MOST_DOUBLINGS = 30


def backoff(failures: int, first: Span, longest: Span) -> Span:
    """A pause after so many failures in a row; below `first` after the first one, never above
    `longest`.
    """
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    span = first
    for _ in range(doublings):
        span = min(span * 2, longest)
    return random.random() * min(span, longest)  # noqa: S311
