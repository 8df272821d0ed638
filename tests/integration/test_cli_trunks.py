"""`ringtrace trunk` beside a console that is a program of its own."""

import json
import shutil
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
        for result in ran
        for line in result.err.splitlines()
        if "configuration_changed" in line
    ]
    assert [(line["action"], line["kind"], line["key"], line["who"]) for line in lines] == [
        ("added", "Trunk", "carrier", "cli"),
        ("changed", "Trunk", "carrier", "cli"),
        ("removed", "Trunk", "carrier", "cli"),
    ]
    assert lines[1]["fields"] == {"host": "127.0.0.1 -> 127.0.0.2", "password": "changed"}
    assert "s3cret" not in str(ran)


def test_a_user_is_given_a_phone_that_is_no_carrier_and_the_right_to_call_back() -> None:
    ringtrace("user", "add", "anna", "--generate")
    ringtrace("trunk", "add", "carrier", "--kind", "ip", "--host", "127.0.0.1")
    ringtrace("trunk", "add", "office", "--kind", "ip", "--host", "127.0.0.3", "--side", "company")
    for phone in ("PJSIP/carrier", "PJSIP/123@carrier", "PJSIP/a&PJSIP/b", "SIP/a", "System/id"):
        ringtrace("user", "phone", "anna", phone, status=1)
    given = ringtrace("user", "phone", "anna", "PJSIP/201@office", "--json").json
    assert given["phone"] == "PJSIP/201@office"
    ringtrace("user", "allow", "anna", "config:write", status=1)
    assert ringtrace("user", "allow", "anna", "calls:call", "--json").json["scopes"] == [
        "calls:call"
    ]
    listed = ringtrace("user", "list").out
    assert "PJSIP/201@office" in listed
    assert "calls:call" in listed
    assert "nothing beyond the role" in ringtrace("user", "allow", "anna").out
