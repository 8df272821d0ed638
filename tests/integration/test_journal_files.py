"""The journal's files change under its reader: renamed, replaced, emptied, cut short, gone."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from router.asterisk.journal import Journal, rotate
from router.service.ports import Cursor
from tests.builders import answered_call, later, line, lines
from tests.integration.journal_reader import CALL, Reader, append, stories

pytest_plugins = ["tests.integration.journal_reader"]


# Rotation


def test_rows_are_followed_through_every_rotation(reader: Reader, path: Path) -> None:
    for story in stories(5):
        append(path, lines(story.rows[:7]))
        assert reader.read() == story.rows[:7]
        append(path, lines(story.rows[7:9]))
        rotate(path)
        append(path, lines(story.rows[9:]))
        assert reader.read() == story.rows[7:]


def test_several_rotations_between_two_reads_lose_nothing(reader: Reader, path: Path) -> None:
    told = list(stories(6))
    append(path, lines(told[0].rows[:3]))
    reader.read()
    append(path, lines(told[0].rows[3:]))
    for story in told[1:]:
        rotate(path)
        append(path, lines(story.rows))
    assert reader.read() == [*told[0].rows[3:], *(row for story in told[1:] for row in story.rows)]


def test_a_first_start_begins_with_the_oldest_journal_there_is(path: Path) -> None:
    told = list(stories(3))
    for story in told:
        append(path, lines(story.rows))
        rotate(path)
    (path.parent / "journal.csv.9.gz").write_bytes(b"\x1f\x8b\x08\n" * 40)
    assert Reader(path).read() == [row for story in told for row in story.rows]


def test_logrotates_names_are_followed_too(reader: Reader, path: Path) -> None:
    told = list(stories(3))
    append(path, lines(told[0].rows))
    reader.read()
    path.rename(f"{path}.1")
    append(path, lines(told[1].rows))
    Path(f"{path}.1").rename(f"{path}.2")
    path.rename(f"{path}.1")
    append(path, lines(told[2].rows))
    assert reader.read() == [*told[1].rows, *told[2].rows]


def test_a_journal_that_was_renamed_and_has_no_successor_yet_is_read_on(reader: Reader, path: Path) -> None:
    append(path, lines(CALL.rows[:4]))
    reader.read()
    aside = rotate(path)
    assert aside is not None
    assert reader.read() == []
    append(aside, lines(CALL.rows[4:]))
    assert reader.read() == CALL.rows[4:]


def test_an_empty_new_journal_is_not_moved_to_yet(reader: Reader, path: Path) -> None:
    append(path, lines(CALL.rows[:4]))
    reader.read()
    aside = rotate(path)
    assert aside is not None
    path.touch()
    assert reader.read() == []
    append(aside, lines(CALL.rows[4:]))
    assert reader.read() == CALL.rows[4:]


def test_a_half_row_at_the_end_of_a_rotated_journal_waits_until_the_next_one_begins(path: Path) -> None:
    reader, half = Reader(path), line(CALL.rows[4]).encode()[:50]
    append(path, lines(CALL.rows[:4]) + half)
    assert reader.read() == CALL.rows[:4]
    rotate(path)
    assert reader.read() == []
    assert reader.rejected == []
    append(path, lines(CALL.rows[5:]))
    assert reader.read() == CALL.rows[5:]
    assert [(bad.text, bad.offset) for bad in reader.rejected] == [(half.decode(), len(lines(CALL.rows[:4])))]


def test_a_rename_between_looking_and_opening_loses_nothing(
    reader: Reader, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new journal lies where the old one was found: its offset must not be taken for the old one's."""
    told = list(stories(2))
    append(path, lines(told[0].rows))
    reader.read()
    find = Journal._find

    def find_then_rotate(journal: Journal, cursor: Cursor | None) -> object:
        found = find(journal, cursor)
        monkeypatch.setattr(Journal, "_find", find)
        rotate(path)
        append(path, lines(told[1].rows) * 2)
        return found

    monkeypatch.setattr(Journal, "_find", find_then_rotate)
    assert reader.step() is None
    assert reader.read() == [*told[1].rows, *told[1].rows]


# Files that are not what they were


@pytest.mark.parametrize("lose", [Path.unlink, lambda path: os.truncate(path, 0)], ids=["replaced", "emptied"])
def test_a_journal_replaced_or_emptied_is_read_from_its_beginning(
    reader: Reader, path: Path, lose: Callable[[Path], None]
) -> None:
    append(path, lines(CALL.rows))
    reader.read()
    lose(path)
    assert reader.read() == []
    other = answered_call(9, at=later(500))
    append(path, lines(other.rows))
    assert reader.read() == other.rows


def test_a_journal_cut_short_is_rather_read_again_than_missed(reader: Reader, path: Path) -> None:
    append(path, lines(CALL.rows))
    reader.read()
    os.truncate(path, len(lines(CALL.rows[:6])))
    append(path, lines(CALL.rows[9:10]))
    assert reader.read() == [*CALL.rows[:6], CALL.rows[9]]


def test_a_cursor_whose_file_is_gone_goes_on_with_the_first_newer_one(reader: Reader, path: Path) -> None:
    told = list(stories(3))
    for story in told:
        append(path, lines(story.rows))
        rotate(path)
    oldest, second, _ = sorted(path.parent.iterdir())
    reader.cursor = replace(Reader(second).journal.read(None).cursor, offset=77)  # type: ignore[union-attr]
    second.unlink()
    assert reader.read() == told[2].rows
    assert oldest.exists()
