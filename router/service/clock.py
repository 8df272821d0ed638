"""What tells the time: an argument everywhere, so that tests can set it."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]  # aware UTC
