"""The clock, passed as an argument so that tests can set it."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]  # aware UTC
