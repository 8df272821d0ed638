"""The one place where everything meets: opens, wires, runs, and closes in reverse."""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
import uvloop

import recordings
from router.asterisk.answers import Answers, last_beat
from router.asterisk.cel_ingest import CelIngest
from router.asterisk.cel_log import CelLog
from router.asterisk.ingest_report import IngestReport
from router.asterisk.log import bound_log
from router.asterisk.pjsip import Pjsip
from router.asterisk.process import living_channels
from router.asterisk.recording_guard import RecordingGuard
from router.asterisk.route_responder import RouteResponder
from router.asterisk.spool_growth import SpoolGrowth
from router.asterisk.trunk_dns import Names
from router.asterisk_setup import (
    call_back_starter,
    console,
    count_refused,
    endpoints_down,
    open_ami,
    prepare_asterisk,
)
from router.config import Settings
from router.domain.access import Person, Role
from router.domain.calls.transcript import Engine
from router.errors import DatabaseUnavailable
from router.imap import ImapClient
from router.live_sound import SpoolListener
from router.receivers.app_renewal import keep_apps
from router.receivers.network import Network, network_of
from router.receivers.registry import RECEIVER_KINDS, Accounts
from router.receivers.speech_to_text import HttpSpeech
from router.receivers.webhook import WebhookSender
from router.recorder import SpoolRecorder, StorageReader
from router.recording_links import recording_links
from router.secrets import Secrets, keep_login, load_secrets
from router.service.admin.access import add_person
from router.service.admin.retention import keep_for
from router.service.calls.ingest import CallIngest
from router.service.calls.routing import Routes
from router.service.calls.training import Trainer
from router.service.calls.transcription import Transcription
from router.service.calls.transcription_ports import Engines
from router.service.clock import utc_now
from router.service.delivery.senders import Senders
from router.service.mail import MailboxPoller
from router.service.outages import keep_running
from router.service.visitors.pool_planning import watch_pools
from router.service.worker import Worker
from router.speech.local import LocalSpeech
from router.speech.sides import StoredSides
from router.store.copying import ADVICE, left_behind
from router.store.engine import SqlStore
from router.store.migrate import check_tables, migrate
from router.store.reading import READ_SECONDS

log = structlog.get_logger()

FIRST_LOGIN = "admin"
# niceness: Asterisk, the route responder and the pages go first, and the rest never starves
GIVE_WAY = 10

now = utc_now


def open_storage(settings: Settings) -> recordings.Storage:
    """The storage of the settings; S3 credentials come from the usual AWS variables."""
    if settings.storage_url:
        options = {"region": settings.storage_region}
    else:
        options = {}

    if settings.storage_endpoint:
        options["endpoint"] = settings.storage_endpoint
    return recordings.Storage.open(settings.storage, options or None)


@asynccontextmanager
async def open_store(
    settings: Settings, *, read_seconds: float | None = None
) -> AsyncIterator[SqlStore]:
    """The store, closed at the end."""
    store = SqlStore(settings.database, receiver_kinds=RECEIVER_KINDS, read_seconds=read_seconds)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_store_of_a_part(
    settings: Settings, *, read_seconds: float | None = None
) -> AsyncIterator[SqlStore]:
    """The store for a process that stays. Raises `ConfigurationError` when its tables are of
    another version.

    A database that does not answer is waited for later, as when it fails in the middle of the day.
    """
    async with open_store(settings, read_seconds=read_seconds) as store:
        with contextlib.suppress(DatabaseUnavailable):
            await check_tables(store)
            await warn_of_left_behind(settings, store)
        yield store


async def warn_of_left_behind(settings: Settings, store: SqlStore) -> None:
    """Log that the database in use is empty and the home has another one that is not."""
    left = await left_behind(settings.home, store)
    if left is not None:
        log.warning(
            "database_is_empty",
            calls_in_other=left.calls,
            sites_in_other=left.sites,
            other=str(left.file),
            advice=ADVICE,
        )


async def prepare(settings: Settings) -> Secrets:
    """Make what a start needs and does not find: directories, tables, Asterisk's files."""
    settings.home.mkdir(parents=True, exist_ok=True)
    # Asterisk's own user may go through it
    settings.home.chmod(0o700 | settings.home.stat().st_mode & 0o010)
    secrets = load_secrets(settings.home)
    async with open_store(settings) as store:
        await warn_of_left_behind(settings, store)
        await migrate(store)
        async with store.read() as session:
            people = await session.find(Person)
        if not people:
            await add_person(store, FIRST_LOGIN, secrets.first_password, Role.ADMINISTRATOR, now())
    prepare_asterisk(settings, secrets)
    return secrets


async def run_route_responder(settings: Settings) -> None:
    """Answers Asterisk's route requests until stopped."""
    async with open_store_of_a_part(settings) as store:
        ami = open_ami(settings, load_secrets(settings.home))
        answers = Answers(settings.answers)
        guard = RecordingGuard(
            answers, settings.spool, settings.spool_free_mb, lambda: console(settings)
        )
        await RouteResponder(
            ami=ami,
            answers=answers,
            routes=Routes(store),
            fallback=settings.fallback,
            guard=guard,
            growth=SpoolGrowth(settings.spool, now),
            clock=now,
        ).run()


async def run_ingest(settings: Settings) -> None:
    """Reads the CEL log into the database until stopped."""
    os.nice(GIVE_WAY)
    async with open_store_of_a_part(settings) as store:
        routes, cel_log = Routes(store), CelLog(settings.cel_log)
        name = settings.system_name
        call_ingest = CallIngest(store, lambda: routes.table, now, settings.region, name)
        ingest = CelIngest(
            ami=open_ami(settings, load_secrets(settings.home)),
            cel_log=cel_log,
            call_ingest=call_ingest,
            routes=routes,
            clock=now,
            channels=lambda: living_channels(console(settings)),
            rotates=settings.asterisk == "embedded",
        )
        beat, down = lambda: last_beat(settings.answers), lambda: endpoints_down(settings)
        report = IngestReport(store, cel_log, call_ingest, name, now, beat, down)
        names = Names(settings.ringtrace_etc, lambda: Pjsip(console(settings)))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keep_running("trunk names", names.watch))
            if settings.asterisk == "embedded":
                messages = settings.asterisk_home / "log/messages"
                tasks.create_task(
                    keep_running("Asterisk's log", lambda: bound_log(messages, console(settings)))
                )
            tasks.create_task(keep_running("refused calls", lambda: count_refused(settings)))
            tasks.create_task(keep_running("calls back", call_back_starter(settings, store).run))
            tasks.create_task(ingest.run(), name="cel_log")
            tasks.create_task(report.run(), name="report")


async def run_worker(settings: Settings) -> None:
    """Stores recordings, reads mailboxes and makes deliveries until stopped."""
    os.nice(GIVE_WAY)
    recorder = SpoolRecorder(
        settings.spool,
        open_storage(settings),
        settings.home / "work",
        recordings.Format(settings.recording_format),
        settings.spool_free_mb,
    )
    async with open_store_of_a_part(settings) as store:
        network = network_of(settings)
        home, secrets = settings.home, partial(load_secrets, settings.home)
        webhooks = WebhookSender(
            secrets().webhook_key, network=network, logins=lambda: secrets().tokens
        )
        accounts = Accounts(store, home, now, network)
        sender = Senders(store, webhooks, accounts, settings.url, now, recording_links(settings))
        try:
            poller = MailboxPoller(
                store,
                ImapClient(),
                lambda site: secrets().mail_passwords.get(site),
                now,
                timedelta(seconds=settings.mail_seconds),
            )
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(keep_running("watch pools", lambda: watch_pools(store, now)))
                tasks.create_task(keep_running("train", Trainer(store, now).run))
                days = settings.visits_days
                tasks.create_task(keep_running("old rows", lambda: keep_for(store, now, days)))
                apps = partial(keep_apps, store, home, now, network)
                tasks.create_task(keep_running("apps", apps))
                tasks.create_task(keep_running("carry log", store.checkpoint_often))
                heard = _transcription(settings, store, network)
                worker = Worker(store, recorder, sender, now, poller, heard)
                tasks.create_task(worker.run(), name="work")
        finally:
            recorder.close()
            await webhooks.close()
            await accounts.close()


def _transcription(settings: Settings, store: SqlStore, network: Network) -> Transcription:
    http = HttpSpeech(network=network, tokens=lambda: load_secrets(settings.home).tokens)
    sides = StoredSides(open_storage(settings), settings.home / "work")
    engines: dict[Engine, Engines] = {Engine.HTTP: http, Engine.LOCAL: LocalSpeech()}
    return Transcription(store=store, engines=engines, sides=sides, clock=now)


async def run_web(settings: Settings) -> None:
    """Serves pages and API until stopped."""
    # half a second that no other command should wait for
    from router.enrichment.opening import open_enrichment
    from router.web.app import create_app, end_streams
    from router.web.deps import Web
    from router.web.server import Server

    async with open_store_of_a_part(settings, read_seconds=READ_SECONDS) as store:
        app = create_app(
            Web(
                store=store,
                listening=StorageReader(open_storage(settings)),
                session_key=load_secrets(settings.home).session_key,
                clock=now,
                enrichment=open_enrichment(settings),
                url=settings.public_url,
                demo=settings.demo,
                accept_login=partial(keep_login, settings.home),
                recording_key=lambda: load_secrets(settings.home).recording_key,
                call_back_rules=settings.call_back_rules(settings.region),
                live=SpoolListener(settings.spool),
            )
        )
        server = Server(app, settings.web_host, settings.web_port)
        try:
            await server.serve()
        except asyncio.CancelledError:
            server.should_exit = True
            end_streams(app)
            await server.shutdown()
            raise


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run until it ends or SIGINT or SIGTERM comes; then cancel it and let it close its things."""

    async def guarded() -> None:
        task = asyncio.create_task(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    # what is imported by now stays: the collector need not stop a call to look at it again
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(guarded())
