"""Rules, target calls and spam as pages and the API show and change them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call
from router.service.calls.rules import work_on_rules
from tests.support.web_calls import furnish
from tests.support.web_world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def calls(world: World) -> dict[str, Call]:
    return await furnish(world)


async def work(world: World) -> None:
    while await work_on_rules(world.store, world.clock()):
        pass


async def test_a_rule_is_begun_from_the_list_tried_and_kept(
    world: World, calls: dict[str, Call]
) -> None:
    anna = await world.person("anna")
    listed = (await anna.get("/calls?period=7d&ending=answered&not_tag=x&spam=no")).text
    link = re.search(r'href="(/rules/new[^"]*)"', listed)
    assert link
    page = (await anna.get(link[1].replace("&amp;", "&"))).text
    query = re.search(r'name="query" value="([^"]*)"', page)
    assert query
    text = query[1].replace("&amp;", "&")
    assert parse_qs(text) == {"ending": ["answered"], "not_tag": ["x"]}
    answered = [call for call in calls.values() if call.ending == "answered"]
    assert f"<strong>{len(answered)} call" in page
    shown = re.findall(r'<li><a href="/calls/([^"]*)"', page)
    assert set(shown) == {call.id for call in answered[:10]}

    form = {"query": text, "name": "Good <b>", "tag": "Good", "review": "true", "past": "true"}
    answer = await anna.post("/rules", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/rules")
    await work(world)
    html = (await anna.get("/rules")).text
    assert "Good &lt;b&gt;" in html
    assert "Outcome: Answered" in html
    path = f"/calls/{answered[0].id}"
    html = (await anna.get(path)).text
    assert "by the rule Good &lt;b&gt;" in html
    assert "<bdi>good</bdi>" in html
    await anna.post(f"{path}/review")
    assert "Review asked for" not in (await anna.get(path)).text

    ids = set(re.findall(r"/rules/([^/]*)/pause", (await anna.get("/rules")).text))
    (rule_id,) = ids - {"target"}
    await anna.post(f"/rules/{rule_id}/remove")
    assert "Being removed" in (await anna.get("/rules")).text
    await work(world)
    assert "<bdi>good</bdi>" not in (await anna.get(path)).text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"name": "x", "query": "talk_from=1"}, 422),
        ({"name": "x", "query": "", "target": "true"}, 422),
        ({"name": " ", "query": "talk_from=1", "target": "true"}, 422),
        ({"name": "x", "query": "talk_from=1", "target": "true", "spam": "true"}, 422),
        ({"name": "x", "query": "tag=a", "tag": "a"}, 409),
        ({"name": "x", "query": "tag=a", "target": "true", "replaces": "gone"}, 404),
    ],
)
async def test_a_rule_that_cannot_work_is_refused(
    world: World, form: dict[str, str], status: int
) -> None:
    anna = await world.person("anna")
    assert (await anna.post("/rules", data=form)).status_code == status
    assert (await anna.post("/rules", data=form, headers={"origin": "http://x"})).status_code == 403
    assert len((await anna.get("/rules")).text.split('class="card"')) == 2


async def test_a_call_is_made_a_target_call_or_spam_by_one_click_and_undone(
    world: World, calls: dict[str, Call]
) -> None:
    anna, call = await world.person("anna"), calls["attributed"]
    path = f"/calls/{call.id}"
    data = {"subject": "target", "answer": "yes"}
    assert (await anna.post(f"{path}/decision", data=data)).status_code == 303
    html = (await anna.get(path)).text
    assert '<span class="outcome good">Target call</span>' in html
    assert f'href="/calls/{call.id}' in (await anna.get("/calls?target=yes")).text
    await anna.post(f"{path}/decision", data={"subject": "spam", "answer": "yes"})
    assert '<span class="outcome bad">Spam</span>' in (await anna.get(path)).text
    spam = (await anna.get("/calls?spam=yes&columns=caller.spam.target")).text
    assert spam.count("<bdi>yes</bdi>") == 3  # and the filter
    for subject in ("spam", "target"):
        await anna.post(f"{path}/decision", data={"subject": subject, "answer": "undo"})
    html = (await anna.get("/calls?target=yes")).text
    assert f'href="/calls/{call.id}' not in html
    assert (await anna.post(f"{path}/decision", data={**data, "subject": "tag"})).status_code == 422


async def test_programs_write_rules_and_decide(world: World, calls: dict[str, Call]) -> None:
    program, reader = world.program(Scope.CALLS_WRITE), world.program(Scope.CALLS_READ)
    tried = await reader.post("/api/v1/rules/try", json={"query": "ending=answered"})
    assert tried.json()["calls"] == len(tried.json()["examples"]) > 0
    body = {"name": "Answered", "query": "ending=answered", "target": True, "past": True}
    rule = (await program.post("/api/v1/rules", json=body)).json()
    assert (rule["state"], rule["is_working"]) == ("active", True)
    await work(world)
    listed = (await reader.get("/api/v1/rules")).json()
    counts = {one["rule"]["name"]: one["calls"] for one in listed}
    assert counts == {"Answered": tried.json()["calls"], "Target calls": 0}
    call = tried.json()["examples"][0]
    assert (await reader.get(f"/api/v1/calls/{call}")).json()["target"] is True
    path = f"/api/v1/calls/{call}/decisions/target"
    assert (await program.put(path, json={"wanted": False})).status_code == 204
    found = (await reader.get("/api/v1/calls", params={"target": "true"})).json()["calls"]
    assert len(found) == tried.json()["calls"] - 1
    assert (await program.delete(path)).status_code == 204
    assert (await reader.get(f"/api/v1/calls/{call}")).json()["target"] is True

    assert (await program.post(f"/api/v1/rules/{rule['id']}/pause")).status_code == 202
    assert (await program.post(f"/api/v1/rules/{rule['id']}/past")).status_code == 409
    await work(world)
    assert (await program.post(f"/api/v1/rules/{rule['id']}/resume")).status_code == 204
    assert (await program.delete(f"/api/v1/rules/{rule['id']}")).status_code == 202
    assert (await reader.post("/api/v1/rules", json=body)).status_code == 403
    assert (await program.post("/api/v1/rules", json={**body, "query": "a=b"})).status_code == 422
    csv = (await reader.get("/api/v1/calls/export.csv?columns=id.target.spam&zone=UTC")).text
    assert csv.splitlines()[0].endswith("Call ID,Target call,Spam")


async def test_spam_is_marked_undone_blocked_and_imported_on_pages(
    world: World, calls: dict[str, Call]
) -> None:
    anna, call = await world.person("anna"), calls["attributed"]
    path = f"/calls/{call.id}"
    await anna.post(f"{path}/decision", data={"subject": "spam", "answer": "yes"})
    assert f'action="{path}/block"' in (await anna.get(path)).text
    assert (await anna.post(f"{path}/block")).status_code == 303
    assert (await anna.post("/spam", data={"number": "<b>"})).status_code == 422
    assert (await anna.post("/spam", data={"number": "+7999*", "note": "<i>"})).status_code == 303
    page = (await anna.get("/spam")).text
    assert "&lt;i&gt;" in page
    assert str(call.caller) in page
    assert "1 call of the last 30 days is spam and not counted" in page

    file = {"file": ("list.csv", "number;note\n8 800 555-35-35;x\n<script>;y\n", "text/csv")}
    done = (await anna.post("/spam/import", files=file)).text
    assert "1 numbers added" in done
    assert "Line 3: <bdi>&lt;script&gt;</bdi> · not a phone number" in done
    await anna.post("/spam/remove", data={"entry": "+7999*"})
    assert 'class="phone">+7999*' not in (await anna.get("/spam")).text
    await anna.post("/spam/sign", data={"sign": "silent", "on": "false"})
    assert "does not count" in (await anna.get("/spam")).text

    program, reader = world.program(Scope.CALLS_WRITE), world.program(Scope.CALLS_READ)
    new = await program.post("/api/v1/spam/callers", json={"number": "+79161112233"})
    assert (new.status_code, new.json()["id"]) == (201, "+79161112233")
    sent = await program.post("/api/v1/spam/callers/import", content="+7917*\nx")
    assert sent.json() == {
        "added": 1,
        "known": 0,
        "bad": [{"line": 2, "text": "x", "fault": "not_a_number"}],
    }
    listed = (await reader.get("/api/v1/spam/callers", params={"text": "7917"})).json()
    assert [one["id"] for one in listed] == ["+7917*"]
    assert (await program.delete("/api/v1/spam/callers/%2B7917*")).status_code == 204
    assert (await program.delete("/api/v1/spam/callers/%2B7917*")).status_code == 404
    assert (await reader.get(f"/api/v1/calls/{call.id}")).json()["spam"] is True
