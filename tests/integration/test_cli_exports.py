"""`ringtrace call export`: files of calls and recordings."""

import asyncio
import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from router.store.engine import SqlStore
from router.store.migrate import migrate
from tests.support.builders import NOON
from tests.support.command_line import ringtrace
from tests.support.web_calls import a_call, a_recording
from tests.support.web_world import SOUND


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two calls, of which the older one has a recording in the storage."""
    monkeypatch.setenv("RINGTRACE_HOME", str(tmp_path))
    monkeypatch.delenv("RINGTRACE_DATABASE_URL", raising=False)

    async def fill() -> None:
        store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'ringtrace.db'}")
        await migrate(store)
        calls = [a_call(str(n), NOON - timedelta(hours=n)) for n in range(2)]
        async with store.write() as session:
            await session.calls.save(calls)
            await session.recordings.save([a_recording(calls[1])])
            await session.calls.touch(calls[1].id)
        await store.close()

    asyncio.run(fill())
    sound = tmp_path / "recordings" / "2026/01/20/a.mp3"
    sound.parent.mkdir(parents=True)
    sound.write_bytes(SOUND)
    return tmp_path


def test_a_table_is_written_with_the_filters_of_an_address(home: Path, tmp_path: Path) -> None:
    to = tmp_path / "calls.csv"
    options = ("--query", "recorded=yes", "--columns", "id.caller", "--zone", "UTC")
    ran = ringtrace("call", "export", str(to), *options, "--json")
    assert ran.json == {"written": [str(to)]}
    rows = list(csv.reader(io.StringIO(to.read_text("utf-8-sig"))))
    assert rows == [["Call ID", "Caller"], ["pbx-1768912345.1", "'+79161234567 Ivan Petrov"]]


def test_recordings_are_written_in_parts_and_those_that_exist_are_kept(
    home: Path, tmp_path: Path
) -> None:
    to = tmp_path / "sound.zip"
    ran = ringtrace("call", "export", str(to), "--json")
    part = tmp_path / "sound-1.zip"
    assert ran.json == {"written": [str(part)]}
    with zipfile.ZipFile(part) as file:
        assert file.read(file.namelist()[1]) == SOUND
    again = ringtrace("call", "export", str(to), "--json")
    assert again.json == {"written": []}
    assert "Kept" in again.err


def test_another_ending_is_refused(home: Path, tmp_path: Path) -> None:
    ran = ringtrace("call", "export", str(tmp_path / "calls.doc"), status=1)
    assert ".csv, .xlsx or .zip" in ran.err
