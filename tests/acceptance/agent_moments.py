"""Moments of a route responder that fails, and what its calls say of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from router.domain.calls.call import Call, RoutedBy
from tests.acceptance import sip
from tests.acceptance.calling import dial, somebody
from tests.acceptance.proxy import Connection, Proxy
from tests.acceptance.system import System
from tests.support.standstill import Standstill

DEADLINE = 0.5
SLACK = 1.0  # of a machine that is busy with other things


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


def nobody_was_kept(calls: Sequence[Call], delays: Mapping[str, float], still: Standstill) -> None:
    """Who was not answered waited for the deadline, and no other much longer."""
    limit = DEADLINE + SLACK + still.longest
    waited = sorted(
        delays[call.caller_raw] for call in calls if call.routed_by is RoutedBy.DIALPLAN
    )
    assert waited[len(waited) // 2] < limit
    assert max(delays.values()) < limit + SLACK


def by_moment(calls: Sequence[Call], *, since: float = 0.0, before: float) -> list[RoutedBy | None]:
    """Who routed the calls that arrived in this time."""
    return [call.routed_by for call in calls if since <= call.arrived_at.timestamp() < before]


def asked(*connections: Connection) -> set[str]:
    """The calls for which the dialplan asked on these connections."""
    found: set[str] = set()
    for connection in connections:
        for event in connection.heard.split(b"\r\n\r\n"):
            if b"RingtraceRoute" in event:
                found |= {call.decode() for call in re.findall(rb"\r\nUniqueid: (\S+)", event)}
    return found


async def answered(running: System, calls: set[str]) -> None:
    """The agent has answered for all of these during the last minute."""

    async def look() -> bool:
        return calls <= {path.name for path in running.settings.answers.iterdir()}

    await running.until(look, "not every call was answered")


async def connected(running: System, proxy: Proxy, before: int) -> None:
    """A connection beats that was made after the first `before`."""

    async def look() -> bool:
        return any(b"Ping" in connection.said for connection in proxy.connections[before:])

    await running.until(look, "the agent did not connect again")
