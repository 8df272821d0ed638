"""Post-dial delay, INVITE in to INVITE out: our dialplan and agent beside a bare static `Dial()` on
the same Asterisk.

Runs alternate, and medians over the rounds are compared, so that the machine's mood falls on all
alike. The limit is `Dial()` alone, with the CEL log switched off. Where the destination gets the
client ID, the agent asks the database who calls; a bare `Dial()` with MixMonitor and the CEL log
tells what of the difference is Asterisk's own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.acceptance.sip import free_port
from tests.bench.figure import Figure
from tests.bench.leased_numbers import IDENTIFIED, PLAIN
from tests.bench.sip_pair import PairResult, SipPair
from tests.bench.system import BARE, BARE_CARRIER, BARE_RECORDED, CARRIER, System, running

AIMS = {0.5: 1.5, 0.99: 5.0}  # milliseconds more than bare, at this quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """`rounds` alternating runs of `calls` calls at `rate` a second."""

    rate: int
    calls: int
    rounds: int


FULL = (
    Load(rate=10, calls=100, rounds=4),
    Load(rate=50, calls=400, rounds=5),
    Load(rate=100, calls=800, rounds=5),
)
QUICK = (
    Load(rate=10, calls=40, rounds=1),
    Load(rate=50, calls=150, rounds=2),
    Load(rate=100, calls=300, rounds=2),
)

_OURS, _IDENTIFIED, _BARE, _RECORDED = (
    "ours",
    "client ID told",
    "bare",
    "bare with MixMonitor and CEL",
)


def measure(*, quick: bool) -> list[Figure]:
    """p50 and p99 at 10, 50 and 100 calls a second."""
    return asyncio.run(_measure(QUICK if quick else FULL))


async def _measure(loads: Sequence[Load]) -> list[Figure]:
    port = free_port()
    async with (
        SipPair(port, CARRIER) as ours,
        SipPair(port, BARE_CARRIER) as bare,
        running(
            sip_port=port, company_port=ours.company_port, bare_port=bare.company_port
        ) as system,
    ):
        for pair, dids in ((ours, PLAIN), (ours, IDENTIFIED), (bare, BARE), (bare, BARE_RECORDED)):
            await pair.run(dids, rate=20, calls=20)  # the first calls fill caches
        figures: list[Figure] = []
        for load in loads:
            figures += _figures(load, await _rounds(system, ours, bare, load))
        return figures


async def _rounds(
    system: System, ours: SipPair, bare: SipPair, load: Load
) -> dict[str, list[PairResult]]:
    results: dict[str, list[PairResult]] = {}
    for _ in range(load.rounds):
        for name, pair, dids in (
            (_OURS, ours, PLAIN),
            (_BARE, bare, BARE),
            (_IDENTIFIED, ours, IDENTIFIED),
            (_RECORDED, bare, BARE_RECORDED),
        ):
            await system.settled()
            await system.write_cel_log(name != _BARE)
            result = await pair.run(dids, rate=load.rate, calls=load.calls)
            results.setdefault(name, []).append(result)
    return results


def _figures(load: Load, results: dict[str, list[PairResult]]) -> list[Figure]:
    figures = []
    lost = {name: sum(load.calls - run.good for run in runs) for name, runs in results.items()}
    for quantile, aim in AIMS.items():
        delays = {
            name: [run.delay(quantile) * 1000 for run in runs] for name, runs in results.items()
        }
        own = median(a - b for a, b in zip(delays[_RECORDED], delays[_BARE], strict=True))
        for name in (_OURS, _IDENTIFIED):
            more = median(a - b for a, b in zip(delays[name], delays[_BARE], strict=True))
            failed = "".join(f", {lost[n]} calls failed ({n})" for n in (name, _BARE) if lost[n])
            figures.append(
                Figure(
                    name=f"postdial {load.rate}/s "
                    f"p{quantile * 100:.0f}{' (' + name + ')' if name != _OURS else ''}",
                    ours=median(delays[name]),
                    limit=median(delays[_BARE]),
                    unit="ms",
                    ratio=median(delays[name]) / median(delays[_BARE]),
                    aim=f"+{aim} ms",
                    met=more <= aim and not failed,
                    note=f"{more:+.2f} ms; MixMonitor and CEL alone {own:+.2f} ms{failed}",
                )
            )
    return figures
