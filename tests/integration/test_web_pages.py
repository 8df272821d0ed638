"""The supervisor's pages as a browser fetches them, without running their scripts."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from router.domain.attribution.terms import Candidate, Verdict
from router.domain.calls.call import Call
from router.domain.delivery.delivery import DeliveryKind
from tests.support.builders import visit, visitor
from tests.support.web_calls import HOSTILE, a_call, a_delivery, furnish
from tests.support.web_world import World, a_world

OURS = {"Origin": "https://ringtrace.test"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def calls(world: World) -> dict[str, Call]:
    return await furnish(world)


# what every answer carries


async def test_a_strict_policy_is_on_every_answer_with_a_nonce_of_its_own(world: World) -> None:
    client = world.browser()
    first, second = await client.get("/login"), await client.get("/login")
    policy = first.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert policy != second.headers["content-security-policy"]
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["x-content-type-options"] == "nosniff"


async def test_no_page_holds_inline_script_or_style_or_anything_from_elsewhere(
    world: World, calls: dict[str, Call]
) -> None:
    client = await world.person("root")
    for path in (
        "/calls",
        "/missed",
        *(f"/calls/{call.id}" for call in calls.values()),
        "/nothing",
    ):
        html = (await client.get(path)).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|javascript:", html), (
            path
        )
        assert not re.search(r'(?:src|href|action)="(?!/|#|tel:)', html), path


async def test_every_kind_of_delivery_has_its_words(world: World, calls: dict[str, Call]) -> None:
    kinds = set(DeliveryKind) - {DeliveryKind.MAIL_RECEIVED}  # of mail no call's page tells
    told = [
        a_delivery(calls["missed"], f"kind-{kind}", kind=kind, key=f"{kind}:3") for kind in kinds
    ]
    async with world.store.write() as session:
        await session.add(*told)
    html = (await (await world.person("anna")).get(f"/calls/{calls['missed'].id}")).text
    assert len(
        re.findall(r"<strong>[A-Z][a-z ]+</strong> <span class=\"outcome good\">Delivered", html)
    ) == len(kinds)


# calls


async def test_calls_are_listed_newest_first_with_what_is_known(
    world: World, calls: dict[str, Call]
) -> None:
    html = (await (await world.person("anna")).get("/calls")).text
    assert re.findall(r'<tr id="call-([^"]+)"', html) == [call.id for call in calls.values()]
    for text in (
        "+7 916 123-45-67",
        "Anonymous",
        "Hung up while ringing",
        "google",
        "к повтору",
        "74957770000",
    ):
        assert text in html


async def test_a_number_of_a_channel_shows_it_where_no_visitor_is_known(world: World) -> None:
    billboard = {
        "verdict": Verdict.STATIC,
        "number": "+74951234599",
        "channel": "Billboard",
        "visit_id": None,
    }
    await world.save(a_call("9", world.clock.now, **billboard))
    html = (await (await world.person("anna")).get("/calls")).text
    assert "<bdi>Billboard</bdi>" in html


async def test_a_code_that_was_shown_to_no_visitor_is_answered_in_words(
    world: World, calls: dict[str, Call]
) -> None:
    anna = await world.person("anna")
    path = f"/calls/{calls['attributed'].id}/code"
    answer = await anna.post(
        path, data={"code": "ACE234"}, headers={"HX-Request": "true", "Accept-Language": "ru"}
    )
    assert (answer.status_code, answer.headers["hx-retarget"]) == (422, "#notice")
    assert "этот промокод никому не показывали" in answer.text


async def test_bundled_files_are_kept_by_browsers_and_nothing_else_is(world: World) -> None:
    client = world.browser()
    kept = await client.get("/static/app.css?0123456789ab")
    assert (kept.status_code, kept.headers["cache-control"]) == (
        200,
        "public, max-age=31536000, immutable",
    )
    for path in ("/static/app.css", "/static/nothing.css?1", "/login?next=/static/"):
        assert (await client.get(path)).headers["cache-control"] == "no-store"


async def test_hostile_text_stays_text(world: World, calls: dict[str, Call]) -> None:
    client = await world.person("anna")
    for path in ("/calls", f"/calls/{calls['hostile'].id}"):
        html = (await client.get(path)).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(&#34;x&#34;)" in html
        assert HOSTILE.count("A") == html[html.index("&lt;script") :].partition("</bdi>")[0].count(
            "A"
        )


@pytest.mark.parametrize(
    "named", [True, False], ids=["the visitor is named", "a suspect among others"]
)
async def test_a_script_in_a_utm_label_stays_text(world: World, named: bool) -> None:
    script, text = "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"
    came = visit(
        source=script, medium=script, campaign=script, term=script, content=script, channel=script,
        landing=f"https://shop.example/?utm_source={script}", referrer=f"https://x.example/{script}",
        click_ids={script: script},
    )  # fmt: skip
    candidate = Candidate(lease_id=None, visitor_id="anna", visit_id="anna-1", probability=0.4)
    known = {"visitor_id": "anna", "visit_id": "anna-1", "verdict": Verdict.EXACT}
    attributed = known if named else {"verdict": Verdict.CONTESTED}
    call = a_call(
        "9", world.clock.now, source=script, channel=script, candidates=(candidate,), **attributed
    )
    async with world.store.write() as session:
        await session.add(visitor(), came)
    await world.save(call)
    client = await world.person("anna")
    for path in ("/calls", f"/calls/{call.id}"):
        html = (await client.get(path)).text
        assert script not in html, path
        assert "alert(1)" not in html.replace(text, ""), path
        # the list says nothing of candidates
        assert text in html or (path == "/calls" and not named), path


async def test_filters_and_the_next_page_go_together(world: World) -> None:
    first = world.clock.now - timedelta(days=1)
    await world.save(
        *(a_call(str(i), first + timedelta(seconds=i), caller_name=f"n{i % 2}") for i in range(120))
    )
    client, path, seen = await world.person("anna"), "/calls?text=n1", []
    for expected in (50, 10):
        html = (await client.get(path)).text
        rows = re.findall(r'<tr id="call-([^"]+)"', html)
        assert len(rows) == expected
        seen += rows
        more = re.search(r'<a class="button" href="([^"]+)" hx-get', html)
        path = more.group(1).replace("&amp;", "&") if more else ""
    assert path == ""
    assert seen == [f"pbx-1768912345.{i}" for i in range(119, 0, -2)]


async def test_times_are_the_readers(world: World, calls: dict[str, Call]) -> None:
    client = await world.person("anna")
    assert "11:25" in (await client.get("/calls")).text
    client.cookies.set("ringtrace_zone", "Asia/Vladivostok")
    assert "21:25" in (await client.get("/calls")).text


async def test_the_language_is_chosen_and_remembered(world: World) -> None:
    client = await world.person("anna")
    assert 'lang="en"' in (await client.get("/calls", headers={"Accept-Language": "de"})).text
    answer = await client.post("/language", data={"language": "ru", "next": "/calls?verdict=exact"})
    assert answer.headers["location"] == "/calls?verdict=exact"
    html = (await client.get("/calls", headers={"Accept-Language": "en"})).text
    assert '<html lang="ru">' in html
    assert "Звонков пока нет" in html


async def test_what_is_not_there_is_a_page_too(world: World) -> None:
    client = await world.person("anna")
    for path in ("/calls/none", "/nothing"):
        answer = await client.get(path)
        assert (answer.status_code, "Page not found." in answer.text) == (
            404,
            True,
        )
