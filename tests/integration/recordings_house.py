"""A spool and a storage of one test's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recordings import (
    Recording,
    SpoolPair,
    Storage,
    store_pair,
)

NAME = "pbx-1768912345.42"

KEY = f"2026/11/22/{NAME}.mp3"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A spool, a scratch directory and a storage of one test's own."""

    spool: Path
    work: Path
    folder: Path

    @property
    def storage(self) -> Storage:
        return Storage.open(self.folder)

    def store(self, pair: SpoolPair, **options: Any) -> Recording:
        return store_pair(
            pair, **{"storage": self.storage, "key": KEY, "work_dir": self.work, **options}
        )

    def is_untouched(self, pair: SpoolPair, files: int = 2) -> bool:
        """Say whether a try left the pair as it was, and nothing anywhere else."""
        elsewhere = [
            path for path in (*self.work.rglob("*"), *self.folder.rglob("*")) if path.is_file()
        ]
        return len(pair.files()) == files and not elsewhere
