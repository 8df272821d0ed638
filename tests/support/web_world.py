"""A furnished installation for tests of pages and API: a real database, calls of each kind."""

import asyncio
import hashlib
import math
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from router.domain.access import Role, Scope
from router.domain.attribution.terms import Verdict
from router.domain.calls.call import (
    Call,
    Disposition,
    Ending,
    Leg,
    Recording,
    RecordingState,
    RoutedBy,
    State,
    Tag,
)
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState, Webhook
from router.domain.delivery.outcome import Outcome
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import Destination, NumberKind, Pool, Site, Step, TrackingNumber
from router.domain.visitors.visit import Visit, Visitor
from router.receivers.registry import RECEIVER_KINDS
from router.service.admin.access import add_person, create_token
from router.service.calls.ports import Audio, RecordingReader
from router.store.engine import SqlStore
from router.store.migrate import migrate
from router.web.app import create_app, end_streams
from router.web.deps import Web
from tests.support.web_transfers import lost_in_transfer

PASSWORD = "correct horse battery"
ORIGIN = "https://shop.example"
SOUND = bytes(range(256)) * 40
HOSTILE = '<script>alert("x")</script>‮evil‬ 😀 ' + "A" * 460


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

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
    home: Path, *, clock: Clock | None = None, listening: RecordingReader | None = None
) -> AsyncIterator[World]:
    """An installation with people, tokens and a site, and no calls yet."""
    database, tokens = await _template(home)
    (home / "ringtrace.db").write_bytes(database)
    url = f"sqlite+aiosqlite:///{home / 'ringtrace.db'}"
    store, clock = SqlStore(url, receiver_kinds=RECEIVER_KINDS), clock or Clock()
    web = Web(
        store=store, listening=listening or MemoryStorage(), session_key="k" * 43, clock=clock
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


def a_call(name: str, at: datetime, **more: object) -> Call:
    """An answered call of two minutes, or what `more` makes of it."""
    answered, ended = at + timedelta(seconds=7), at + timedelta(seconds=131)
    legs = (
        Leg(channel=f"PJSIP/trunk-{name}", role="caller", step=0, started_at=at, answered_at=answered,  # noqa: E501
            ended_at=ended, cause=16),
        Leg(channel=f"PJSIP/company-{name}", role="company", step=1, started_at=at + timedelta(seconds=1),  # noqa: E501
            answered_at=answered, ended_at=ended, cause=16),
    )  # fmt: skip
    call = Call(
        id=f"pbx-1768912345.{name}", did="74951234560", trunk="carrier", number="+74951234560", site_id="shop",  # noqa: E501
        caller="+79161234567", caller_raw="79161234567", caller_name="Ivan Petrov", arrived_at=at,
        answered_at=answered, ended_at=ended, state=State.ENDED, disposition=Disposition.ANSWERED,
        ending=Ending.ANSWERED, wait_seconds=7.0, talk_seconds=124.0, destination_id="office",
        answered_by="company", routed_by=RoutedBy.AGENT, legs=legs, spool_name=f"spool-{name}",
        verdict=Verdict.UNKNOWN,
    )  # fmt: skip
    return replace(call, **more)  # type: ignore[arg-type]


def ringing(name: str, at: datetime, **more: object) -> Call:
    """A call that rings at the company."""
    return a_call(
        name, at, answered_at=None, ended_at=None, state=State.RINGING, disposition=None, ending=None,  # noqa: E501
        wait_seconds=0.0, talk_seconds=0.0, answered_by=None, legs=(), **more,
    )  # fmt: skip


def a_recording(
    call: Call, sound: bytes = SOUND, seconds: float = 124.0, **more: object
) -> Recording:
    """The stored recording of a call."""
    loud = [
        [0.04 + abs(math.sin(i / 9 + s)) * (i // 60 % 2 == s) * 0.9 for i in range(600)]
        for s in (0, 1)
    ]
    recording = Recording(
        call_id=call.id, spool_name=call.spool_name or "", state=RecordingState.STORED,
        expected_seconds=call.talk_seconds, due_at=call.arrived_at, key="2026/01/20/a.mp3",
        content_type="audio/mpeg", bytes=len(sound), sha256=hashlib.sha256(sound).hexdigest(), seconds=seconds,  # noqa: E501
        caller_speech_seconds=seconds * 0.4, caller_silence_seconds=seconds * 0.6,
        company_speech_seconds=seconds * 0.5, company_silence_seconds=seconds * 0.5, talk_over_seconds=3.2,  # noqa: E501
        peaks=tuple(tuple(round(v, 3) for v in side) for side in loud), stored_at=call.ended_at,
    )  # fmt: skip
    return replace(recording, **more)  # type: ignore[arg-type]


def a_delivery(call: Call, name: str, **more: object) -> Delivery:
    """A webhook's delivery that was taken."""
    delivery = Delivery(
        id=name, key=f"call.ended:{call.id}", receiver_id="crm", call_id=call.id, kind=DeliveryKind.CALL_ENDED,  # noqa: E501
        payload={"call": call.id}, state=DeliveryState.DONE, attempts=1, due_at=call.arrived_at,
        deadline_at=call.arrived_at + timedelta(days=3), created_at=call.arrived_at,
        done_at=call.arrived_at + timedelta(minutes=3), receipt=Outcome.text('200 {"lead": 1702}'))  # fmt: skip  # noqa: E501
    return replace(delivery, **more)  # type: ignore[arg-type]


async def furnish(world: World, recording: Recording | None = None) -> dict[str, Call]:
    """One call of every kind, by name; the newest is `attributed`."""
    now = world.clock.now
    at = {name: now - timedelta(minutes=5 + 47 * i) for i, name in enumerate(NAMES)}
    ids = {"visitor_id": "visitor-1", "visit_id": "visit-1", "lease_id": "lease-1"}
    stale = {"visitor_id": "visitor-1", "visit_id": "visit-1", "lease_id": "lease-0"}
    nobody = {
        "answered_at": None,
        "talk_seconds": 0.0,
        "answered_by": None,
        "disposition": Disposition.NO_ANSWER,
    }
    unknown = {"number": None, "did": "74957770000", "site_id": None, "routed_by": RoutedBy.DEFAULT}
    calls = {
        "attributed": a_call("1", at["attributed"], verdict=Verdict.EXACT, **ids),
        "hostile": a_call(
            "2", at["hostile"], caller=None, caller_raw="<b>\"'; DROP", caller_name=HOSTILE
        ),
        "missed": a_call(
            "3",
            at["missed"],
            caller="+4915112345678",
            caller_name="",
            ending=Ending.ABANDONED_RINGING,
            **nobody,
        ),
        "stale": a_call(
            "4",
            at["stale"],
            verdict=Verdict.STALE,
            caller_name="Мария Очень-Длинная-Фамилия",
            **stale,
        ),
        "static": a_call(
            "5", at["static"], number="+74951234599", did="74951234599", verdict=Verdict.STATIC
        ),
        "anonymous": a_call(
            "6", at["anonymous"], caller=None, caller_raw="", caller_name="", **unknown
        ),
        "busy": a_call("7", at["busy"], ending=Ending.BUSY, wait_seconds=1.0, **nobody),
        "transferred": a_call("8", at["transferred"], **lost_in_transfer(at["transferred"])),
    }
    arrived = calls["attributed"].arrived_at
    lease = Lease(
        id="lease-1", number="+74951234560", pool_id="visitors", visitor_id="visitor-1", visit_id="visit-1",  # noqa: E501
        started_at=arrived - timedelta(minutes=4), seen_at=arrived, frozen_at=arrived + timedelta(minutes=5),  # noqa: E501
        ends_at=arrived + timedelta(minutes=30),
    )  # fmt: skip
    over = at["stale"] - timedelta(hours=26)
    before = replace(
        lease,
        id="lease-0",
        started_at=over - timedelta(hours=1),
        seen_at=over,
        frozen_at=over,
        ends_at=over,
    )
    async with world.store.write() as session:
        await session.add(
            Visitor(
                id="visitor-1", site_id="shop", ga_client_id="1234567890.1768900000", ga_session_id="1768912000",  # noqa: E501
                ym_client_id="1768900000123456789", created_at=now - timedelta(days=3),
            ),
            Visit(
                id="visit-1", visitor_id="visitor-1", started_at=arrived - timedelta(minutes=4), source="google",  # noqa: E501
                medium="cpc", campaign="winter-tyres", term="зимние шины <b>", referrer="https://www.google.com/",
                landing="https://shop.example/tyres?gclid=" + "x" * 300, click_ids={"gclid": "Cj0KCQiA-x" * 9},  # noqa: E501
            ),
        )  # fmt: skip
        await session.add(before, lease)
        await session.calls.save(list(reversed(calls.values())))
        await session.recordings.save(
            [
                replace(
                    recording or a_recording(calls["attributed"]), call_id=calls["attributed"].id
                ),
                a_recording(
                    calls["hostile"],
                    state=RecordingState.BROKEN,
                    reason="caller: 13 bytes, not samples",
                ),
                a_recording(calls["missed"], state=RecordingState.DISCARDED),
                a_recording(calls["stale"], state=RecordingState.MISSING),
                a_recording(calls["static"], state=RecordingState.WAITING),
            ]
        )
        refused = Outcome.text("answered 500: " + "Internal Server Error <h1>oops</h1> " * 8)
        await session.add(
            a_delivery(calls["attributed"], "d1"),
            a_delivery(
                calls["attributed"], "d2", key="recording.ready:1", kind=DeliveryKind.RECORDING_READY,  # noqa: E501
                state=DeliveryState.DEAD, attempts=27, done_at=None, receipt=None, last_error=refused,  # noqa: E501
            ),
            a_delivery(
                calls["stale"], "d3", state=DeliveryState.PENDING, attempts=2, done_at=None, receipt=None,  # noqa: E501
                last_error=Outcome.text("connection refused"), due_at=now + timedelta(minutes=1),
            ),
        )  # fmt: skip
        attributed, missed = calls["attributed"].id, calls["missed"].id
        for name in ("new customer", "к повтору", "missed"):
            await session.tags.add(Tag(call_id=attributed, name=name, author="anna", at=now))
        await session.tags.add(Tag(call_id=missed, name="missed", author="rule", at=now))
    return calls


NAMES = ("attributed", "hostile", "missed", "stale", "static", "anonymous", "busy", "transferred")


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
