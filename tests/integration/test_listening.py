"""Listening in: the sound of spool files that grow, for those who may, written down first."""

import asyncio
import os
import sqlite3
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from router.domain.access import Person, Scope
from router.domain.calls.call import Call, State
from router.domain.calls.listening import Listening
from router.live_sound import SECOND, SpoolListener
from tests.support.web_calls import a_call, ringing
from tests.support.web_world import World, a_world


def side(spool: Path, name: str, *values: int) -> None:
    with (spool / name).open("ab") as file:
        file.write(array("h", values).tobytes())


def numbers(sound: bytes) -> list[int]:
    return list(array("h", sound))


def test_both_sides_are_read_in_turn_as_they_grow(tmp_path: Path) -> None:
    sides = SpoolListener(tmp_path).open("call")
    assert sides.read() == b"", "no file yet"
    side(tmp_path, "call-caller.sln", 1, 2, 3)
    assert sides.read() == b""
    side(tmp_path, "call-company.sln", -1, -2)
    assert numbers(sides.read()) == [1, -1, 2, -2]
    assert sides.read() == b""
    side(tmp_path, "call-company.sln", -3)
    with (tmp_path / "call-company.sln").open("ab") as file:
        file.write(b"\x07")  # half a sample
    side(tmp_path, "call-caller.sln", 4)
    assert numbers(sides.read()) == [3, -3]
    sides.close()


def test_a_listener_who_comes_late_hears_what_is_said_now(tmp_path: Path) -> None:
    for which, value in (("caller", 1), ("company", 2)):
        side(tmp_path, f"call-{which}.sln", *[value] * 30 * (SECOND // 2))
    sides = SpoolListener(tmp_path).open("call")
    assert len(sides.read()) == 2 * SECOND, "one second of two sides"
    sides.close()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for which in ("caller", "company"):
        (tmp_path / f"call-{which}.sln").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic"):
        SpoolListener(tmp_path).open("call").read()


@dataclass
class Studio:
    """Sound without end; it looks into the database when it is opened."""

    database: Path
    written: list[int] = field(default_factory=list)
    closed: int = 0

    def open(self, spool_name: str) -> "Studio":
        assert spool_name == "spool-1"
        with sqlite3.connect(self.database) as database:
            ((rows,),) = database.execute("SELECT count(*) FROM listening")
        self.written.append(rows)
        return self

    def read(self) -> bytes:
        return b"\x01\x00\x02\x00"

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
async def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "ringtrace.db")


@pytest.fixture
async def world(tmp_path: Path, studio: Studio) -> AsyncIterator[World]:
    async with a_world(tmp_path, live=studio) as world:
        yield world


async def talking(world: World) -> Call:
    call = replace(ringing("1", world.clock.now), state=State.TALKING, answered_at=world.clock.now)
    await world.save(call)
    return call


async def allow(world: World, *scopes: Scope) -> None:
    async with world.store.write() as session:
        await session.change(replace(await session.get(Person, "anna"), scopes=scopes))


async def listened(world: World) -> list[Listening]:
    async with world.store.read() as session:
        return await session.find(Listening)


async def test_no_role_may_listen_in_by_itself(world: World, studio: Studio) -> None:
    call = await talking(world)
    for login in ("anna", "root"):
        person = await world.person(login)
        assert (await person.post(f"/calls/{call.id}/listen")).status_code == 403
        assert "Listen in" not in (await person.get("/board")).text
        assert "data-listen" not in (await person.get(f"/calls/{call.id}")).text
    stranger = world.browser(Origin="https://ringtrace.test")
    assert (await stranger.post(f"/calls/{call.id}/listen")).status_code == 303
    await allow(world, Scope.CALLS_LISTEN)
    anna = await world.person("anna")
    elsewhere = await anna.post(f"/calls/{call.id}/listen", headers={"Origin": "https://evil"})
    assert elsewhere.status_code == 403
    assert f'data-listen="/calls/{call.id}/listen"' in (await anna.get("/board")).text
    assert (studio.written, await listened(world)) == ([], [])


async def test_it_is_written_down_before_the_first_sound_and_ends_with_the_call(
    world: World, studio: Studio
) -> None:
    call = await talking(world)
    await allow(world, Scope.CALLS_LISTEN)
    anna = await world.person("anna")
    stream = asyncio.create_task(anna.post(f"/calls/{call.id}/listen"))
    while not studio.written:
        await asyncio.sleep(0.01)
    assert studio.written == [1], "the row was there when the sound was opened"
    await world.save(a_call("1", world.clock.now))
    answer = await stream
    assert answer.status_code == 200
    assert numbers(answer.content)[:4] == [1, 2, 1, 2]
    assert answer.headers["content-encoding"] == "identity", "it must not wait to be packed"
    while (await listened(world))[0].ended_at is None:
        await asyncio.sleep(0.01)
    assert studio.closed == 1
    reader = world.program(Scope.CALLS_READ)
    (row,) = (await reader.get(f"/api/v1/calls/{call.id}/listeners")).json()
    assert (row["by"], row["call_id"]) == ("anna", call.id)
    html = (await anna.get(f"/calls/{call.id}")).text
    assert "Listened in" in html
    assert "data-listen" not in html, "the call has ended"
    assert (await anna.post(f"/calls/{call.id}/listen")).status_code == 409


async def test_a_right_that_is_taken_back_ends_the_sound(world: World, studio: Studio) -> None:
    call = await talking(world)
    await allow(world, Scope.CALLS_LISTEN)
    anna = await world.person("anna")
    stream = asyncio.create_task(anna.post(f"/calls/{call.id}/listen"))
    while not studio.written:
        await asyncio.sleep(0.01)
    await allow(world)
    assert (await stream).status_code == 200
    assert os.path.exists(studio.database)
