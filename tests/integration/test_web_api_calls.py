"""Calls in the REST API over a real database, as programs read and tag them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call
from tests.support.web_calls import furnish
from tests.support.web_world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def calls(world: World) -> dict[str, Call]:
    return await furnish(world)


async def test_calls_come_newest_first_a_page_at_a_time(
    world: World, calls: dict[str, Call]
) -> None:
    program, seen, cursor = world.program(Scope.CALLS_READ), [], ""
    while True:
        page = (await program.get(f"/api/v1/calls?limit=3{cursor}")).json()
        seen += [line["call"]["id"] for line in page["calls"]]
        assert len(page["calls"]) <= 3
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [call.id for call in calls.values()]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("verdict=exact", ["attributed"]),
        ("ending=busy", ["busy"]),
        ("tag=missed", ["attributed", "missed"]),
        ("number=%2B74951234599", ["static"]),
        ("caller=%2B4915112345678", ["missed"]),
        ("text=%3Cscript", ["hostile"]),
        ("since=2026-01-20T10:30:00Z&until=2026-01-20T11:25:00%2B00:00", ["hostile"]),
        ("state=ringing", []),
        ("site_id=shop&ending=answered&verdict=stale", ["stale"]),
    ],
)
async def test_calls_are_filtered(
    world: World, calls: dict[str, Call], query: str, names: list[str]
) -> None:
    page = (await world.program(Scope.CALLS_READ).get(f"/api/v1/calls?{query}")).json()
    assert [line["call"]["id"] for line in page["calls"]] == [calls[name].id for name in names]


@pytest.mark.parametrize(
    "query", ["verdict=guess", "since=2026-01-20T10:00:00", "cursor=zzz", "limit=0", "sort=asc"]
)
async def test_a_wrong_question_is_refused(world: World, query: str) -> None:
    answer = await world.program(Scope.CALLS_READ).get(f"/api/v1/calls?{query}")
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input")


async def test_one_call_is_shown_whole_without_its_waveform(
    world: World, calls: dict[str, Call]
) -> None:
    whole = (
        await world.program(Scope.CALLS_READ).get(f"/api/v1/calls/{calls['attributed'].id}")
    ).json()
    assert whole["visitor"]["ga_client_id"] == "1234567890.1768900000"
    assert (whole["visit"]["source"], whole["lease"]["id"], len(whole["deliveries"])) == (
        "google",
        "lease-1",
        2,
    )
    assert whole["recording"]["url"] == f"/api/v1/calls/{calls['attributed'].id}/recording"
    assert "peaks" not in whole["recording"]


async def test_a_tag_is_set_once_and_taken_off(world: World, calls: dict[str, Call]) -> None:
    write = world.program(Scope.CALLS_WRITE)
    path = f"/api/v1/calls/{calls['busy'].id}/tags/к повтору"
    first, again = await write.put(path), await write.put(path)
    assert [answer.status_code for answer in (first, again)] == [200, 200]
    assert first.json()["author"] == "calls:write"
    read = world.program(Scope.CALLS_READ)
    assert [
        tag["name"] for tag in (await read.get(f"/api/v1/calls/{calls['busy'].id}")).json()["tags"]
    ] == ["к повтору"]
    assert (await write.delete(path)).status_code == 204
    assert (await read.get(f"/api/v1/calls/{calls['busy'].id}")).json()["tags"] == []
    assert (await write.put(f"/api/v1/calls/{calls['busy'].id}/tags/<b>")).status_code == 422
    assert (await write.put("/api/v1/calls/none/tags/x")).status_code == 404


async def test_failed_deliveries_are_listed_and_sent_again(
    world: World, calls: dict[str, Call]
) -> None:
    read, write = world.program(Scope.CALLS_READ), world.program(Scope.CALLS_WRITE)
    dead = (await read.get("/api/v1/deliveries?state=failed")).json()["deliveries"]
    assert [delivery["id"] for delivery in dead] == ["d2"]
    assert (await read.post("/api/v1/deliveries/d2/resend")).status_code == 403
    assert (await write.post("/api/v1/deliveries/d2/resend")).json()["state"] == "pending"
    assert (await read.get("/api/v1/deliveries/d2")).json()["key"] == "recording.ready:1"
    assert (await read.get("/api/v1/deliveries?state=failed")).json()["deliveries"] == []
    assert (await write.post("/api/v1/deliveries/none/resend")).json()["error"] == "not_found"
