"""Whose certificates are trusted and through which proxy, for CRMs, analytics and webhooks
alike.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from router.cli.doctor.finding import Case, Level
from router.cli.doctor.network import other_systems
from router.config import Settings, load_settings
from router.domain.delivery.delivery import Delivery, DeliveryKind, new_delivery
from router.errors import ConfigurationError
from router.receivers.http import NO_RIGHT, HttpClient
from router.receivers.network import Network, network_of
from router.receivers.registry import Accounts
from router.receivers.webhook import WebhookSender
from router.secrets import keep_token
from router.service.delivery.outcomes import ReceiverUnavailable
from router.store.engine import SqlStore
from tests.support.authority import DAY, Authority, served
from tests.support.builders import NOON, Clock, webhook
from tests.support.crm_calls import connection
from tests.support.receiver import Receiver, receiver


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


def a_delivery() -> Delivery:
    return new_delivery(webhook(), DeliveryKind.CALL_ENDED, "c", {"call": {}}, id="d1", now=NOON)


async def refused(client: HttpClient) -> str:
    with pytest.raises(ReceiverUnavailable) as caught:
        await client.ask("GET", "x")
    await client.close()
    assert caught.value.pause == NO_RIGHT
    return caught.value.message


# Certificates


async def test_a_server_behind_the_companys_own_authority_is_reached_with_its_file(
    authority: Authority,
) -> None:
    network = Network(ca_file=str(authority.file))
    async with served(authority.server()) as server:
        client = HttpClient(f"https://127.0.0.1:{server.port}", {}, network=network)
        assert (await client.ask("GET", "x")).status == 200
        await client.close()


async def test_without_the_file_it_is_refused_and_what_to_do_is_said(authority: Authority) -> None:
    async with served(authority.server()) as server:
        said = await refused(HttpClient(f"https://127.0.0.1:{server.port}", {}))
    assert "its certificate is not trusted" in said
    assert "RINGTRACE_CA_FILE" in said
    assert server.requests == []


async def test_what_the_system_trusts_is_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with served(authority.server()) as server:
        client = HttpClient(f"https://127.0.0.1:{server.port}", {})
        assert (await client.ask("GET", "x")).status == 200
        await client.close()


async def test_a_certificate_that_is_past_or_anothers_is_refused_in_other_words(
    authority: Authority,
) -> None:
    network = Network(ca_file=str(authority.file))
    for context, words in (
        (authority.server(lasts=-DAY), "has expired: renew it there"),
        (authority.server("crm.example"), "is for another name"),
    ):
        async with served(context) as server:
            address = f"https://127.0.0.1:{server.port}"
            assert words in await refused(HttpClient(address, {}, network=network))


async def test_webhooks_and_accounts_trust_alike(
    authority: Authority, store: SqlStore, tmp_path: Path
) -> None:
    keep_token(tmp_path, "ga4", {"api_secret": "s"})
    network = Network(ca_file=str(authority.file))
    async with served(authority.server()) as server:
        server.says("200 OK", b'{"validationMessages": []}')
        url = f"https://127.0.0.1:{server.port}"
        sender = WebhookSender("key", network=network)
        assert str(await sender.post(a_delivery(), webhook(url=url))) == "200"
        await sender.close()
        accounts = Accounts(store, tmp_path, Clock(), network)
        account = accounts.open(
            connection("ga4", address=url, options={"measurement_id": "G-AAAA"})
        )
        checks = await account.check()  # type: ignore[union-attr]
        assert all(check.well for check in checks)
        await accounts.close()


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("no certificate", "PEM")])
async def test_a_file_without_certificates_stops_requests_and_not_the_worker(
    content: str | None, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    network = Network(ca_file=str(file))
    sender = WebhookSender("key", network=network)
    with pytest.raises(ReceiverUnavailable, match=said) as caught:
        await sender.post(a_delivery(), webhook(url="https://127.0.0.1:1/"))
    assert "RINGTRACE_CA_FILE" in caught.value.message
    await sender.close()


# The proxy


async def test_requests_go_through_the_proxy_with_its_password(proxy: Receiver) -> None:
    network = Network(proxy=f"http://us:pa55word@127.0.0.1:{proxy.port}")
    client = HttpClient("http://crm.example/api", {}, network=network)
    assert (await client.ask("GET", "x")).inner
    await client.close()
    (request,) = proxy.requests
    assert request.line == "GET http://crm.example/api/x HTTP/1.1"
    assert request.headers["proxy-authorization"] == "Basic dXM6cGE1NXdvcmQ="
    assert "pa55word" not in repr(network)


async def test_a_webhook_whose_name_only_the_proxy_knows_is_posted(proxy: Receiver) -> None:
    sender = WebhookSender("key", network=Network(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert str(await sender.post(a_delivery(), webhook(url="http://crm.invalid/hook"))) == "200"
    await sender.close()
    assert proxy.requests[0].line == "POST http://crm.invalid/hook HTTP/1.1"


@pytest.mark.parametrize("direct", ["127.0.0.1", "localhost"])
async def test_some_hosts_are_reached_without_the_proxy(direct: str, proxy: Receiver) -> None:
    network = Network(proxy="http://127.0.0.1:1", direct=(direct,))
    client = HttpClient(f"http://{direct}:{proxy.port}", {}, network=network)
    assert (await client.ask("GET", "x")).status == 200
    await client.close()


async def test_a_proxy_that_refuses_is_named_without_its_password(proxy: Receiver) -> None:
    proxy.says("407 Proxy Authentication Required")
    network = Network(proxy=f"http://us:pa55word@127.0.0.1:{proxy.port}")
    said = await refused(HttpClient("https://crm.example", {}, network=network))
    assert "RINGTRACE_HTTP_PROXY" in said
    assert "pa55word" not in said


@pytest.mark.parametrize(
    ("host", "proxied"),
    [("crm.lan", False), ("a.crm.lan", False), ("othercrm.lan", True), ("example.com", True)],
)
def test_a_domain_that_is_named_is_reached_directly(host: str, proxied: bool) -> None:
    settings = Settings.model_validate({"http_proxy": "http://p:1", "no_proxy": " .crm.lan , x"})
    assert network_of(settings).proxied(host) is proxied


def test_the_proxys_password_reaches_the_parts_and_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGTRACE_HOME", str(tmp_path))
    monkeypatch.setenv("RINGTRACE_HTTP_PROXY", "http://us:pa55word@proxy:3128")
    settings = load_settings()
    assert settings.environment()["RINGTRACE_HTTP_PROXY"] == "http://us:pa55word@proxy:3128"
    assert "pa55word" not in f"{settings} {settings!r} {settings.model_dump()}"
    monkeypatch.setenv("RINGTRACE_HTTP_PROXY", "us:pa55word@proxy:3128")
    with pytest.raises(ConfigurationError, match="http_proxy") as caught:
        load_settings()
    assert "pa55word" not in caught.value.message


async def test_doctor_looks_at_the_file_and_the_proxy(
    authority: Authority, proxy: Receiver, store: SqlStore, tmp_path: Path
) -> None:
    async def found(**settings: str) -> dict[str, Level]:
        read = Settings.model_validate({"home": tmp_path, **settings})
        findings = await other_systems(Case(settings=read, store=store, secrets=None))
        assert "pa55word" not in str(findings)
        return {finding.name: finding.level for finding in findings}

    working = f"http://us:pa55word@127.0.0.1:{proxy.port}"
    assert await found() == {"other systems": Level.OK}
    assert await found(ca_file=str(authority.file), http_proxy=working) == {
        "certificate file": Level.OK,
        "proxy": Level.OK,
    }
    assert await found(ca_file="/nowhere.pem", http_proxy="http://us:pa55word@127.0.0.1:1") == {
        "certificate file": Level.FAIL,
        "proxy": Level.FAIL,
    }
