"""The demo's server of speech to text: it answers as whisper servers do, and knows Asterisk's
prompts, which are all that is said in the demo. Nothing leaves this machine.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI, Response, UploadFile

from router.demo.month.prompts import read_texts
from router.demo.month.recognizer import Recognizer
from router.domain.calls.transcript import Engine, TranscriptionRule
from router.phone.speech import RATE, Samples

PATH = "/speech/v1"
_SAMPLES = ("-ac", "1", "-ar", str(RATE), "-f", "s16le", "pipe:1")


def speech_rule(page: str, now: datetime) -> TranscriptionRule:
    """All calls of the demo are transcribed by its server."""
    return TranscriptionRule(
        id="demo",
        engine=Engine.HTTP,
        address=page + PATH,
        model="asterisk-prompts",
        language="en",
        least_talk_seconds=1.0,
        created_at=now,
    )


@dataclass(slots=False, kw_only=True)
class SpeechServer:
    """Transcribes the prompts of one directory."""

    prompts: Path
    texts: Mapping[str, str]
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, prompts: Path | None) -> "SpeechServer | None":
        """None if the prompts, or their texts, are not installed."""
        if prompts is None:
            return None
        texts = read_texts(prompts)
        if not texts:
            return None
        return cls(prompts=prompts, texts=texts)

    def serve(self, app: FastAPI) -> None:
        """Add it to a server."""
        app.add_api_route(
            PATH + "/audio/transcriptions", self._take, methods=["POST"], response_model=None
        )

    async def _take(self, file: UploadFile) -> Response | dict[str, Any]:
        async with self._alone:
            samples = await _decoded(await file.read())
            if samples is None:
                return Response("This file cannot be decoded.", 400)
            return await asyncio.to_thread(self._heard, samples)

    def _heard(self, samples: Samples) -> dict[str, Any]:
        segments = []
        for heard in self._recognizer.hear(samples):
            segments.append({"start": heard.start, "end": heard.end, "text": heard.text})
        text = " ".join(str(segment["text"]) for segment in segments)
        return {
            "language": "en",
            "duration": len(samples) / RATE,
            "text": text,
            "segments": segments,
        }

    @cached_property
    def _recognizer(self) -> Recognizer:
        return Recognizer(self.prompts, self.texts)


async def _decoded(sound: bytes) -> Samples | None:
    process = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-v", "error", "-i", "pipe:0", *_SAMPLES),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    decoded, _ = await process.communicate(sound)
    if process.returncode:
        return None
    return np.frombuffer(decoded, "<i2")
