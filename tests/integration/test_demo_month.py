"""The demo's invented month: every page shows something of it, and the pages agree."""

import os
import re
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

import recordings
from router.demo.month.cast import SITES, ZONE
from router.demo.month.fill import RECEIVERS, Filling, fill_month
from router.demo.month.terms import Size
from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, Recording, RecordingState
from router.domain.calls.call_filter import Among, CallFilter
from router.domain.calls.missed import MissedCaller
from router.domain.calls.missed_events import MISSED_ENDINGS
from router.domain.calls.transcript import Transcript, TranscriptState
from router.domain.visitors.visit import Visit
from router.phone.speech import RATE
from router.recorder import SpoolRecorder
from router.service.calls.missed_figures import missed_figures
from router.service.calls.recording import store_due
from router.service.visitors.ports import VisitEnrichment
from router.web.rendering import ZONE_COOKIE
from tests.support.month_transcripts import transcribe, transcribing
from tests.support.web_world import Clock, World, a_world

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOW = datetime(2026, 1, 20, 13, 30, tzinfo=UTC)  # a Tuesday afternoon in Moscow
SIZE = Size(days=6, visits=7, other_calls=4, recordings=2)
SITE = SITES[0].id
TEXTS = {
    "queue-thankyou": "Thank you for your patience",
    "pls-hold-while-try": "Please hold while we try to connect you.",
    "vm-goodbye": "Goodbye",
    "something-terribly-wrong": "Something is terribly wrong!",
}


@dataclass(frozen=True, kw_only=True)
class Month:
    world: World
    filling: Filling
    browser: httpx.AsyncClient

    async def page(self, path: str) -> str:
        answer = await self.browser.get(path, headers={"Accept-Language": "en"})
        assert answer.status_code == 200, (path, answer.text[:500])
        return answer.text

    async def count(self, **wanted: Among) -> int:
        async with self.world.store.read() as session:
            return len(await session.calls.find(CallFilter(**wanted), limit=5000))  # type: ignore[arg-type]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def month(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Month]:
    home = tmp_path_factory.mktemp("month")
    async with a_world(home, clock=Clock(NOW)) as world:
        filling = Filling(
            store=world.store,
            enrichment=VisitEnrichment(),
            now=NOW,
            size=SIZE,
            speech=prompts(home / "speech"),
            spool=home / "spool",
            receivers="http://127.0.0.1:9/month",
        )
        await fill_month(filling)
        async with transcribing(world, filling.speech) as is_ready:
            assert is_ready
            storage = await store_recordings(world, home)
            await transcribe(world, storage, home, NOW + timedelta(minutes=5))
        browser = await world.person("root")
        browser.cookies.set(ZONE_COOKIE, "Europe/Moscow")
        yield Month(world=world, filling=filling, browser=browser)


def prompts(directory: Path) -> Path:
    """Sounds that are named and built like Asterisk's prompts, and their texts."""
    directory.mkdir()
    lines = (f"{name}: {text}" for name, text in TEXTS.items())
    (directory / "core-sounds-en.txt").write_text("; Sounds\n\n" + "\n".join(lines))
    for place, name in enumerate(TEXTS):
        sound = babble(place)
        with wave.open(str(directory / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(sound.astype("<i2").tobytes())
    return directory


def babble(seed: int) -> NDArray[np.float64]:
    """Syllables of several tones, other ones for each seed."""
    chance = np.random.default_rng(seed)
    times = np.arange(RATE // 5) / RATE
    syllables = []
    for _ in range(8):
        tones = chance.uniform(200, 3000, 4)
        loud = 4000 * np.sin(np.pi * times / times[-1])
        syllables.append(loud * np.sin(2 * np.pi * np.outer(tones, times)).mean(axis=0))
    return np.concatenate(syllables)


async def store_recordings(world: World, home: Path) -> recordings.Storage:
    """The worker's part, long after the calls."""
    for file in (home / "spool").iterdir():
        os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    storage = recordings.Storage.open(home / "storage")
    recorder = SpoolRecorder(home / "spool", storage, home / "work", recordings.Format.MP3)
    while await store_due(world.store, recorder, lambda: NOW + timedelta(minutes=5), at_once=4):
        pass
    recorder.close()
    return storage


async def every(world: World, kind: type) -> list:  # type: ignore[type-arg]
    async with world.store.read() as session:
        return await session.find(kind)


@pytest.mark.parametrize(
    ("path", "rows", "least"),
    [
        ("/calls", r"<tr id=\"call-", 20),
        ("/calls?tag=missed", r"<tr id=\"call-", 4),
        ("/missed", r"<li class=\"task", 3),
        ("/missed", r"<th scope=\"row\">\d\d:00", 5),
        ("/tags", r"<li class=\"card", 5),
        ("/samples", r"<li class=\"card", 1),
        ("/scores", r"<tr", 3),
        ("/scores", r"Disputes to answer", 1),
        ("/words", r"<li class=\"card", 2),
        ("/spam", r"Automatic survey", 1),
        ("/cards", r"Consultation", 1),
        ("/rules", r"Long silences", 1),
        ("/pools", r"<section class=\"card", 2),
        (f"/pools/{SITE}-visitors", r"<tr", 5),
        ("/reliability", r"<th scope=\"row\">", 1),
        ("/deliveries", r"<th role=\"rowheader\"", len(RECEIVERS)),
        ("/receivers/demo-stock", r"<dt>", 2),
    ],
)
async def test_every_page_shows_something(month: Month, path: str, rows: str, least: int) -> None:
    page = await month.page(path)
    assert len(re.findall(rows, page)) >= least


async def test_the_board_counts_the_calls_of_today(month: Month) -> None:
    today = NOW.astimezone(ZONE).replace(hour=0, minute=0)
    calls = await every(month.world, Call)
    page = await month.page("/board")
    shown = re.search(r"Calls today</dt><dd>(\d+)", page)
    assert shown
    assert int(shown[1]) == sum(call.arrived_at >= today for call in calls) > 0


async def test_a_call_of_the_month_is_heard_commented_reviewed_and_attributed(
    month: Month,
) -> None:
    page = await month.page("/calls?commented=yes")
    found = re.search(r'href="/calls/(month-[\d.]+)', page)
    assert found
    call = await month.page(f"/calls/{found[1]}")
    assert "data-peaks" in call
    assert '<li id="comment-' in call
    assert re.search(r'<tr id="call-', await month.page("/calls?reviewed=yes"))


async def test_each_recording_is_transcribed_and_what_is_said_becomes_tags_and_is_found(
    month: Month,
) -> None:
    recorded = [
        recording.call_id
        for recording in await every(month.world, Recording)
        if recording.state is RecordingState.STORED
    ]
    transcripts = await every(month.world, Transcript)
    assert {transcript.call_id for transcript in transcripts} == set(recorded)
    assert [transcript.outcome for transcript in transcripts] == [None] * len(transcripts)
    assert {transcript.state for transcript in transcripts} == {TranscriptState.DONE}
    async with month.world.store.read() as session:
        segments = [
            segment for call in recorded for segment in await session.transcripts.segments(call)
        ]
    assert {segment.text for segment in segments} == set(TEXTS.values())
    assert 'id="call-' in await month.page("/calls?tag=something+wrong")
    assert 'id="call-' in await month.page("/calls?text=terribly+wrong")


async def test_recordings_are_measured(month: Month) -> None:
    stored = [
        recording
        for recording in await every(month.world, Recording)
        if recording.state is RecordingState.STORED
    ]
    assert len(stored) >= 2
    assert {recording.state for recording in await every(month.world, Recording)} <= {
        RecordingState.STORED,
        RecordingState.DISCARDED,
    }
    for recording in stored:
        assert recording.peaks
        assert abs(recording.seconds - recording.expected_seconds) < 0.5
    assert sum(recording.caller_speech_seconds for recording in stored) > 3
    assert sum(recording.company_speech_seconds for recording in stored) > 3


async def test_calls_of_list_missed_tasks_and_figures_agree(month: Month) -> None:
    store = month.world.store
    calls = await every(month.world, Call)
    figures = await missed_figures(store, NOW - timedelta(days=30), NOW, ZONE)
    tasks = await every(month.world, MissedCaller)
    callers = {(call.site_id, call.caller) for call in calls}
    assert sum(hour.calls for hour in figures.hours) == figures.calls
    missed = Among(tuple(sorted(MISSED_ENDINGS)))
    assert figures.missed + figures.short == await month.count(ending=missed)
    assert {(task.site_id, task.caller) for task in tasks if task.caller} <= callers
    assert sum(figures.states.values()) + figures.open >= len(tasks) > 0


async def test_calls_end_and_are_attributed_in_many_ways(month: Month) -> None:
    calls = await every(month.world, Call)
    visits = await every(month.world, Visit)
    verdicts = {call.verdict for call in calls}
    assert {Verdict.EXACT, Verdict.STATIC} < verdicts
    assert len({call.ending for call in calls}) >= 4
    assert any(call.transfers for call in calls)
    assert any(call.hold_seconds > 1 for call in calls)
    assert any("yclid" in visit.click_ids for visit in visits)
    assert any(visit.term for visit in visits)


async def test_a_second_start_adds_nothing(month: Month) -> None:
    before = [len(await every(month.world, kind)) for kind in (Call, Visit, MissedCaller)]
    await fill_month(month.filling)
    after = [len(await every(month.world, kind)) for kind in (Call, Visit, MissedCaller)]
    assert before == after


async def test_a_month_that_was_interrupted_goes_on_after_the_day_that_was_begun(
    tmp_path: Path,
) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(day: int, _: int) -> None:
        if day == 2:
            raise Interrupted

    async with a_world(tmp_path, clock=Clock(NOW)) as world:
        begun = Filling(
            store=world.store,
            enrichment=VisitEnrichment(),
            now=NOW,
            size=Size(days=4, visits=4, other_calls=4, recordings=0),
            progress=interrupt,
        )
        with pytest.raises(Interrupted):
            await fill_month(begun)
        early = {call.id for call in await every(world, Call)}
        later = Filling(
            store=world.store,
            enrichment=VisitEnrichment(),
            now=NOW + timedelta(hours=5),
            size=begun.size,
        )
        await fill_month(later)
        calls = await every(world, Call)
        assert early < {call.id for call in calls}
        assert max(call.arrived_at for call in calls) <= NOW
