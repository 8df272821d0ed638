"""From a stored recording to its transcript: by rule, retried, erased with the recording."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from router.domain.calls.call import Recording, RecordingState
from router.domain.calls.transcript import Engine, Side, Spoken, TranscriptState, Word
from router.domain.delivery.codes import AnswerCode
from router.errors import Conflict, NotFound
from router.service.calls.recording import store_due
from router.service.calls.transcription import GIVEN_UP, Transcription
from router.service.calls.transcripts import (
    correct_segment,
    get_transcript,
    order_transcripts,
    show_transcript,
)
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.speech.sides import StoredSides
from router.store.engine import SqlStore
from tests.support.builders import Clock, later
from tests.support.speech_world import (
    Scripted,
    a_rule,
    asked,
    ended_call,
    put,
    store_voices,
    stored,
    transcript_of,
)

HELLO = Spoken(
    side=Side.CALLER, at=1, until=2, text="Hello you", words=(Word(text="Hello", at=1, until=1.4), Word(text="you", at=1.5, until=2))  # noqa: E501
)  # fmt: skip
SHOP = Spoken(side=Side.COMPANY, at=0.2, until=0.9, text="Shop")


def transcription(
    store: SqlStore, home: Path, engine: Scripted, clock: Clock, *, voices: bool = True
) -> Transcription:
    storage, _ = store_voices(home) if voices else (None, 0)
    sides = StoredSides(storage, home / "work")  # type: ignore[arg-type]
    return Transcription(
        store=store, engines={Engine.HTTP: engine, Engine.LOCAL: engine}, sides=sides, clock=clock
    )


async def test_both_sides_are_heard_apart_and_become_one_text_in_order(
    store: SqlStore, tmp_path: Path
) -> None:
    engine = Scripted([(HELLO,), (SHOP,)])
    await put(store, a_rule())
    async with store.write() as session:
        await session.transcripts.save(asked())
        revision = await session.calls.revision()

    assert await transcription(store, tmp_path, engine, Clock(later(5))).work("all") == 1

    view = await get_transcript(store, "c1")
    assert view.transcript is not None
    assert view.transcript.state is TranscriptState.DONE
    assert (view.transcript.engine, view.transcript.progress) == ("scripted · whisper-1", 1.0)
    lines = [(line.side, line.text, line.at) for line in view.segments]
    assert lines == [(Side.COMPANY, "Shop", 0.2), (Side.CALLER, "Hello you", 1)]
    assert [word.text for word in view.segments[1].timed_words()] == ["Hello", "you"]
    assert [piece.side for piece in engine.heard] == [Side.CALLER, Side.COMPANY]
    assert not list((tmp_path / "work").glob("speech-*"))  # no audio is left behind
    async with store.read() as session:
        assert await session.calls.revision() > revision  # the open page is told


class StoresAtOnce:
    async def store(self, recording: Recording, call: object) -> Recording:
        return replace(stored(), call_id=recording.call_id)

    async def discard(self, recording: Recording) -> bool:
        raise AssertionError("the call was answered")


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (a_rule(), True),
        (a_rule(active=False), False),
        (a_rule(least_talk_seconds=61), False),
        (a_rule(calls="talk_from=30&ending=answered"), True),
        (a_rule(calls="not_ending=answered"), False),
        (a_rule(calls="site=shop"), False),
        (None, False),
    ],
)
async def test_a_rule_says_which_stored_recordings_are_transcribed(
    rule: object, wanted: bool, store: SqlStore
) -> None:
    waiting = replace(stored(), state=RecordingState.WAITING, key=None)
    await put(store, *([rule] if rule else []), recording=waiting)
    await store_due(store, StoresAtOnce(), Clock(later(9)))
    transcript = await transcript_of(store)
    assert (transcript is not None) == wanted
    async with store.read() as session:
        assert (await session.transcripts.rules_due() != {}) == wanted


async def test_a_server_that_is_down_is_asked_again_later(store: SqlStore, tmp_path: Path) -> None:
    down = ReceiverUnavailable(AnswerCode.UNAVAILABLE, status=503, detail="loading")
    engine, clock = Scripted([down, (HELLO,), ()]), Clock(later(5))
    await put(store, a_rule())
    async with store.write() as session:
        await session.transcripts.save(asked())
    worker = transcription(store, tmp_path, engine, clock)

    assert await worker.work("all") == 1
    waits = await transcript_of(store)
    assert waits is not None
    assert (waits.state, waits.attempts) == (TranscriptState.WAITING, 1)
    assert waits.outcome is not None
    assert (waits.outcome.code, waits.outcome.params["detail"]) == ("unavailable", "loading")

    clock.move(3600)
    assert await worker.work("all") == 1
    done = await transcript_of(store)
    assert done is not None
    assert (done.state, done.outcome) == (TranscriptState.DONE, None)


async def test_after_three_days_it_is_given_up(store: SqlStore, tmp_path: Path) -> None:
    down = ReceiverUnavailable(AnswerCode.UNAVAILABLE, status=503, detail="loading")
    clock = Clock(later(5) + GIVEN_UP)
    await put(store, a_rule())
    async with store.write() as session:
        await session.transcripts.save(asked())
    await transcription(store, tmp_path, Scripted([down]), clock).work("all")
    failed = await transcript_of(store)
    assert failed is not None
    assert failed.state is TranscriptState.FAILED


@pytest.mark.parametrize("cause", ["refused", "no rule", "no recording"])
async def test_what_cannot_succeed_fails_with_its_reason(
    cause: str, store: SqlStore, tmp_path: Path
) -> None:
    refusal = Refused(AnswerCode.REFUSED, status=400, detail="too long")
    await put(store, *([] if cause == "no rule" else [a_rule()]))
    async with store.write() as session:
        await session.transcripts.save(asked())
    storage, _ = store_voices(tmp_path)
    if cause == "no recording":
        storage.delete("2026/11/22/c1.mp3")
    worker = Transcription(
        store=store,
        engines={Engine.HTTP: Scripted([refusal])},
        sides=StoredSides(storage, tmp_path / "work"),
        clock=Clock(later(5)),
    )
    await worker.work("all")
    failed = await transcript_of(store)
    assert failed is not None
    assert failed.outcome is not None
    codes = {
        "refused": "refused",
        "no rule": "transcript_rule_removed",
        "no recording": "transcript_no_recording",
    }
    assert (failed.state, failed.outcome.code) == (TranscriptState.FAILED, codes[cause])


async def test_a_killed_worker_loses_nothing(store: SqlStore, tmp_path: Path) -> None:
    clock = Clock(later(5))
    await put(store, a_rule())
    worker = transcription(store, tmp_path, Scripted([]), clock)

    async with store.write() as session:  # the claim of the dead worker
        claimed = replace(asked(), due_at=clock() + timedelta(hours=1), progress=0.5)
        await session.transcripts.save(claimed)
    assert await worker.work("all") == 0
    await worker.take_up()
    assert await worker.work("all") == 1
    done = await transcript_of(store)
    assert done is not None
    assert done.state is TranscriptState.DONE


async def test_a_transcript_goes_with_its_recording(store: SqlStore, tmp_path: Path) -> None:
    await put(store, a_rule())
    async with store.write() as session:
        await session.transcripts.save(asked())
    await transcription(store, tmp_path, Scripted([(HELLO,), ()]), Clock(later(5))).work("all")
    async with store.write() as session:
        await session.recordings.save([stored(state=RecordingState.MISSING)])
    assert await transcript_of(store) is None
    assert (await show_transcript(store, "c1")).segments == ()
    async with store.read() as session:
        assert await session.transcripts.segments("c1") == []


async def test_an_erased_recording_is_not_written_by_a_worker_that_still_hears_it(
    store: SqlStore, tmp_path: Path
) -> None:
    class Erasing(Scripted):
        async def erase(self) -> None:
            async with store.write() as session:
                await session.transcripts.remove(["c1"])

    engine = Erasing([(HELLO,), ()])
    await put(store, a_rule())
    async with store.write() as session:
        await session.transcripts.save(asked())
    worker = transcription(store, tmp_path, engine, Clock(later(5)))
    original = engine.hear

    async def hear(rule, pieces):  # type: ignore[no-untyped-def]
        await engine.erase()
        async for lines in original(rule, pieces):
            yield lines

    engine.hear = hear  # type: ignore[method-assign]
    await worker.work("all")
    assert await transcript_of(store) is None


async def test_a_person_corrects_a_line_and_the_engines_text_is_kept(
    store: SqlStore, tmp_path: Path
) -> None:
    await put(store, a_rule())
    async with store.write() as session:
        await session.transcripts.save(asked())
    await transcription(store, tmp_path, Scripted([(HELLO,), ()]), Clock(later(5))).work("all")

    text = "Hello <b>Anna</b> 😀"
    line = await correct_segment(store, "c1", 0, f" {text}\n", author="anna", now=later(99))
    assert (line.text, line.original) == (text, "Hello you")
    assert (line.corrected_by, line.corrected_at) == ("anna", later(99))
    assert [word.text for word in line.timed_words()] == text.split()

    again = await correct_segment(store, "c1", 0, "Hello us", author="olga", now=later(100))
    assert (again.original, again.corrected_by) == ("Hello you", "olga")
    back = await correct_segment(store, "c1", 0, "Hello you", author="olga", now=later(101))
    assert (back.original, back.corrected_by, back.timed_words()) == (None, None, HELLO.words)
    with pytest.raises(NotFound):
        await correct_segment(store, "c1", 7, "x", author="anna", now=later(1))


async def test_a_call_is_transcribed_by_hand(store: SqlStore) -> None:
    await put(store)
    with pytest.raises(Conflict, match="off"):
        await order_transcripts(store, ["c1"], later(1))
    async with store.write() as session:
        await session.add(a_rule(calls="site=shop"))
        await session.calls.save([ended_call("c2")])
    with pytest.raises(Conflict, match="no stored recording"):
        await order_transcripts(store, ["c2"], later(1))
    assert await order_transcripts(store, ["c1"], later(1)) == 1
    assert await order_transcripts(store, ["c1"], later(2)) == 0
