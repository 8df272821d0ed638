"""The embedded Asterisk's transports besides UDP and TCP over IPv4: IPv6, and TLS if a port is
set.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from router.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """SIP over TLS."""

    port: int
    certificate: str = ""  # PEM files; needed for incoming connections only
    key: str = ""
    authorities: str = ""  # authorities for servers' certificates; empty: not verified


def transport_sections(bind: str, bind_v6: str, port: int, tls: Tls | None) -> str:
    """The sections of pjsip.conf. Raises `ConfigurationError` for a file that is not there."""
    lines: list[str] = []
    if bind_v6:
        for protocol in ("udp", "tcp"):
            lines += _section(f"transport-{protocol}-v6", protocol, f"[{bind_v6}]:{port}")
    if tls:
        _check_files(tls)
        lines += (*_section("transport-tls", "tls", f"{bind}:{tls.port}"), *_tls_options(tls))
    if tls and bind_v6:
        lines += (
            *_section("transport-tls-v6", "tls", f"[{bind_v6}]:{tls.port}"),
            *_tls_options(tls),
        )
    return "\n".join(lines)


def _check_files(tls: Tls) -> None:
    named = {"CERTIFICATE": tls.certificate, "KEY": tls.key, "AUTHORITIES": tls.authorities}
    for name, path in named.items():
        if path and not Path(path).is_file():
            raise ConfigurationError(f"RINGTRACE_SIP_TLS_{name}: the file {path} does not exist")


def _section(name: str, protocol: str, bind: str) -> Iterable[str]:
    return (f"[{name}]", "type = transport", f"protocol = {protocol}", f"bind = {bind}")


def _tls_options(tls: Tls) -> Iterable[str]:
    yield "method = tlsv1_2"
    if tls.certificate:
        yield f"cert_file = {tls.certificate}"
        yield f"priv_key_file = {tls.key or tls.certificate}"
    if tls.authorities:
        yield f"ca_list_file = {tls.authorities}"
        yield "verify_server = yes"
