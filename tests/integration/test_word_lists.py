"""Words of a list that are said become marks and tags."""

from pathlib import Path

import pytest

from router.domain.calls.marks import MarkKind
from router.domain.calls.transcript import Side, Spoken, in_order
from router.domain.calls.word_list import WordList, tags_of_words, words_said
from router.errors import InvalidInput
from router.service.calls.marks import list_marks
from router.service.calls.transcripts import correct_segment
from router.store.engine import SqlStore
from tests.support.builders import NOON, later
from tests.support.command_line import ringtrace
from tests.support.speech_world import a_rule, asked, put

LINES = in_order(
    "c1",
    [
        Spoken(side=Side.CALLER, at=1, until=4, text="Сколько стоят шины? Дорого!"),
        Spoken(side=Side.COMPANY, at=2, until=4, text="Цены на сайте."),
    ],
)


def a_list(*phrases: str, **fields: object) -> WordList:
    whole = {"id": "price", "tag": "price", "phrases": phrases, "created_at": NOON, **fields}
    return WordList(**whole)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (a_list("цена"), ["цена"]),
        (a_list("сколько стоит"), ["сколько стоит"]),
        (a_list("стоит сколько"), []),
        (a_list("цена", side=Side.CALLER), []),
        (a_list("шина", "дорого", side=Side.CALLER), ["шина", "дорого"]),
        (a_list("рого"), []),
    ],
)
def test_words_are_found_in_any_form_and_on_their_side(words: WordList, said: list[str]) -> None:
    assert [phrase for phrase, _ in words_said(words, LINES)] == said


def test_the_tag_is_at_the_first_moment() -> None:
    (tag,) = tags_of_words([a_list("шины", "дорого")], LINES, "c1", NOON)
    assert (tag.name, tag.author) == ("price", "rule")
    assert tag.at_seconds is not None
    assert 1 < tag.at_seconds < 3.5


@pytest.mark.parametrize("phrases", [(), ("!!!",), ("a" * 81,), ("word",) * 201])
def test_a_list_without_words_is_refused(phrases: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        a_list(*phrases)


async def test_marks_are_shown_and_a_corrected_line_sets_the_tag(store: SqlStore) -> None:
    await put(store, a_rule(), a_list("refund"), a_list("гарантия", id="other", tag="warranty"))
    async with store.write() as session:
        await session.transcripts.save(asked())
        await session.transcripts.save_segments("c1", LINES)
    await correct_segment(store, "c1", 0, "I want refunds", author="anna", now=later(9))
    async with store.read() as session:
        tags = (await session.tags.of(["c1"]))["c1"]
    assert [tag.name for tag in tags] == ["price"]
    marks = [mark for mark in await list_marks(store, "c1") if mark.kind is MarkKind.WORD]
    assert [mark.text for mark in marks] == ["price: refund"]


def test_an_administrator_keeps_lists(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ringtrace.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("RINGTRACE_HOME", str(tmp_path))
    ringtrace("words", "add", "price", "цена", "сколько стоит", "--side", "caller")
    (found,) = ringtrace("words", "list", "--json").json
    assert (found["tag"], found["phrases"]) == ("price", ["цена", "сколько стоит"])
    ringtrace("words", "add", "x", "цена", "--site", "none", status=1)
    ringtrace("words", "remove", "price")
    assert ringtrace("words", "list", "--json").json == []
