"""Trunks: what they become in Asterisk's words, and what cannot get into its files."""

import re
import stat
from pathlib import Path
from typing import Any

import pytest

from router.asterisk.trunks import Cli, DidFrom, Transport, Trunk, TrunkKind, Trunks
from router.errors import InvalidInput
from tests.unit.trunk_samples import GOOD, account, ip, registration, secrets, written


def test_a_trunk_by_address_is_endpoint_address_and_identity(tmp_path: Path) -> None:
    Trunks(tmp_path).add(
        ip(match=("192.0.2.0/24", "2001:db8::1"), did_from=DidFrom.TO, number="+74950000000")
    )
    assert written(tmp_path) == [
        "[carrier](ringtrace-carrier,ringtrace-own-cli)",
        "aors = carrier,carrier_hint",
        "from_user = +74950000000",
        "set_var = RINGTRACE_DID_FROM=to",
        "[carrier](ringtrace-aor)",
        "contact = sip:192.0.2.1",
        "[carrier_hint](ringtrace-hint)",
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
    for line in (
        "server_uri = sip:sip.example.com:5070",
        "client_uri = sip:74950000000@sip.example.com:5070",
    ):
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
    Trunks(tmp_path).add(account(), GOOD)
    assert written(tmp_path) == [
        "[company](ringtrace-company,ringtrace-account)",
        "aors = company",
        "auth = company",
        "[company](ringtrace-account-aor)",
    ]


def test_passwords_are_apart_in_a_file_for_few_eyes(tmp_path: Path) -> None:
    Trunks(tmp_path).add(account(), "s3cret!-of-the-desk")
    assert "s3cret!-of-the-desk" not in (tmp_path / "trunks.conf").read_text()
    assert "password = s3cret!-of-the-desk" in secrets(tmp_path)
    assert stat.S_IMODE((tmp_path / "trunk-secrets.conf").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("password", "line"),
    [("a;b", "a\\;b"), ("a\\b", "a\\b"), ("a\\;b", "a\\\\;b"), (";", "\\;"), ("a#b=c>", "a#b=c>")],
)
def test_a_password_is_written_as_asterisk_reads_it(
    password: str, line: str, tmp_path: Path
) -> None:
    """Asterisk takes `\\;` for a semicolon and leaves every other backslash as it is."""
    Trunks(tmp_path).add(registration(), password)
    assert f"password = {line}\n" in secrets(tmp_path)


@pytest.mark.parametrize("password", ["", " ", "a b", "a\nsecret=1", "пароль", "x" * 129, "a\0"])
def test_a_password_that_cannot_be_in_the_file_is_refused_and_nothing_written(
    password: str, tmp_path: Path
) -> None:
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
        {"proxy": "x;lr"},
        {"proxy": ""},
        {"proxy": "x\ntype = endpoint"},
        {"proxy": "sip:x"},
        {"from_domain": "x y"},
        {"from_domain": "x;y"},
        {"from_domain": "x\n"},
        {"host": "[::1"},
        {"host": "::1"},
        {"host": "[::1]:0"},
        {"host": "[1:2]"},
        {"host": "[::1%eth0]"},
        {"name": "UPPER"},
        {"name": "a]b"},
    ],
)
def test_what_could_change_the_meaning_of_the_file_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ip(**fields)


@pytest.mark.parametrize("user", [None, "", "a b", "a\nb", "a;b", "a@b"])
def test_a_registration_needs_a_user_that_can_be_in_an_address(user: str | None) -> None:
    with pytest.raises(InvalidInput, match="user"):
        registration(user=user)


@pytest.mark.parametrize("user", ["", "a b", "a\nb", "a;b", "a<b", "x" * 129])
def test_a_user_to_log_in_as_is_one_word(user: str) -> None:
    with pytest.raises(InvalidInput, match="log in"):
        registration(auth_user=user)


def test_a_proxy_a_domain_and_a_user_to_log_in_as_are_written_where_asterisk_reads_them(
    tmp_path: Path,
) -> None:
    given = {
        "proxy": "proxy.example.com:5080",
        "from_domain": "ims.example.com",
        "auth_user": "7495@ims.example.com",
    }
    Trunks(tmp_path).add(registration(**given), GOOD)
    lines = written(tmp_path)
    # calls, both addresses, registration
    assert lines.count("outbound_proxy = sip:proxy.example.com:5080\\;lr") == 4
    assert "from_domain = ims.example.com" in lines
    assert "client_uri = sip:74950000000@ims.example.com" in lines
    assert "username = 7495@ims.example.com" in secrets(tmp_path)


def test_a_trunk_at_an_ipv6_address_is_known_by_it(tmp_path: Path) -> None:
    Trunks(tmp_path).add(ip(host="[2001:db8::1]:5070"))
    lines = written(tmp_path)
    assert "contact = sip:[2001:db8::1]:5070" in lines
    assert "match = 2001:db8::1" in lines
    assert "rtp_ipv6 = yes" in lines


def test_encryption_nat_and_music_of_their_own_are_asked_for(tmp_path: Path) -> None:
    Trunks(tmp_path).add(ip(srtp=True, nat=True, own_music=True))
    assert (
        written(tmp_path)[0]
        == "[carrier](ringtrace-carrier,ringtrace-own-cli,ringtrace-srtp,ringtrace-nat)"
    )
    assert "moh_suggest = none" in written(tmp_path)


@pytest.mark.parametrize("password", ["1234", "elevenchars", "aaaaaaaaaaaaaaaa"])
def test_a_password_that_strangers_would_guess_is_refused_for_an_account_alone(
    password: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="at least 12 characters"):
        Trunks(tmp_path).add(account(), password)
    Trunks(tmp_path).add(registration(), password)  # the carrier chose it


def test_an_accounts_user_is_its_name() -> None:
    assert account(user="company").user == "company"
    with pytest.raises(InvalidInput, match="name"):
        account(user="other")


def test_what_we_send_over_tls_says_so_in_every_address(tmp_path: Path) -> None:
    Trunks(tmp_path).add(registration(transport=Transport.TLS, proxy="proxy.example.com"), GOOD)
    lines = "\n".join(written(tmp_path))
    assert lines.count("sip:proxy.example.com\\;transport=tls\\;lr") == 4
    assert (
        len(re.findall(r"(?:contact|server_uri) = sip:\S+\\;transport=tls$", lines, re.MULTILINE))
        == 3
    )
    assert Trunks(tmp_path).all()[0].transport is Transport.TLS


def test_a_phone_chooses_the_transport_of_its_account() -> None:
    with pytest.raises(InvalidInput, match="phone chooses"):
        Trunk(name="desk", kind=TrunkKind.ACCOUNT, transport=Transport.TCP)
