"""From the caller's BYE to the moment the web API hands out the recording: one-minute calls with
real speech.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx

from router import bootstrap
from router.domain.access import Scope
from router.service.admin.access import create_token
from tests.acceptance import sip
from tests.bench.figure import Figure
from tests.bench.leased_numbers import PLAIN
from tests.bench.speech import speech
from tests.bench.system import System, running

AIM = 2.0  # seconds
SECONDS, REPEATS = 60.0, 3
SECONDS_QUICK, REPEATS_QUICK = 10.0, 1
_PATIENCE = 30.0


def measure(*, quick: bool) -> list[Figure]:
    """One figure, the median of the repeats."""
    seconds, repeats = (SECONDS_QUICK, REPEATS_QUICK) if quick else (SECONDS, REPEATS)
    with tempfile.TemporaryDirectory() as directory:
        took = asyncio.run(_measure(Path(directory), seconds, repeats))
    return [
        Figure(
            name=f"hang-up to playable, {seconds:.0f} s call",
            ours=median(took),
            unit="s",
            aim=f"{AIM:.0f} s",
            met=median(took) <= AIM,
            note="each: " + ", ".join(f"{seconds:.2f}" for seconds in took),
        )
    ]


async def _measure(work: Path, seconds: float, repeats: int) -> list[float]:
    port = sip.free_port()
    line = sip.answers(0.1, speech=speech(work, "company", seconds))
    said = speech(work, "caller", seconds)
    parts = ("asterisk", "agent", "worker", "web")
    async with (
        sip.company(work / "company", port, line) as company,
        running(sip_port=port, company_port=company.port, parts=parts) as system,
    ):
        token = await create_token(system.store, "bench", (Scope.CALLS_READ,), bootstrap.now())
        base = f"http://127.0.0.1:{system.settings.web_port}"
        headers = {"Authorization": f"Bearer {token.secret}"}
        async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False) as client:
            return [
                await _once(
                    system,
                    client,
                    work / f"caller-{n}",
                    sip.Caller(did=PLAIN[n], talk=seconds, speech=said),
                )
                for n in range(repeats)
            ]


async def _once(system: System, client: httpx.AsyncClient, work: Path, who: sip.Caller) -> float:
    before = await system.newest_call()
    async with sip.caller(work, system.settings.sip_port, who) as caller:
        await asyncio.sleep(who.talk / 2)
        call_id = await system.newest_call()
        if call_id is None or call_id == before:
            raise RuntimeError("the call did not reach the database while it lasted")
        playing = asyncio.create_task(_playable(client, call_id, who.talk))
        result = await caller.finished(who.talk + 30)
        hung_up = next(m.at for m in result.messages if m.sent and m.first.startswith("BYE "))
        return await playing - hung_up


async def _playable(client: httpx.AsyncClient, call_id: str, talk: float) -> float:
    """The moment, in seconds since the epoch, of the first answer with sound."""
    async with asyncio.timeout(talk + _PATIENCE):
        while True:
            answer = await client.get(
                f"/api/v1/calls/{call_id}/recording", headers={"Range": "bytes=0-65535"}
            )
            if answer.status_code in {200, 206}:
                return time.time()
            if answer.status_code != 404:
                answer.raise_for_status()
            await asyncio.sleep(0.02)
