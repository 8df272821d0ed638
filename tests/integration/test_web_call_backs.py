"""Calling back on pages, in the API and from a shell."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.domain.access import Person, Scope
from router.domain.calls.call import Call, Direction
from router.domain.calls.call_back import CallBack, CallBackResult, CallBackState
from tests.integration.test_web_missed import miss
from tests.support.web_calls import a_call
from tests.support.web_world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def may_call(world: World, login: str, **changes: Any) -> None:
    values = {"phone": "PJSIP/anna", "scopes": (Scope.CALLS_CALL,), **changes}
    async with world.store.write() as session:
        person = await session.get(Person, login)
        await session.change(replace(person, **values))


async def only(world: World) -> CallBack:
    async with world.store.read() as session:
        (back,) = await session.find(CallBack)
    return back


async def tell(world: World, back: CallBack, **changes: Any) -> None:
    async with world.store.write() as session:
        await session.change(replace(back, **changes))


async def test_a_missed_caller_is_called_back_by_a_click_and_the_page_says_how_far_it_is(
    world: World,
) -> None:
    call = await miss(world, "21")
    anna = await world.person("anna")
    assert "Call back" not in (await anna.get("/missed")).text, "no role has the right by itself"
    await may_call(world, "anna")
    assert f'action="/missed/{call.id}/call-back"' in (await anna.get("/missed")).text
    answer = await anna.post(f"/missed/{call.id}/call-back?days=30")
    assert (answer.status_code, answer.headers["location"]) == (303, "/missed?days=30")
    back = await only(world)
    assert (back.by, back.number, back.task_id) == ("anna", call.caller, call.id)
    html = (await anna.get("/missed")).text
    assert "The call back begins…" in html
    assert f'action="/missed/{call.id}/call-back"' not in html, "one at a time"
    await tell(world, back, state=CallBackState.RINGING)
    assert "Ringing the phone: pick it up" in (await anna.get("/missed")).text
    ended = {"state": CallBackState.ENDED, "result": CallBackResult.UNREACHABLE, "reason": "403"}
    await tell(world, back, **ended)
    html = (await anna.get(f"/calls/{call.id}")).text
    assert "The trunk did not connect the call (SIP 403)" in html
    assert f'action="/calls/{call.id}/call-back"' in html
    russian = (await anna.get("/missed", headers={"Accept-Language": "ru"})).text
    assert "Оператор связи не соединил вызов" in russian


async def test_a_refused_call_back_says_why(world: World) -> None:
    call = await miss(world, "21")
    foreign = await miss(world, "22", caller="+882161234567")
    anna = await world.person("anna")
    address = f"/calls/{call.id}/call-back"
    refused = await anna.post(address, headers={"HX-Request": "true"})
    assert refused.status_code == 409
    assert "You may not call back" in refused.text
    await may_call(world, "anna", phone="")
    assert "You have no phone" in (await anna.post(address)).text
    await may_call(world, "anna")
    assert "foreign or costly" in (await anna.post(f"/missed/{foreign.id}/call-back")).text
    elsewhere = await anna.post(address, headers={"Origin": "https://evil.example"})
    assert elsewhere.status_code == 403
    assert (await anna.post("/calls/nothing-1.1/call-back")).status_code == 404
    async with world.store.read() as session:
        assert await session.find(CallBack) == []


async def test_a_call_that_was_made_is_shown_with_its_direction_and_cause(world: World) -> None:
    call = await miss(world, "21")
    made: Call = a_call(
        "30",
        world.clock.now,
        direction=Direction.OUTGOING,
        answers_call_id=call.id,
        started_by="<b>boris</b>",
        verdict=None,
    )
    async with world.store.write() as session:
        await session.calls.save([made])
    anna = await world.person("anna")
    html = (await anna.get(f"/calls/{made.id}")).text
    assert f'<a href="/calls/{call.id}">this call</a>, <bdi>&lt;b&gt;boris&lt;/b&gt;</bdi>' in html
    assert "Who called" not in html
    assert "Promo code" not in html
    rows = (await anna.get("/calls?direction=outgoing&columns=time.caller.direction")).text
    assert f'id="call-{made.id}"' in rows
    assert f'id="call-{call.id}"' not in rows
    assert "Outgoing call" in rows
    others = (await anna.get("/calls?not_direction=outgoing")).text
    assert f'id="call-{made.id}"' not in others
    sheet = (await anna.get("/calls/export.csv?columns=caller.direction")).text
    assert "Outgoing" in sheet


async def test_a_program_begins_a_call_back_and_follows_it(world: World) -> None:
    call = await miss(world, "21")
    await world.person("anna")
    reader = world.program(Scope.CALLS_READ)
    caller = world.program(Scope.CALLS_CALL)
    address = f"/api/v1/calls/{call.id}/call-back"
    assert (await reader.post(address, json={"by": "anna"})).status_code == 403
    refused = await caller.post(address, json={"by": "anna"})
    assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
    assert "ringtrace user allow" in refused.json()["message"]
    assert (await caller.post(address, json={"by": "nobody"})).status_code == 404
    number = await caller.post(address, json={"by": "anna", "number": "+79160000000"})
    assert number.status_code == 422, "no number comes from outside"
    await may_call(world, "anna")
    begun = await caller.post(address, json={"by": "anna"})
    assert (begun.status_code, begun.json()["state"]) == (202, "asked")
    assert begun.json()["number"] == call.caller
    one = await reader.get(f"/api/v1/call-backs/{begun.json()['id']}")
    assert one.json() == begun.json()
    assert (await reader.get("/api/v1/call-backs")).json() == [begun.json()]
    assert (await reader.get("/api/v1/call-backs/none")).status_code == 404
    listed = (await reader.get("/api/v1/calls?direction=outgoing")).json()["calls"]
    assert listed == []
