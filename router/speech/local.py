"""Runs the local engine: one process for each call, so that its memory is free between calls and a
crash of it harms nothing else.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from router.domain.calls.heard import read_segments
from router.domain.calls.transcript import Spoken, TranscriptionRule
from router.domain.calls.transcript_codes import TranscriptCode
from router.service.calls.transcription_ports import Piece
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

DEFAULT_MODEL = "small"
LOADING = 900.0  # seconds: a model may be downloaded first
SLOWEST = 30.0  # times the length of the audio, on a busy machine
LONGEST_LINE = 16 << 20  # bytes of an answer
_ENDING = 5.0  # seconds that the process has to end by itself


class LocalSpeech:
    """The `Engines` of `router.service.calls.transcription_ports`, by faster-whisper. One call at a
    time, because a model takes memory and cores.
    """

    def __init__(self, program: Sequence[str] = (sys.executable, "-m", "router.speech.process")):
        self._program = program
        self._alone = asyncio.Lock()

    def name(self, rule: TranscriptionRule) -> str:
        """The local model."""
        return f"faster-whisper · {rule.model or DEFAULT_MODEL}"

    async def hear(
        self, rule: TranscriptionRule, pieces: Sequence[Piece]
    ) -> AsyncIterator[tuple[Spoken, ...]]:
        """What is said in each piece."""
        if find_spec("faster_whisper") is None:
            raise ReceiverUnavailable(TranscriptCode.ENGINE_MISSING)
        async with self._alone:
            process = await asyncio.create_subprocess_exec(
                *self._program,
                rule.model or DEFAULT_MODEL,
                rule.language,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST_LINE,
                start_new_session=True,  # Ctrl-C is for us, who then end it
            )
            complaints = asyncio.create_task(_last_words(process))
            try:
                for piece in pieces:
                    yield await _ask(process, rule, piece, complaints)
            finally:
                await _end(process)
                complaints.cancel()


async def _ask(
    process: asyncio.subprocess.Process,
    rule: TranscriptionRule,
    piece: Piece,
    complaints: "asyncio.Task[str]",
) -> tuple[Spoken, ...]:
    answer = await _answer(process, piece)
    if answer is None:
        raise ReceiverUnavailable(TranscriptCode.ENGINE_DIED, detail=await complaints)
    if "failed" in answer:
        model = rule.model or DEFAULT_MODEL
        raise ReceiverUnavailable(
            TranscriptCode.MODEL_FAILED, model=model, detail=str(answer["failed"])
        )
    spoken = read_segments(answer, "", piece.side, piece.seconds)
    if spoken is None:
        raise Refused(TranscriptCode.NOT_DECODED, detail=str(answer.get("error", "")))
    return spoken


async def _answer(process: asyncio.subprocess.Process, piece: Piece) -> dict[str, Any] | None:
    """The answer about one piece; None if the process ended or hangs."""
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(f"{json.dumps(str(piece.path))}\n".encode())
        await process.stdin.drain()
        async with asyncio.timeout(LOADING + SLOWEST * piece.seconds):
            line = await process.stdout.readline()
        answer = json.loads(line)
    except (OSError, ValueError, TimeoutError):
        with suppress(ProcessLookupError):
            process.kill()
        return None
    if isinstance(answer, dict):
        return answer
    return None


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """The end of what the process complains of."""
    assert process.stderr
    said = b""
    while chunk := await process.stderr.read(4096):
        said = (said + chunk)[-400:]
    return said.decode("utf-8", "replace") or f"status {await process.wait()}"


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin
    process.stdin.close()
    if process.returncode is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_ENDING):
                await process.wait()
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
