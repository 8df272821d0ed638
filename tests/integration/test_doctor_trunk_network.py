"""Doctor names a trunk whose host does not resolve, and one whose certificate does not hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from router.asterisk.trunks import Side, Transport, Trunk, TrunkKind, Trunks
from router.cli.doctor import trunk_network
from router.cli.doctor.finding import Case, Level
from router.cli.doctor.trunk_network import certificates, names
from router.config import Settings
from router.store.engine import SqlStore
from tests.support.authority import Authority, served


def case_of(tmp_path: Path, store: SqlStore, *trunks: Trunk, **settings: object) -> Case:
    """A home with these trunks."""
    chosen = Settings(home=tmp_path / "home", **settings)  # type: ignore[arg-type]
    chosen.ringtrace_etc.mkdir(parents=True)
    for trunk in trunks:
        Trunks(chosen.ringtrace_etc).add(trunk)
    return Case(settings=chosen, store=store, secrets=None)


def ip(name: str = "office", host: str = "127.0.0.1", **options: object) -> Trunk:
    """A trunk that is known by its address."""
    given = {"side": Side.COMPANY, "match": ("127.0.0.1",), **options}
    return Trunk(name=name, kind=TrunkKind.IP, host=host, **given)  # type: ignore[arg-type]


async def test_a_host_and_a_proxy_that_do_not_resolve_are_named(
    tmp_path: Path, store: SqlStore
) -> None:
    lost = ip("lost", "sip.nothing.invalid:5070")
    behind = ip("behind", proxy="proxy.nothing.invalid")
    found = await names(case_of(tmp_path, store, ip(), lost, behind, ip("v6", "[::1]")))
    assert [(finding.name, finding.level) for finding in found] == [
        ("trunk lost", Level.FAIL),
        ("trunk behind", Level.FAIL),
    ]
    assert "'sip.nothing.invalid' does not resolve" in found[0].found
    assert "ringtrace trunk change lost" in found[0].fix


async def test_a_name_of_ipv6_alone_is_named_where_asterisk_has_none(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(_: str) -> frozenset[str]:
        return frozenset({"2001:db8::1"})

    monkeypatch.setattr(trunk_network, "addresses_of", resolve)
    case = case_of(tmp_path, store, ip(host="six.example.com"))
    (found,) = await names(case)
    assert found.level is Level.FAIL
    assert "RINGTRACE_SIP_BIND_V6" in found.fix


@asynccontextmanager
async def trunk_over_tls(authority: Authority, host: str, lasts: timedelta) -> AsyncIterator[Trunk]:
    """A trunk to a server that has a certificate for this host."""
    async with served(authority.server(host, lasts)) as server:
        yield ip(host=f"127.0.0.1:{server.port}", transport=Transport.TLS)


@pytest.mark.parametrize(
    ("host", "days", "level", "words"),
    [
        ("127.0.0.1", 90, Level.OK, "valid for 90 days"),
        ("127.0.0.1", 3, Level.WARN, "ends in 3 days"),
        ("127.0.0.1", -1, Level.FAIL, "has expired"),
        ("sip.other.example", 90, Level.FAIL, "not valid for"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_named(
    tmp_path: Path, store: SqlStore, host: str, days: int, level: Level, words: str
) -> None:
    authority = Authority(tmp_path)
    async with trunk_over_tls(authority, host, timedelta(days=days)) as trunk:
        case = case_of(tmp_path, store, trunk, sip_tls_authorities=str(authority.file))
        (found,) = await certificates(case)
    assert (found.name, found.level) == ("certificate of trunk office", level)
    assert words in found.found


async def test_a_certificate_that_is_not_checked_is_a_warning(
    tmp_path: Path, store: SqlStore
) -> None:
    async with trunk_over_tls(Authority(tmp_path), "127.0.0.1", timedelta(90)) as trunk:
        case = case_of(tmp_path, store, trunk, sip_tls_authorities="")
        (found,) = await certificates(case)
    assert found.level is Level.WARN
    assert "RINGTRACE_SIP_TLS_AUTHORITIES is empty" in found.found


async def test_a_port_without_tls_is_named(tmp_path: Path, store: SqlStore) -> None:
    async def shut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(shut, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        trunk = ip(host=f"127.0.0.1:{port}", transport=Transport.TLS)
        (found,) = await certificates(case_of(tmp_path, store, trunk))
    assert found.level is Level.FAIL
    assert f"127.0.0.1:{port} does not answer over TLS" in found.found


@pytest.mark.parametrize(("days", "level"), [(90, Level.OK), (-1, Level.FAIL)])
async def test_our_own_certificate_is_looked_at(
    tmp_path: Path, store: SqlStore, days: int, level: Level
) -> None:
    authority = Authority(tmp_path)
    async with served(authority.server("127.0.0.1", timedelta(days))) as server:
        (own,) = tmp_path.glob("server-*.pem")
        case = case_of(tmp_path, store, sip_tls_port=server.port, sip_tls_certificate=str(own))
        (found,) = await certificates(case)
    assert (found.name, found.level) == ("certificate of ours", level)
