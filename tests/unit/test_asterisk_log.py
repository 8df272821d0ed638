"""Asterisk's log stays small whatever strangers send."""

from pathlib import Path

import pytest

from router.asterisk import log
from router.asterisk.process import Console


class Rotating(Console):
    """A console that rotates as Asterisk does: the youngest file is messages.0."""

    async def run(self, command: str) -> str:
        assert command == "logger rotate"
        assert self.config is not None
        numbers = [int(old.suffix[1:]) for old in self.config.parent.glob("messages.[0-9]*")]
        for number in sorted(numbers, reverse=True):
            self.config.with_name(f"messages.{number}").rename(
                self.config.with_name(f"messages.{number + 1}")
            )
        self.config.rename(self.config.with_name("messages.0"))
        return ""


async def test_a_log_that_grows_is_rotated_and_old_files_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST_BYTES", 1000)
    messages, other = tmp_path / "messages", tmp_path / "messages.of-mine"
    other.touch()
    for _ in range(10):
        messages.write_bytes(b"x" * 1001)
        await log.look(messages, Rotating(launch="", config=messages))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(f"messages.{number}" for number in range(log.OLD_FILES)),
        "messages.of-mine",
    ]


async def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "messages").write_bytes(b"x" * 1000)
    await log.look(tmp_path / "messages", Console(launch="/nowhere", config=None))
    assert (tmp_path / "messages").exists()
