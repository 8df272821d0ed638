"""Samples as pages and the API show them."""

import re
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


async def test_a_sample_is_drawn_from_a_form_and_worked_off_by_one_click_a_call(
    world: World, calls: dict[str, Call]
) -> None:
    anna = await world.person("anna")
    form = (await anna.get("/samples?talk_from=1")).text
    assert '<option value="talk_from=1" selected>' in form
    data = {"since": "2026-01-20", "per_employee": "5", "query": "", "name": "<b>week</b>"}
    made = await anna.post("/samples", data=data)
    path = made.headers["location"]
    assert re.fullmatch(r"/samples/[0-9a-f]{32}", path)
    page = (await anna.get(path)).text
    assert "&lt;b&gt;week&lt;/b&gt;" in page
    count = int(re.findall(r"0 of (\d+) reviewed", page)[0])

    opened = []
    for done in range(count):
        following = (await anna.get(f"{path}/next")).headers["location"]
        opened.append(following)
        html = (await anna.get(following)).text
        assert f"{done} of {count} reviewed" in html
        call_path = following.partition("?")[0]
        assert (await anna.post(f"{call_path}/review")).status_code == 303
    assert len(set(opened)) == count
    assert (await anna.get(f"{path}/next")).headers["location"] == path
    assert (await anna.post(f"{path}/remove")).headers["location"] == "/samples"
    assert (await anna.get(path)).status_code == 404
    assert (await anna.get(opened[0])).status_code == 200  # the call stays, without the sample


async def test_a_week_without_calls_is_answered_with_a_notice(
    world: World, calls: dict[str, Call]
) -> None:
    anna = await world.person("anna")
    answer = await anna.post("/samples", data={"since": "2020-01-06", "per_employee": "5"})
    assert answer.status_code == 422
    assert "No answered call matches" in answer.text


async def test_programs_draw_samples_by_a_seed(world: World, calls: dict[str, Call]) -> None:
    write, read = world.program(Scope.CALLS_WRITE), world.program(Scope.CALLS_READ)
    body = {"since": "2026-01-20", "per_employee": 2, "seed": "s", "zone": "Europe/Moscow"}
    first = (await write.post("/api/v1/samples", json=body)).json()
    again = (await write.post("/api/v1/samples", json=body)).json()
    lists = [
        (await read.get(f"/api/v1/samples/{sample['id']}")).json()["calls"]
        for sample in (first, again)
    ]
    assert lists[0] == lists[1] != []
    assert first["since"] == "2026-01-19"
    assert [sample["id"] for sample in (await read.get("/api/v1/samples")).json()] == [
        again["id"],
        first["id"],
    ]
    wrong = await write.post("/api/v1/samples", json=body | {"zone": "Mars/Olympus"})
    assert wrong.status_code == 422
    assert (await read.post("/api/v1/samples", json=body)).status_code == 403
    assert (await write.delete(f"/api/v1/samples/{first['id']}")).status_code == 204
    assert (await read.get(f"/api/v1/samples/{first['id']}")).status_code == 404
