"""The call's page for someone who listens: marks, and the calls beside this one in its list."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call, Recording, Spans
from tests.support.web_calls import a_recording, furnish
from tests.support.web_world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def calls(world: World) -> dict[str, Call]:
    return await furnish(world)


async def save(world: World, recording: Recording) -> None:
    """Keep a recording as the worker does."""
    async with world.store.write() as session:
        await session.recordings.save([recording])
        await session.calls.touch(recording.call_id)


async def test_marks_are_links_on_the_page_and_rows_in_the_api(
    world: World, calls: dict[str, Call]
) -> None:
    spans = Spans(silences=((10.0, 12.5), (20.0, 31.0)), talk_overs=((40.0, 42.0),))
    call = replace(calls["attributed"], answered_by="<b>anna</b>")
    await world.save(call)
    await save(world, a_recording(call, spans=spans))
    path = f"/calls/{call.id}"
    html = (await (await world.person("anna")).get(path)).text
    assert f'href="{path}?t=20.0" data-at="20.0" data-seconds="11.0" data-mark="silence"' in html
    assert f'href="{path}?t=40.0" data-at="40.0" data-seconds="2.0" data-mark="talk_over"' in html
    assert "<bdi>&lt;b&gt;anna&lt;/b&gt;</bdi>" in html

    program = world.program(Scope.CALLS_READ)
    marks = (await program.get(f"/api/v1{path}/marks")).json()["marks"]
    assert [(mark["kind"], mark["at_seconds"]) for mark in marks] == [
        ("answer", 0.0),
        ("silence", 20.0),
        ("talk_over", 40.0),
    ]
    peaks = (await program.get(f"/api/v1{path}/peaks")).json()
    assert peaks["silences"] == [[10.0, 12.5], [20.0, 31.0]]


async def test_marks_of_a_call_without_a_recording_are_none(
    world: World, calls: dict[str, Call]
) -> None:
    program = world.program(Scope.CALLS_READ)
    missed = await program.get(f"/api/v1/calls/{calls['missed'].id}/marks")
    assert missed.json() == {"marks": []}
    assert (await program.get("/api/v1/calls/no-such/marks")).status_code == 404
    assert (await world.browser().get("/api/v1/calls/no-such/marks")).status_code == 401


async def test_a_call_opened_from_a_list_leads_on_in_that_list(
    world: World, calls: dict[str, Call]
) -> None:
    browser = await world.person("anna")
    listed = (await browser.get("/calls?tag=missed&ending=abandoned_ringing")).text
    query = "in=ending%3Dabandoned_ringing%26tag%3Dmissed"
    assert f'href="/calls/{calls["missed"].id}?{query}"' in listed

    page = (await browser.get(f"/calls/{calls['stale'].id}?in=tag%3Dmissed")).text
    beside = f'href="/calls/{calls["missed"].id}?in=tag%3Dmissed" data-key="previous"'
    assert beside in page
    assert 'data-key="next"' not in page
    assert 'href="/calls?tag=missed" data-back' in page


async def test_a_call_opened_by_its_address_leads_on_by_arrival(
    world: World, calls: dict[str, Call]
) -> None:
    browser = await world.person("anna")
    page = (await browser.get(f"/calls/{calls['missed'].id}")).text
    assert f'href="/calls/{calls["hostile"].id}" data-key="previous"' in page
    assert f'href="/calls/{calls["stale"].id}" data-key="next"' in page
    hostile = await browser.get(f"/calls/{calls['missed'].id}?in=" + "%00x%3D%ff" * 500)
    assert hostile.status_code == 200
