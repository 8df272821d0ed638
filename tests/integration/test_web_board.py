"""The live board on its page and in the API."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Ending, State
from router.service.ports import Heartbeat
from tests.support.web_calls import HOSTILE, a_call, furnish, ringing
from tests.support.web_world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def beat(world: World, seconds_ago: float = 5, **facts: object) -> None:
    at = world.clock.now - timedelta(seconds=seconds_ago)
    async with world.store.write() as session:
        await session.heartbeats.save(Heartbeat(name="ingest pbx", at=at, facts=facts))


async def test_the_board_shows_who_rings_who_talks_what_is_down_and_the_sums_of_the_day(
    world: World,
) -> None:
    await furnish(world)
    now = world.clock.now
    waiting = ringing("21", now - timedelta(seconds=95), caller_name=HOSTILE, probability=0.83)
    waiting = replace(waiting, visit_id="visit-1")
    talking = replace(
        ringing("22", now - timedelta(minutes=3)),
        state=State.TALKING, answered_at=now - timedelta(seconds=150), answered_by="lena",
    )  # fmt: skip
    await world.save(waiting, talking)
    await beat(world, lines_down={"company": "unreachable"})
    html = (await (await world.person("anna")).get("/board")).text
    assert f'data-since="{waiting.arrived_at.timestamp()}">1:35<' in html
    assert f'data-since="{talking.answered_at and talking.answered_at.timestamp()}">2:30<' in html
    assert "lena" in html
    assert "83%" in html
    assert "does not answer" in html
    assert "<script>alert" not in html
    found = (await world.program(Scope.CALLS_READ).get("/api/v1/board")).json()
    assert [call["state"] for call in found["calls"]] == ["talking", "ringing"]
    assert found["down"] == [
        {"destination_id": "office", "down": "all", "lines": {"company": "unreachable"}}
    ]
    assert (found["ended"], found["answered"], found["missed"]) == (8, 5, 2)
    assert found["mean_wait_seconds"] == pytest.approx(7, abs=1)
    since = {"since": now.isoformat()}
    later = (await world.program(Scope.CALLS_READ).get("/api/v1/board", params=since)).json()
    assert (later["ended"], later["mean_wait_seconds"]) == (0, None)


async def test_ghosts_are_shown_as_such(world: World) -> None:
    now = world.clock.now
    await world.save(ringing("1", now - timedelta(hours=13)))
    await world.save(replace(ringing("2", now), id="other-1768912345.2"))
    await beat(world, seconds_ago=5)
    reader = world.program(Scope.CALLS_READ)
    calls = (await reader.get("/api/v1/board")).json()["calls"]
    assert [call["doubt"] for call in calls] == ["too_old", None]
    await world.save(ringing("3", now))
    await beat(world, seconds_ago=90, lines_down={"company": "unreachable"})
    found = (await reader.get("/api/v1/board")).json()
    assert [call["doubt"] for call in found["calls"]] == ["too_old", None, "asterisk_gone"]
    assert (found["silent"], found["down"]) == (["pbx"], [])
    html = (await (await world.person("anna")).get("/board")).text
    assert "probably over" in html
    await world.save(a_call("3", now, ending=Ending.CUT))
    assert len((await reader.get("/api/v1/board")).json()["calls"]) == 2
