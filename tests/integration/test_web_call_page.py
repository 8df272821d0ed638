"""The page of one call as a browser fetches it, and what a supervisor does there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.domain.calls.call import Call, Tag
from tests.support.web_calls import furnish
from tests.support.web_world import World, a_world

OURS = {"Origin": "https://ringtrace.test"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def calls(world: World) -> dict[str, Call]:
    return await furnish(world)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        (
            "attributed",
            ["was on the site", "1234567890.1768900000", "winter-tyres", "gclid", "27 attempts"],
        ),
        (
            "stale",
            [
                "had ended 1 day before",
                "neither side sent any sound",
                "connection refused",
                "2 attempts",
            ],
        ),
        ("static", ["the channel “billboard”", "being processed"]),
        ("anonymous", ["not a tracking number", "the default line", "74957770000"]),
        ("hostile", ["is damaged", "13 bytes, not samples", "No visitor was shown this number"]),
        ("missed", ["was not answered", "Hung up while ringing"]),
        (
            "transferred",
            ["Lost in transfer", "Attended transfer", "204", "answered by second", "Last to talk"],
        ),
        (
            "transferred",
            [
                "the caller hung up while it rang · 0:31",
                "On hold",
                "0:22",
                "Talk: company",
                "Normal hang-up",
            ],
        ),
    ],
)
async def test_a_call_tells_its_story(
    world: World, calls: dict[str, Call], name: str, texts: list[str]
) -> None:
    html = (await (await world.person("anna")).get(f"/calls/{calls[name].id}")).text
    assert [text for text in texts if text not in html] == []


async def test_a_supervisor_tags_and_an_administrator_also_sends_again(
    world: World, calls: dict[str, Call]
) -> None:
    anna, root, path = (
        await world.person("anna"),
        await world.person("root"),
        f"/calls/{calls['attributed'].id}",
    )
    assert (await anna.post(f"{path}/tags", data={"name": "  very   hot "})).headers[
        "location"
    ] == path
    assert "very hot" in (await anna.get(path)).text
    await anna.post(f"{path}/tags/remove", data={"name": "very hot"})
    assert "very hot" not in (await anna.get(path)).text
    assert "Resend" not in (await anna.get(path)).text
    assert (await anna.post(f"{path}/deliveries/d2/resend")).status_code == 403
    assert "Resend" in (await root.get(path)).text
    assert (await root.post(f"{path}/deliveries/d2/resend")).status_code == 303
    assert "Failed" not in (await root.get(path)).text


async def test_a_tag_that_cannot_be_is_answered_with_a_notice(
    world: World, calls: dict[str, Call]
) -> None:
    anna = await world.person("anna")
    path = f"/calls/{calls['attributed'].id}/tags"
    answer = await anna.post(path, data={"name": "<b>"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-retarget"]) == (422, "#notice")
    assert (answer.headers["hx-reselect"], 'class="notice' in answer.text) == (".notice", True)
    assert "<html" not in answer.text
    whole = await anna.post(path, data={"name": "<b>"})
    assert (whole.status_code, "<html" in whole.text) == (422, True)


async def test_a_tag_is_one_whatever_its_case_and_the_readers_language(
    world: World, calls: dict[str, Call]
) -> None:
    anna = await world.person("anna")
    path = f"/calls/{calls['attributed'].id}"
    for spelling in ("Жалоба", "жалоба"):
        await anna.post(f"{path}/tags", data={"name": spelling})
    async with world.store.read() as session:
        tags = (await session.tags.of([calls["attributed"].id]))[calls["attributed"].id]
    assert [tag.name for tag in tags if tag.name.casefold() == "жалоба"] == ["жалоба"]
    found = (await anna.get("/calls", params={"tag": "ЖАЛОБА"})).text
    assert calls["attributed"].id in found

    async with world.store.write() as session:
        await session.tags.add(
            Tag(call_id=calls["busy"].id, name="missed", author="rule", at=world.clock.now)
        )
    russian = await anna.get(
        "/calls", params={"tag": "Пропущен"}, headers={"Accept-Language": "ru"}
    )
    assert calls["busy"].id in russian.text
    assert "<bdi>пропущен</bdi>" in russian.text
