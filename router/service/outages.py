"""Says once that something went down, and once that it is back."""

import structlog

log = structlog.get_logger()


class Outages:
    """What is down at the moment."""

    def __init__(self) -> None:
        self._down: set[str] = set()

    def fell(self, what: str, reason: str) -> None:
        """`what` does not work now."""
        if what not in self._down:
            self._down.add(what)
            log.error(f"{what}_down", reason=reason)

    def back(self, what: str) -> None:
        """`what` works."""
        if what in self._down:
            self._down.discard(what)
            log.info(f"{what}_back")
