"""The demo: one whole call on real parts, from the page to the receipt, with every fact checked.

It runs in a home of its own (`$RINGTRACE_HOME/demo`), so that its phones and numbers do not mix
with the company's.
"""

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Request

from router import bootstrap, supervise
from router.asterisk.answers import last_beat
from router.asterisk.process import find_installation
from router.config import Settings
from router.demo.facts import (
    DELIVERED,
    RECEIVER,
    Fact,
    call_facts,
    delivery_facts,
    like,
    recording_facts,
    seconds_of_speech,
)
from router.demo.month import receivers
from router.demo.month.fill import Filling, fill_month
from router.demo.month.sound import Voices
from router.demo.month.speech_server import SpeechServer
from router.demo.phones import keep_calling, phones
from router.demo.set_up import set_up
from router.demo.visitor import DemoVisitor
from router.demo.waiting import PATIENCE, after, until
from router.domain.calls.call import RecordingState, State
from router.domain.calls.call_filter import CallFilter
from router.domain.delivery.delivery import DeliveryState
from router.errors import ConfigurationError
from router.phone.speech import Samples, read_speech
from router.receivers.webhook import sign, webhook_secret
from router.secrets import Secrets
from router.service.calls.browse import CallView, find_calls, show_call
from router.store.engine import SqlStore
from router.web.server import Server

CALLER_SAYS = ("pbx-invalid", "auth-thankyou")
COMPANY_SAYS = ("hello-world", "vm-intro")
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(slots=True)
class Receiver:
    """The demo's CRM: receives webhooks, checks their signature, creates one entity per key."""

    secret: str = ""
    effects: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def take(self, request: Request) -> dict[str, Any]:
        """Answer like a CRM that has created an entity."""
        body = await request.body()
        message, stamp, signature = (request.headers[name] for name in SIGNED)
        expected = sign(self.secret, message, int(stamp), body)
        if not hmac.compare_digest(expected, signature):
            return {"ok": False}
        body = await request.json()
        self.effects.setdefault(body["key"], body)
        return {"ok": True, "entity": f"deal-{len(self.effects)}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that takes part in the call."""

    settings: Settings
    secrets: Secrets
    store: SqlStore
    receiver: Receiver
    visitor: DemoVisitor


def demo_settings(settings: Settings) -> Settings:
    """The settings with a home of the demo's own, and with Asterisk and SQLite inside it."""
    own = {
        "home": settings.home / "demo",
        "asterisk": "embedded",
        "sip_bind": "127.0.0.1",
        "log_level": "error",
        "demo": True,
    }
    defaults = dict.fromkeys(
        ("database_url", "asterisk_etc_path", "cel_log_path", "spool_path", "storage_url"), ""
    )
    return settings.model_copy(update={**own, **defaults})


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Stage]:
    """Run the whole system, with the demo's phones, numbers, page and CRM, ready for calls."""
    secrets = await bootstrap.prepare(settings)
    receiver, visitor = Receiver(), DemoVisitor(_local(settings))
    speech = SpeechServer.of(find_installation().speech)
    async with bootstrap.open_store(settings) as store, _serving(receiver, visitor, speech) as url:
        visitor.page = url
        await set_up(store, settings, secrets, url, transcribes=speech is not None)
        receiver.secret = webhook_secret(secrets.webhook_key, RECEIVER)
        async with visitor.on_the_way(settings):
            system = asyncio.create_task(supervise.supervise(settings))
            try:
                await _ready(settings, system)
                yield Stage(
                    settings=settings,
                    secrets=secrets,
                    store=store,
                    receiver=receiver,
                    visitor=visitor,
                )
            finally:
                system.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await system


async def play(stage: Stage) -> list[Fact]:
    """A visitor sees a number, dials it and talks with the company; returns the facts."""
    settings, visitor = stage.settings, stage.visitor
    visitor_says, company_says = _speech()
    shown = await visitor.look()
    began = bootstrap.now()
    async with phones(settings, stage.secrets) as (mobile, office):
        outgoing = await mobile.call(
            shown.number.lstrip("+"), caller_number=visitor.phone, caller_name="Visitor"
        )
        incoming = await office.incoming(PATIENCE)
        client_id = incoming.header("X-Google-Client-ID")
        await asyncio.sleep(1.0)
        await incoming.answer()
        await outgoing.answered(PATIENCE)
        await asyncio.gather(
            outgoing.say(visitor_says), after(0.5, lambda: incoming.say(company_says))
        )
        await asyncio.sleep(0.5)
        heard_by_visitor, heard_by_company = outgoing.heard(), incoming.heard()
        await outgoing.hang_up()
    view = await _outcome(stage.store, began)
    audio = await _replay(settings, stage.secrets, view)
    facts = call_facts(view, visitor, shown) + recording_facts(
        view, visitor_says, company_says, len(audio)
    )
    return [
        *facts,
        Fact(
            name="client ID on the company's phone",
            found=client_id,
            right=client_id == visitor.client_id,
        ),
        Fact(
            name="visitor heard, s",
            found=seconds_of_speech(heard_by_visitor),
            right=like(heard_by_visitor, company_says),
        ),
        Fact(
            name="company heard, s",
            found=seconds_of_speech(heard_by_company),
            right=like(heard_by_company, visitor_says),
        ),
        *delivery_facts(view, stage.receiver.effects, visitor),
    ]


async def invent(stage: Stage, progress: Callable[[int, int], None]) -> None:
    """Fill an invented month beside the call; what is there already stays."""
    # half a second that the call should not wait for
    from router.enrichment.opening import open_enrichment

    filling = Filling(
        store=stage.store,
        enrichment=open_enrichment(stage.settings),
        now=bootstrap.now(),
        speech=find_installation().speech,
        spool=stage.settings.spool,
        receivers=stage.visitor.page + receivers.PATH,
        progress=progress,
    )
    await fill_month(filling)


async def go_on(stage: Stage) -> None:
    """Somebody calls now and then, until this is cancelled."""
    speech = find_installation().speech
    assert speech is not None  # the first call was made with it
    await keep_calling(stage.settings, stage.secrets, Voices(speech))


async def _ready(settings: Settings, system: asyncio.Task[None]) -> None:
    """Wait until the agent answers the dialplan and the pages answer."""

    async def beating() -> bool:
        return bootstrap.now().timestamp() - (last_beat(settings.answers) or 0) < 3

    async def answering() -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                return (await client.get(f"{_local(settings)}/healthz")).is_success
            except httpx.HTTPError:
                return False

    for check, name in ((beating, "the agent"), (answering, "the web server")):
        await until(check, f"{name} did not start", system)


async def _outcome(store: SqlStore, began: datetime) -> CallView:
    """The call, once it has ended, its recording is stored and its deliveries are done."""

    async def done() -> CallView | None:
        page = await find_calls(store, CallFilter(since=began, state=State.ENDED), limit=1)
        if not page.lines:
            return None
        view = await show_call(store, page.lines[0].call.id)
        finished = view.recording is not None and view.recording.state is not RecordingState.WAITING
        delivered = [
            d
            for d in view.deliveries
            if d.state is DeliveryState.DONE and d.receiver_id == RECEIVER
        ]
        if finished and len(delivered) == len(DELIVERED):
            return view
        return None

    return await until(done, "the call did not come to its end: no recording or no receipt")


async def _replay(settings: Settings, secrets: Secrets, view: CallView) -> bytes:
    """Fetch the recording as the supervisor's browser does."""
    base = _local(settings)
    async with httpx.AsyncClient(
        base_url=base, trust_env=False, headers={"Origin": base}
    ) as client:
        form = {"login": bootstrap.FIRST_LOGIN, "password": secrets.first_password}
        await client.post("/login", data=form)
        answer = await client.get(f"/api/v1/calls/{view.call.id}/recording")
    if answer.is_success:
        return answer.content
    return b""


@asynccontextmanager
async def _serving(
    receiver: Receiver, visitor: DemoVisitor, speech: SpeechServer | None
) -> AsyncIterator[str]:
    """The company's page, its CRM and its speech to text; their address."""
    app = FastAPI(openapi_url=None)
    app.add_api_route("/ringtrace", receiver.take, methods=["POST"])
    receivers.serve(app)
    visitor.serve(app)
    if speech is not None:
        speech.serve(app)
    server = Server(app, "127.0.0.1", 0)
    task = asyncio.create_task(server.serve())
    try:

        async def started() -> bool:
            return server.started

        await until(started, "the demo's page did not start", task)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def _speech() -> tuple[Samples, Samples]:
    found = find_installation().speech
    if found is None:
        raise ConfigurationError(
            "There is no recorded speech here: install asterisk-core-sounds-en-wav"
        )
    return _read(found, CALLER_SAYS), _read(found, COMPANY_SAYS)


def _read(directory: Path, names: tuple[str, ...]) -> Samples:
    return read_speech(path for name in names if (path := directory / f"{name}.wav").exists())


def _local(settings: Settings) -> str:
    host = settings.web_host
    if host in {"0.0.0.0", "::"}:  # noqa: S104
        host = "127.0.0.1"
    return f"http://{host}:{settings.web_port}"
