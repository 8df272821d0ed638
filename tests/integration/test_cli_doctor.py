"""`ringtrace doctor` before the first start, and beside a console that is a program."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from router import asterisk_setup
from router.asterisk.process import Console
from tests.integration.console_home import CONSOLE
from tests.support.command_line import ringtrace


@pytest.fixture(autouse=True)
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prepared home beside a console."""
    path = tmp_path / "home"
    (path / "asterisk/etc/ringtrace").mkdir(parents=True)
    shutil.copy(sqlite_template, path / "ringtrace.db")
    program = tmp_path / "console"
    program.write_text(CONSOLE)
    program.chmod(0o755)
    monkeypatch.setenv("RINGTRACE_HOME", str(path))
    monkeypatch.setattr(
        asterisk_setup, "console", lambda _: Console(launch=str(program), config=None)
    )
    monkeypatch.setattr("router.asterisk.pjsip.APPEARS_SECONDS", 0.1)
    return path


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that was never prepared, and an old Asterisk."""
    old = tmp_path / "asterisk-19"
    old.write_text("#!/bin/sh\necho Asterisk 19.8.1\n")
    old.chmod(0o755)
    path = tmp_path / "nothing"
    monkeypatch.setenv("RINGTRACE_HOME", str(path))
    _alone(monkeypatch, old)
    return path


def _alone(monkeypatch: pytest.MonkeyPatch, asterisk: Path) -> None:
    """Neither web nor manager interface answers; `asterisk -V` is the program given."""
    values = {
        "ASTERISK": "external",
        "ASTERISK_COMMAND": str(asterisk),
        "WEB_PORT": "1",
        "AMI_PORT": "1",
    }
    home = Path(os.environ["RINGTRACE_HOME"])
    values |= {
        "ASTERISK_ETC_PATH": str(home / "asterisk/etc"),
        "CEL_LOG_PATH": str(home / "asterisk/log/cel-custom/cel.csv"),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"RINGTRACE_{name}", value)


def test_doctor_finds_everything_missing_before_the_first_start_and_makes_nothing(
    nothing: Path,
) -> None:
    findings = {f["name"]: f for f in ringtrace("doctor", "--json", status=1).json}
    for name in (
        "home",
        "secrets",
        "database",
        "Asterisk",
        "spool",
        "storage",
        "pages",
        "manager interface",
    ):
        assert findings[name]["level"] == "fail", name
        assert findings[name]["fix"], name
    assert "19.8.1" in findings["Asterisk"]["found"]
    assert not nothing.exists()


@pytest.fixture
def prepared(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose Asterisk, of this day, is stopped."""
    new = home.parent / "asterisk-22"
    new.write_text("#!/bin/sh\necho Asterisk 22.10.1\n")
    new.chmod(0o755)
    (home.parent / "stopped").touch()
    (home / "spool").mkdir()
    (home / "asterisk/log/cel-custom").mkdir(parents=True)
    home.chmod(0o700)
    _alone(monkeypatch, new)
    return home


def _doctor() -> dict[str, str]:
    return {f["name"]: f["level"] for f in ringtrace("doctor", "--json", status=1).json}


def test_doctor_sees_what_is_well(prepared: Path) -> None:
    levels = _doctor()
    for name in (
        "home",
        "database",
        "database mode",
        "Asterisk",
        "CEL log",
        "spool",
        "storage",
        "ffmpeg",
    ):
        assert levels[name] == "ok", name
    assert levels["Asterisk runs"] == "fail"
    assert "modules" not in levels  # of an Asterisk that does not answer nothing is said


def test_doctor_sees_what_needs_a_person(prepared: Path) -> None:
    ringtrace("webhook", "show", "x", "--secret", status=1)
    secrets = prepared / "secrets.json"
    secrets.write_text("{}")
    secrets.chmod(0o644)
    forgotten = prepared / "spool/rt1-1.1-caller.sln"
    forgotten.touch()
    os.utime(forgotten, (0, 0))
    (prepared / "asterisk/log/cel-custom/cel.csv").write_bytes(b"x" * 500_000)
    ringtrace("site", "add", "shop")
    ringtrace("number", "add", "84951234560", "--site", "shop")
    with sqlite3.connect(prepared / "ringtrace.db") as database:
        database.execute("INSERT INTO rejected_row VALUES ('f', 0, 'x', 'not CSV', 0)")
    levels = _doctor()
    assert levels["secrets"] == "fail"
    for name in ("spool", "CEL log", "CEL rows", "sites", "numbers"):
        assert levels[name] == "warn", name
