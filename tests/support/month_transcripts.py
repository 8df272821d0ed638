"""Transcripts of the demo's invented month, by the demo's own server of speech to text."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

import recordings
from router.demo.month.speech_server import SpeechServer, speech_rule
from router.domain.calls.transcript import Engine
from router.receivers.network import Network
from router.receivers.speech_to_text import HttpSpeech
from router.service.calls.transcription import Transcription
from router.speech.sides import StoredSides
from tests.support.web_world import World


@asynccontextmanager
async def transcribing(world: World, prompts: Path | None) -> AsyncIterator[bool]:
    """What is stored meanwhile is to be transcribed; False if the texts are not installed."""
    speech, app = SpeechServer.of(prompts), FastAPI()
    if speech is None:
        yield False
        return
    speech.serve(app)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    task = asyncio.create_task(server.serve([listening]))
    try:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with world.store.write() as session:
            await session.add(speech_rule(address, world.clock.now))
        yield True
    finally:
        server.should_exit = True
        await task


async def transcribe(world: World, storage: recordings.Storage, home: Path, now: datetime) -> None:
    """The worker's part."""
    speech = HttpSpeech(network=Network(), tokens=dict)
    transcription = Transcription(
        store=world.store,
        engines={Engine.HTTP: speech},
        sides=StoredSides(storage, home / "work"),
        clock=lambda: now,
    )
    while await transcription.work("demo"):
        pass
