"""Recordings converted for a download: MP3 and WAV, both sides or one, and nothing left behind."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from recordings import Part, Storage, as_mp3, as_wav, store_pair
from recordings.errors import EncoderFailed, EncoderMissing
from router.domain.access import Scope
from router.recorder import StorageReader
from tests.support.recordings_sounds import decoded, level, silence, spool_pair, tone
from tests.support.web_calls import a_call, a_recording
from tests.support.web_world import World, a_world, served

SECONDS = 12
KEY = "2026/01/20/a.mp3"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A recording whose caller is a loud tone and whose company is a faint one of half its
    length.
    """
    home = tmp_path_factory.mktemp("storage")
    company = np.concatenate([tone(SECONDS / 2, hertz=700, dbfs=-40), silence(SECONDS / 2)])
    pair = spool_pair(home / "spool", tone(SECONDS, hertz=400, dbfs=-20), company)
    store_pair(pair, storage=Storage.open(home / "s"), key=KEY, work_dir=home / "work")
    return Storage.open(home / "s")


@pytest.fixture
async def world(tmp_path: Path, storage: Storage) -> AsyncIterator[World]:
    async with a_world(tmp_path, listening=StorageReader(storage)) as world:
        call = a_call("1", world.clock.now)
        await world.save(call)
        recording = a_recording(call, storage.read(KEY), seconds=float(SECONDS), key=KEY)
        async with world.store.write() as session:
            await session.recordings.save([recording])
        yield world


PATH = "/api/v1/calls/pbx-1768912345.1/recording"


@pytest.mark.parametrize(
    ("query", "levels"),
    [("", (-20, -43)), ("&side=caller", (-20,)), ("&side=company", (-43,))],
)
async def test_a_wav_has_its_length_in_its_header_and_the_sides_that_were_asked_for(
    world: World, query: str, levels: tuple[float, ...]
) -> None:
    answer = await world.program(Scope.CALLS_READ).get(f"{PATH}?format=wav{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with wave.open(io.BytesIO(answer.content)) as file:
        shape = (file.getnchannels(), file.getframerate(), file.getnframes())
        assert shape == (len(levels), 8000, SECONDS * 8000)
        sound = np.frombuffer(file.readframes(SECONDS * 8000), "<i2").reshape(-1, len(levels))
    assert [level(side) for side in sound.T] == pytest.approx(levels, abs=1)


async def test_one_side_as_mp3_is_mono_and_named_by_its_side(world: World, tmp_path: Path) -> None:
    program = world.program(Scope.CALLS_READ)
    answer = await program.get(f"{PATH}?side=company")
    named = 'attachment; filename="2026-01-20_113000Z_79161234567_company.mp3"'
    assert answer.headers["content-disposition"] == named
    (tmp_path / "a.mp3").write_bytes(answer.content)
    sound = decoded(tmp_path / "a.mp3")
    assert len(sound) == pytest.approx(SECONDS * 8000, abs=1600)
    assert level(sound) == pytest.approx(-43, abs=1)


async def test_the_stored_format_is_sent_as_it_is_stored_and_in_parts(
    world: World, storage: Storage
) -> None:
    program = world.program(Scope.CALLS_READ)
    part = await program.get(f"{PATH}?format=mp3", headers={"Range": "bytes=0-99"})
    assert (part.status_code, part.content) == (206, storage.read(KEY, 0, 100))
    head = await program.head(f"{PATH}?format=wav")
    assert (head.status_code, head.content) == (200, b"")
    assert (await program.get(f"{PATH}?format=exe")).status_code == 422
    assert (await world.browser().get(f"{PATH}?format=wav")).status_code == 401


async def test_ffmpeg_ends_when_its_reader_leaves(world: World) -> None:
    recording = "&".join([f"{PATH}?format=wav", "side=caller"])
    headers = {"Authorization": f"Bearer {world.tokens[Scope.CALLS_READ]}"}

    async def endless() -> AsyncIterator[bytes]:
        audio = await StorageReader.open(reader, found)
        sound = b"".join([chunk async for chunk in audio.chunks])
        while True:
            yield sound

    reader = world.app.state.app_state.web.listening
    async with world.store.read() as session:
        [found] = (await session.recordings.of(["pbx-1768912345.1"])).values()
    async with served(world.app) as address, httpx.AsyncClient(headers=headers) as client:
        reader._storage.chunks_async = lambda *_: endless()
        try:
            async with client.stream("GET", address + recording) as answer:
                assert (await anext(answer.aiter_raw()))[:4] == b"RIFF"
                assert children() != []
            async with asyncio.timeout(180):
                while children():
                    await asyncio.sleep(0.05)
        finally:
            del reader._storage.chunks_async


def children() -> list[psutil.Process]:
    """Converters of this process that run."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.name() == "ffmpeg"
    ]


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_a_damaged_or_shorter_file_breaks_off_instead_of_ending_well(
    storage: Storage,
) -> None:
    sound = storage.read(KEY)
    for chunks in (as_mp3(once(b"rubbish" * 999), Part.BOTH), as_wav(once(sound), Part.BOTH, 60)):
        with pytest.raises(EncoderFailed):
            async for _ in chunks:
                pass
    with pytest.raises(EncoderMissing):
        await anext(as_mp3(once(sound), Part.BOTH, ffmpeg="no-such-program"))
