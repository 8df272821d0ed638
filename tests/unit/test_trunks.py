"""Trunks: what they become in Asterisk's words, and what cannot get into its files."""

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.asterisk.trunks import Cli, DidFrom, Side, Trunk, TrunkKind, Trunks
from router.errors import Conflict, InvalidInput, NotFound


def ip(name: str = "carrier", **fields: Any) -> Trunk:
    return Trunk(**{"name": name, "kind": TrunkKind.IP, "host": "192.0.2.1", **fields})


def registration(name: str = "carrier", **fields: Any) -> Trunk:
    given = {"kind": TrunkKind.REGISTRATION, "host": "sip.example.com:5070", "user": "74950000000"}
    return Trunk(**{"name": name, **given, **fields})


def account(name: str = "company", **fields: Any) -> Trunk:
    return Trunk(**{"name": name, "kind": TrunkKind.ACCOUNT, "side": Side.COMPANY, **fields})


def written(directory: Path) -> list[str]:
    return [line for line in (directory / "trunks.conf").read_text().splitlines() if not line.startswith(";")]


def secrets(directory: Path) -> str:
    return (directory / "trunk-secrets.conf").read_text()


def test_a_trunk_by_address_is_endpoint_address_and_identity(tmp_path: Path) -> None:
    Trunks(tmp_path).add(ip(match=("192.0.2.0/24", "2001:db8::1"), did_from=DidFrom.TO, number="+74950000000"))
    assert written(tmp_path) == [
        "[carrier](ringtrace-carrier,ringtrace-own-cli)",
        "aors = carrier",
        "from_user = +74950000000",
        "set_var = RINGTRACE_DID_FROM=to",
        "[carrier](ringtrace-aor)",
        "contact = sip:192.0.2.1",
        "[carrier-identify]",
        "type = identify",
        "endpoint = carrier",
        "match = 192.0.2.0/24",
        "match = 2001:db8::1",
    ]


def test_a_trunk_by_registration_names_server_user_and_line(tmp_path: Path) -> None:
    Trunks(tmp_path).add(registration(cli=Cli.PASS), "secret")
    lines = written(tmp_path)
    assert lines[0] == "[carrier](ringtrace-carrier,ringtrace-pass-cli)"
    for line in ("server_uri = sip:sip.example.com:5070", "client_uri = sip:74950000000@sip.example.com:5070"):
        assert line in lines
    assert "from_domain = sip.example.com" in lines
    assert not any(line.startswith("from_user") for line in lines)
    # and it may call a DID in place of the contact that we gave it
    assert lines[lines.index("[carrier-identify]") :][:4] == [
        "[carrier-identify]",
        "type = identify",
        "endpoint = carrier",
        "match = sip.example.com",
    ]


def test_an_account_of_the_companys_telephony_registers_here(tmp_path: Path) -> None:
    Trunks(tmp_path).add(account(), "secret")
    assert written(tmp_path) == [
        "[company](ringtrace-company,ringtrace-account)",
        "aors = company",
        "auth = company",
        "[company](ringtrace-account-aor)",
    ]


def test_passwords_stand_apart_in_a_file_for_few_eyes(tmp_path: Path) -> None:
    Trunks(tmp_path).add(account(), "s3cret!")
    assert "s3cret!" not in (tmp_path / "trunks.conf").read_text()
    assert "password = s3cret!" in secrets(tmp_path)
    assert stat.S_IMODE((tmp_path / "trunk-secrets.conf").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("password", "line"), [("a;b", "a\\;b"), ("a\\b", "a\\b"), ("a\\;b", "a\\\\;b"), (";", "\\;"), ("a#b=c>", "a#b=c>")]
)
def test_a_password_is_written_as_asterisk_reads_it(password: str, line: str, tmp_path: Path) -> None:
    """Asterisk takes `\\;` for a semicolon and leaves every other backslash as it is."""
    Trunks(tmp_path).add(account(), password)
    assert f"password = {line}\n" in secrets(tmp_path)


@pytest.mark.parametrize("password", ["", " ", "a b", "a\nsecret=1", "пароль", "x" * 129, "a\0"])
def test_a_password_that_cannot_stand_in_the_file_is_refused_and_nothing_written(password: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="password"):
        Trunks(tmp_path).add(account(), password)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"host": ""},
        {"host": None},
        {"host": "a b"},
        {"host": "x\ntype = endpoint"},
        {"host": "x;y"},
        {"host": "-x"},
        {"host": "x:99999"},
        {"host": "x:0"},
        {"host": "x" * 300},
        {"match": ("nonsense",)},
        {"match": ("192.0.2.1/24",)},
        {"match": ("192.0.2.1\n",)},
        {"number": "1 2"},
        {"number": "a\nb"},
        {"name": "UPPER"},
        {"name": "a]b"},
    ],
)
def test_what_could_change_the_meaning_of_the_file_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ip(**fields)


@pytest.mark.parametrize("user", [None, "", "a b", "a\nb", "a;b", "a@b"])
def test_a_registration_needs_a_user_that_can_stand_in_an_address(user: str | None) -> None:
    with pytest.raises(InvalidInput, match="user"):
        registration(user=user)


def test_an_accounts_user_is_its_name() -> None:
    assert account(user="company").user == "company"
    with pytest.raises(InvalidInput, match="name"):
        account(user="other")


ALL = (ip("one", match=("192.0.2.7",)), registration("two", did_from=DidFrom.PCPID, cli=Cli.PASS), account("three"))


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    for trunk in ALL:
        Trunks(tmp_path).add(trunk, "secret")
    assert Trunks(tmp_path).all() == list(ALL)


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    Trunks(tmp_path).add(ip())
    with pytest.raises(Conflict, match="remove it first"):
        Trunks(tmp_path).add(ip(host="192.0.2.2"))


def test_removing_one_leaves_the_others_and_what_people_wrote(tmp_path: Path) -> None:
    trunks = Trunks(tmp_path)
    for trunk in ALL:
        trunks.add(trunk, f"secret-{trunk.name}")
    file = tmp_path / "trunks.conf"
    file.write_text(file.read_text().replace("; trunk", "; mine\n[mine]\n; trunk", 1))
    trunks.remove("two")
    assert [trunk.name for trunk in trunks.all()] == ["one", "three"]
    assert "[mine]" in file.read_text()
    assert "secret-two" not in secrets(tmp_path)
    assert "secret-three" in secrets(tmp_path)
    with pytest.raises(NotFound):
        trunks.remove("two")


def test_a_block_that_somebody_spoilt_is_named(tmp_path: Path) -> None:
    Trunks(tmp_path).add(ip())
    file = tmp_path / "trunks.conf"
    file.write_text(file.read_text().replace('"ip"', '"pigeon"'))
    with pytest.raises(InvalidInput, match="cannot be read"):
        Trunks(tmp_path).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(host=st.text(max_size=20), number=st.text(max_size=12), password=st.text(max_size=12))
def test_nothing_that_is_accepted_adds_a_line(tmp_path: Path, host: str, number: str, password: str) -> None:
    for file in tmp_path.iterdir():
        file.unlink()
    try:
        trunk = registration(host=host or "h", number=number or None)
        Trunks(tmp_path).add(trunk, password)
    except InvalidInput:
        return
    assert len(written(tmp_path)) == 17
    assert secrets(tmp_path).count("\n") == 6
    assert Trunks(tmp_path).all() == [trunk]
