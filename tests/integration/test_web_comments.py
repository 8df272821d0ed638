"""Comments on the page of a call, and in the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.domain.access import Role, Scope
from router.domain.calls.call import Call
from router.service.admin.access import add_person
from tests.support.web_calls import furnish
from tests.support.web_world import PASSWORD, World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def calls(world: World) -> dict[str, Call]:
    return await furnish(world)


async def only_comment(world: World, call: Call) -> str:
    read = world.program(Scope.CALLS_READ)
    (comment,) = (await read.get(f"/api/v1/calls/{call.id}/comments")).json()
    return str(comment["id"])


async def test_a_comment_is_escaped_linked_to_its_moment_edited_and_deleted(
    world: World, calls: dict[str, Call]
) -> None:
    anna, path = await world.person("anna"), f"/calls/{calls['attributed'].id}"
    text = "<script>alert(1)</script>\r\n'\"&"
    answer = await anna.post(f"{path}/comments", data={"text": text, "at_seconds": "73.5"})
    assert answer.status_code == 303
    html = (await anna.get(path)).text
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\n" in html
    key = await only_comment(world, calls["attributed"])
    assert f'id="comment-{key}"' in html
    assert 'href="?t=73.5"' in html
    assert calls["attributed"].id in (await anna.get("/calls?commented=yes")).text

    root = await world.person("root")
    assert f"{path}/comments/{key}/delete" not in (await root.get(path)).text
    for address in (f"{path}/comments/{key}/delete", f"{path}/comments/{key}"):
        assert (await root.post(address, data={"text": "mine"})).status_code == 403

    await anna.post(f"{path}/comments/{key}", data={"text": "better", "seen": ""})
    again = await anna.post(f"{path}/comments/{key}", data={"text": "older", "seen": ""})
    assert again.status_code == 409
    assert "better" in (await root.get(path)).text
    await anna.post(f"{path}/comments/{key}/delete")
    assert "better" not in (await root.get(path)).text


async def test_a_private_comment_is_shown_to_its_readers_alone(
    world: World, calls: dict[str, Call]
) -> None:
    await add_person(world.store, "boris", PASSWORD, Role.SUPERVISOR, world.clock.now)
    anna, path = await world.person("anna"), f"/calls/{calls['attributed'].id}"
    form = {"text": "between us", "private": "true", "readers": ["boris"]}
    await anna.post(f"{path}/comments", data=form)
    for login, shown in (("anna", True), ("boris", True), ("root", False)):
        html = (await (await world.person(login)).get(path)).text
        assert ("between us" in html) is shown
    read = world.program(Scope.CALLS_READ)
    assert (await read.get(f"/api/v1{path}/comments")).json() == []


async def test_programs_write_comments_and_change_their_own(
    world: World, calls: dict[str, Call]
) -> None:
    write, read = world.program(Scope.CALLS_WRITE), world.program(Scope.CALLS_READ)
    path = f"/api/v1/calls/{calls['busy'].id}/comments"
    made = (await write.post(path, json={"text": "from the bot", "at_seconds": 3})).json()
    assert (made["author"], made["at_seconds"]) == ("api:calls:write", 3.0)
    edit = {"text": "changed", "edited_at": None}
    assert (await write.put(f"{path}/{made['id']}", json=edit)).json()["text"] == "changed"
    assert (await write.put(f"{path}/{made['id']}", json=edit)).status_code == 409
    assert (await read.get(path)).json()[0]["edited_at"] is not None
    assert (await read.post(path, json={"text": "x"})).status_code == 403
    assert (await write.post(path, json={"text": "я" * 4001})).status_code == 422
    assert (await read.get("/api/v1/calls/none/comments")).status_code == 404
    assert (await write.delete(f"{path}/{made['id']}")).status_code == 204
    assert (await write.delete(f"{path}/{made['id']}")).status_code == 404
