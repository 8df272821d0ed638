"""A furnished installation for tests of pages and API: a real database, calls of each kind."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from router.domain.access import Role, Scope
from router.domain.calls.call import (
    Call,
    Recording,
)
from router.domain.delivery.delivery import Webhook
from router.domain.visitors.site import Destination, NumberKind, Pool, Site, Step, TrackingNumber
from router.receivers.registry import RECEIVER_KINDS
from router.service.admin.access import add_person, create_token
from router.service.calls.listening import LiveSound
from router.service.calls.ports import (
    Audio,
    Converted,
    DownloadFormat,
    HeardSide,
    RecordingReader,
)
from router.store.engine import SqlStore
from router.store.migrate import migrate
from router.web.app import create_app, end_streams
from router.web.deps import Web

PASSWORD = "correct horse battery"
ORIGIN = "https://shop.example"
SOUND = bytes(range(256)) * 40


@dataclass
class Clock:
    """A clock that moves only when a test moves it."""

    now: datetime = datetime(2026, 1, 20, 11, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class MemoryStorage:
    """A storage of one sound."""

    async def open(self, recording: Recording, start: int = 0, length: int | None = None) -> Audio:
        part = SOUND[start : None if length is None else start + length]

        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, len(part), 1000):
                yield part[at : at + 1000]

        return Audio(
            content_type="audio/mpeg",
            total=len(SOUND),
            start=start,
            length=len(part),
            chunks=chunks(),
        )

    async def convert(
        self, recording: Recording, to: DownloadFormat, side: HeardSide | None
    ) -> Converted:
        """The sound as it is, whatever it shall be converted to."""
        audio = await self.open(recording)
        return Converted(content_type=f"audio/{to}", length=audio.length, chunks=audio.chunks)


@dataclass(kw_only=True)
class World:
    """An installation with its application."""

    store: SqlStore
    app: FastAPI
    clock: Clock
    tokens: dict[Scope, str]

    def browser(
        self, *, host: str = "https://ringtrace.test", address: str = "127.0.0.1", **headers: str
    ) -> httpx.AsyncClient:
        """A client without credentials that follows no redirects."""
        transport = httpx.ASGITransport(
            app=self.app, raise_app_exceptions=False, client=(address, 50_000)
        )
        return httpx.AsyncClient(transport=transport, base_url=host, headers=headers)

    def program(self, scope: Scope) -> httpx.AsyncClient:
        """A client with a token of this scope."""
        return self.browser(Authorization=f"Bearer {self.tokens[scope]}")

    async def person(self, login: str) -> httpx.AsyncClient:
        """A browser of someone who has logged in."""
        client = self.browser(Origin="https://ringtrace.test")
        answer = await client.post("/login", data={"login": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client

    async def save(self, *calls: Call) -> None:
        """Write calls as the ledger does."""
        async with self.store.write() as session:
            await session.calls.save(calls)


@asynccontextmanager
async def a_world(
    home: Path,
    *,
    clock: Clock | None = None,
    listening: RecordingReader | None = None,
    live: LiveSound | None = None,
) -> AsyncIterator[World]:
    """An installation with people, tokens and a site, and no calls yet."""
    database, tokens = await _template(home)
    (home / "ringtrace.db").write_bytes(database)
    url = f"sqlite+aiosqlite:///{home / 'ringtrace.db'}"
    store, clock = SqlStore(url, receiver_kinds=RECEIVER_KINDS), clock or Clock()
    web = Web(
        store=store,
        listening=listening or MemoryStorage(),
        session_key="k" * 43,
        clock=clock,
        monotonic=lambda: clock.now.timestamp(),
        live=live,
    )
    try:
        yield World(store=store, app=create_app(web), clock=clock, tokens=tokens)
    finally:
        await store.close()


_made: list[tuple[bytes, dict[Scope, str]]] = []


async def _template(home: Path) -> tuple[bytes, dict[Scope, str]]:
    """The database every world begins with, made once: migrations and password hashes take their
    time.
    """
    if not _made:
        store, now = SqlStore(f"sqlite+aiosqlite:///{home / 'template.db'}"), Clock().now
        await migrate(store)
        await add_person(store, "anna", PASSWORD, Role.SUPERVISOR, now)
        await add_person(store, "root", PASSWORD, Role.ADMINISTRATOR, now)
        tokens = {
            scope: (await create_token(store, str(scope), [scope], now)).secret for scope in Scope
        }
        async with store.write() as session:
            await session.add(*site_things(now))
        await store.close()
        _made.append(((home / "template.db").read_bytes(), tokens))
    return _made[0]


def site_things(now: datetime) -> list[object]:
    """A site with a company line, a pool of two numbers and a number on a billboard."""
    office = Destination(
        id="office", name="Office", steps=(Step(dial="PJSIP/company"),), created_at=now
    )
    shop = Site(id="shop", name="Shop", origins=(ORIGIN,), destination_id="office", created_at=now)
    pool = Pool(id="visitors", site_id="shop", name="Visitors", created_at=now)
    dynamic = [
        TrackingNumber(
            e164=f"+7495123456{last}", site_id="shop", kind=NumberKind.DYNAMIC, pool_id="visitors",
            free_at=now - timedelta(days=2), created_at=now - timedelta(days=60),
        )
        for last in (0, 1)
    ]  # fmt: skip
    billboard = TrackingNumber(
        e164="+74951234599", site_id="shop", kind=NumberKind.STATIC, channel="billboard",
        free_at=now, created_at=now,
    )  # fmt: skip
    webhook = Webhook(id="crm", url="https://crm.example/hooks/ringtrace", created_at=now)
    return [office, shop, pool, *dynamic, billboard, webhook]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application on a free port of this machine; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        end_streams(app)
        server.should_exit = True
        await task
