"""Missed callers on the page, in the API and from a shell."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call, Ending
from router.service.calls.missed_follow import follow_calls
from router.store.engine import SqlStore
from tests.integration.missed_world import NOBODY
from tests.support.command_line import ringtrace
from tests.support.web_calls import HOSTILE, a_call, furnish
from tests.support.web_world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def miss(world: World, name: str, minutes: float = 10, **more: Any) -> Call:
    call = a_call(name, world.clock.now - timedelta(minutes=minutes), **{**NOBODY, **more})
    async with world.store.write() as session:
        await session.calls.save([call])
        await follow_calls(session, [call])
    return call


async def test_missed_callers_are_on_a_page_with_their_count_in_the_navigation(
    world: World,
) -> None:
    await furnish(world)
    await miss(world, "21", caller="+79160000007", caller_name=HOSTILE)
    await miss(world, "22", caller="+4915112345678", minutes=30)
    await miss(world, "23", caller=None, caller_raw="", withheld=True)
    await miss(world, "24", caller="+79160000001", ending=Ending.ABANDONED_RINGING, wait_seconds=3)
    anna = await world.person("anna")
    html = (await anna.get("/missed")).text
    assert '<a class="phone" href="tel:+79160000007">' in html
    assert html.index("tel:+4915112345678") < html.index("tel:+79160000007")
    assert "cannot be called back" in html
    assert "Hung up within 15 seconds" in html
    assert "<script>alert" not in html
    assert '<span class="figure">2</span>' in (await anna.get("/calls")).text
    russian = (await anna.get("/missed", headers={"Accept-Language": "ru"})).text
    assert "Пропущенные звонки" in russian


async def test_a_taken_task_shows_others_who_took_it(world: World) -> None:
    call = await miss(world, "21")
    anna, root = await world.person("anna"), await world.person("root")
    answer = await anna.post(f"/missed/{call.id}/take?days=30")
    assert (answer.status_code, answer.headers["location"]) == (303, "/missed?days=30")
    assert "Taken by you" in (await anna.get("/missed")).text
    assert "Taken by <bdi>anna</bdi>" in (await root.get("/missed")).text
    assert (await root.post(f"/missed/{call.id}/take")).status_code == 409
    await root.post(f"/missed/{call.id}/release")
    assert "Taken by" not in (await root.get("/missed")).text
    await root.post(f"/missed/{call.id}/note", data={"note": HOSTILE * 5})
    assert "<script>alert" not in (await root.get("/missed")).text
    long = await root.post(f"/missed/{call.id}/note", data={"note": "x" * 4001})
    assert long.status_code == 422


async def test_what_came_of_a_call_back_moves_a_task_to_those_that_are_done(world: World) -> None:
    call = await miss(world, "21")
    anna = await world.person("anna")
    await anna.post(f"/missed/{call.id}/report", data={"kind": "not_answered"})
    assert "Called back, not answered" in (await anna.get("/missed")).text
    await anna.post(f"/missed/{call.id}/report", data={"kind": "given_up"})
    html = (await anna.get("/missed")).text
    assert "No caller waits for a call back." in html
    await anna.post(f"/missed/{call.id}/reopen")
    await anna.post(f"/missed/{call.id}/report", data={"kind": "reached"})
    html = (await anna.get("/missed")).text
    assert "Called back within 20 minutes" in html
    assert "after 10:00" in html
    bad = await anna.post(f"/missed/{call.id}/report", data={"kind": "x"})
    assert bad.status_code == 422


async def test_changes_come_from_our_own_pages_by_people_who_are_logged_in(world: World) -> None:
    call = await miss(world, "21")
    anna = await world.person("anna")
    foreign = {"Origin": "https://elsewhere.example"}
    for action in ("take", "release", "note", "report", "reopen"):
        path = f"/missed/{call.id}/{action}"
        data = {"kind": "reached"}
        assert (await anna.post(path, data=data, headers=foreign)).status_code == 403
        stranger = world.browser(Origin="https://ringtrace.test")
        assert (await stranger.post(path, data=data)).status_code in {303, 401}
    html = (await anna.get("/missed")).text
    assert "Waiting for a call back" in html
    assert "Taken by" not in html


async def test_the_api_lists_closes_and_opens_tasks(world: World) -> None:
    call = await miss(world, "21")
    await miss(world, "22", minutes=5)
    reader, writer = world.program(Scope.CALLS_READ), world.program(Scope.CALLS_WRITE)
    (task,) = (await reader.get("/api/v1/missed")).json()["missed"]
    assert (task["id"], task["calls"], task["state"]) == (call.id, 2, "waiting")
    path = f"/api/v1/missed/{call.id}"
    assert (await writer.post(f"{path}/take", json={"by": "anna"})).json()["taken_by"] == "anna"
    assert (await writer.post(f"{path}/take", json={"by": "root"})).status_code == 409
    assert (await writer.post(f"{path}/release")).json()["taken_by"] is None
    noted = await writer.put(f"{path}/note", json={"note": "later"})
    assert noted.json()["note"] == "later"
    closed = await writer.post(f"{path}/close", json={"reason": "not_needed"})
    assert closed.json()["state"] == "not_needed"
    assert (await writer.post(f"{path}/reopen")).json()["state"] == "waiting"
    made = {"answered": True, "key": "pbx-1", "at": world.clock.now.isoformat()}
    first, second = [await writer.post(f"{path}/contact", json=made) for _ in range(2)]
    assert first.json() == second.json()
    assert (first.json()["state"], first.json()["seconds_to_contact"]) == ("called_back_soon", 600)
    assert (await reader.get("/api/v1/missed")).json()["missed"] == []
    listed = (await reader.get("/api/v1/missed", params={"state": "closed"})).json()
    assert [task["id"] for task in listed["missed"]] == [call.id]
    assert (await reader.get(path)).json() == first.json()
    assert (await reader.get("/api/v1/missed/nothing")).status_code == 404
    assert (await reader.post(f"{path}/contact", json=made)).status_code == 403
    assert (await writer.post(f"{path}/contact", json={"answered": 1})).status_code == 422


async def test_a_shell_lists_missed_callers(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "ringtrace.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("RINGTRACE_HOME", str(home))
    store = SqlStore(f"sqlite+aiosqlite:///{home / 'ringtrace.db'}")
    call = a_call("21", datetime.now(UTC) - timedelta(minutes=5), **NOBODY)
    async with store.write() as session:
        await session.calls.save([call])
        await follow_calls(session, [call])
    await store.close()
    listed = await asyncio.to_thread(ringtrace, "call", "missed", "--json")
    (task,) = listed.json["missed"]
    assert (task["id"], task["state"]) == (call.id, "waiting")
    table = await asyncio.to_thread(ringtrace, "call", "missed")
    assert "waiting" in table.out
    closed = await asyncio.to_thread(ringtrace, "call", "missed", "--closed")
    assert "No missed callers" in closed.err
