"""Calls are found by what was said in them, with any ending, beside their names and numbers."""

import pytest
from sqlalchemy import text

from router.domain.calls.call_filter import CallFilter
from router.domain.calls.stems import search_stems, stems
from router.domain.calls.transcript import Side, Spoken, in_order
from router.store import plans
from router.store.engine import SqlStore
from tests.support.builders import NOON, later
from tests.support.speech_world import a_rule, asked, ended_call, stored

SAID = {
    "c1": "Здравствуйте, верните мне деньги за шины, пожалуйста",
    "c2": "Сколько стоят зимние шины?",
    "c3": "I would like a refund for the tyres, they were returned",
    "c4": "",
}


async def furnish(store: SqlStore) -> None:
    async with store.write() as session:
        await session.add(a_rule())
        for place, (call_id, said) in enumerate(SAID.items()):
            await session.calls.save(
                [
                    ended_call(
                        call_id,
                        arrived_at=later(60 * place),
                        caller=f"+7916000456{place}",
                        caller_name="Мария" if call_id == "c2" else "",
                    )
                ]
            )
            await session.recordings.save([stored(call_id)])
            if said:
                await session.transcripts.save(asked(call_id))
                line = Spoken(side=Side.CALLER, at=0, until=5, text=said)
                await session.transcripts.save_segments(call_id, in_order(call_id, [line]))


async def found(store: SqlStore, typed: str, **more: object) -> list[str]:
    wanted = CallFilter(text=typed, **more)  # type: ignore[arg-type]
    async with store.read() as session:
        calls = await session.calls.find(wanted)
        ids = [call.id for call in calls]
        assert await session.calls.count(wanted, 100) == len(ids)
        assert await session.calls.matching(list(SAID), wanted) == set(ids)
        turned = []
        for call in calls:  # page by page
            before = (calls[len(turned) - 1].arrived_at, turned[-1]) if turned else None
            (found,) = await session.calls.find(wanted, before=before, limit=1)
            assert found == call
            turned.append(found.id)
    return ids


@pytest.mark.parametrize("few", [3000, 0], ids=["few", "walked"])
@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("шина", ["c2", "c1"]),
        ("шинами", ["c2", "c1"]),
        ("деньгами шины", ["c1"]),
        ("returning", ["c3"]),
        ("Refunds TYRE", ["c3"]),
        ("мария", ["c2"]),
        ("мария деньги", []),  # a name and a word of another call
        ("шины 4560", ["c1"]),
        ("шины 4561", ["c2"]),
        ("4562", ["c3"]),
        ("nothing", []),
        ('"refund" OR *', []),
        ("'); drop table call;--", []),
    ],
)
async def test_calls_are_found_by_what_was_said(
    typed: str, ids: list[str], few: int, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "FEW", few)
    await furnish(store)
    assert await found(store, typed) == ids
    assert await found(store, typed, until=NOON) == []


async def test_a_corrected_line_is_found_by_its_new_words_alone(store: SqlStore) -> None:
    await furnish(store)
    async with store.write() as session:
        line = await session.transcripts.segment("c3", 0)
        assert line is not None
        changed = in_order("c3", [Spoken(side=Side.CALLER, at=0, until=5, text="A discount")])
        await session.transcripts.change_segment(changed[0])
    assert await found(store, "refund") == []
    assert await found(store, "discounts") == ["c3"]


async def test_an_erased_transcript_leaves_no_word_in_the_index(store: SqlStore) -> None:
    await furnish(store)
    async with store.write() as session:
        await session.transcripts.remove(["c3"])
    assert await found(store, "refund") == []
    assert await found(store, "шина") == ["c2", "c1"]
    if not store.sqlite:
        return
    async with store.engine.begin() as connection:
        await connection.execute(
            text("CREATE VIRTUAL TABLE temp.words USING fts5vocab('main','transcript_index','row')")
        )
        words = set((await connection.execute(text("SELECT term FROM temp.words"))).scalars())
        await connection.execute(
            text("INSERT INTO transcript_index(transcript_index) VALUES ('integrity-check')")
        )
    assert "refund" not in words
    assert set(stems("шины")) <= words


def test_stems_are_of_russian_and_english_words() -> None:
    assert stems("Вернёте возвраты, Refunded!") == stems("вернете ВОЗВРАТ refunding")
    assert search_stems(["one two", "two"]) == " one two "
    assert search_stems([]) == ""
    assert len(search_stems(["x" * 1000, " ".join(map(str, range(60_000)))])) <= 200_001
