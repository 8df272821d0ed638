"""Saved views of the list of calls, and its columns: as pages and programs use them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from router.domain.access import Scope
from router.domain.calls.saved_view import SavedView
from router.service.admin.access import remove_person
from tests.support.web_calls import furnish
from tests.support.web_world import World, a_world

HOSTILE = '<script>alert("x")</script> \u202eevil 😀'
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        await furnish(world)
        yield world


async def saved(client: httpx.AsyncClient, **form: str) -> str:
    """The id of a view that was saved by its form."""
    answer = await client.post("/views", data={"name": "Busy", "query": "ending=busy"} | form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/calls?view=")


async def shown(client: httpx.AsyncClient, address: str) -> str:
    answer = await client.get(address, headers=ENGLISH)
    assert answer.status_code == 200, answer.text
    return answer.text


def calls_in(html: str) -> list[str]:
    return re.findall(r'<tr id="call-[^"]+\.(\d)"', html)


def headings(html: str) -> list[str]:
    found = re.findall(r'<th role="columnheader" scope="col"[^>]*>(?:<a [^>]*>)?([^<]+)', html)
    return [heading.strip() for heading in found]


async def test_a_view_opens_with_its_query_and_columns_and_shows_that_it_is_open(
    world: World,
) -> None:
    anna = await world.person("anna")
    view = await saved(anna, columns="caller.campaign.talk")
    html = await shown(anna, f"/calls?view={view}")
    assert calls_in(html) == ["7"]
    assert headings(html) == ["Caller", "Campaign", "Talk"]
    assert f'<a href="/calls?view={view}" aria-current="true"><bdi>Busy</bdi>' in html
    assert "View changed" not in html


async def test_a_change_is_shown_and_saved_on_purpose_or_discarded(world: World) -> None:
    anna = await world.person("anna")
    view = await saved(anna)
    changed = await shown(anna, f"/calls?view={view}&columns=time.caller&ending=answered")
    assert "View changed" in changed
    assert f'href="/calls?view={view}">Discard changes' in changed
    assert calls_in(await shown(anna, f"/calls?view={view}")) == ["7"]

    seen = re.search(r'name="seen" value="([^"]+)"', changed)
    assert seen
    form = {"query": "ending=answered", "columns": "time.caller", "seen": seen[1]}
    answer = await anna.post(f"/views/{view}/query", data=form)
    assert answer.headers["location"] == f"/calls?view={view}"
    assert "7" not in calls_in(await shown(anna, f"/calls?view={view}"))

    world.clock.now = world.clock.now.replace(hour=12)
    await anna.post(f"/views/{view}/query", data=form)
    late = await anna.post(f"/views/{view}/query", data=form)
    assert late.status_code == 409  # it was changed after this form was made


async def test_a_filter_that_is_emptied_in_a_view_does_not_bring_the_view_back(
    world: World,
) -> None:
    anna = await world.person("anna")
    html = await shown(anna, f"/calls?view={await saved(anna)}")
    remove = re.search(r'class="remove" href="([^"]+)"', html)
    assert remove
    whole = await shown(anna, remove[1].replace("&amp;", "&"))
    assert len(calls_in(whole)) == 8
    assert "View changed" in whole


async def test_a_view_is_its_authors_until_it_is_shared(world: World) -> None:
    anna, root = await world.person("anna"), await world.person("root")
    own, team = await saved(anna, name="Mine"), await saved(anna, name="Ours", shared="true")
    html = await shown(root, "/calls")
    assert "Ours" in html
    assert "Mine" not in html
    assert "View changed" not in await shown(root, f"/calls?view={own}")
    assert (await root.post(f"/views/{own}/delete")).status_code == 404

    theirs = await saved(root, name="Roots", shared="true")
    assert (await anna.post(f"/views/{theirs}/delete")).status_code == 403
    assert (await root.post(f"/views/{team}/delete")).status_code == 303
    assert "Ours" not in await shown(anna, "/calls")


async def test_the_default_opens_first_and_all_calls_leaves_it(world: World) -> None:
    anna, root = await world.person("anna"), await world.person("root")
    assert (await anna.post("/views", data={"name": "x", "is_default": "true"})).status_code == 403
    await saved(root, is_default="true")
    html = await shown(anna, "/calls")
    assert calls_in(html) == ["7"]
    assert '<a href="/calls?view=all" >All calls</a>' in html
    everything = await shown(anna, "/calls?view=all")
    assert len(calls_in(everything)) == 8
    # the form of filters stays outside the default, too
    assert '<input type="hidden" name="view" value="all">' in everything


async def test_shared_views_outlive_their_authors_account(world: World) -> None:
    anna = await world.person("anna")
    await saved(anna, name="Mine")
    team = await saved(anna, name="Ours", shared="true")
    await remove_person(world.store, "anna")
    async with world.store.read() as session:
        left = await session.find(SavedView)
    assert [(view.id, view.author) for view in left] == [(team, None)]
    root = await world.person("root")
    assert (await root.post(f"/views/{team}/delete")).status_code == 303


async def test_periods_move_and_dates_stay(world: World) -> None:
    anna = await world.person("anna")
    moving = await saved(anna, query="period=today")
    fixed = await saved(anna, query="since=2026-01-20&until=2026-01-20")
    assert "The period moves with today." in await shown(anna, f"/calls?view={moving}")
    assert "The dates stay as they are." in await shown(anna, f"/calls?view={fixed}")
    today = calls_in(await shown(anna, f"/calls?view={fixed}"))
    assert calls_in(await shown(anna, f"/calls?view={moving}")) == today != []
    world.clock.now = world.clock.now.replace(day=21)
    assert calls_in(await shown(anna, f"/calls?view={moving}")) == []
    assert calls_in(await shown(anna, f"/calls?view={fixed}")) == today


async def test_a_name_is_text_and_has_to_be_there(world: World) -> None:
    anna = await world.person("anna")
    await saved(anna, name=HOSTILE)
    html = await shown(anna, "/calls")
    assert "&lt;script&gt;alert" in html
    assert "<script>alert" not in html
    assert "\u202e" not in html.partition("</nav>\n  <div")[0]
    refused = await anna.post("/views", data={"name": " \u202e ", "query": ""}, headers=ENGLISH)
    assert refused.status_code == 422
    assert "Give the view a name." in refused.text


@pytest.mark.parametrize(
    ("view", "expected"),
    [("missed-today", ["1", "3"]), ("not-reviewed", 5), ("long-silence", 0), ("new-callers", 2)],
)
async def test_built_in_views_open(world: World, view: str, expected: list[str] | int) -> None:
    found = calls_in(await shown(await world.person("anna"), f"/calls?view={view}"))
    assert found == expected or len(found) == expected, found


async def test_a_heading_sorts_the_list_and_a_second_press_turns_it(world: World) -> None:
    anna = await world.person("anna")
    first = (await anna.get("/calls?period=7d")).text
    assert 'href="/calls?period=7d&amp;sort=talk"' in first
    sorted_by_talk = (await anna.get("/calls?period=7d&sort=talk")).text
    assert re.search(r'<th [^>]*aria-sort="descending"><a [^>]*sort=talk.up">Talk', sorted_by_talk)
    assert "sse-connect" not in sorted_by_talk


async def test_columns_are_chosen_moved_and_remembered_in_the_browser(world: World) -> None:
    anna = await world.person("anna")
    form = {"query": "ending=busy", "column": ["time", "caller", "first", "id"], "move": ""}
    answer = await anna.post("/calls/columns", data=form)
    assert answer.headers["location"] == "/calls?ending=busy"
    assert headings(await shown(anna, "/calls")) == ["Time", "Caller", "First call", "Call ID"]
    await anna.post("/calls/columns", data=form | {"move": "id.up"})
    assert headings(await shown(anna, "/calls")) == ["Time", "Caller", "Call ID", "First call"]


async def test_columns_that_are_changed_in_a_view_change_the_view(world: World) -> None:
    anna = await world.person("anna")
    view = await saved(anna, columns="caller.talk")
    form = {"query": "ending=busy", "view": view, "column": ["caller", "wait"]}
    answer = await anna.post("/calls/columns", data=form)
    html = await shown(anna, answer.headers["location"])
    assert headings(html) == ["Caller", "Wait"]
    assert "View changed" in html
    assert headings(await shown(anna, "/calls"))[0] == "Time"


async def test_programs_save_the_teams_views(world: World) -> None:
    writer, reader = world.program(Scope.CONFIG_WRITE), world.program(Scope.CALLS_READ)
    body = {"name": "Busy", "query": "ending=busy", "columns": ["time", "caller"]}
    assert (await reader.post("/api/v1/views", json=body)).status_code == 403
    made = await writer.post("/api/v1/views", json=body | {"is_default": True})
    assert made.status_code == 201, made.text
    view = made.json()
    assert view["shared"]
    assert view["is_default"]
    assert [view["id"] for view in (await reader.get("/api/v1/views")).json()] == [view["id"]]

    path = f"/api/v1/views/{view['id']}"
    changed = await writer.put(path, json=body | {"name": "Engaged", "query": "nonsense=1"})
    assert (changed.json()["name"], changed.json()["query"]) == ("Engaged", "")
    assert not changed.json()["is_default"]
    assert (await writer.delete(path)).status_code == 204
    assert (await reader.get(path)).status_code == 404
