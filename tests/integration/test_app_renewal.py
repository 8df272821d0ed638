"""Apps that no delivery uses: their tokens are renewed once a week, so that the CRM keeps them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import Connection, ReceiverHealth
from router.receivers.app_renewal import UNUSED, renew_unused
from router.secrets import keep_token, load_secrets
from router.store.engine import SqlStore
from tests.contracts.oauth import AMOCRM, OAuthServer
from tests.contracts.serving import served
from tests.support.builders import Clock
from tests.support.crm_calls import connection

HOUR, WEEK = timedelta(hours=1), UNUSED + timedelta(hours=2)


class App:
    """A connection whose app was allowed at the clock's first moment."""

    def __init__(self, store: SqlStore, server: OAuthServer, to: Connection, home: Path) -> None:
        self.store, self.server, self.to, self.home = store, server, to, home
        self.clock = Clock()
        server.issued = 1
        token = {
            "client_id": "an-app",
            "client_secret": "a-secret-of-the-app",
            "redirect_uri": "https://calls.example/oauth/callback",
            "access_token": server.access,
            "refresh_token": server.refresh,
            "expires_at": (self.clock() + HOUR).isoformat(),
        }
        keep_token(home, to.id, token)

    async def look(self, after: timedelta) -> None:
        """The worker looks at this time after the last look."""
        self.clock.now += after
        await renew_unused(self.store, self.home, self.clock)

    def token(self) -> dict[str, str]:
        return load_secrets(self.home).tokens[self.to.id]

    async def health(self) -> ReceiverHealth | None:
        async with self.store.read() as session:
            return await session.peek(ReceiverHealth, self.to.id)


@pytest.fixture
async def app(store: SqlStore, tmp_path: Path) -> AsyncIterator[App]:
    server = OAuthServer(dialect=AMOCRM)
    async with served(server.app) as address:
        to = connection("amocrm", address=address)
        async with store.write() as session:
            await session.add(to)
        yield App(store, server, to, tmp_path)


async def test_an_unused_app_is_renewed_once_a_week(app: App) -> None:
    await app.look(timedelta(days=6))
    assert app.server.issued == 1
    await app.look(WEEK)
    await app.look(HOUR)
    assert app.server.issued == 2
    await app.look(WEEK)
    assert app.server.issued == 3
    assert app.token()["refresh_token"] == app.server.refresh
    assert app.server.faults == []


async def test_a_connection_that_is_switched_off_is_left_alone(app: App) -> None:
    async with app.store.write() as session:
        await session.change_values(Connection, app.to.id, active=False)
    await app.look(WEEK)
    assert app.server.issued == 1


async def test_an_app_that_was_revoked_is_in_the_status_of_its_connection(app: App) -> None:
    app.server.revoked = True
    await app.look(WEEK)
    health = await app.health()
    assert health is not None
    assert health.reason is not None
    assert (health.failures, health.reason.code) == (1, AnswerCode.CONNECT_AGAIN)

    app.server.revoked = False
    await app.look(timedelta(days=1))
    again = await app.health()
    assert again is not None
    assert (again.failures, app.server.issued) == (0, 2)
