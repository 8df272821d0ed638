"""What the use cases of administration need from the store."""

from datetime import datetime
from typing import Any, Protocol


class Configuration(Protocol):
    """What is set up."""

    async def revision(self) -> int: ...
    def note_secret(self, record: Any, name: str) -> None: ...


class Retention(Protocol):
    """Removes old rows."""

    async def remove_old(
        self, name: str, after: str, before: str, most: int, ended_before: datetime
    ) -> tuple[str | None, int]: ...
    async def remove_aged(self, name: str, before: datetime, most: int) -> int: ...
