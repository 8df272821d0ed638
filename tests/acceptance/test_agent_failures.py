"""The phone rings even if Python is dead: the agent killed, frozen, late, cut off, hung; each time
nothing is lost.
"""

import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from router.domain.calls.call import Call, Ending, RoutedBy
from tests.acceptance import sip
from tests.acceptance.calling import Voices, company_line, dial, somebody, the_call
from tests.acceptance.promises import crowd, kept, visitors
from tests.acceptance.proxy import Connection, Proxy
from tests.acceptance.receiver import Receiver
from tests.acceptance.system import System, line, system

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEADLINE = 0.3
SLACK = 0.4  # this machine may be busy with other things,
STANDSTILL = 3.0  # and now and then with nothing but them
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
    running: System, receiver: Receiver, tmp_path: Path, voice: Voices
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
    nobody_was_kept(calls, delays)
    await the_agent_answers(running, tmp_path / "after")


async def test_a_frozen_agent_costs_the_deadline_and_soon_nothing(
    running: System, receiver: Receiver, tmp_path: Path, voice: Voices
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
    nobody_was_kept(calls, delays)
    late = [delays[c.caller_raw] for c in calls if c.arrived_at.timestamp() > frozen_at + STALE]
    assert len(late) > 5
    assert sorted(late)[len(late) // 2] < DEADLINE / 2, "a silent agent is not waited for"
    await the_agent_answers(running, tmp_path / "after")


async def test_an_agent_that_answers_too_late_does_no_harm(
    running: System, receiver: Receiver, proxy: Proxy, tmp_path: Path, voice: Voices
) -> None:
    everybody = await visitors(running, voice, 12)
    proxy.delay = 0.5  # each way
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)) as (office,):
        async with crowd(running, tmp_path, everybody, rate=4) as callers:
            quitter = await somebody_gives_up(running, tmp_path)
            result = await callers.finished(180)
        assert result.statuses == (200,) * 12
        delays = sip.post_dial_delays(result, await office.stop())
    proxy.delay = 0.0
    calls = await kept(running, receiver, everybody)
    assert {call.routed_by for call in calls} == {RoutedBy.DIALPLAN}
    assert min(delays.values()) >= DEADLINE
    nobody_was_kept(calls, delays)
    calls.append(await the_call(running, quitter))
    assert {call.id for call in calls} <= answered(running), "each was answered, too late"
    await the_agent_answers(running, tmp_path / "after")


async def test_a_cut_connection_comes_back_and_replays_nothing(
    running: System, receiver: Receiver, proxy: Proxy, tmp_path: Path, voice: Voices
) -> None:
    everybody = await visitors(running, voice, 20)
    before = len(proxy.connections)
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)) as (office,):
        async with crowd(running, tmp_path, everybody, rate=4) as callers:
            await arrived(running, 4)
            proxy.to_agent.clear()
            await asked_something(running, proxy.ear)
            proxy.cut()  # with a question on its way
            proxy.resume()
            result = await callers.finished(180)
        assert result.statuses == (200,) * 20
        delays = sip.post_dial_delays(result, await office.stop())
    calls = await kept(running, receiver, everybody, listen=(0, 5, -1))
    for some in (calls[:3], calls[-3:]):
        assert RoutedBy.AGENT in {call.routed_by for call in some}
    assert RoutedBy.DIALPLAN in {call.routed_by for call in calls}
    nobody_was_kept(calls, delays)
    assert len(proxy.connections) > before
    await the_agent_answers(running, tmp_path / "after")


async def test_a_hung_connection_is_noticed_and_replays_nothing(
    running: System, receiver: Receiver, proxy: Proxy, tmp_path: Path, voice: Voices
) -> None:
    everybody = await visitors(running, voice, 20)
    hung = proxy.ear
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)) as (office,):
        async with crowd(running, tmp_path, everybody, rate=4) as callers:
            await arrived(running, 4)
            proxy.hang()
            hung_at = time.time()
            await left(running, hung)
            proxy.resume()
            result = await callers.finished(180)
        assert result.statuses == (200,) * 20
        delays = sip.post_dial_delays(result, await office.stop())
    calls = await kept(running, receiver, everybody, listen=(0, 6, -1))
    assert hung.ended_at is not None
    assert hung.ended_at - hung_at < 5 + STANDSTILL
    assert set(by_moment(calls, since=hung_at + 0.1, before=hung.ended_at)) == {RoutedBy.DIALPLAN}
    nobody_was_kept(calls, delays)
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


async def somebody_gives_up(running: System, work: Path) -> sip.Caller:
    """A caller who is gone before a late answer comes."""
    lease = await running.lease()
    who = somebody(lease.number, abandon_after=0.05)
    await dial(running, work, who)
    return who


async def arrived(running: System, count: int) -> None:
    """So many calls more are in the database."""
    before = len(await running.calls())

    async def look() -> bool:
        return len(await running.calls()) >= before + count

    await running.until(look, f"{count} calls did not arrive")


async def silent(running: System) -> None:
    """The heartbeat has become stale."""

    async def look() -> bool:
        return not await running.agent_beats()

    await running.until(look, "the heartbeat goes on")


async def asked_something(running: System, connection: Connection) -> None:
    """The dialplan sends a question."""
    before = len(asked(connection))

    async def look() -> bool:
        return len(asked(connection)) > before

    await running.until(look, "the dialplan asked nothing")


async def left(running: System, connection: Connection) -> None:
    """The agent gives this connection up."""

    async def look() -> bool:
        return connection.ended_at is not None

    await running.until(look, "the agent did not notice")


async def rang(running: System, office: sip.Sipp, callers: Iterable[sip.Caller]) -> None:
    """All of them ring at the company, or have."""
    numbers = {who.number for who in callers}

    async def look() -> bool:
        return numbers <= {
            message.from_user
            for message in office.messages()
            if message.first.startswith("INVITE ")
        }

    await running.until(look, "not everybody reached the company")


def nobody_was_kept(calls: Sequence[Call], delays: Mapping[str, float]) -> None:
    """Who was not answered waited for the deadline, and no other much longer."""
    waited = sorted(
        delays[call.caller_raw] for call in calls if call.routed_by is RoutedBy.DIALPLAN
    )
    assert waited[len(waited) // 2] < DEADLINE + SLACK
    assert max(delays.values()) < DEADLINE + SLACK + STANDSTILL


def by_moment(calls: Sequence[Call], *, since: float = 0.0, before: float) -> list[RoutedBy | None]:
    """Who routed the calls that arrived in this time."""
    return [call.routed_by for call in calls if since <= call.arrived_at.timestamp() < before]


def asked(connection: Connection) -> set[str]:
    """The calls for which the dialplan asked on this connection."""
    questions = (
        event for event in connection.heard.split(b"\r\n\r\n") if b"RingtraceRoute" in event
    )
    found = (re.search(rb"\r\nUniqueid: (\S+)", question) for question in questions)
    return {match[1].decode() for match in found if match}


def answered(running: System) -> set[str]:
    """The calls that were answered during the last minute."""
    return {path.name for path in running.settings.answers.iterdir()}
