"""`ringtrace trunk` and `ringtrace doctor` against a console that is a program of its own."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from router import asterisk_setup
from router.asterisk.process import Console
from tests.support.command_line import ringtrace

# A console that knows the trunks of trunks.conf after a reload, but for those called "refused".
CONSOLE = """#!/bin/sh
cd "$(dirname "$0")"
[ ! -e stopped ] || { echo "Unable to connect to remote asterisk"; exit 1; }
case "$2" in
"module reload res_pjsip.so") cp home/asterisk/etc/ringtrace/trunks.conf loaded
    echo "Module 'res_pjsip.so' reloaded successfully." ;;
"pjsip show endpoints") touch loaded
    sed -n 's/^\\[\\([a-z0-9-]*\\)\\](ringtrace-c.*/ Endpoint:  \\1      Unavailable   0 of inf/p' loaded |
        grep -v refused ;;
"pjsip show identifies") sed -n -e 's/^endpoint = \\(.*\\)/ Identify:  x\\/\\1/p' \\
    -e 's/^match = \\(.*\\)/      Match: \\1\\/32/p' loaded ;;
"pjsip show identify "*) name=${2##* }; echo " Identify:  $name/${name%-identify}" ;;
"pjsip show transports") echo "Transport:  transport-udp   udp      0      0  0.0.0.0:5060"
    echo "Transport:  transport-tcp   tcp      0      0  0.0.0.0:5060" ;;
"pjsip show registrations") echo " carrier/sip:127.0.0.1      carrier     Registered   (exp. 285s)" ;;
"pjsip show contacts") echo "  Contact:  carrier/sip:127.0.0.1     16eb0b5878 Avail         1.812" ;;
esac
exit 0
"""  # noqa: E501


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


REGISTRATION = ("--kind", "registration", "--host", "127.0.0.1", "--user", "7495")


def _conf(home: Path) -> str:
    return "".join(
        path.read_text() for path in (home / "asterisk/etc/ringtrace").glob("trunk*.conf")
    )


def test_trunks_are_added_seen_and_removed_one_beside_the_other(home: Path) -> None:
    added = ringtrace(
        "trunk",
        "add",
        "carrier",
        *REGISTRATION,
        "--password-stdin",
        "--json",
        stdin="s3cret-word\n",
    )
    assert added.json["loaded"] is True
    ringtrace("trunk", "add", "company", "--kind", "ip", "--host", "127.0.0.3", "--side", "company")
    listed = ringtrace("trunk", "list", "--json").json
    assert [trunk["name"] for trunk in listed] == ["carrier", "company"]
    assert (listed[0]["registration"], listed[0]["contacts"][0]["state"]) == ("Registered", "Avail")
    assert "registered, reachable in 2 ms" in ringtrace("trunk", "list").out
    ringtrace("trunk", "remove", "carrier")
    assert [trunk["name"] for trunk in ringtrace("trunk", "list", "--json").json] == ["company"]
    assert "s3cret-word" not in _conf(home)


def test_a_trunk_with_the_address_of_another_is_refused_and_both_are_named(home: Path) -> None:
    ringtrace("trunk", "add", "carrier", "--kind", "ip", "--host", "127.0.0.1")
    before = _conf(home)
    same = ("trunk", "add", "same", "--kind", "ip", "--host", "127.0.0.1")
    ran = ringtrace(*same, status=1)
    assert "'same'" in ran.err
    assert "'carrier'" in ran.err
    assert _conf(home) == before
    ringtrace(*same, "--force")
    assert "[same]" in _conf(home)


def test_a_change_of_host_and_password_is_taken_up_or_put_back(home: Path) -> None:
    ringtrace("trunk", "add", "carrier", *REGISTRATION, "--password-stdin", stdin="s3cret-word\n")
    changed = ringtrace(
        "trunk",
        "change",
        "carrier",
        "--host",
        "127.0.0.9",
        "--password-stdin",
        "--json",
        stdin="new-1\n",
    )
    assert (changed.json["host"], changed.json["user"], changed.json["loaded"]) == (
        "127.0.0.9",
        "7495",
        True,
    )
    assert "s3cret-word" not in _conf(home)
    ringtrace("trunk", "change", "carrier", "--proxy", "proxy.example.com")
    assert "outbound_proxy = sip:proxy.example.com" in _conf(home)
    ringtrace("trunk", "change", "carrier", "--proxy", "")
    assert "outbound_proxy" not in _conf(home)
    assert "Nothing to change" in ringtrace("trunk", "change", "carrier", status=1).err
    ringtrace("trunk", "change", "nothing", "--host", "x", status=1)


def test_a_password_is_never_printed_and_comes_from_the_environment_too(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGTRACE_TRUNK_PASSWORD", "s3cret-word")
    ran = [
        ringtrace("trunk", "add", "carrier", *REGISTRATION),
        ringtrace("trunk", "show", "carrier", "--json"),
    ]
    assert "s3cret-word" in _conf(home)
    assert all("s3cret-word" not in r.out + r.err for r in ran)
    secrets = home / "asterisk/etc/ringtrace/trunk-secrets.conf"
    assert secrets.stat().st_mode & 0o077 == 0


def test_a_trunk_that_asterisk_does_not_take_is_taken_out_again(home: Path) -> None:
    ran = ringtrace("trunk", "add", "refused", "--kind", "ip", "--host", "127.0.0.1", status=1)
    assert "the change was undone" in ran.err
    assert "refused" not in _conf(home)


def test_without_asterisk_a_trunk_is_written_for_the_next_start(home: Path) -> None:
    (home.parent / "stopped").touch()
    ran = ringtrace(
        "trunk",
        "add",
        "company",
        "--kind",
        "ip",
        "--host",
        "127.0.0.3",
        "--side",
        "company",
        "--json",
    )
    assert ran.json["loaded"] is False
    assert "next start" in ran.err
    assert "[company]" in _conf(home)


def test_a_trunk_that_a_destination_dials_is_removed_by_force_alone() -> None:
    ringtrace("trunk", "add", "company", "--kind", "ip", "--host", "127.0.0.3", "--side", "company")
    ringtrace("destination", "add", "office", "--step", "PJSIP/204@company")
    assert "office" in ringtrace("trunk", "remove", "company", status=1).err
    ringtrace("trunk", "remove", "company", "--force")


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


def test_a_trunk_over_a_transport_that_asterisk_has_not_is_refused(home: Path) -> None:
    tls = ("trunk", "add", "secure", "--kind", "ip", "--host", "127.0.0.1", "--transport", "tls")
    ran = ringtrace(*tls, status=1)
    assert "RINGTRACE_SIP_TLS_PORT" in ran.err
    assert "secure" not in _conf(home)
    ringtrace("trunk", "add", "stream", "--kind", "ip", "--host", "127.0.0.1", "--transport", "tcp")
    assert "contact = sip:127.0.0.1\\;transport=tcp" in _conf(home)


def test_each_change_of_a_trunk_leaves_one_line_without_its_password() -> None:
    ran = [
        ringtrace(
            "trunk", "add", "carrier", *REGISTRATION, "--password-stdin", stdin="s3cret-word\n"
        ),
        ringtrace(
            "trunk",
            "change",
            "carrier",
            "--host",
            "127.0.0.2",
            "--password-stdin",
            stdin="s3cret-two\n",
        ),
        ringtrace("trunk", "remove", "carrier"),
    ]
    lines = [
        json.loads(line)
        for one in ran
        for line in one.err.splitlines()
        if "configuration_changed" in line
    ]
    assert [(line["action"], line["kind"], line["key"], line["who"]) for line in lines] == [
        ("added", "Trunk", "carrier", "cli"),
        ("changed", "Trunk", "carrier", "cli"),
        ("removed", "Trunk", "carrier", "cli"),
    ]
    assert lines[1]["fields"] == {"host": "127.0.0.1 -> 127.0.0.2", "password": "changed"}
    assert "s3cret" not in str(ran)
