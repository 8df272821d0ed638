"""The highest call rate held for 60 seconds, ours beside a bare dialplan with the same MixMonitor
and CEL.

Ours is held when every call reached the company once, was answered and ended, and the agent had
routed each of them in time; the bare dialplan's when every call was answered and ended. Callers and
company run on the same machine and send no media, for both alike.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from router.bootstrap import now
from tests.acceptance.sip import free_port
from tests.bench.figure import Figure
from tests.bench.leased_numbers import IDENTIFIED, PLAIN
from tests.bench.sip_pair import PairResult, SipPair
from tests.bench.system import BARE_CARRIER, BARE_RECORDED, CARRIER, System, running

AIM = 0.9
TALK = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Rates tried: `step` apart for `probe` seconds each up to `highest`, then one for `hold`
    seconds.
    """

    step: int
    highest: int
    probe: float
    hold: float


FULL = Plan(step=20, highest=300, probe=5.0, hold=60.0)
QUICK = Plan(step=40, highest=160, probe=3.0, hold=8.0)

Attempt = Callable[[int, float], Awaitable[str]]  # rate, seconds: what went wrong, '' when nothing


def measure(*, quick: bool) -> list[Figure]:
    """One figure."""
    return [asyncio.run(_measure(QUICK if quick else FULL))]


async def _measure(plan: Plan) -> Figure:
    port = free_port()
    async with (
        SipPair(port, CARRIER) as ours,
        SipPair(port, BARE_CARRIER) as bare,
        running(
            sip_port=port, company_port=ours.company_port, bare_port=bare.company_port
        ) as system,
    ):

        async def try_ours(rate: int, seconds: float) -> str:
            await system.settled()
            return await _ours(system, ours, rate, seconds)

        async def try_bare(rate: int, seconds: float) -> str:
            await system.settled()
            return _failed(
                await bare.run(BARE_RECORDED, rate=rate, calls=int(rate * seconds), talk=TALK)
            )

        (held, why), (limit, why_limit) = await _held(try_ours, plan), await _held(try_bare, plan)
    ratio = held / limit if limit else 0.0
    return Figure(
        name=f"rate held {plan.hold:.0f} s",
        ours=held,
        limit=limit,
        unit="calls/s",
        ratio=ratio,
        aim=f"{AIM}",
        met=ratio >= AIM,
        note=f"ours next: {why}; bare next: {why_limit}",
    )


async def _held(attempt: Attempt, plan: Plan) -> tuple[int, str]:
    """The highest rate held, and why the next one was not."""
    best, why = 0, f"not tried above {plan.highest}"
    for rate in range(plan.step, plan.highest + 1, plan.step):
        if wrong := await attempt(rate, plan.probe):
            why = f"{rate}/s {wrong}"
            break
        best = rate
    for rate in range(best, 0, -plan.step):
        if not (wrong := await attempt(rate, plan.hold)):
            return rate, why
        why = f"{rate}/s {wrong}"
    return 0, why


async def _ours(system: System, pair: SipPair, rate: int, seconds: float) -> str:
    began, calls = now(), int(rate * seconds)
    wrong = _failed(await pair.run((*PLAIN, *IDENTIFIED), rate=rate, calls=calls, talk=TALK))
    await system.settled()
    routed = await system.routed(began)
    good = sum(
        count for (by, ending), count in routed.items() if (by, ending) == ("agent", "answered")
    )
    if good < calls:
        wrong = (
            f"{calls - good} not routed in time"
            if not wrong
            else f"{wrong}, {calls - good} not routed in time"
        )
    return wrong


def _failed(result: PairResult) -> str:
    lost = len(result.calls) - result.good
    late = f" (callers {result.lag:.2f} s late)" if result.lag > 0.25 else ""
    return f"{lost} failed{late}" if lost else ""
