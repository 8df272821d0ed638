"""The CEL log's rows are read exactly as they were written: half-written, forged, among rubbish."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.asterisk.cel_rows import LONGEST_ROW
from router.domain.calls.ledger import Row
from tests.integration.cel_log_reader import CALL, Reader, append
from tests.support.builders import answered_call, later, line, lines

pytest_plugins = ["tests.integration.cel_log_reader"]


def test_a_cel_log_that_is_not_there_or_empty_has_nothing_new(reader: Reader, path: Path) -> None:
    assert reader.read() == []
    path.touch()
    assert reader.read() == []


def test_each_row_is_read_once(reader: Reader, path: Path) -> None:
    for row in CALL.rows:
        append(path, lines([row]))
        assert reader.read() == [row]
    assert reader.read() == []
    assert Reader(path).read() == CALL.rows


def test_a_half_written_row_waits_for_its_other_half(reader: Reader, path: Path) -> None:
    first, second = replace(CALL.rows[0], caller_name='a\n"b"\n'), CALL.rows[1]
    data = lines([first, second])
    for at in range(1, len(data)):
        path.write_bytes(data[:at])
        half = Reader(path)
        seen = half.read()
        path.write_bytes(data)
        assert seen + half.read() == [first, second]
        assert half.rejected == []


@pytest.mark.parametrize("chunk", [1, 7, 100, 64 * 1024])
def test_the_size_of_a_read_changes_nothing(chunk: int, path: Path) -> None:
    path.write_bytes(lines(CALL.rows))
    assert Reader(path, chunk).read() == CALL.rows


def test_more_is_said_only_while_there_is_more(path: Path) -> None:
    path.write_bytes(lines(CALL.rows))
    reader = Reader(path, 1000)
    said = []
    while batch := reader.step():
        said.append(batch.more)
    assert len(said) > 2
    assert said == [True] * (len(said) - 1) + [False]


# Rubbish


@pytest.mark.parametrize(
    "rubbish",
    [
        b"rubbish\n",
        b"\n\n\n",
        b'"\n',
        b'say "hello\n',
        b"\x00\xff\xfe\n",
        b'"ANSWER","1795317602.887463","half\n',
        b'"ANSWER","yesterday","a","a","","","","","","",""\n',
        b"\r\n",
        b"x" * 3000 + b"\n",
    ],
)
@pytest.mark.parametrize("position", [0, 1, 5, len(CALL.rows)])
def test_a_row_that_cannot_be_read_never_stops_the_rest(
    rubbish: bytes, position: int, path: Path
) -> None:
    before, after = lines(CALL.rows[:position]), lines(CALL.rows[position:])
    path.write_bytes(before + rubbish + after)
    reader = Reader(path)
    append(path, lines(answered_call(9).rows))
    assert reader.read() == [*CALL.rows, *answered_call(9).rows]
    assert {bad.offset for bad in reader.rejected} <= {len(before)}
    assert bool(reader.rejected) == bool(rubbish.strip())
    assert all(
        bad.reason and len(bad.text) <= 2000 and "\0" not in bad.text for bad in reader.rejected
    )


@pytest.mark.parametrize("row", [0, 1, 5])
@pytest.mark.parametrize("left_out", [1, 3, 12, 40])
def test_a_row_on_the_same_line_as_a_torn_one_is_read(row: int, left_out: int, path: Path) -> None:
    torn = lines(CALL.rows[:1]).rstrip()[:-left_out]
    path.write_bytes(lines(CALL.rows[:row]) + torn + lines(CALL.rows[row:]))
    reader = Reader(path)
    assert reader.read() == CALL.rows
    assert [bad.text for bad in reader.rejected] == [torn.decode()]


@pytest.mark.parametrize("chunk", [1000, LONGEST_ROW, 256 * 1024])
@pytest.mark.parametrize(
    "rubbish", [b"x" * 3 * LONGEST_ROW, b'"' * (3 * LONGEST_ROW + 1)], ids=["x", "quotes"]
)
def test_rubbish_without_an_end_is_set_aside_in_pieces(
    rubbish: bytes, chunk: int, path: Path
) -> None:
    path.write_bytes(lines(CALL.rows) + rubbish)
    reader = Reader(path, chunk)
    assert reader.read() == CALL.rows
    append(path, b"\n" + lines(answered_call(9).rows))
    assert reader.read() == answered_call(9).rows
    assert len(reader.rejected) < 10


def test_a_name_of_many_lines_is_neither_rubbish_nor_slow(reader: Reader, path: Path) -> None:
    row = replace(CALL.rows[0], caller_name="\n" * 50_000)
    path.write_bytes(lines([row, CALL.rows[1]]))
    assert reader.read() == [row, CALL.rows[1]]


@pytest.mark.parametrize(
    "name",
    [
        line(CALL.rows[-1]),
        "\n" + line(CALL.rows[-1]),
        'x"\n' + line(CALL.rows[-1]),
        '\n"LINKEDID_END","1795317602.887463","a","a","","","","","","",""\n',
        "\n''LINKEDID_END'',''1795317602.887463'',",
        '"',
        '\n"',
        '","',
        '"\n"A","1.000000",',
    ],
)
def test_a_caller_cannot_forge_a_row(name: str, path: Path) -> None:
    for position in ("caller_name", "caller_number", "extension"):
        row = replace(CALL.rows[0], **{position: name})
        path.write_bytes(lines([row, CALL.rows[1]]))
        reader = Reader(path)
        assert reader.read() == [row, CALL.rows[1]]
        assert reader.rejected == []


def test_rows_of_another_dialplan_on_the_same_asterisk_do_not_disturb(
    reader: Reader, path: Path
) -> None:
    other = replace(CALL.rows[1], event="myEvent.2")
    path.write_bytes(lines([CALL.rows[0], other, CALL.rows[2]]))
    assert reader.read() == [CALL.rows[0], other, CALL.rows[2]]


# Anything at all

LETTERS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
HOSTILE = st.sampled_from(
    ['"', "\n", '"\n"', ",", "\r", '\n"ANSWER","1795317602.887463","a",', '""', "😀", "Я"]
)
NAME = st.lists(LETTERS | HOSTILE, max_size=6).map("".join)
ROW = st.builds(
    Row,
    event=st.sampled_from(["ANSWER", "CHAN_START", "RINGTRACE_CALL", "HANGUP"]),
    at=st.integers(0, 10**8).map(lambda n: later(n / 1000)),
    uniqueid=st.sampled_from(["rt1-1.0", "rt1-1.1"]),
    linkedid=st.just("rt1-1.0"),
    channel=NAME,
    caller_number=NAME,
    caller_name=NAME,
    extension=NAME,
    context=NAME,
    extra=st.dictionaries(LETTERS, LETTERS | st.integers(-(2**50), 2**50), max_size=2),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(ROW, max_size=6), cuts=st.sets(st.floats(0, 1), max_size=5), data=st.data())
def test_whatever_cel_custom_writes_is_read_back_exactly(
    tmp_path: Path, rows: list[Row], cuts: set[float], data: st.DataObject
) -> None:
    whole = lines(rows)
    path = tmp_path / "cel.csv"
    path.write_bytes(b"")
    chunk = data.draw(st.sampled_from([1, 2, 13, 100, 1000, 10**6]), label="chunk")
    reader = Reader(path, chunk)
    places = sorted({0, len(whole), *(int(cut * len(whole)) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        append(path, whole[start:end])
        if data.draw(st.booleans(), label="read"):
            reader.read()
    reader.read()
    assert reader.rows == rows
    assert reader.rejected == []
