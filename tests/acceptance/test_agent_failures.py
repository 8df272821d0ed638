"""The phone rings even if Python is dead: the agent killed, frozen, late, cut off, hung; each time
nothing is lost.
"""

import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from router.domain.calls.call import Ending, RoutedBy
from tests.acceptance import sip
from tests.acceptance.agent_moments import (
    DEADLINE,
    answered,
    arrived,
    asked,
    asked_something,
    by_moment,
    connected,
    left,
    nobody_was_kept,
    rang,
    silent,
    somebody_gives_up,
)
from tests.acceptance.calling import Voices, company_line, dial, somebody, the_call
from tests.acceptance.promises import crowd, kept, visitors
from tests.acceptance.proxy import Proxy
from tests.acceptance.receiver import Receiver
from tests.acceptance.system import System, line, system
from tests.support.standstill import Standstill

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLACK = 3.0  # of a machine that is busy with other things
STALE = 4.3  # seconds after its last heartbeat the agent is not asked any more


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxied(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[System, Proxy]]:
    """A system whose agent reaches Asterisk through a proxy."""
    async with system(
        tmp_path_factory.mktemp("home"), route_deadline_ms=round(DEADLINE * 1000)
    ) as up:
        line(up)
        await up.start("asterisk")
        proxy = Proxy(up.settings.ami_port)
        async with proxy.listening() as port:
            up.settings = up.settings.model_copy(update={"ami_port": port})
            await up.start("agent", "worker")
            yield up, proxy


@pytest.fixture(scope="module")
def running(proxied: tuple[System, Proxy]) -> System:
    return proxied[0]


@pytest.fixture
def proxy(proxied: tuple[System, Proxy]) -> Proxy:
    return proxied[1]


async def test_the_agent_is_killed_in_mid_load_and_started_again(
    still: Standstill,
    running: System,
    receiver: Receiver,
    tmp_path: Path,
    voice: Voices,
) -> None:
    everybody = await visitors(running, voice, 30)
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)) as (office,):
        async with crowd(running, tmp_path, everybody, rate=4) as callers:
            await arrived(running, 3)
            await running.kill("agent")
            killed_at = time.time()
            await silent(running)
            started_at = time.time()
            await running.start("agent")
            result = await callers.finished(180)
        assert result.statuses == (200,) * 30
        delays = sip.post_dial_delays(result, await office.stop())
    calls = await kept(running, receiver, everybody, listen=(0, 9, 12, 20, -1))
    assert Counter(by_moment(calls, before=killed_at - 0.5)).most_common(1)[0][0] is RoutedBy.AGENT
    # on a busy machine all of them may have called before the agent was seen to be dead
    assert set(by_moment(calls, since=killed_at, before=started_at)) <= {RoutedBy.DIALPLAN}
    assert len(delays) == 30
    nobody_was_kept(calls, delays, still)
    await the_agent_answers(running, tmp_path / "after")


async def test_a_frozen_agent_costs_the_deadline_and_soon_nothing(
    still: Standstill,
    running: System,
    receiver: Receiver,
    proxy: Proxy,
    tmp_path: Path,
    voice: Voices,
) -> None:
    everybody = await visitors(running, voice, 24)
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)) as (office,):
        running.signal("agent", signal.SIGSTOP)
        frozen_at = time.time()
        async with crowd(running, tmp_path, everybody, rate=3) as callers:
            quitter = await somebody_gives_up(running, tmp_path)
            await rang(running, office, everybody)  # and they still talk
            running.signal("agent", signal.SIGCONT)
            result = await callers.finished(180)
        assert result.statuses == (200,) * 24
        delays = sip.post_dial_delays(result, await office.stop())
    calls = await kept(running, receiver, everybody, listen=(0, 5, 12, -1))
    assert {call.routed_by for call in calls} == {RoutedBy.DIALPLAN}
    assert (await the_call(running, quitter)).answered_at is None
    nobody_was_kept(calls, delays, still)
    late = {call.id for call in calls if call.arrived_at.timestamp() > frozen_at + STALE}
    assert len(late) > 5
    await the_agent_answers(running, tmp_path / "after")
    questions = asked(*proxy.connections)
    assert questions
    assert late & questions == set(), "a silent agent is not asked"


async def test_an_agent_that_answers_too_late_does_no_harm(
    still: Standstill,
    running: System,
    receiver: Receiver,
    proxy: Proxy,
    tmp_path: Path,
    voice: Voices,
) -> None:
    everybody = await visitors(running, voice, 12)
    proxy.delay = 1.4 * DEADLINE  # each way
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)) as (office,):
        async with crowd(running, tmp_path, everybody, rate=4) as callers:
            quitter = await somebody_gives_up(running, tmp_path)
            result = await callers.finished(180)
        assert result.statuses == (200,) * 12
        ids = {(await the_call(running, who)).id for who in (*everybody, quitter)}
        late = ids & asked(*proxy.connections)
        assert late
        await answered(running, late)
        delays = sip.post_dial_delays(result, await office.stop())
    proxy.delay = 0.0
    calls = await kept(running, receiver, everybody)
    assert {call.routed_by for call in calls} == {RoutedBy.DIALPLAN}
    assert min(delays[call.caller_raw] for call in calls if call.id in late) >= DEADLINE
    nobody_was_kept(calls, delays, still)
    await the_agent_answers(running, tmp_path / "after")


async def test_a_cut_connection_comes_back_and_replays_nothing(
    still: Standstill,
    running: System,
    receiver: Receiver,
    proxy: Proxy,
    tmp_path: Path,
    voice: Voices,
) -> None:
    everybody = await visitors(running, voice, 8)
    waiting, after = await visitors(running, voice, 1), await visitors(running, voice, 3)
    before = len(proxy.connections)
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)) as (office,):
        async with crowd(running, tmp_path, everybody, rate=4) as callers:
            await arrived(running, 4)
            result = await callers.finished(180)
        proxy.to_agent.clear()
        async with crowd(running, tmp_path / "waiting", waiting, rate=4) as caller:
            await asked_something(running, proxy.ear)
            proxy.cut()  # with a question on its way
            proxy.resume()
            assert (await caller.finished(180)).statuses == (200,)
        await connected(running, proxy, before)
        async with crowd(running, tmp_path / "again", after, rate=4) as callers:
            assert (await callers.finished(180)).statuses == (200,) * 3
        assert result.statuses == (200,) * 8
        delays = sip.post_dial_delays(result, await office.stop())
    calls = await kept(running, receiver, everybody | waiting | after, listen=(0, 5, -1))
    for some in (calls[:3], calls[-3:]):
        assert RoutedBy.AGENT in {call.routed_by for call in some}
    assert calls[8].routed_by is RoutedBy.DIALPLAN
    assert max(delays.values()) < DEADLINE + SLACK + still.longest
    await the_agent_answers(running, tmp_path / "after")


async def test_a_hung_connection_is_noticed_and_replays_nothing(
    still: Standstill,
    running: System,
    receiver: Receiver,
    proxy: Proxy,
    tmp_path: Path,
    voice: Voices,
) -> None:
    everybody, meanwhile = await visitors(running, voice, 5), await visitors(running, voice, 8)
    hung = proxy.ear
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)) as (office,):
        async with crowd(running, tmp_path, everybody, rate=4) as callers:
            assert (await callers.finished(180)).statuses == (200,) * 5
        proxy.hang()
        hung_at = time.time()
        async with crowd(running, tmp_path / "meanwhile", meanwhile, rate=4) as callers:
            await left(running, hung)
            proxy.resume()
            result = await callers.finished(180)
        assert result.statuses == (200,) * 8
        delays = sip.post_dial_delays(result, await office.stop())
    calls = await kept(running, receiver, everybody | meanwhile, listen=(0, 6, -1))
    assert hung.ended_at is not None
    assert hung.ended_at - hung_at < 5 + SLACK + still.seconds
    assert calls[5].routed_by is RoutedBy.DIALPLAN
    assert set(by_moment(calls, since=hung_at, before=hung.ended_at - 1)) <= {RoutedBy.DIALPLAN}
    nobody_was_kept(calls[5:], delays, still)
    await the_agent_answers(running, tmp_path / "after")


async def the_agent_answers(running: System, work: Path) -> None:
    """The agent is there again, and a call is as if nothing had been."""
    await running.until(running.agent_beats, "the agent did not come back")
    work.mkdir()
    lease = await running.lease()
    who = somebody(lease.number, talk=0.5)
    async with company_line(running, work, sip.answers(0.1)):
        assert (await dial(running, work, who)).statuses == (200,)
    call = await the_call(running, who)
    assert (call.routed_by, call.lease_id, call.ending) == (
        RoutedBy.AGENT,
        lease.id,
        Ending.ANSWERED,
    )
