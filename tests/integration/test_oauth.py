"""OAuth apps: tokens are renewed once, by one process, and stored before they are used."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.connection import Connection
from router.receivers import oauth
from router.receivers.http import NO_RIGHT, HttpClient
from router.receivers.kept_tokens import TokenInFile
from router.receivers.registry import KINDS, login_of
from router.secrets import keep_token, load_secrets
from router.service.clock import utc_now
from router.service.delivery.outcomes import ReceiverUnavailable
from tests.contracts.oauth import (
    AMOCRM,
    BITRIX24,
    CLIENT,
    CODE,
    DIALECTS,
    REDIRECT,
    Dialect,
    OAuthServer,
)
from tests.contracts.serving import served
from tests.support.builders import Clock
from tests.support.crm_calls import connection

APP = {**CLIENT, "redirect_uri": REDIRECT}
PROGRAM = """
import asyncio, sys
from pathlib import Path
from router.receivers.kept_tokens import TokenInFile
from router.receivers.registry import KINDS, login_of
from router.service.clock import utc_now
from tests.support.crm_calls import connection

async def main(home, kind, address, option):
    options = {option: address} if option else {}
    to = connection(kind, address=address, options=options)
    login = login_of(KINDS[kind], to, TokenInFile(Path(home), to.id), utc_now)
    print(await login.current(), flush=True)
    await login.close()

asyncio.run(main(*sys.argv[1:]))
"""


class Account:
    """A connection of one kind whose app the server knows."""

    def __init__(self, server: OAuthServer, address: str, home: Path) -> None:
        self.server, self.address, self.home, self.clock = server, address, home, Clock()
        dialect = server.dialect
        self.kind = KINDS[dialect.kind]
        self.to = connection(dialect.kind, address=address, options=dialect.options(address))
        self.clients: list[HttpClient] = []

    async def allow(self, now: Any = None) -> None:
        """A person has allowed the app; the token is stored."""
        client = HttpClient(self.address, {})
        self.clients.append(client)
        wanted = {"grant_type": "authorization_code", "code": CODE, "redirect_uri": REDIRECT}
        assert self.kind.oauth is not None
        answer = await oauth.ask(self.kind.oauth, self.to, client, APP, wanted)
        token = oauth.issued(answer, self.to, now or self.clock())
        keep_token(self.home, self.to.id, {**APP, **token})

    def client(self) -> HttpClient:
        """As a process has it that has just started."""
        made = HttpClient(self.address, {})
        kept = TokenInFile(self.home, self.to.id)
        made.login = login_of(self.kind, self.to, kept, self.clock)
        self.clients.append(made)
        return made

    async def ask(self, client: HttpClient) -> Any:
        return (await client.ask("POST", "api", json={"given": 1})).body

    def stored(self) -> Mapping[str, str]:
        return load_secrets(self.home).tokens[self.to.id]

    def process(self) -> Any:
        """Another process that needs a token now."""
        option = self.server.dialect.option
        arguments = ("-c", PROGRAM, str(self.home), self.kind.name, self.address, option)
        return asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
        )


@asynccontextmanager
async def account(dialect: Dialect, home: Path) -> AsyncIterator[Account]:
    server = OAuthServer(dialect=dialect)
    async with served(server.app) as address:
        made = Account(server, address, home)
        try:
            yield made
        finally:
            for client in made.clients:
                await client.close()
    assert server.faults == []


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.kind)
async def test_every_kind_of_app_logs_in_and_renews_its_token(
    dialect: Dialect, tmp_path: Path
) -> None:
    async with account(dialect, tmp_path) as crm:
        await crm.allow()
        client = crm.client()
        assert await crm.ask(client) == {"said": "hello …", "given": 1}
        crm.clock.move(3600)
        for _ in range(2):
            assert (await crm.ask(client))["given"] == 1
        assert crm.server.issued == 2
        stored = crm.stored()
        assert (stored["access_token"], stored["refresh_token"]) == (
            crm.server.access,
            crm.server.refresh,
        )
        assert (stored["client_id"], stored.get("renewal_began")) == (CLIENT["client_id"], None)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.kind)
async def test_access_that_a_person_ended_says_connect_again_and_waits(
    dialect: Dialect, tmp_path: Path
) -> None:
    async with account(dialect, tmp_path) as crm:
        await crm.allow()
        crm.server.revoked = True
        crm.clock.move(3600)
        with pytest.raises(ReceiverUnavailable, match=f"connect {crm.to.id} --app") as caught:
            await crm.ask(crm.client())
        assert (caught.value.outcome.code, caught.value.pause) == (
            AnswerCode.CONNECT_AGAIN,
            NO_RIGHT,
        )
        assert CLIENT["client_secret"] not in caught.value.message


async def test_connecting_again_is_noticed_by_a_process_that_runs(tmp_path: Path) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        await crm.allow()
        crm.server.revoked, client = True, crm.client()
        crm.clock.move(3600)
        with pytest.raises(ReceiverUnavailable):
            await crm.ask(client)
        crm.server.revoked, crm.server.issued = False, 0
        await crm.allow()
        assert (await crm.ask(client))["given"] == 1


async def test_a_token_that_the_api_refuses_early_is_renewed_once(tmp_path: Path) -> None:
    async with account(BITRIX24, tmp_path) as crm:
        await crm.allow()
        crm.server.issued += 1  # an access token that the server never gave
        keep_token(tmp_path, crm.to.id, {**crm.stored(), "refresh_token": crm.server.refresh})
        first, second = crm.client(), crm.client()
        assert (await crm.ask(first))["given"] == 1
        assert (await crm.ask(second))["given"] == 1
        assert crm.server.issued == 3
        assert crm.server.used_twice == []


async def test_two_requests_at_once_make_one_renewal(tmp_path: Path) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        await crm.allow()
        crm.clock.move(3600)
        crm.server.slow = 0.2
        one, other = crm.client(), crm.client()
        answers = await asyncio.gather(*(crm.ask(client) for client in (one, one, other, other)))
        assert [answer["given"] for answer in answers] == [1, 1, 1, 1]
        assert (crm.server.issued, crm.server.used_twice) == (2, [])


async def test_two_processes_that_need_a_token_at_once_make_one_renewal(tmp_path: Path) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        await crm.allow(utc_now() - timedelta(hours=2))
        crm.server.slow = 0.5
        processes = [await crm.process() for _ in range(2)]
        said = [(await process.communicate())[0].decode().strip() for process in processes]
        assert said == [crm.server.access] * 2
        assert (crm.server.issued, crm.server.used_twice) == (2, [])


async def test_a_disk_that_takes_nothing_does_not_cost_the_refresh_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        await crm.allow()
        crm.clock.move(3600)
        _break_disk(monkeypatch)
        with pytest.raises(ReceiverUnavailable) as caught:
            await crm.ask(crm.client())
        assert caught.value.outcome.code == SettingCode.SECRETS_UNWRITABLE
        assert crm.server.issued == 1
        monkeypatch.undo()
        assert (await crm.ask(crm.client()))["given"] == 1


async def test_a_disk_that_fills_up_during_a_renewal_gets_the_token_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        await crm.allow()
        crm.clock.move(3600)
        crm.server.before_answer = lambda: _break_disk(monkeypatch)
        client = crm.client()
        assert (await crm.ask(client))["given"] == 1
        monkeypatch.undo()
        assert crm.stored()["refresh_token"] != crm.server.refresh
        assert (await crm.ask(client))["given"] == 1
        assert crm.stored()["refresh_token"] == crm.server.refresh


def _break_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("router.secrets._replace", full)


async def test_a_connection_that_was_removed_meanwhile_stays_removed(tmp_path: Path) -> None:
    async with account(AMOCRM, tmp_path) as crm:
        await crm.allow()
        crm.clock.move(3600)
        crm.server.before_answer = lambda: keep_token(tmp_path, crm.to.id, None)
        await crm.ask(crm.client())
        assert load_secrets(tmp_path).tokens == {}


def test_the_page_to_open_names_app_state_and_rights() -> None:
    kind = KINDS["hubspot"]
    assert kind.oauth is not None
    to: Connection = connection("hubspot", address=kind.address)
    page = oauth.page_to_open(kind.oauth, to, APP, "a-state")
    assert page.startswith("https://app.hubspot.com/oauth/authorize?response_type=code")
    assert "state=a-state" in page
    assert "scope=oauth+crm.objects.contacts.read" in page
    assert CLIENT["client_secret"] not in page
