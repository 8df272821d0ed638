"""Recordings over HTTP: whole, in parts, unchanged, and not for everyone."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.domain.access import Scope
from tests.support.web_calls import furnish
from tests.support.web_world import SOUND, World, a_world

TAG = f'"{hashlib.sha256(SOUND).hexdigest()}"'


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        await furnish(world)
        yield world


PATH = "/api/v1/calls/pbx-1768912345.1/recording"


async def test_the_whole_recording_comes_with_its_name_and_length(world: World) -> None:
    answer = await world.program(Scope.CALLS_READ).get(PATH)
    assert (answer.status_code, answer.content) == (200, SOUND)
    headers = answer.headers
    assert (headers["content-type"], headers["content-length"]) == ("audio/mpeg", str(len(SOUND)))
    assert (headers["accept-ranges"], headers["etag"]) == ("bytes", TAG)
    assert headers["content-disposition"] == 'inline; filename="2026-01-20_112500Z_79161234567.mp3"'


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-1", 0, 2),
        ("bytes=5000-", 5000, None),
        ("bytes=-10", -10, None),
        ("bytes=10-99999999", 10, None),
    ],
)
async def test_a_part_is_exactly_the_part(
    world: World, wanted: str, start: int, end: int | None
) -> None:
    answer = await world.program(Scope.CALLS_READ).get(PATH, headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (206, SOUND[start:end])
    first = start % len(SOUND)
    assert (
        answer.headers["content-range"]
        == f"bytes {first}-{first + len(answer.content) - 1}/{len(SOUND)}"
    )


async def test_a_part_beyond_the_end_cannot_be_had(world: World) -> None:
    answer = await world.program(Scope.CALLS_READ).get(
        PATH, headers={"Range": f"bytes={len(SOUND)}-"}
    )
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(SOUND)}")


async def test_a_part_of_an_older_version_is_the_whole_of_this_one(world: World) -> None:
    program = world.program(Scope.CALLS_READ)
    same = await program.get(PATH, headers={"Range": "bytes=0-3", "If-Range": TAG})
    other = await program.get(PATH, headers={"Range": "bytes=0-3", "If-Range": '"older"'})
    assert (same.status_code, other.status_code, other.content) == (206, 200, SOUND)


async def test_what_the_browser_has_is_not_sent_again(world: World) -> None:
    answer = await world.program(Scope.CALLS_READ).get(PATH, headers={"If-None-Match": TAG})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_the_head_alone_tells_everything_but_the_sound(world: World) -> None:
    whole = await world.program(Scope.CALLS_READ).head(PATH)
    part = await world.program(Scope.CALLS_READ).head(PATH, headers={"Range": "bytes=0-9"})
    assert (whole.status_code, whole.content, whole.headers["content-length"]) == (
        200,
        b"",
        str(len(SOUND)),
    )
    assert (part.status_code, part.headers["content-length"]) == (206, "10")


async def test_a_person_who_is_logged_in_may_listen_and_others_may_not(world: World) -> None:
    assert (await (await world.person("anna")).get(PATH)).status_code == 200
    assert (await world.browser().get(PATH)).status_code == 401
    assert (await world.program(Scope.CONFIG_READ).get(PATH)).status_code == 403


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 99])
async def test_what_is_not_in_the_storage_is_not_found(world: World, number: int) -> None:
    for part in ("recording", "peaks"):
        answer = await world.program(Scope.CALLS_READ).get(
            f"/api/v1/calls/pbx-1768912345.{number}/{part}"
        )
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_the_waveform_has_both_sides(world: World) -> None:
    peaks = (await (await world.person("anna")).get(PATH.replace("recording", "peaks"))).json()
    assert (len(peaks["caller"]), len(peaks["company"]), peaks["seconds"]) == (600, 600, 124.0)
