"""Converts a stored recording to MP3 or WAV while it is sent: both sides or one of them.

ffmpeg reads from a pipe and writes to one, so nothing is held in memory or on disk, and the reader
sets the pace. It is ended when its reader leaves.
"""

import asyncio
import shutil
import struct
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum

from recordings.errors import EncoderFailed, EncoderMissing
from recordings.recording import SAMPLE_RATE

BLOCK_BYTES = 64 * 1024
_HEADER_BYTES = 44
_LACKING_SECONDS = 1.0  # at the end: a decoder may lose a frame or two


class Part(StrEnum):
    """Who is heard."""

    BOTH = "both"
    CALLER = "caller"
    COMPANY = "company"


_CHANNEL = {Part.CALLER: ("-af", "pan=mono|c0=c0"), Part.COMPANY: ("-af", "pan=mono|c0=c1")}
_MP3 = ("-ar", "16000", "-c:a", "libmp3lame", "-joint_stereo", "0", "-write_xing", "0", "-f", "mp3")


def wav_bytes(part: Part, seconds: float) -> int:
    """The size of a WAV file of this length."""
    return _HEADER_BYTES + _sound_bytes(part, seconds)


async def as_mp3(
    chunks: AsyncIterator[bytes], part: Part, *, ffmpeg: str = "ffmpeg"
) -> AsyncIterator[bytes]:
    """An MP3 file. Raises EncoderMissing and EncoderFailed."""
    rate = "48k" if part is Part.BOTH else "32k"
    async for block in _converted(chunks, ffmpeg, *_CHANNEL.get(part, ()), "-b:a", rate, *_MP3):
        yield block


async def as_wav(
    chunks: AsyncIterator[bytes], part: Part, seconds: float, *, ffmpeg: str = "ffmpeg"
) -> AsyncIterator[bytes]:
    """A WAV file of exactly `wav_bytes`. Raises EncoderMissing and EncoderFailed."""
    left = _sound_bytes(part, seconds)
    yield _header(part, left)

    samples = ("-ar", str(SAMPLE_RATE), "-f", "s16le")
    async for block in _converted(chunks, ffmpeg, *_CHANNEL.get(part, ()), *samples):
        if left:
            yield block[:left]
        left -= min(left, len(block))
    if left > _sound_bytes(part, _LACKING_SECONDS):
        raise EncoderFailed("the recording is shorter than it was")
    yield bytes(left)


def check_converter(ffmpeg: str = "ffmpeg") -> str:
    """The program's path. Raises EncoderMissing."""
    program = shutil.which(ffmpeg)
    if program is None:
        raise EncoderMissing
    return program


def _sound_bytes(part: Part, seconds: float) -> int:
    return round(seconds * SAMPLE_RATE) * 2 * _channels(part)


def _channels(part: Part) -> int:
    return 2 if part is Part.BOTH else 1


def _header(part: Part, size: int) -> bytes:
    """RIFF's, for PCM of 16 bits."""
    channels = _channels(part)
    frame = 2 * channels
    sizes = (size + _HEADER_BYTES - 8, 16, 1, channels, SAMPLE_RATE, SAMPLE_RATE * frame, frame)
    facts = (b"RIFF", sizes[0], b"WAVEfmt ", *sizes[1:], 16, b"data", size)
    return struct.pack("<4sI8sIHHIIHH4sI", *facts)


async def _converted(
    chunks: AsyncIterator[bytes], ffmpeg: str, *options: str
) -> AsyncIterator[bytes]:
    async with _started(ffmpeg, *options) as process:
        assert process.stdin
        assert process.stdout
        feeding = asyncio.create_task(_feed(process.stdin, chunks))
        try:
            while block := await process.stdout.read(BLOCK_BYTES):
                yield block
            await feeding  # raises what the storage raised
        finally:
            feeding.cancel()
        if status := await process.wait():
            raise EncoderFailed(f"ffmpeg ended with status {status}")


@asynccontextmanager
async def _started(ffmpeg: str, *options: str) -> AsyncIterator[Process]:
    command = [check_converter(ffmpeg), "-nostdin", "-hide_banner", "-loglevel", "error"]
    command += ["-i", "pipe:0", "-map_metadata", "-1", *options, "pipe:1"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _feed(pipe: asyncio.StreamWriter, chunks: AsyncIterator[bytes]) -> None:
    """Write everything; that ffmpeg ends earlier is no error here: its status tells more."""
    try:
        with suppress(BrokenPipeError, ConnectionResetError):
            async for chunk in chunks:
                pipe.write(chunk)
                await pipe.drain()
    finally:
        pipe.close()
