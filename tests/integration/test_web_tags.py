"""Tags and reviews as pages and the API show and change them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call, Tag
from router.service.calls.browse import MOST_VALUES
from tests.support.web_calls import furnish
from tests.support.web_world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def calls(world: World) -> dict[str, Call]:
    return await furnish(world)


async def test_a_supervisor_registers_a_tag_and_finds_it_on_every_call(
    world: World, calls: dict[str, Call]
) -> None:
    anna, path = await world.person("anna"), f"/calls/{calls['attributed'].id}"
    answer = await anna.post("/tags", data={"name": "Жалоба", "colour": "red", "digit": "3"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/tags")
    html = (await anna.get(path)).text
    button = re.search(r'<button[^>]*data-digit="3"[^>]*>', html)
    assert button
    assert 'aria-pressed="false"' in button[0]
    assert 'data-colour="red"' in button[0]

    await anna.post(f"{path}/tags", data={"name": "жалоба", "at_seconds": "73.5"})
    html = (await anna.get(path)).text
    button = re.search(r'<button[^>]*data-digit="3"[^>]*>', html)
    assert button
    assert 'aria-pressed="true"' in button[0]
    assert 'href="?t=73.5"' in html
    assert 'data-colour="red"><bdi>жалоба' in (await anna.get("/calls")).text
    assert "жалоба" in (await anna.get("/tags")).text


async def test_a_name_that_looks_like_a_format_is_refused_by_a_sentence(
    world: World, calls: dict[str, Call]
) -> None:
    anna, path = await world.person("anna"), f"/calls/{calls['attributed'].id}"
    for name in ("50 % off", "%(x)s"):
        for page in (f"{path}/tags", "/tags"):
            answer = await anna.post(page, data={"name": name})
            assert answer.status_code == 422, page


async def test_tags_are_renamed_merged_and_removed_by_a_form(
    world: World, calls: dict[str, Call]
) -> None:
    anna, path = await world.person("anna"), f"/calls/{calls['attributed'].id}"
    for name in ("hot", "very hot"):
        await anna.post(f"{path}/tags", data={"name": name})
    assert (await anna.post("/tags/rename", data={"name": "hot", "new": "<b>"})).status_code == 422
    for _ in range(2):  # the second time there is no such tag
        last = await anna.post("/tags/rename", data={"name": "hot", "new": "very hot"})
    assert last.status_code == 404
    html = (await anna.get("/tags")).text
    assert html.count("<form") < 10  # browsers take long to read hundreds
    change = (await anna.get("/tags/change?name=missed")).text
    assert "Offer on calls" in change
    assert "/tags/rename" not in change  # rules set it
    assert (await anna.get("/tags/change?name=a/b")).status_code == 422
    assert "<bdi>very hot</bdi>" in html
    assert "<bdi>hot</bdi>" not in html
    await anna.post("/tags/remove", data={"name": "very hot", "from_calls": "true"})
    assert "very hot" not in (await anna.get("/tags")).text
    assert "very hot" not in (await anna.get(path)).text


async def test_only_people_who_are_logged_in_change_tags_and_from_our_pages(world: World) -> None:
    stranger, anna = world.browser(Origin="https://ringtrace.test"), await world.person("anna")
    forms = {"/tags": {"name": "x"}, "/tags/rename": {"name": "x", "new": "y"}}
    for path, data in (forms | {"/tags/remove": {"name": "x"}}).items():
        assert (await stranger.post(path, data=data)).headers["location"].startswith("/login")
        foreign = await anna.post(path, data=data, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403


async def test_a_call_is_marked_as_reviewed_and_taken_back(
    world: World, calls: dict[str, Call]
) -> None:
    anna, path = await world.person("anna"), f"/calls/{calls['attributed'].id}"
    assert 'data-key="reviewed"' in (await anna.get(path)).text
    await anna.post(f"{path}/review")
    assert f'action="{path}/review/remove"' in (await anna.get(path)).text
    listed = (await anna.get("/calls?reviewed=yes")).text
    assert [call.id in listed for call in calls.values()].count(True) == 1
    await anna.post(f"{path}/review/remove")
    assert f'action="{path}/review"' in (await anna.get(path)).text


async def test_programs_register_rename_and_remove_tags(
    world: World, calls: dict[str, Call]
) -> None:
    write, read = world.program(Scope.CALLS_WRITE), world.program(Scope.CALLS_READ)
    put = await write.put("/api/v1/tags/Sale", json={"colour": "green", "digit": 2})
    assert put.json() == {"name": "sale", "colour": "green", "digit": 2}
    path = f"/api/v1/calls/{calls['busy'].id}"
    tag = (await write.put(f"{path}/tags/sale?at_seconds=12.5")).json()
    assert (tag["at_seconds"], tag["colour"]) == (12.5, "green")
    assert (await write.put(f"{path}/tags/sale?at_seconds=-1")).status_code == 422
    assert (await write.post("/api/v1/tags/sale/rename", json={"name": "sold"})).status_code == 202
    listed = (await read.get("/api/v1/tags?text=so")).json()
    assert listed == [
        {"name": "sold", "calls": 1, "colour": "green", "digit": 2, "replaced_by": None}
    ]
    assert (await read.put("/api/v1/tags/x", json={})).status_code == 403
    assert (await write.post("/api/v1/tags/none/rename", json={"name": "y"})).status_code == 404
    assert (await write.post("/api/v1/tags/missed/rename", json={"name": "y"})).status_code == 409
    assert (await write.delete("/api/v1/tags/sold?from_calls=true")).status_code == 202
    assert (await read.get(path)).json()["tags"] == []


async def test_programs_review_calls(world: World, calls: dict[str, Call]) -> None:
    write, read = world.program(Scope.CALLS_WRITE), world.program(Scope.CALLS_READ)
    path = f"/api/v1/calls/{calls['busy'].id}"
    assert (await write.put(f"{path}/review")).status_code == 204
    assert (await read.get(path)).json()["review"]["person"] == "calls:write"
    assert (await write.put("/api/v1/calls/none/review")).status_code == 404
    assert (await write.delete(f"{path}/review")).status_code == 204
    assert (await read.get(path)).json()["review"] is None


async def test_a_tag_beyond_the_most_frequent_ones_is_found_by_typing_part_of_it(
    world: World, calls: dict[str, Call]
) -> None:
    call, now = calls["attributed"], world.clock.now
    names = [f"brand {number:05}" for number in range(10_000)]
    async with world.store.write() as session:
        for name in [*names, "Ёлка"]:
            await session.add(Tag(call_id=call.id, name=name.lower(), author="anna", at=now))
    anna = await world.person("anna")
    offered = (await anna.get("/calls/values/tag")).text
    assert offered.count("<option") == MOST_VALUES
    typed = (await anna.get("/calls/values/tag", params={"name": " 09998"})).text
    assert re.findall(r'value="([^"]*)"', typed) == ["brand 09998"]
    assert "ёлка" in (await anna.get("/calls/values/tag", params={"tag": "ЁЛ"})).text
    assert "<option" not in (await anna.get("/calls/values/tag", params={"tag": "<b>"})).text
