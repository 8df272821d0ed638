"""Word lists as pages and the API try, keep, change and remove them."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from router.domain.access import Scope
from router.domain.calls.stems import stems
from router.domain.calls.transcript import Side, Spoken, in_order
from router.service.calls.word_list_trials import MOST_TRIED, try_words
from router.store.engine import SqlStore
from tests.integration.test_word_lists import a_list
from tests.support.builders import later
from tests.support.speech_world import asked, ended_call, put, stored
from tests.support.web_world import World, a_world

SAID = (
    Spoken(side=Side.CALLER, at=1, until=4, text="Сколько стоят <b>шины</b>?"),
    Spoken(side=Side.COMPANY, at=5, until=7, text="У соседей дешевле"),
)
KEY = re.compile(r'href="/words/([^"]+)">Change')


async def transcribe(store: SqlStore, *ids: str, said: tuple[Spoken, ...] = SAID) -> None:
    async with store.write() as session:
        await session.calls.save([ended_call(call_id) for call_id in ids])
        await session.recordings.save([stored(call_id) for call_id in ids])
        await session.transcripts.save(*(asked(call_id) for call_id in ids))
        for call_id in ids:
            await session.transcripts.save_segments(call_id, in_order(call_id, said))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        await transcribe(world.store, "c1", "c2")
        yield world


async def test_a_list_is_tried_kept_changed_and_removed_on_pages(world: World) -> None:
    anna = await world.person("anna")
    form = {"tag": "Price", "phrases": "сколько стоит, дорого\nшина", "side": "caller"}
    tried = (await anna.post("/words/try", data=form)).text
    assert "<strong>2 calls</strong>" in tried
    assert "Сколько стоят &lt;b&gt;шины&lt;/b&gt;?" in tried
    assert 'href="/calls/c1?t=1"' in tried
    assert KEY.search((await anna.get("/words")).text) is None  # nothing was kept

    assert (await anna.post("/words", data=form)).status_code == 303
    page = (await anna.get("/words")).text
    found = KEY.search(page)
    assert found
    assert "<bdi>price</bdi>" in page
    assert (await anna.get("/calls/c1")).text.count("price: шина") == 1  # a mark
    path = f"/words/{found[1]}"
    assert "2 calls" in (await anna.get(path)).text
    changed = {"key": found[1], "tag": "rival", "phrases": "соседи", "side": "caller"}
    assert "0 calls" in (await anna.post("/words/try", data=changed)).text  # the company said it
    assert (await anna.post("/words", data=changed)).status_code == 303
    page = (await anna.get("/words")).text
    assert KEY.findall(page) == [found[1]]
    assert "<bdi>rival</bdi>" in page
    assert (await anna.post(f"{path}/remove")).status_code == 303
    assert (await anna.get(path)).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {"tag": "", "phrases": "a"},
        {"tag": "a/b", "phrases": "a"},
        {"tag": "a", "phrases": " , \n"},
        {"tag": "a", "phrases": "!!!"},
        {"tag": "a", "phrases": "a" * 81},
        {"tag": "a", "phrases": "a", "side": "both"},
        {"tag": "a", "phrases": "a", "key": "NO KEY"},
        {"tag": "a", "phrases": "a", "site": "none"},
    ],
)
async def test_a_list_that_cannot_work_is_refused(world: World, form: dict[str, str]) -> None:
    anna = await world.person("anna")
    assert (await anna.post("/words", data=form)).status_code == 422
    assert (await anna.post("/words", data=form, headers={"origin": "http://x"})).status_code == 403
    assert KEY.search((await anna.get("/words")).text) is None


async def test_programs_try_keep_and_remove_lists(world: World) -> None:
    program, reader = world.program(Scope.CALLS_WRITE), world.program(Scope.CALLS_READ)
    wanted = {"tag": "rival", "phrases": ["сосед", "сосед"], "side": "company"}
    tried = (await reader.post("/api/v1/word-lists/try", json=wanted)).json()
    assert (tried["calls"], tried["is_all"]) == (2, True)
    example = {"side": "company", "phrase": "сосед", "text": "У соседей дешевле"}
    assert tried["examples"][0].items() > example.items()
    kept = (await program.put("/api/v1/word-lists/rival", json=wanted)).json()
    assert (kept["id"], kept["phrases"], kept["side"]) == ("rival", ["сосед"], "company")
    await program.put("/api/v1/word-lists/rival", json={**wanted, "side": None, "site_id": "shop"})
    (listed,) = (await reader.get("/api/v1/word-lists")).json()
    assert (listed["site_id"], listed["side"]) == ("shop", None)
    assert listed["created_at"] == kept["created_at"]
    assert (await reader.delete("/api/v1/word-lists/rival")).status_code == 403
    assert (await program.put("/api/v1/word-lists/A", json=wanted)).status_code == 422
    assert (await program.delete("/api/v1/word-lists/rival")).status_code == 204
    assert (await program.delete("/api/v1/word-lists/rival")).status_code == 404


async def test_a_trial_reads_the_newest_transcripts_of_the_site(store: SqlStore) -> None:
    await put(store)
    ids = [f"c{place}" for place in range(MOST_TRIED + 1)]
    await transcribe(store, *ids)
    async with store.write() as session:
        newest = replace(ended_call("new"), arrived_at=later(5), site_id=None)
        await session.calls.save([newest])
    whole = await try_words(store, a_list("шина"))
    assert (whole.calls, whole.is_all, len(whole.examples)) == (MOST_TRIED, False, 10)
    phrases = [f"слово {place}" for place in range(199)]
    many = await try_words(store, a_list(*phrases, "дешевле"))
    assert many.calls == MOST_TRIED
    assert (await try_words(store, a_list("шина", site_id="none"))).calls == 0
    assert (await try_words(store, a_list(*phrases))).calls == 0
    assert stems("шины") == stems("шина")
