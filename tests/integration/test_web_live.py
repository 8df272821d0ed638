"""Live pages over a real connection: what changes is sent, once, and only to whom it belongs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from router.domain.access import Person, Role
from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Tag
from router.errors import DatabaseUnavailable
from router.service.calls.browse import CallLine
from router.web.live import Feed
from tests.support.web_calls import a_call, ringing
from tests.support.web_world import PASSWORD, World, a_world, served


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@dataclass
class Event:
    name: str
    data: str
    id: int | None


@asynccontextmanager
async def page(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is logged in over a real connection."""
    async with (
        served(world.app) as address,
        httpx.AsyncClient(base_url=address, timeout=180) as client,
    ):
        data = {"login": "anna", "password": PASSWORD}
        await client.post("/login", data=data, headers={"Origin": address})
        yield client


@asynccontextmanager
async def stream(
    client: httpx.AsyncClient, path: str, **headers: str
) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of a live page; comments are events without a name."""
    async with client.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _read(answer.aiter_lines())


async def _read(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    fields: dict[str, list[str]] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields.setdefault(name, []).append(value)
            continue
        revision = int(fields["id"][0]) if "id" in fields else None
        yield Event(fields.get("event", [""])[0], "\n".join(fields.get("data", [])), revision)
        fields = {}


async def following(events: AsyncIterator[Event]) -> None:
    """Wait until the stream has begun to follow: its second comment says so."""
    assert [(await anext(events)).name for _ in range(2)] == ["", ""]


async def next_events(events: AsyncIterator[Event], count: int = 1) -> list[Event]:
    """The next events that are not comments."""
    found: list[Event] = []
    async with asyncio.timeout(180):
        while len(found) < count:
            event = await anext(events)
            found += [event] if event.name else []
    return found


async def test_a_call_appears_while_it_rings_and_changes_when_it_ends(world: World) -> None:
    async with page(world) as client, stream(client, "/live") as events:
        await world.save(ringing("1", world.clock.now))
        [first] = await next_events(events)
        await world.save(a_call("1", world.clock.now))
        [second] = await next_events(events)
    assert (first.name, second.name) == ("call", "call")
    assert "Ringing" in first.data
    assert "Answered" in second.data
    assert (first.id, second.id) == (1, 2)


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(world: World) -> None:
    for i in range(3):
        await world.save(a_call(str(i), world.clock.now))
    headers = {"Last-Event-ID": "2"}
    async with page(world) as client, stream(client, "/live?since_revision=0", **headers) as events:
        [missed] = await next_events(events)
    assert 'id="call-pbx-1768912345.2"' in missed.data


async def test_a_page_that_is_too_far_behind_fetches_its_list_instead_of_every_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.web.live.KEPT", 2)
    for i in range(4):
        await world.save(a_call(str(i), world.clock.now))
    async with page(world) as client, stream(client, "/live?since_revision=0") as events:
        [first] = await next_events(events)
        await following(events)
        await world.save(a_call("new", world.clock.now))
        [heard] = await next_events(events)
    assert (first.name, first.id) == ("stale", 4)
    assert 'id="call-pbx-1768912345.new"' in heard.data


async def test_a_page_of_a_database_restored_since_hears_of_new_calls(world: World) -> None:
    await world.save(a_call("1", world.clock.now))
    async with page(world) as client, stream(client, "/live?since_revision=99999") as events:
        await following(events)
        await world.save(a_call("2", world.clock.now))
        [heard] = await next_events(events)
    assert "pbx-1768912345.2" in heard.data


async def test_a_call_that_does_not_fit_is_only_reported_gone(world: World) -> None:
    fits = a_call("1", world.clock.now, verdict=Verdict.EXACT)
    await world.save(fits, a_call("2", world.clock.now, caller_name="Somebody Else"))
    async with (
        page(world) as client,
        stream(client, "/live?since_revision=0&verdict=exact") as events,
    ):
        by_name = {event.name: event.data for event in await next_events(events, 2)}
    assert 'id="call-pbx-1768912345.1"' in by_name["call"]
    assert by_name["gone"] == "pbx-1768912345.2"


async def test_calls_of_one_revision_are_asked_for_again_until_all_have_come(world: World) -> None:
    await world.save(*(a_call(str(i), world.clock.now + timedelta(seconds=i)) for i in range(3)))
    async with page(world) as client, stream(client, "/live?since_revision=0") as events:
        found = await next_events(events, 3)
    assert [call.id for call in found] == [None, None, 1]


async def test_one_call_tells_of_its_own_changes_alone(world: World) -> None:
    mine, other = a_call("1", world.clock.now), a_call("2", world.clock.now)
    await world.save(mine, other)
    async with (
        page(world) as client,
        stream(client, f"/calls/{mine.id}/live?since_revision=1") as events,
    ):
        await following(events)
        await world.save(replace(other, caller_name="x"))
        async with world.store.write() as session:
            await session.tags.add(
                Tag(call_id=mine.id, name="hot", author="anna", at=world.clock.now)
            )
            await session.calls.touch(mine.id)
        [heard] = await next_events(events)
    assert (heard.name, heard.id) == ("changed", 3)


@pytest.mark.parametrize("removed", [True, False], ids=["removed", "made an employee"])
async def test_who_may_see_calls_no_more_hears_no_more(world: World, removed: bool) -> None:
    async with page(world) as client, stream(client, "/live") as events:
        await following(events)
        async with world.store.write() as session:
            if removed:
                await session.remove(Person, "anna")
            else:
                anna = await session.get(Person, "anna")
                await session.change(replace(anna, role=Role.EMPLOYEE, employee="company"))
        async with asyncio.timeout(180):  # it ends
            assert [event async for event in events if event.name] == []


async def test_a_stream_without_news_is_kept_alive(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.05)
    async with page(world) as client, client.stream("GET", "/live") as answer:
        assert answer.headers["x-accel-buffering"] == "no"
        lines = answer.aiter_lines()
        async with asyncio.timeout(180):
            while await anext(lines) != ": ping":
                pass


async def test_a_browser_that_leaves_is_not_followed_any_longer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, real = asyncio.Event(), Feed.follow

    async def follow(feed: Feed, revision: int) -> AsyncIterator[list[CallLine]]:
        try:
            async for lines in real(feed, revision):
                yield lines
        finally:
            over.set()

    monkeypatch.setattr(Feed, "follow", follow)
    async with page(world) as client:
        async with stream(client, "/live") as events:
            await following(events)
            assert not over.is_set()
        async with asyncio.timeout(180):
            await over.wait()


async def test_a_database_that_does_not_answer_ends_the_stream_and_the_browser_comes_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise DatabaseUnavailable("gone away")

    async with page(world) as client:
        with monkeypatch.context() as patched:
            patched.setattr("router.web.live.changes_since", broken)
            with capture_logs() as logs:
                async with stream(client, "/live") as events, asyncio.timeout(180):
                    assert [event async for event in events if event.name] == []
        assert [entry["event"] for entry in logs] == ["live_page_ended"]
        await world.save(a_call("1", world.clock.now))
        async with stream(client, "/live", **{"Last-Event-ID": "0"}) as events:
            [missed] = await next_events(events)
    assert missed.id == 1


@pytest.mark.parametrize("headers", [{"Last-Event-ID": "9" * 5000}, {"Last-Event-ID": "x"}])
async def test_a_stream_from_nowhere_is_refused(world: World, headers: dict[str, str]) -> None:
    client = await world.person("anna")
    assert (await client.get("/live", headers=headers)).status_code == 422
    assert (await client.get("/live?since_revision=-1")).status_code == 422


async def test_live_pages_are_for_people_who_are_logged_in(world: World) -> None:
    answer = await world.browser(Accept="text/event-stream").get("/live")
    assert answer.status_code == 401


async def test_many_pages_cost_the_store_no_more_than_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import router.web.live as live

    looks = 0
    real = live.changes_since

    async def counted(*arguments: object) -> object:
        nonlocal looks
        looks += 1
        return await real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(live, "changes_since", counted)
    feed = Feed(world.store)

    ready, began = asyncio.Barrier(21), time.monotonic()

    async def listen() -> int:
        following = feed.follow(0)
        assert await anext(following) == []
        await ready.wait()
        async for lines in following:
            if lines:
                return len(lines)
        return 0

    async with asyncio.TaskGroup() as tasks:
        listeners = [tasks.create_task(listen()) for _ in range(20)]
        await ready.wait()
        await world.save(a_call("1", world.clock.now))
    assert [task.result() for task in listeners] == [1] * 20
    assert looks <= 2 + (time.monotonic() - began) / live.INTERVAL
