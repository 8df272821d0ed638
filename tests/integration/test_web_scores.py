"""Score cards and scores as pages and the API show them."""

import re
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import httpx
import pytest

from router.domain.access import Role, Scope
from router.domain.calls.call import Call
from router.domain.paths import OAUTH_CALLBACK
from router.service.admin.access import add_person
from router.web import pages
from tests.support.web_calls import furnish
from tests.support.web_world import PASSWORD, World, a_world

TEXT = '<script>alert("x")</script>\u202eevil\u202c 😀'
ROWS: dict[str, Any] = {
    "question_id": ["", "", "", ""],
    "text": [f"Greets {TEXT}", "", "Helps", "Polite"],
    "hint": ["by name", "", "", ""],
    "kind": ["yes_no", "yes_no", "scale", "yes_no"],
    "weight": ["40", "", "60", "0"],
    "critical": ["3"],
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def calls(world: World) -> dict[str, Call]:
    return await furnish(world)


async def a_card(browser: httpx.AsyncClient, **more: Any) -> str:
    """The path of a card whose editor's form was sent with ROWS."""
    path = (await browser.post("/cards", data={"name": f"Sales {TEXT}"})).headers["location"]
    seen = re.findall(r'name="seen" value="([^"]+)"', (await browser.get(path)).text)[0]
    data = {"name": f"Sales {TEXT}", "seen": seen, **ROWS, **more}
    answer = await browser.post(path, data=data)
    assert answer.status_code in (303, 422), answer.text
    return str(path)


async def score(browser: httpx.AsyncClient, call: Call, *values: str) -> None:
    """Score a call by the first card that is offered."""
    path = f"/calls/{call.id}"
    card = re.findall(r'name="card" value="([^"]+)"', (await browser.get(path)).text)[0]
    await browser.post(f"{path}/score", data={"card": card})
    html = (await browser.get(path)).text
    questions = re.findall(r'class="answers".+?name="question" value="([^"]+)"', html, re.DOTALL)
    for question, value in zip(questions, values, strict=True):
        await browser.post(f"{path}/score/answers", data={"question": question, "value": value})
    assert (await browser.post(f"{path}/score/submit")).status_code == 303


async def test_a_card_is_written_moved_and_published_by_its_form(world: World) -> None:
    anna = await world.person("anna")
    path = await a_card(anna, move="3:-1")
    html = (await anna.get(path)).text
    assert re.findall(r'name="text"[^>]+value="([A-Z]\w+)', html) == ["Greets", "Polite", "Helps"]
    assert "<script>alert" not in html
    assert re.findall(r"<output data-sum>(\d+)<", html) == ["100"]

    wrong = await a_card(anna, weight=["50", "", "60", "0"], publish="true")
    assert 'name="seen"' in (await anna.get(wrong)).text  # still a draft
    published = await a_card(anna, publish="true")
    shown = (await anna.get(published)).text
    assert "Published" in shown
    assert 'name="seen"' not in shown
    draft = (await anna.post(f"{published}/draft")).headers["location"]
    assert "version 2" in (await anna.get(draft)).text
    assert (await anna.post(f"{published}/archive")).status_code == 303
    assert (await anna.post(f"{draft}/remove")).headers["location"] == "/cards"
    assert "Archived" in (await anna.get("/cards")).text


@pytest.mark.parametrize(
    "rows",
    [
        {"weight": ["-1", "", "60", "0"]},
        {"weight": ["9999", "", "60", "0"]},
        {"weight": ["40"]},
        {"kind": ["yes_no", "yes_no", "stars", "yes_no"]},
        {"question_id": ["a", "", "a", ""]},
    ],
)
async def test_spoilt_rows_are_refused(world: World, rows: dict[str, Any]) -> None:
    anna = await world.person("anna")
    path = await a_card(anna, **rows)
    assert 'value="Helps"' not in (await anna.get(path)).text


async def test_an_answer_is_saved_without_another_page(
    world: World, calls: dict[str, Call]
) -> None:
    anna = await world.person("anna")
    await a_card(anna, publish="true")
    path = f"/calls/{calls['attributed'].id}"
    html = (await anna.get(path)).text
    card = re.findall(r'name="card" value="([^"]+)"', html)[0]
    await anna.post(f"{path}/score", data={"card": card})
    html = (await anna.get(path)).text
    question = re.findall(r'name="question" value="([^"]+)"', html)[0]
    by_script = {"hx-request": "true"}
    sent = await anna.post(
        f"{path}/score/answers", data={"question": question, "value": "yes"}, headers=by_script
    )
    assert "1 of 3 answered · score so far: 100" in sent.text
    assert "<html" not in sent.text
    remark = {"question": question, "text": TEXT, "at_seconds": "7.5"}
    await anna.post(f"{path}/score/comments", data=remark, headers=by_script)
    html = (await anna.get(path)).text
    assert 'href="?t=7.5"' in html
    assert "<script>alert" not in html
    early = await anna.post(f"{path}/score/submit", headers=by_script)
    assert (early.status_code, "Answer all questions first" in early.text) == (422, True)


async def test_a_score_reaches_reports_lists_and_the_other_scorer(
    world: World, calls: dict[str, Call]
) -> None:
    anna, root = await world.person("anna"), await world.person("root")
    await a_card(anna, publish="true")
    call = calls["attributed"]
    await score(anna, call, "yes", "3", "yes")
    hidden = (await root.get(f"/calls/{call.id}")).text
    assert "Scored by anna. The score is hidden" in hidden
    assert "answers differ" not in hidden
    (own,) = re.findall(
        r'href="(/scores/[0-9a-f]{32})"', (await anna.get(f"/calls/{call.id}")).text
    )[:1]
    assert (await root.get(own)).headers["location"] == f"/calls/{call.id}#score-title"
    await score(root, call, "no", "3", "yes")
    both = (await root.get(f"/calls/{call.id}")).text
    assert both.count("answers differ") == 1

    report = (await anna.get("/scores")).text
    assert "0 of 1 pairs" in report
    links = re.findall(r'href="(/calls\?scored=[^"]+)"', report)
    assert len(links) == 2
    for link in links:
        listed = (await anna.get(link.replace("&amp;", "&"))).text
        assert re.findall(r'<tr id="call-[^"]+"|<tr[^>]+data-id="[^"]+"', listed)
        assert call.id in listed
        assert calls["stale"].id not in listed
    export = await anna.get("/calls/export.csv?score_from=0&columns=caller.score")
    assert export.text.splitlines()[1].endswith("50")


async def test_an_employees_account_sees_its_own_scores_and_nothing_else(
    world: World, calls: dict[str, Call]
) -> None:
    store, now = world.store, world.clock.now
    await add_person(store, "maria", PASSWORD, Role.EMPLOYEE, now, employee="company")
    await add_person(store, "ivan", PASSWORD, Role.EMPLOYEE, now, employee="ivan")
    anna, call = await world.person("anna"), calls["attributed"]
    maria, ivan = await world.person("maria"), await world.person("ivan")
    await a_card(anna, publish="true")
    recording = f"/api/v1/calls/{call.id}/recording"
    assert (await maria.get(recording)).status_code == 403
    await score(anna, call, "yes", "1", "yes")

    assert (await maria.get("/")).headers["location"] == "/scores/mine"
    (path,) = re.findall(r'href="(/scores/[0-9a-f]{32})"', (await maria.get("/scores/mine")).text)
    assert "Greets" in (await maria.get(path)).text
    assert (await maria.get(recording)).status_code == 200
    assert (await maria.get(f"/api/v1/calls/{call.id}/marks")).status_code == 403
    assert (await maria.get(f"/api/v1/calls/{calls['static'].id}/peaks")).status_code == 403
    assert (await ivan.get(path)).status_code == 404
    assert (await ivan.post(f"{path}/dispute", data={"text": "x"})).status_code == 403

    sent = await maria.post(f"{path}/dispute", data={"text": f"I did {TEXT}"})
    assert sent.headers["location"] == path
    assert "Disputes to answer" in (await anna.get("/scores")).text
    html = (await anna.get(path)).text
    assert "<script>alert" not in html
    questions = re.findall(r'name="question" value="([^"]+)"', html)
    data = {"text": "Right", "question": questions, "value": ["yes", "5", "yes"]}
    assert (await maria.post(f"{path}/settle", data=data)).status_code == 403
    assert (await anna.post(f"{path}/settle", data=data)).status_code == 303
    answered = (await maria.get(path)).text
    assert "The score is changed" in answered
    assert "40 → 100" in answered
    assert (await anna.post(f"{path}/remove")).status_code == 403


# What an account needs no right for, and what an employee's account is for.
OPEN = {"/", "/login", "/logout", "/language", "/scores/mine", "/scores/{score_id}"}
OPEN |= {"/scores/{score_id}/dispute", OAUTH_CALLBACK}


async def test_every_page_but_their_own_scores_is_closed_to_employees(world: World) -> None:
    await add_person(
        world.store, "maria", PASSWORD, Role.EMPLOYEE, world.clock.now, employee="company"
    )
    maria = await world.person("maria")
    modules = [
        import_module(f"{pages.__name__}.{module.name}") for module in iter_modules(pages.__path__)
    ]
    routers = [module.router for module in modules if hasattr(module, "router")]
    routes = [route for router in routers for route in router.routes if route.path not in OPEN]
    answers = {
        (method, route.path): await maria.request(method, re.sub(r"{[^}]+}", "x", route.path))
        for route in routes
        for method in route.methods
    }
    assert len(answers) > 60
    assert [asked for asked, answer in answers.items() if answer.status_code != 403] == []


async def test_programs_write_cards_and_score_calls_as_rules_do(
    world: World, calls: dict[str, Call]
) -> None:
    write, read = world.program(Scope.CALLS_WRITE), world.program(Scope.CALLS_READ)
    question = {"id": "q", "text": "Helps", "kind": "scale", "weight": 100}
    draft = (await write.post("/api/v1/cards", json={"name": "A", "questions": [question]})).json()
    path = f"/api/v1/cards/{draft['id']}"
    edited = {"name": "B", "questions": [question], "seen": draft["edited_at"]}
    assert (await write.put(path, json=edited)).json()["name"] == "B"
    assert (await write.post(f"{path}/publish")).json()["state"] == "published"
    assert (await write.put(path, json=edited)).status_code == 409
    assert (await read.post(f"{path}/archive")).status_code == 403

    scores = f"/api/v1/calls/{calls['attributed'].id}/scores"
    answer = {"question_id": "q", "value": "4", "comment": TEXT, "at_seconds": 3}
    body = {"card_id": draft["id"], "answers": [answer]}
    added = (await write.post(scores, json=body)).json()
    assert (added["score"], added["by"], added["answers"][0]["comment"]) == (75, "rule", TEXT)
    spoilt = body | {"answers": [answer | {"value": "9"}]}
    assert (await write.post(scores, json=spoilt)).status_code == 422
    assert [score["score"] for score in (await read.get(scores)).json()] == [75]
    listed = (await read.get("/api/v1/calls?limit=1")).json()["calls"]
    whole = (await read.get(f"/api/v1/calls/{calls['attributed'].id}")).json()
    assert (listed[0]["score"], whole["score"]) == (75, 75)
    missed = f"/api/v1/calls/{calls['missed'].id}/scores"
    assert "No employee" in (await write.post(missed, json=body)).json()["message"]
    averages = (await read.get("/api/v1/scores/averages?zone=Europe/Moscow&weeks=2")).json()
    assert averages["employees"] == [
        {
            "employee": "company",
            "all": {"score": 75, "calls": 1},
            "weeks": [None, {"score": 75, "calls": 1}],
        }
    ]
    assert (await read.get("/api/v1/scores/agreement")).json() == []
    assert (await read.get("/api/v1/scores/disputes")).json() == []
    assert (await read.get("/api/v1/scores/averages?zone=Mars")).status_code == 422

    dispute = f"/api/v1/scores/{added['id']}"
    said = {"employee": "company", "text": f"I did {TEXT}"}
    assert (await read.post(f"{dispute}/dispute", json=said)).status_code == 403
    other = said | {"employee": "ivan"}
    assert (await write.post(f"{dispute}/dispute", json=other)).status_code == 403
    assert (await write.post(f"{dispute}/dispute", json=said)).status_code == 201
    assert (await write.post(f"{dispute}/dispute", json=said)).status_code == 409
    badge = r'id="disputes" class="count">1<span class="unseen"> dispute to answer'
    root = await world.person("root")
    assert re.search(badge, (await root.get("/calls")).text)
    values = {"text": "Right", "answers": [{"question_id": "q", "value": "5"}]}
    settled = (await write.post(f"{dispute}/settle", json=values)).json()
    assert (settled["settlement"], settled["score_before"]) == ("changed", 75)
    assert (await write.post(f"{dispute}/settle", json=values)).status_code == 409
    assert [score["score"] for score in (await read.get(scores)).json()] == [100]
    assert not re.search(badge, (await root.get("/calls")).text)
    following = await write.post(f"{path}/draft")
    assert following.json()["version"] == 2
    assert (await write.delete(f"/api/v1/cards/{following.json()['id']}")).status_code == 204
