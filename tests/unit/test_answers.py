"""The files through which the agent answers the dialplan."""

import os
import time
from pathlib import Path

import pytest

from router.asterisk.answers import HEARTBEAT, KEPT_SECONDS, Answers, last_beat
from router.errors import InvalidInput


def test_an_answer_is_a_whole_file_named_after_the_call(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "answers")
    answers.beat()
    answers.put("rt1-1796003925.165", "+7495|office|||||" + "PJSIP/a&" * 300)
    found = {path.name: path.stat().st_size for path in (tmp_path / "answers").iterdir()}
    assert found == {HEARTBEAT: 0, "rt1-1796003925.165": 17 + 300 * 8}


@pytest.mark.parametrize("uniqueid", ["", "heartbeat", "../x", "a/b", ".hidden", "a\n", "x" * 65])
def test_what_is_no_uniqueid_names_no_file(tmp_path: Path, uniqueid: str) -> None:
    with pytest.raises(InvalidInput, match="is not a uniqueid"):
        Answers(tmp_path).put(uniqueid, "line")


def test_old_answers_are_removed_and_the_heartbeat_is_fresh(tmp_path: Path) -> None:
    answers, old = Answers(tmp_path), time.time() - KEPT_SECONDS - 10
    for name in ("1.1", HEARTBEAT):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (old, old))
    answers.put("1.2", "line")
    answers.beat()
    assert {path.name for path in tmp_path.iterdir()} == {"1.2", HEARTBEAT}
    assert (last_beat(tmp_path) or 0) > old + 60


def test_a_stopped_agent_has_no_heartbeat(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "answers")
    answers.beat()
    answers.stop()
    assert last_beat(tmp_path / "answers") is None
