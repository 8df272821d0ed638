"""A recording is heard by its link without logging in, until the link ends or is revoked."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from structlog.testing import capture_logs

from router.domain.calls.call import Call, Recording, RecordingState, State
from router.domain.calls.recording_link import link, opens
from router.secrets import load_secrets
from router.store.engine import SqlStore
from tests.integration.crm_world import on
from tests.support.builders import NOON
from tests.support.command_line import ringtrace
from tests.support.web_calls import furnish
from tests.support.web_world import SOUND, World, a_world

RECORDING_KEY = "r" * 43
CALL = "pbx-1768912345.1"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        await furnish(world)
        desk = world.app.state.app_state
        web = replace(desk.web, recording_key=lambda: RECORDING_KEY)
        world.app.state.app_state = replace(desk, web=web)
        yield world


async def recording(world: World) -> Recording:
    async with world.store.read() as session:
        return await session.get(Recording, CALL)


async def address(world: World, seconds: float = 3600) -> str:
    made = await recording(world)
    return link("", RECORDING_KEY, made, world.clock() + timedelta(seconds=seconds))


async def test_the_link_works_without_logging_in_whole_and_in_parts(world: World) -> None:
    where = await address(world)
    async with world.browser() as stranger:
        whole = await stranger.get(where)
        part = await stranger.get(where, headers={"Range": "bytes=10-19"})
        head = await stranger.head(where)
    assert (whole.status_code, whole.content) == (200, SOUND)
    assert (part.status_code, part.content) == (206, SOUND[10:20])
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(SOUND)))
    assert whole.headers["cache-control"] == "no-store"
    assert whole.headers["referrer-policy"] == "same-origin"
    assert whole.headers["cross-origin-resource-policy"] == "cross-origin"
    assert whole.headers["access-control-allow-origin"] == "*"
    assert whole.headers["content-type"] == "audio/mpeg"


async def test_it_is_refused_when_it_was_changed_has_ended_or_was_revoked(world: World) -> None:
    where = await address(world)
    wrong = [
        where[:-1] + ("0" if where[-1] != "0" else "1"),
        where.replace("until=", "until=1"),
        where.partition("&")[0],
        where.replace(CALL, "pbx-1768912345.2"),
        where.replace(CALL, "nothing"),
        await address(world, -1),
    ]
    async with world.browser() as stranger:
        refused = [await stranger.get(path) for path in wrong]
        assert [answer.status_code for answer in refused] == [404] * len(wrong)

        async with world.store.write() as session:
            await session.change(replace(await recording(world), links_revoked=1))
        assert (await stranger.get(where)).status_code == 404
        assert (await stranger.get(await address(world))).status_code == 200


async def test_the_signature_is_in_no_log(world: World) -> None:
    where = await address(world)
    async with world.browser() as stranger:
        with capture_logs() as logs:
            await stranger.get(where)
            await stranger.get(where.replace("until=", "until=1"))
    assert where.rpartition("=")[2] not in str(logs)


def test_links_are_made_and_revoked_by_command(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sqlite_template, tmp_path / "ringtrace.db")
    monkeypatch.setenv("RINGTRACE_HOME", str(tmp_path))
    on(tmp_path, _keep)
    words = ("recording", "link", "rt1-1.0", "--json")

    def opened(address: str) -> bool:
        query = dict(parse_qsl(urlsplit(address).query))
        made = on(tmp_path, _recording)
        return opens(load_secrets(tmp_path).recording_key, made, **query, now=datetime.now(UTC))

    first = ringtrace(*words).json["link"]
    assert opened(first)
    ringtrace("recording", "revoke", "rt1-1.0")
    second = ringtrace(*words, "--days", "1").json["link"]
    assert [opened(link) for link in (first, second)] == [False, True]
    ringtrace("recording", "revoke", "--all")
    third = ringtrace(*words).json["link"]
    assert [opened(link) for link in (first, second, third)] == [False, False, True]
    assert "name calls, or --all" in ringtrace("recording", "revoke", status=2).err
    assert ringtrace("recording", "revoke", "nothing", status=1).err


async def _keep(store: SqlStore) -> None:
    call = Call(
        id="rt1-1.0", did="1", trunk="t", site_id="shop", arrived_at=NOON, state=State.ENDED
    )
    async with store.write() as session:
        await session.calls.save([call])
        await session.add(
            Recording(
                call_id=call.id,
                spool_name=call.id,
                state=RecordingState.STORED,
                expected_seconds=50,
                due_at=NOON,
                content_type="audio/mpeg",
            )
        )


async def _recording(store: SqlStore) -> Recording:
    async with store.read() as session:
        return await session.get(Recording, "rt1-1.0")
