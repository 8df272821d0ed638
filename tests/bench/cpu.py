"""Our CPU per call: agent and worker together, from a call's first question to its recording on the
storage.

SIPp's callers and company speak, so every call has a recording. Counted is the CPU of the agent's
and the worker's own processes, waiting for work included, without the encoding: ffmpeg is a process
of its own, and what reads, measures and stores the audio around it are threads of their own; both
are counted apart.
"""

import asyncio
import tempfile
from pathlib import Path

from router.bootstrap import now
from tests.acceptance import sip
from tests.bench.figure import Figure
from tests.bench.leased_numbers import IDENTIFIED, PLAIN
from tests.bench.speech import speech
from tests.bench.system import SIPP, System, running

AIM_MS = 10.0
RATE, TALK = 5.0, 5.0  # calls a second, seconds
CALLS, CALLS_QUICK = 300, 50
IDLE_SECONDS = 5.0


def measure(*, quick: bool) -> list[Figure]:
    """The sum, and what it is made of."""
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(_measure(Path(directory), CALLS_QUICK if quick else CALLS))


async def _measure(work: Path, calls: int) -> list[Figure]:
    port, line = sip.free_port(), sip.answers(0.1, speech=speech(work, "company", TALK))
    async with (
        sip.company(work / "company", port, line) as company,
        running(sip_port=port, company_port=company.port) as system,
    ):
        await _call(system, work / "warm", 10, work)
        idle = _used(system)
        await asyncio.sleep(IDLE_SECONDS)
        before = _used(system)
        idle = {name: (before[name] - idle[name]) / IDLE_SECONDS for name in before}
        began = now()
        await _call(system, work / "callers", calls, work)
        spent = {name: (used - before[name]) * 1000 / calls for name, used in _used(system).items()}
        learned = sum((await system.routed(began)).values())
    spent["worker"] -= spent["encoding"]
    ours = spent["agent"] + spent["worker"]
    rest = (idle["agent"] + idle["worker"]) * 100
    return [
        Figure(
            name=f"cpu per call, {RATE:.0f}/s, {TALK:.0f} s each",
            ours=ours,
            unit="ms",
            aim=f"{AIM_MS:.0f} ms",
            met=ours <= AIM_MS and learned == calls,
            note=f"agent {spent['agent']:.1f}, worker {spent['worker']:.1f}; idle: {rest:.1f} % of "
            "a core",
        ),
        Figure(
            name="cpu per call: Asterisk",
            ours=spent["asterisk"],
            unit="ms",
            note="bridging and recording",
        ),
        Figure(
            name="cpu per call: encoding threads",
            ours=spent["encoding"],
            unit="ms",
            note="not counted as ours",
        ),
        Figure(
            name="cpu per call: ffmpeg",
            ours=spent["ffmpeg"],
            unit="ms",
            note="the encoding, not counted as ours",
        ),
    ]


async def _call(system: System, directory: Path, calls: int, files: Path) -> None:
    dids = (PLAIN + IDENTIFIED)[:: 200 // min(calls, 200)]
    said = speech(files, "caller", TALK)
    rows = [
        sip.Caller(did=did, number=f"+7900{n:07}", talk=TALK, speech=said)
        for n, did in enumerate(dids)
    ]
    callers = sip.callers(directory, system.settings.sip_port, rows, rate=RATE, calls=calls)
    async with callers:
        result = await callers.finished(calls / RATE + TALK + 30)
    if result.ok < calls:
        raise RuntimeError(
            f"{calls - result.ok} of {calls} calls from {SIPP} failed: {result.errors[:500]}"
        )
    await system.settled()


def _used(system: System) -> dict[str, float]:
    """CPU seconds up to now."""
    own = {name: system.cpu(name) for name in ("asterisk", "agent", "worker")}
    return {
        **own,
        "encoding": system.cpu_of_encoding("worker"),
        "ffmpeg": system.cpu_of_children("worker"),
    }
