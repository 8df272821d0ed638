"""The embedded Asterisk's transports for IPv6 and TLS."""

from pathlib import Path

import pytest

from router.asterisk.transports import Tls, transport_sections
from router.asterisk.trunks import Trunk, TrunkKind, Trunks
from router.errors import ConfigurationError


def test_nothing_is_added_where_nothing_is_set() -> None:
    assert transport_sections("0.0.0.0", "", 5060, None) == ""


def test_ipv6_and_tls_each_have_a_transport(tmp_path: Path) -> None:
    certificate = tmp_path / "our.pem"
    certificate.touch()
    lines = transport_sections("10.0.0.1", "::", 5060, Tls(port=5061, certificate=str(certificate)))
    binds = [line for line in lines.splitlines() if line.startswith("bind")]
    assert binds == [
        "bind = [::]:5060",
        "bind = [::]:5060",
        "bind = 10.0.0.1:5061",
        "bind = [::]:5061",
    ]
    assert lines.count(f"priv_key_file = {certificate}") == 2
    assert "verify_server" not in lines


def test_a_file_that_does_not_exist_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"RINGTRACE_SIP_TLS_AUTHORITIES.*ca\.pem"):
        transport_sections(
            "10.0.0.1", "", 5060, Tls(port=5061, authorities=str(tmp_path / "ca.pem"))
        )


@pytest.mark.parametrize("srtp", [True, False])
def test_encryption_is_required_where_it_has_to_be(tmp_path: Path, *, srtp: bool) -> None:
    office = {"kind": TrunkKind.IP, "host": "192.0.2.1", "srtp": srtp, "srtp_required": True}
    Trunks(tmp_path).add(Trunk(name="office", **office))  # type: ignore[arg-type]
    assert ",ringtrace-srtp-required)\n" in (tmp_path / "trunks.conf").read_text()
    (trunk,) = Trunks(tmp_path).all()
    assert trunk.srtp_required
