"""Webhooks, tokens and users, set up from a shell on a real database."""

import shutil
from pathlib import Path

import pytest

from router.cli.opening import read_settings, with_store
from router.domain.delivery.delivery import DeliveryKind, new_delivery
from router.secrets import load_secrets
from router.service.ports import Store
from tests.support.builders import NOON, webhook
from tests.support.command_line import ringtrace


@pytest.fixture(autouse=True)
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of an installation that was prepared."""
    path = tmp_path / "home"
    path.mkdir()
    shutil.copy(sqlite_template, path / "ringtrace.db")
    monkeypatch.setenv("RINGTRACE_HOME", str(path))
    return path


def test_a_webhooks_secret_is_shown_on_request_alone() -> None:
    ringtrace("webhook", "add", "crm", "https://crm.example/hook")
    shown, secret = (
        ringtrace("webhook", "show", "crm"),
        ringtrace("webhook", "show", "crm", "--secret", "--json").json,
    )
    assert secret["secret"].startswith("whsec_")
    assert secret["secret"] not in shown.out + ringtrace("webhook", "list", "--json").out
    assert "not an address" in ringtrace("webhook", "add", "b", "ftp://x", status=1).err


def test_a_password_of_a_webhook_is_kept_and_shown_nowhere(tmp_path: Path) -> None:
    refused = ringtrace("webhook", "add", "onec", "https://robot:pa55word@1c.example/hs", status=1)
    assert "can be seen by `ps`" in refused.err
    assert "pa55word" not in refused.err
    given = ("--user", "robot", "--password-stdin")
    ringtrace("webhook", "add", "onec", "https://1c.example/hs", *given, stdin="pa55word\n")
    kept = load_secrets(read_settings().home).tokens["onec"]
    assert kept == {"user": "robot", "password": "pa55word", "server": "https://1c.example:443"}
    for command in (("list",), ("list", "--json"), ("show", "onec"), ("show", "onec", "--json")):
        assert "pa55word" not in ringtrace("webhook", *command).out
    assert "robot" in ringtrace("webhook", "show", "onec").out
    ringtrace("webhook", "change", "onec", "--no-user")
    assert "onec" not in load_secrets(read_settings().home).tokens


def test_a_webhook_for_which_deliveries_wait_is_removed_by_force_alone() -> None:
    ringtrace("webhook", "add", "onec", "https://1c.example/hs")
    waits = new_delivery(webhook("onec"), DeliveryKind.MAIL_RECEIVED, "m", {}, id="d1", now=NOON)

    async def wait(store: Store) -> None:
        async with store.write() as session:
            await session.deliveries.add([waits])

    with_store(wait)
    refused = ringtrace("webhook", "remove", "onec", status=1).err
    assert "would fail: 1" in refused
    assert "--force" in refused
    assert ringtrace("webhook", "list", "--json").json
    removed = ringtrace("webhook", "remove", "onec", "--force", "--json").json
    assert removed == {"removed": ["onec"], "given_up": 1}
    assert ringtrace("webhook", "list", "--json").json == []
    (given_up,) = ringtrace("delivery", "list", "--json").json
    assert given_up["state"] == "failed"
    assert given_up["last_error"]["text"] == "the webhook 'onec' was removed"


def test_a_token_is_shown_once_and_works_until_it_is_revoked() -> None:
    made = ringtrace("token", "create", "crm", "--scope", "calls:read", "--json").json
    assert made["secret"].startswith("rt_")
    listed = ringtrace("token", "list", "--json")
    assert "digest" not in listed.out
    assert made["secret"] not in listed.out
    ringtrace("token", "revoke", made["id"])
    assert ringtrace("token", "list", "--json").json == []
    ringtrace("token", "create", "crm", "--scope", "everything", status=2)


def test_an_account_says_who_its_user_is_in_calls() -> None:
    employee = ("--role", "employee")
    refused = ringtrace("user", "add", "maria", *employee, "--generate", status=1).err
    assert "name the employee" in refused
    ringtrace("user", "add", "root", "--role", "administrator", "--generate")
    ringtrace("user", "add", "maria", *employee, "--employee", "PJSIP/maria", "--generate")
    assert "name the employee" in ringtrace("user", "employee", "maria", status=1).err
    assert "PJSIP/m2" in ringtrace("user", "employee", "maria", "PJSIP/m2").out
    (listed,) = [user for user in ringtrace("user", "list", "--json").json if user["employee"]]
    assert (listed["login"], listed["employee"], listed["role"]) == (
        "maria",
        "PJSIP/m2",
        "employee",
    )
    ringtrace("user", "role", "maria", "supervisor")
    ringtrace("user", "employee", "maria")
    assert not any(user["employee"] for user in ringtrace("user", "list", "--json").json)


def test_one_administrator_always_stays() -> None:
    ringtrace(
        "user",
        "add",
        "anna",
        "--role",
        "administrator",
        "--password-stdin",
        stdin="correct horse battery\n",
    )
    assert "last administrator" in ringtrace("user", "remove", "anna", status=1).err
    assert "last administrator" in ringtrace("user", "role", "anna", "supervisor", status=1).err
    made = ringtrace("user", "add", "boris", "--generate", "--json").json
    assert len(made["password"]) >= 10
    ringtrace("user", "role", "boris", "administrator")
    ringtrace("user", "remove", "anna")
    listed = ringtrace("user", "list", "--json")
    assert [person["login"] for person in listed.json] == ["boris"]
    assert "password" not in listed.out


def test_no_password_is_asked_for_without_a_terminal() -> None:
    assert "--password-stdin" in ringtrace("user", "add", "anna", status=1).err
    assert (
        "at least"
        in ringtrace("user", "add", "anna", "--password-stdin", stdin="short\n", status=1).err
    )
