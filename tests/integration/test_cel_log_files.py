"""The CEL log's files change under its reader: renamed, replaced, emptied, cut short, gone."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from router.asterisk import cel_log as module
from router.asterisk.log_files import LogFile, list_files, rotate
from router.service.calls.ports import Cursor
from tests.integration.cel_log_reader import CALL, Reader, append, shift, stories
from tests.support.builders import answered_call, later, line, lines

pytest_plugins = ["tests.integration.cel_log_reader"]


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


def test_a_first_start_begins_with_the_oldest_cel_log_there_is(path: Path) -> None:
    told = list(stories(3))
    for story in told:
        append(path, lines(story.rows))
        rotate(path)
    (path.parent / "cel.csv.9.gz").write_bytes(b"\x1f\x8b\x08\n" * 40)
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


def test_a_cel_log_that_was_renamed_and_has_no_successor_yet_is_read_on(
    reader: Reader, path: Path
) -> None:
    append(path, lines(CALL.rows[:4]))
    reader.read()
    aside = rotate(path)
    assert aside is not None
    assert reader.read() == []
    append(aside, lines(CALL.rows[4:]))
    assert reader.read() == CALL.rows[4:]


def test_an_empty_new_cel_log_is_not_moved_to_yet(reader: Reader, path: Path) -> None:
    append(path, lines(CALL.rows[:4]))
    reader.read()
    aside = rotate(path)
    assert aside is not None
    path.touch()
    assert reader.read() == []
    append(aside, lines(CALL.rows[4:]))
    assert reader.read() == CALL.rows[4:]


def test_a_half_row_at_the_end_of_a_rotated_cel_log_waits_until_the_next_one_begins(
    path: Path,
) -> None:
    reader, half = Reader(path), line(CALL.rows[4]).encode()[:50]
    append(path, lines(CALL.rows[:4]) + half)
    assert reader.read() == CALL.rows[:4]
    rotate(path)
    assert reader.read() == []
    assert reader.rejected == []
    append(path, lines(CALL.rows[5:]))
    assert reader.read() == CALL.rows[5:]
    assert [(bad.text, bad.offset) for bad in reader.rejected] == [
        (half.decode(), len(lines(CALL.rows[:4])))
    ]


def test_a_rename_between_looking_and_opening_loses_nothing(
    reader: Reader, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new CEL log lies where the old one was found: its offset must not be taken for the old
    one's.
    """
    told = list(stories(2))
    append(path, lines(told[0].rows))
    reader.read()
    look = module.look

    def look_then_rotate(at: Path, *, live: bool) -> LogFile | None:
        found = look(at, live=live)
        monkeypatch.setattr(module, "look", look)
        rotate(path)
        append(path, lines(told[1].rows) * 2)
        return found

    monkeypatch.setattr(module, "look", look_then_rotate)
    assert reader.step() is None
    assert reader.read() == [*told[1].rows, *told[1].rows]


# Files that are not what they were


@pytest.mark.parametrize(
    "lose", [Path.unlink, lambda path: os.truncate(path, 0)], ids=["replaced", "emptied"]
)
def test_a_cel_log_replaced_or_emptied_is_read_from_its_beginning(
    reader: Reader, path: Path, lose: Callable[[Path], None]
) -> None:
    append(path, lines(CALL.rows))
    reader.read()
    lose(path)
    assert reader.read() == []
    other = answered_call(9, at=later(500))
    append(path, lines(other.rows))
    assert reader.read() == other.rows


def test_a_cel_log_cut_short_is_rather_read_again_than_missed(reader: Reader, path: Path) -> None:
    append(path, lines(CALL.rows))
    reader.read()
    os.truncate(path, len(lines(CALL.rows[:6])))
    append(path, lines(CALL.rows[9:10]))
    assert reader.read() == [*CALL.rows[:6], CALL.rows[9]]


def test_a_file_that_is_taken_away_is_passed_over_and_none_is_read_twice(
    reader: Reader, path: Path
) -> None:
    told = list(stories(4))
    append(path, lines(told[0].rows))
    reader.read()
    oldest = rotate(path)
    append(path, lines(told[1].rows))
    assert reader.read() == told[1].rows
    second = rotate(path)
    assert oldest is not None
    assert second is not None
    append(path, lines(told[2].rows))
    rotate(path)
    append(path, lines(told[3].rows))
    second.unlink()
    assert reader.read() == [*told[2].rows, *told[3].rows]
    assert oldest.exists()


def test_a_file_that_is_put_back_later_is_read_all_the_same(reader: Reader, path: Path) -> None:
    told = list(stories(3))
    append(path, lines(told[0].rows))
    rotate(path)
    append(path, lines(told[1].rows))
    second = rotate(path)
    assert second is not None
    append(path, lines(told[2].rows))
    away = path.parent / "away"
    second.rename(away)
    assert reader.read() == [*told[0].rows, *told[2].rows]
    away.rename(second)
    rotate(path)
    append(path, lines(answered_call(90, at=later(900)).rows))
    assert reader.read() == [*told[1].rows, *answered_call(90, at=later(900)).rows]


def test_a_cursor_of_an_older_version_reads_on_and_nothing_again(
    reader: Reader, path: Path
) -> None:
    told = list(stories(3))
    append(path, lines(told[0].rows))
    rotate(path)
    append(path, lines([*told[1].rows, *told[2].rows]))
    _, live = list_files(path)
    reader.cursor = Cursor(file=f"{live.place}@{live.began}", offset=len(lines(told[1].rows)))
    assert reader.read() == told[2].rows
    rotate(path)
    append(path, lines(told[0].rows[3:]))
    assert reader.read() == told[0].rows[3:]


# Clocks


@pytest.mark.parametrize("days", [-3650, -1, 1, 365])
def test_a_clock_that_was_wrong_across_a_rotation_loses_and_repeats_nothing(
    days: int, reader: Reader, path: Path
) -> None:
    wrong, right, last = (
        answered_call(i, at=later(s)) for i, s in enumerate((86400 * days, 100, 200))
    )
    append(path, lines(wrong.rows))
    assert reader.read() == wrong.rows
    rotate(path)
    append(path, lines(right.rows))
    assert reader.read() == right.rows
    rotate(path)
    append(path, lines(last.rows))
    assert reader.read() == last.rows


@pytest.mark.parametrize("days", [-1, 1])
def test_several_rotations_with_a_wrong_clock_while_the_agent_was_away_are_read_once(
    days: int, reader: Reader, path: Path
) -> None:
    told = [
        answered_call(i, at=later(s))
        for i, s in enumerate((0, 86400 * days, 200, 86400 * days + 99))
    ]
    append(path, lines(told[0].rows[:4]))
    reader.read()
    append(path, lines(told[0].rows[4:]))
    for story in told[1:]:
        rotate(path)
        append(path, lines(story.rows))
    assert reader.read() == [*told[0].rows[4:], *(row for story in told[1:] for row in story.rows)]
    assert reader.read() == []


def test_a_cel_log_is_searched_for_a_call_in_all_its_files_up_to_the_cursor(path: Path) -> None:
    told = list(stories(3))
    append(path, lines(told[0].rows))
    shift(path, ".gz")
    append(path, lines(told[1].rows))
    rotate(path)
    append(path, lines([*told[2].rows, *told[0].rows[:2]]))
    reader = Reader(path, chunk=500)
    reader.read()
    assert reader.cursor is not None
    searched = replace(reader.cursor, offset=len(lines(told[2].rows)))
    wanted = [told[0].linkedid, told[2].linkedid]
    found = [row for rows in reader.cel_log.search(wanted, searched) for row in rows]
    assert found == [*told[0].rows, *told[2].rows]


def test_the_oldest_row_that_was_not_read_is_known(reader: Reader, path: Path) -> None:
    told = list(stories(2))
    append(path, lines(told[0].rows))
    reader.read()
    assert reader.cel_log.oldest_unread(reader.cursor) is None
    rotate(path)
    append(path, lines(told[1].rows))
    assert reader.cel_log.oldest_unread(reader.cursor) == told[1].rows[0].at
