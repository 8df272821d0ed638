"""Calls, recordings and deliveries from a shell."""

import asyncio
import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from recordings import Storage
from router.store.engine import SqlStore
from tests.support.command_line import ringtrace
from tests.support.web_calls import a_call, a_recording, furnish
from tests.support.web_world import SOUND, World, site_things

FIRST, HOSTILE, MISSED = (f"pbx-1768912345.{n}" for n in (1, 2, 3))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with calls of every kind, one of them recorded."""
    path = tmp_path / "home"
    path.mkdir()
    shutil.copy(sqlite_template, path / "ringtrace.db")
    monkeypatch.setenv("RINGTRACE_HOME", str(path))
    asyncio.run(_furnish(path))
    sound = tmp_path / "sound"
    sound.write_bytes(SOUND)
    recording = a_recording(a_call("1", datetime.now(UTC)))
    Storage.open(path / "recordings").put(
        str(recording.key),
        sound,
        sha256=hashlib.sha256(SOUND).hexdigest(),
        content_type="audio/mpeg",
    )
    return path


async def _furnish(home: Path) -> None:
    store = SqlStore(f"sqlite+aiosqlite:///{home / 'ringtrace.db'}")
    async with store.write() as session:
        await session.add(*site_things(datetime.now(UTC)))
    await furnish(
        cast(World, SimpleNamespace(store=store, clock=SimpleNamespace(now=datetime.now(UTC))))
    )
    await store.close()


def _ids(*arguments: str) -> list[str]:
    return [
        line["call"]["id"] for line in ringtrace("call", "list", "--json", *arguments).json["calls"]
    ]


def test_calls_are_found_by_what_is_known_of_them() -> None:
    assert len(_ids()) == 8
    assert _ids("--ending", "busy") == ["pbx-1768912345.7"]
    assert _ids("--tag", "missed", "--caller", "+49 1511 2345678") == [MISSED]
    assert len(_ids("--since", "1h", "--number", "8 495 123-45-60")) == 2
    assert _ids("--until", "2020-01-01") == []


def test_the_cursor_goes_on_where_the_list_ended() -> None:
    first = ringtrace("call", "list", "--limit", "5", "--json").json
    rest = _ids("--limit", "5", "--cursor", first["next_cursor"])
    assert [line["call"]["id"] for line in first["calls"]] + rest == _ids()


@pytest.mark.parametrize("width", ["80", "120", "200"])
def test_a_call_is_in_one_line_with_its_id_whole(
    width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    lines = ringtrace("call", "list").out.splitlines()
    assert all(len(line) <= int(width) for line in lines if line.isascii())
    assert sum("pbx-1768912345." in line for line in lines) == 8


def test_a_call_is_shown_whole_and_what_its_caller_wrote_is_harmless() -> None:
    shown = ringtrace("call", "show", FIRST).out
    for fact in (
        "+7 916 123-45-67",
        "1234567890.1768900000",
        "winter-tyres",
        "exact",
        "PJSIP/company-1",
        "done",
    ):
        assert fact in shown
    assert "\u202e" not in ringtrace("call", "show", HOSTILE).out
    assert "no call" in ringtrace("call", "show", "nope", status=1).err
    whole = ringtrace("call", "show", FIRST, "--json").json
    assert (whole["visitor"]["id"], "peaks" in whole["recording"]) == ("visitor-1", False)


def test_an_export_writes_the_sound_and_its_facts_and_can_be_repeated(tmp_path: Path) -> None:
    to = tmp_path / "out"
    ringtrace("recording", "export", "--all", "--to", str(to))
    assert {path.name for path in to.iterdir()} == {f"{FIRST}.mp3", f"{FIRST}.json"}
    assert (to / f"{FIRST}.mp3").read_bytes() == SOUND
    facts: dict[str, Any] = json.loads((to / f"{FIRST}.json").read_text())
    assert facts["recording"]["sha256"] == hashlib.sha256(SOUND).hexdigest()
    (to / f"{FIRST}.mp3").write_bytes(b"mine")
    again = ringtrace("recording", "export", FIRST, "--to", str(to), "--json").json
    assert (again["written"], len(again["kept"])) == ([], 2)
    assert (to / f"{FIRST}.mp3").read_bytes() == b"mine"
    ringtrace("recording", "export", FIRST, "--to", str(to), "--force")
    assert (to / f"{FIRST}.mp3").read_bytes() == SOUND


def test_what_cannot_be_exported_is_named_and_leaves_no_file(home: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    (home / "recordings/2026/01/20/a.mp3").write_bytes(SOUND[:-1] + b"x")
    said = ringtrace(
        "recording", "export", FIRST, MISSED, "nope", "--to", str(to), "--json", status=1
    ).json
    reasons = {failure["call"]: failure["reason"] for failure in said["failed"]}
    assert "SHA-256" in reasons[FIRST]
    assert "discarded" in reasons[MISSED]
    assert "no call" in reasons["nope"]
    assert list(to.iterdir()) == []


def test_an_export_must_say_what_it_wants(tmp_path: Path) -> None:
    ringtrace("recording", "export", "--to", str(tmp_path), status=2)
    ringtrace("recording", "export", FIRST, "--all", "--to", str(tmp_path), status=2)


def test_deliveries_that_were_given_up_are_listed_and_sent_again() -> None:
    assert [d["id"] for d in ringtrace("delivery", "list", "--state", "failed", "--json").json] == [
        "d2"
    ]
    assert ringtrace("delivery", "resend", "--failed", "--json").json == {"resent": 1}
    assert ringtrace("delivery", "list", "--state", "failed", "--json").json == []
    assert ringtrace("delivery", "show", "d2", "--json").json["state"] == "pending"
    assert ringtrace("delivery", "dismiss", "d2", "--json").json["state"] == "dismissed"
    assert "it cannot be dismissed" in ringtrace("delivery", "dismiss", "d1", status=1).err
    ringtrace("delivery", "resend", "d1")
    assert "no delivery" in ringtrace("delivery", "resend", "nope", status=1).err
    ringtrace("delivery", "resend", status=2)


def test_the_course_of_a_call_and_the_outcomes_of_its_transfers_are_shown() -> None:
    # whatever the width
    shown = " ".join(ringtrace("call", "show", "pbx-1768912345.8").out.split())
    assert _ids("--ending", "lost_in_transfer") == ["pbx-1768912345.8"]
    for fact in (
        "lost in transfer",
        "in transfer",
        "last to talk",
        "answered by second after 0:00",
    ):
        assert fact in shown
    assert "blind to 205" in shown
    assert "abandoned ringing after 0:31" in shown
