"""Whether a call that was answered is ever missing: `kill -9` of agent, worker and Asterisk, or of
all at once, at random moments under calls.
"""

import asyncio
import random
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from router.domain.calls.call import Call, State
from tests.acceptance import sip
from tests.acceptance.calling import company_line, somebody
from tests.acceptance.system import CARRIER, PARTS, STATIC, System, line, system
from tests.bench.figure import Figure

ROUNDS, QUICK_ROUNDS = 40, 6
RATE = 15.0  # calls a second
CALLS = 30  # of each round
TALK = 1.0  # seconds
VICTIMS = (*PARTS, "agent and asterisk", "agent dead before asterisk", "all")
SETTLED = 90.0  # seconds until every call must be in the list


@dataclass(frozen=True, slots=True)
class _Answered:
    """A caller who got 200, or who rang at the company, and what was killed meanwhile."""

    number: str
    victim: str
    status: int | None


def measure(*, quick: bool) -> list[Figure]:
    """Kill, start again, and look for every caller in the list of calls."""
    with tempfile.TemporaryDirectory() as home:
        return asyncio.run(_measure(Path(home), QUICK_ROUNDS if quick else ROUNDS))


async def _measure(home: Path, rounds: int) -> list[Figure]:
    rang: list[_Answered] = []
    async with system(home / "home", company=("PJSIP/head-office",)) as running:
        line(running)
        await running.start(*PARTS)
        for number in range(rounds):
            victim = VICTIMS[number % len(VICTIMS)]
            rang += await _round(running, home / f"round-{number}", victim)
        calls = await _settled(running, rang)
    found = Counter(call.caller_raw for call in calls)
    missing = [f"{caller.number} ({caller.victim})" for caller in rang if not found[caller.number]]
    twice = [caller.number for caller in rang if found[caller.number] > 1]
    endings = Counter(str(call.ending) for call in calls)
    said = ", ".join(f"{count} {ending}" for ending, count in endings.most_common())
    return [
        Figure(name="calls that rang or were answered", ours=len(rang), unit="calls", note=said),
        _none("of them missing in the list", missing),
        _none("of them twice in the list", twice),
    ]


def _none(name: str, calls: list[str]) -> Figure:
    """There should be no such call."""
    aim, note = "0", ", ".join(calls)
    return Figure(name=name, ours=len(calls), unit="calls", aim=aim, met=not calls, note=note)


async def _round(running: System, work: Path, victim: str) -> list[_Answered]:
    everybody = [somebody(STATIC, talk=TALK) for _ in range(CALLS)]
    async with company_line(running, work, sip.answers(0.05)) as (office,):
        callers = sip.callers(
            work / "crowd", running.settings.sip_port, everybody, rate=RATE, host=CARRIER
        )
        async with callers:
            await asyncio.sleep(random.uniform(0.3, CALLS / RATE))
            await _kill(running, victim)
            result = await callers.stop(patience=4.0)
        reached = {invite.from_user for invite in (await office.stop()).invites}
    statuses = dict(
        zip((invite.from_user for invite in result.invites), result.statuses, strict=True)
    )
    return [
        _Answered(number, victim, status)
        for number, status in statuses.items()
        if status == 200 or number in reached
    ]


async def _kill(running: System, victim: str) -> None:
    """SIGKILL, and a start as `ringtrace run` does it."""
    if victim == "agent dead before asterisk":
        await running.kill("agent")
        await asyncio.sleep(random.uniform(4.0, 6.0))
        names = ["asterisk"]
    else:
        names = list(PARTS) if victim == "all" else victim.split(" and ")
    for name in names:
        running.processes[name].kill()
    for name in names:
        await running.processes.pop(name).wait()
    await asyncio.sleep(0.5)
    await running.start(*(name for name in PARTS if name not in running.processes))


async def _settled(running: System, rang: list[_Answered]) -> list[Call]:
    """The calls, when all are in the list and have ended, or when no more can be hoped for."""
    wanted = {caller.number for caller in rang}
    deadline = asyncio.get_running_loop().time() + SETTLED
    while True:
        calls = await running.calls()
        there = wanted <= {call.caller_raw for call in calls}
        over = all(call.state is State.ENDED for call in calls)
        if (there and over) or asyncio.get_running_loop().time() > deadline:
            return calls
        await asyncio.sleep(1.0)
