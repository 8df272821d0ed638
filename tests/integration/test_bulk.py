"""Marked calls of the list: tagged at once, in batches between which others write."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from router.domain.access import Scope
from router.domain.calls.call_filter import CallFilter
from router.service.calls import bulk
from router.service.calls.browse import tag_call
from router.service.calls.bulk import BulkAction, change_calls
from router.service.calls.selection import Selection
from tests.support.web_calls import a_call, furnish
from tests.support.web_world import World, a_world

IDS = ["pbx-1768912345.7", "pbx-1768912345.3"]
HTMX = {"HX-Request": "true", "Accept-Language": "en"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        await furnish(world)
        yield world


async def tags(world: World, name: str) -> set[str]:
    """The calls with this tag, as the list finds them."""
    async with world.store.read() as session:
        found = await session.calls.find(CallFilter(tag=name), limit=500)
        lists = await session.tags.of([call.id for call in found])
    assert all(any(tag.name == name for tag in lists[call.id]) for call in found)
    return {call.id for call in found}


async def test_marked_calls_get_and_lose_a_tag_and_the_page_says_how_many(world: World) -> None:
    anna = await world.person("anna")
    form = {"action": "tag", "name": " VIP  client ", "call": [*IDS, "unknown", IDS[0]]}
    done = await anna.post("/calls/bulk", data=form, headers=HTMX)
    assert "2 calls tagged" in done.text
    assert done.headers["hx-trigger"] == "callsChanged"
    assert await tags(world, "vip client") == set(IDS)

    again = await anna.post("/calls/bulk", data=form, headers=HTMX)
    assert re.search(r"0 calls tagged.*of 2; the others needed no change", again.text)
    removed = form | {"action": "untag", "call": IDS[:1]}
    assert (
        "Tag removed from 1 call"
        in (await anna.post("/calls/bulk", data=removed, headers=HTMX)).text
    )
    assert await tags(world, "vip client") == {IDS[1]}


async def test_all_that_match_are_those_of_the_address_that_have_arrived(world: World) -> None:
    later = world.clock.now + timedelta(minutes=1)
    await world.save(a_call("9", later))
    anna = await world.person("anna")
    form = {"action": "tag", "name": "batch", "everything": "true", "call": IDS}
    await anna.post("/calls/bulk?ending=answered", data=form, headers=HTMX)
    tagged = await tags(world, "batch")
    assert tagged == {f"pbx-1768912345.{n}" for n in (1, 2, 4, 5, 6)}

    # a tag that is removed from the calls that have it, page after page
    form |= {"action": "untag"}
    await anna.post("/calls/bulk?tag=batch", data=form, headers=HTMX)
    assert await tags(world, "batch") == set()


async def test_without_scripts_the_list_is_shown_again(world: World) -> None:
    anna = await world.person("anna")
    form = {"action": "tag", "name": "x", "call": IDS}
    answer = await anna.post("/calls/bulk?ending=busy", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls?ending=busy")


async def test_marked_calls_are_reviewed_and_not_reviewed(world: World) -> None:
    anna = await world.person("anna")
    form = {"action": "review", "call": IDS}
    done = await anna.post("/calls/bulk", data=form, headers=HTMX)
    assert "2 calls marked as reviewed" in done.text
    async with world.store.read() as session:
        found = await session.calls.find(CallFilter(reviewed=True))
    assert {call.id for call in found} == set(IDS)
    form = {"action": "unreview", "call": IDS[:1]}
    done = await anna.post("/calls/bulk", data=form, headers=HTMX)
    assert "1 call marked as not reviewed" in done.text


async def test_what_is_no_tag_or_comes_from_elsewhere_is_refused(world: World) -> None:
    anna = await world.person("anna")
    form = {"action": "tag", "name": "<b>", "call": IDS}
    assert (await anna.post("/calls/bulk", data=form)).status_code == 422
    form = {"action": "tag", "name": "x", "call": IDS}
    foreign = {"Origin": "https://evil.example"}
    assert (await anna.post("/calls/bulk", data=form, headers=foreign)).status_code == 403
    assert await tags(world, "x") == set()


async def test_programs_change_many_calls(world: World) -> None:
    program = world.program(Scope.CALLS_WRITE)
    path = "/api/v1/calls/bulk"
    body = {"action": "tag", "value": "batch", "calls": IDS}
    assert (await program.post(path, json=body)).json() == {"chosen": 2, "changed": 2}
    body = {"action": "untag", "value": "batch", "query": "ending=busy"}
    assert (await program.post(path, json=body)).json() == {"chosen": 1, "changed": 1}
    both = body | {"calls": IDS}
    assert (await program.post(path, json=both)).status_code == 422
    reader = world.program(Scope.CALLS_READ)
    assert (await reader.post(path, json=body)).status_code == 403


async def test_others_write_while_many_calls_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand calls in batches; another person's tag gets in between two of them."""
    monkeypatch.setattr(bulk, "BATCH", 50)
    began = world.clock.now - timedelta(days=2)
    await world.save(*(a_call(f"m{n}", began - timedelta(minutes=n)) for n in range(1000)))
    selection = Selection(wanted=CallFilter(until=began + timedelta(seconds=1)))
    work = asyncio.create_task(
        change_calls(
            world.store, selection, BulkAction.TAG, "many", author="anna", now=world.clock.now
        )
    )
    between, longest = 0, 0.0
    while not work.done():
        started = time.perf_counter()
        await tag_call(world.store, IDS[0], f"t{between}", author="root", now=world.clock.now)
        longest = max(longest, time.perf_counter() - started)
        between += not work.done()
        await asyncio.sleep(0)
    assert (await work).changed == 1000
    assert between >= 5, longest


async def test_the_page_offers_boxes_and_a_bar_for_marked_calls(world: World) -> None:
    anna = await world.person("anna")
    html = (await anna.get("/calls?ending=busy", headers={"Accept-Language": "en"})).text
    assert html.count('name="call" value="pbx-1768912345.7" form="bulk"') == 1
    assert 'action="/calls/bulk?ending=busy"' in html
    assert "All that match (1)" in html


async def counting(world: World, **flags: bool) -> set[str]:
    """The calls that count so, as the list finds them."""
    async with world.store.read() as session:
        return {call.id for call in await session.calls.find(CallFilter(**flags), limit=500)}


@pytest.mark.parametrize(
    ("yes", "no", "flag"), [("target", "not_target", "target"), ("spam", "not_spam", "spam")]
)
async def test_marked_calls_count_as_a_person_says_until_they_undo_it(
    world: World, yes: str, no: str, flag: str
) -> None:
    anna, boris = await world.person("anna"), await world.person("root")
    form = {"action": yes, "call": [*IDS, "unknown"]}
    done = await anna.post("/calls/bulk", data=form, headers=HTMX)
    assert re.search(r"2 calls (are|is)", done.text)
    assert await counting(world, **{flag: True}) == set(IDS)
    again = await anna.post("/calls/bulk", data=form, headers=HTMX)
    assert "others needed no change" in again.text
    assert "/calls/bulk/undo" not in again.text

    world.clock.now += timedelta(minutes=1)
    await boris.post("/calls/bulk", data={"action": no, "call": IDS[:1]}, headers=HTMX)
    assert await counting(world, **{flag: True}) == {IDS[1]}
    subject, at = re.findall(r'name="(?:subject|at)" value="([^"]*)"', done.text)
    sent = {"subject": subject, "at": at}
    assert (
        "Undone for 0 calls" in (await boris.post("/calls/bulk/undo", data=sent, headers=HTMX)).text
    )
    undone = await anna.post("/calls/bulk/undo", data=sent, headers=HTMX)
    assert "Undone for 1 call: rules count again" in undone.text  # the other is decided by root
    assert undone.headers["hx-trigger"] == "callsChanged"
    assert await counting(world, **{flag: True}) == set()
    tag = {"subject": "tag", "at": at}
    assert (await anna.post("/calls/bulk/undo", data=tag, headers=HTMX)).status_code == 422
    assert (
        await anna.post("/calls/bulk/undo", data=sent, headers={"origin": "x"})
    ).status_code == 403


async def test_programs_decide_on_all_that_match_and_undo_it(world: World) -> None:
    program = world.program(Scope.CALLS_WRITE)
    body = {"action": "spam", "query": "ending=answered"}
    done = (await program.post("/api/v1/calls/bulk", json=body)).json()
    assert done["changed"] == done["chosen"] == len(await counting(world, spam=True)) > 1
    undo = {"action": "undo_spam", "calls": sorted(await counting(world, spam=True))[:1]}
    assert (await program.post("/api/v1/calls/bulk", json=undo)).json()["changed"] == 1
    assert (await program.post("/api/v1/calls/bulk", json=undo)).json()["changed"] == 0
    assert len(await counting(world, spam=True)) == done["changed"] - 1
