"""The demo's invented month for the pictures of the desk, with two calls that go on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import recordings
from router.asterisk.process import find_installation
from router.demo.month.cast import EMPLOYEES, SITES
from router.demo.month.fill import Filling, fill_month
from router.demo.month.rows import CallRows
from router.demo.month.terms import DESTINATION
from router.domain.calls.call import Call
from router.domain.calls.comment import Comment
from router.domain.calls.scoring import Dispute
from router.domain.delivery.delivery import Webhook
from router.enrichment.browsers import read_browser
from router.enrichment.referrers import Referrers
from router.recorder import SpoolRecorder, StorageReader
from router.service.calls.ingest import CallIngest
from router.service.calls.ports import Cursor
from router.service.calls.recording import store_due
from router.service.calls.routing import Routes
from router.service.visitors.ports import VisitEnrichment
from tests.support.month_transcripts import transcribe, transcribing
from tests.support.web_world import Clock, World, a_world, served

NOW = datetime(2026, 1, 20, 13, 30, tzinfo=UTC)  # a Tuesday afternoon in Moscow


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturedMonth:
    """Where its pages are, and which call, sample and score are shown."""

    address: str
    call: str
    sample: str
    score: str  # a disputed one


@asynccontextmanager
async def pictured_month(home: Path) -> AsyncIterator[PicturedMonth]:
    """An installation with the month, up to a fixed moment."""
    storage = recordings.Storage.open(home / "storage")
    listening = StorageReader(storage)
    async with a_world(home, clock=Clock(NOW), listening=listening) as world:
        filling = Filling(
            store=world.store,
            enrichment=VisitEnrichment(referrers=Referrers().find, browsers=read_browser),
            now=NOW,
            speech=find_installation().speech,
            spool=home / "spool",
        )
        async with world.store.write() as session:
            await session.remove(Webhook, "crm")
        await fill_month(filling)
        async with transcribing(world, filling.speech) as transcribes:
            await _record(world, home, storage)
            if transcribes:
                await transcribe(world, storage, home, NOW + timedelta(minutes=5))
        await _go_on(world)
        async with served(world.app) as address:
            yield await _chosen(world, address)


async def _record(world: World, home: Path, storage: recordings.Storage) -> None:
    recorder = SpoolRecorder(home / "spool", storage, home / "work", recordings.Format.MP3)
    later = NOW + timedelta(minutes=5)
    while await store_due(world.store, recorder, lambda: later):
        pass
    recorder.close()


async def _go_on(world: World) -> None:
    """One call rings, two people talk."""
    routes = Routes(world.store)
    await routes.refresh()
    ingest = CallIngest(world.store, lambda: routes.table, world.clock, cel_log="now")
    await ingest.ready()
    for place, seconds in enumerate((9, 74, 260)):
        number = SITES[place % 2].numbers[place]
        call = CallRows(
            place * 10,
            NOW - timedelta(seconds=seconds),
            did=number.lstrip("+"),
            caller=f"+7916555012{place}",
            name=("", "Olga Smirnova", "")[place],
            system="now",
        )
        phone = EMPLOYEES[place]
        call.arrives(number, DESTINATION, "").dials(phone)
        if place:
            call.wait(6).answers(phone)
        await ingest.ingest(call.rows, Cursor(file="now", offset=place))


async def _chosen(world: World, address: str) -> PicturedMonth:
    async with world.store.read() as session:
        comments = [comment for comment in await session.find(Comment) if not comment.private]
        (sample,) = await session.samples.all(1)
        dispute = next(found for found in await session.find(Dispute) if not found.settlement)
        calls = await session.get_many(Call, {comment.call_id for comment in comments})
    longest = max(calls.values(), key=lambda call: call.talk_seconds)
    return PicturedMonth(
        address=address, call=longest.id, sample=sample.sample.id, score=dispute.score_id
    )
