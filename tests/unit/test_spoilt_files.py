"""Files of our own that are empty, torn, doubled or binary: each reader goes on, or says what to
do.
"""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recordings.sidecar import read_sidecar
from recordings.spool import SpoolPair, is_settled
from router.asterisk import refused_calls, trunk_dns
from router.asterisk.answers import HEARTBEAT, Answers, last_beat
from router.asterisk.files import write_fallback
from router.asterisk.refused_calls import RefusedCalls, read_refused
from router.asterisk.sip_copies import Offer, Refusal
from router.errors import AsteriskUnavailable, ConfigurationError
from router.secrets import load_secrets

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINE = {
    "trunk": "carrier",
    "status": 488,
    "offered": "G729",
    "count": 1,
    "first_at": "2026-11-22T12:00:00",
}
SPOILT = {
    "empty": b"",
    "torn": b'[{"trunk": "carr',
    "doubled": b"[][]",
    "binary": bytes(range(256)),
    "deep": b"[" * 100_000,
    "another type": b'[{"first_at": 5}, 7, null]',
    "no number": json.dumps([{**LINE, "last_at": "2026-11-22T12:00:00", "count": "x"}]).encode(),
}


@pytest.fixture(params=SPOILT.values(), ids=SPOILT)
def spoilt(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "secrets.json"
    path.write_bytes(request.param)
    return path


def test_spoilt_secrets_are_named_without_their_content(spoilt: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"secrets\.json cannot be read"):
        load_secrets(spoilt.parent)


def test_secrets_in_place_of_which_is_a_directory_are_named(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").mkdir()
    with pytest.raises(ConfigurationError, match="make it readable for Ringtrace's user"):
        load_secrets(tmp_path)


def test_a_spoilt_memory_is_none(spoilt: Path) -> None:
    assert read_refused(spoilt) == []
    assert trunk_dns._read(spoilt) == {}
    with pytest.raises(ValueError):  # noqa: PT011  which a label's reader catches
        read_sidecar(spoilt.read_bytes())


def test_a_spoilt_fallback_table_is_written_again(spoilt: Path) -> None:
    assert write_fallback(spoilt, ())
    assert not write_fallback(spoilt, ())


def test_times_without_a_zone_can_be_counted_on(tmp_path: Path) -> None:
    path = tmp_path / "refused-calls.json"
    path.write_text(json.dumps([{**LINE, "last_at": "2026-11-22T12:00:00"}]))
    (known,) = read_refused(path)
    assert known.last_at.tzinfo is not None


async def test_refused_calls_that_could_not_be_counted_are_counted_later(tmp_path: Path) -> None:
    asterisk_is_down = [True]

    async def networks() -> refused_calls.Networks:
        if asterisk_is_down:
            raise AsteriskUnavailable
        return {"carrier": [refused_calls.IPv4Network("192.0.2.0/24")]}

    refused = RefusedCalls(tmp_path / "refused.json", "key", networks, lambda: NOON)
    offer = Offer(call_id=b"one", source="192.0.2.1", body="m=audio 4000 RTP/AVP 18\r\n")
    refused._refused = [(offer, Refusal(call_id=b"one", source="192.0.2.9", status=488))]
    await refused._write()
    assert read_refused(tmp_path / "refused.json") == []
    asterisk_is_down.clear()
    await refused._write()
    assert [line.count for line in read_refused(tmp_path / "refused.json")] == [1]


def test_the_heart_beats_whatever_lies_among_the_answers(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "answers")
    answers.beat()
    old = tmp_path / "answers/1.1"
    for path in (tmp_path / "answers/a-directory", old):
        path.mkdir() if path != old else path.write_text("")
        os.utime(path, (0, 0))
    os.utime(tmp_path / "answers" / HEARTBEAT, (0, 0))
    answers.beat()
    assert time.time() - (last_beat(tmp_path / "answers") or 0) < 60
    assert not old.exists()


def test_a_spool_file_of_the_future_is_settled(tmp_path: Path) -> None:
    """The clock was set back: its age would be negative for an hour."""
    pair = SpoolPair(directory=tmp_path, name="one")
    pair.caller.write_bytes(b"\0\0")
    os.utime(pair.caller, (4600, 4600))
    assert is_settled(pair, quiet_seconds=1.0, now=1000.0)
    assert not is_settled(pair, quiet_seconds=1.0, now=4600.5)
