"""The CEL log as logrotate leaves it: packed, copied, removed."""

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from router.asterisk.log_files import remove_oldest, rotate
from tests.integration.cel_log_reader import PACKERS, Reader, append, shift, stories
from tests.support.builders import answered_call, later, lines


@pytest.mark.parametrize("suffix", PACKERS)
def test_cel_logs_that_logrotate_packed_at_once_are_read(suffix: str, path: Path) -> None:
    told, reader = list(stories(5)), Reader(path, chunk=1000)
    append(path, lines(told[0].rows[:5]))
    reader.read()
    append(path, lines(told[0].rows[5:]))
    for story in told[1:]:
        shift(path, suffix)
        append(path, lines(story.rows))
    assert reader.read() == [*told[0].rows[5:], *(row for story in told[1:] for row in story.rows)]
    assert reader.rejected == []


def test_a_packed_cel_log_that_is_damaged_is_read_as_far_as_it_goes(path: Path) -> None:
    told, reader = list(stories(60)), Reader(path, chunk=2000)
    append(path, lines(row for story in told[:59] for row in story.rows))
    packed = gzip.compress(path.read_bytes(), compresslevel=1)
    Path(f"{path}.1.gz").write_bytes(packed[: len(packed) // 2])
    path.unlink()
    append(path, lines(told[59].rows))
    read = reader.read()
    assert read[-len(told[59].rows) :] == told[59].rows
    assert len(read) > 200
    assert [
        "cannot be decompressed" in bad.reason for bad in reader.rejected if bad.text == ""
    ] == [True]
    assert reader.read() == []


def test_a_cel_log_copied_and_emptied_is_read_on_in_its_copy(reader: Reader, path: Path) -> None:
    told = list(stories(4))
    append(path, lines(told[0].rows))
    reader.read()
    for story in told[1:]:
        append(path, lines(story.rows))
        for number in range(9, 0, -1):
            old = Path(f"{path}.{number}")
            if old.exists():
                old.rename(f"{path}.{number + 1}")
        Path(f"{path}.1").write_bytes(path.read_bytes())
        assert reader.step() is not None  # in the middle of it
        os.truncate(path, 0)
    reader.read()
    assert reader.rows == [row for story in told for row in story.rows]


@pytest.mark.parametrize(
    "change", ["", "delaycompress", "nocreate"], ids=["as documented", "packed at once", "created"]
)
def test_the_documented_rule_for_logrotate_loses_and_repeats_nothing(
    change: str, path: Path
) -> None:
    program = shutil.which("logrotate", path="/usr/sbin:/sbin:/usr/bin")
    if program is None:
        pytest.skip("logrotate is not installed")
    guide = (Path(__file__).parents[2] / "docs/administrator.md").read_text()
    rule = guide.partition("```logrotate\n")[2].partition("```")[0]
    assert "/var/log/asterisk/cel-custom/cel.csv {" in rule
    rule = rule.replace("/var/log/asterisk/cel-custom/cel.csv", str(path))
    rule = rule.replace(change, "") if change else rule
    (path.parent / "rule").write_text(rule)
    (path.parent / "rule").chmod(0o644)
    told, reader = list(stories(6)), Reader(path, chunk=3000)
    for count, story in enumerate(told):
        append(path, lines(story.rows[:7]))
        if count % 2:
            reader.read()
        append(path, lines(story.rows[7:]))
        subprocess.run(
            [program, "-f", "-s", path.parent / "state", path.parent / "rule"], check=True
        )
    last = answered_call(90, at=later(900))
    append(path, lines(last.rows))
    reader.read()
    assert reader.rows == [row for story in (*told, last) for row in story.rows]
    assert any(file.suffix == ".gz" for file in path.parent.iterdir())


def test_the_oldest_files_are_removed_once_they_were_read(reader: Reader, path: Path) -> None:
    for story in stories(5):
        append(path, lines(story.rows))
        rotate(path)
    assert remove_oldest(path, (), keep=1) == []
    append(path, lines(answered_call(90, at=later(900)).rows))
    reader.read()
    assert reader.cursor is not None
    removed = remove_oldest(path, reader.cursor.finished, keep=2)
    assert [file.name for file in removed] == [f"cel.csv.old-{n:06}" for n in (1, 2, 3)]
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "cel.csv",
        "cel.csv.old-000004",
        "cel.csv.old-000005",
    ]
