"""How long a busy machine let this process stand still, by which limits of time grow."""

import threading
import time
from types import TracebackType
from typing import Self

STEP = 0.05


class Standstill:
    """`with` it: meanwhile a thread notes by how much it wakes too late."""

    def __init__(self) -> None:
        self.seconds = 0.0  # all together
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._over.wait(STEP):
            now = time.monotonic()
            late = max(0.0, now - before - STEP)
            self.seconds += late
            self.longest = max(self.longest, late)
            before = now
