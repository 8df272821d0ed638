"""The command `ringtrace mail`."""

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.mail_world import MAIL
from tests.support.command_line import ringtrace
from tests.support.imap_server import PASSWORD, USER, ImapServer

pytest_plugins = ["tests.integration.mail_world"]


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    shutil.copy(sqlite_template, path / "ringtrace.db")
    monkeypatch.setenv("RINGTRACE_HOME", str(path))
    ringtrace("destination", "add", "office", "--step", "PJSIP/company")
    ringtrace("site", "add", "shop", "--destination", "office", "--mail", MAIL)
    return path


def test_an_administrator_connects_a_mailbox_and_its_password_lies_where_no_other_user_reads(
    home: Path, server: ImapServer
) -> None:
    place = (
        "mail",
        "connect",
        "shop",
        "127.0.0.1",
        "--port",
        str(server.port),
        "--security",
        "plain",
        "--user",
        USER,
    )
    refused = ringtrace(*place, "--password-stdin", stdin="wrong\n", status=1)
    assert "check the password" in refused.err
    assert "no mailbox" in ringtrace("mail", "check", "shop", status=1).err
    said = ringtrace(*place, "--password-stdin", stdin=PASSWORD + "\n").out
    assert "0 present messages" in " ".join(said.split())
    secrets = home / "secrets.json"
    assert json.loads(secrets.read_text())["mail_passwords"] == {"shop": PASSWORD}
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in home.iterdir() if "secret" in path.name) == ["secrets.json"]
    assert "Logged in at 127.0.0.1 as info" in ringtrace("mail", "check", "shop").out
    assert PASSWORD not in ringtrace("mail", "check", "shop", "--json").out
    server.stop()
    assert "nothing listens" in ringtrace("mail", "check", "shop", status=1).err
    ringtrace("mail", "disconnect", "shop")
    assert json.loads(secrets.read_text())["mail_passwords"] == {}


@pytest.mark.usefixtures("home")
def test_addresses_of_channels_are_added_listed_and_removed() -> None:
    assert "info+cards@shop.example is now the address of Business cards" in ringtrace(
        "mail", "channel", "add", "shop", "Cards", "Business cards"
    ).out  # fmt: skip
    assert [channel["tag"] for channel in ringtrace("mail", "channel", "list", "--json").json] == [
        "cards"
    ]
    assert "info+cards@shop.example" in ringtrace("mail", "channel", "list").out
    assert "already" in ringtrace("mail", "channel", "add", "shop", "cards", "Others", status=1).err
    ringtrace("mail", "channel", "remove", "shop", "cards")
    assert "No channel" in ringtrace("mail", "channel", "remove", "shop", "cards", status=1).err
    assert ringtrace("mail", "list", "--json").json == []
