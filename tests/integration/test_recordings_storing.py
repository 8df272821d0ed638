"""From a spool pair to a verified recording, with the real ffmpeg, real speech and a real
directory.
"""

import hashlib
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recordings import (
    AudioWarning,
    Format,
    SpoolPair,
    key_for,
    recall,
)
from recordings.errors import (
    SpoolMissing,
)
from tests.integration.recordings_house import KEY, NAME, House
from tests.support.recordings_sounds import (
    babble,
    decoded,
    idle,
    level,
    recorded_human,
    silence,
    spoken,
    spool_pair,
    tone,
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(spool=tmp_path / "spool", work=tmp_path / "work", folder=tmp_path / "storage")


@pytest.fixture(scope="module")
def human() -> np.ndarray[Any, np.dtype[np.int16]]:
    return recorded_human()


@pytest.fixture(params=list(Format))
def form(request: pytest.FixtureRequest) -> Format:
    return request.param


def probed(file: Path, entries: str) -> dict[str, Any]:
    command = ["ffprobe", "-loglevel", "error", "-of", "json", "-show_entries", entries, str(file)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_a_call_with_real_speech_is_stored_whole(house: House, human: np.ndarray) -> None:
    answer = spoken(
        "Good afternoon. Eight windows would cost four thousand, and we can come on Thursday."
    )
    pair = spool_pair(
        house.spool,
        np.concatenate([human, idle(len(answer) / 8000)]),
        np.concatenate([silence(len(human) / 8000), answer]),
    )
    seconds = (len(human) + len(answer)) / 8000
    recording = house.store(pair, expected_seconds=seconds + 1)
    assert recording.seconds == pytest.approx(seconds)
    assert recording.warnings == ()
    assert recording.content_type == "audio/mpeg"
    assert 4 < recording.caller.speech_seconds < 6  # a listener counts five of the seven
    assert recording.company.speech_seconds == pytest.approx(len(answer) / 8000, rel=0.2)
    assert recording.talk_over_seconds == 0
    assert -30 < recording.caller.rms_dbfs < -20
    content = house.storage.read(KEY)
    assert len(content) == recording.bytes == house.storage.stat(KEY).bytes
    assert hashlib.sha256(content).hexdigest() == recording.sha256
    assert list(house.spool.iterdir()) == []
    assert list(house.work.iterdir()) == []


def test_a_side_that_is_zero_to_its_end_is_reported_with_the_moment(
    house: House, human: np.ndarray
) -> None:
    caller = np.concatenate([human, idle(6)])
    company = np.concatenate([silence(1), babble(4), silence(caller.size / 8000 - 5)])
    recording = house.store(spool_pair(house.spool, caller, company))
    assert recording.warnings == (AudioWarning.COMPANY_ENDS,)
    assert recording.company.ends_at == pytest.approx(5, abs=0.1)
    assert recording.caller.ends_at is None
    assert recall(house.storage, KEY) == recording


def test_each_party_is_heard_on_its_own_side_alone(
    house: House, form: Format, human: np.ndarray
) -> None:
    seconds = len(human) / 8000
    for name, caller, company in (
        ("left", human, silence(seconds)),
        ("right", silence(seconds), human),
    ):
        key = key_for(name, datetime(2026, 11, 22, tzinfo=UTC), form)
        house.store(spool_pair(house.spool, caller, company, name), key=key, format=form)
        sound = decoded(house.folder / key, channels=2)
        loud, quiet = (0, 1) if name == "left" else (1, 0)
        assert level(sound[:, loud]) == pytest.approx(level(human), abs=1.5)
        assert level(sound[:, quiet]) < -90


def test_the_sides_stay_apart_while_both_speak(house: House, form: Format) -> None:
    key = f"x{form.suffix}"
    house.store(
        spool_pair(house.spool, tone(20, hertz=500), tone(20, hertz=1700)), key=key, format=form
    )
    sound = decoded(house.folder / key, channels=2)[8000:-8000]
    spectrum = np.abs(np.fft.rfft(sound.astype(float) * np.hanning(len(sound))[:, None], axis=0))
    hertz = np.fft.rfftfreq(len(sound), 1 / 8000)
    at_500, at_1700 = (spectrum[np.abs(hertz - f) < 20].max(axis=0) for f in (500, 1700))
    assert 20 * np.log10(at_500[0] / at_500[1]) > 70
    assert 20 * np.log10(at_1700[1] / at_1700[0]) > 70


def test_the_length_and_every_second_are_found_without_reading_it_all(
    house: House, form: Format
) -> None:
    key = f"x{form.suffix}"
    caller = np.concatenate([silence(61), tone(1), silence(58)])
    house.store(spool_pair(house.spool, caller, silence(120)), key=key, format=form)
    file = house.folder / key
    facts = probed(file, "format=duration:stream=channels,sample_rate")
    assert float(facts["format"]["duration"]) == pytest.approx(120, abs=0.1)
    assert facts["streams"][0]["channels"] == 2
    assert len(decoded(file, channels=2)) == pytest.approx(120 * 8000, abs=8000 * 0.05)
    for start, is_loud in ((60, False), (61, True), (62, False)):
        command = [
            "ffmpeg",
            "-loglevel",
            "error",
            "-ss",
            str(start + 0.1),
            "-t",
            "0.8",
            "-i",
            str(file),
        ]
        raw = subprocess.run([*command, "-f", "s16le", "-"], capture_output=True, check=True).stdout
        assert (level(np.frombuffer(raw, "<i2")) > -40) == is_loud


def test_an_mp3_has_a_constant_rate_an_info_header_and_a_sample_rate_that_all_browsers_play(
    house: House,
) -> None:
    house.store(spool_pair(house.spool, babble(20), babble(20)))
    file = house.folder / KEY
    assert b"Info" in file.read_bytes()[:64]
    facts = probed(file, "packet=size:stream=sample_rate,codec_name")
    assert facts["streams"][0] == {"codec_name": "mp3", "sample_rate": "16000"}
    assert {packet["size"] for packet in facts["packets"]} == {"216"}


def test_the_same_samples_give_the_same_file(house: House, form: Format) -> None:
    first, second = (
        house.store(
            spool_pair(house.spool, babble(5), tone(5), name),
            key=f"{name}{form.suffix}",
            format=form,
        )
        for name in ("a", "b")
    )
    assert first.sha256 == second.sha256


def test_an_ogg_is_labelled_as_such(house: House) -> None:
    recording = house.store(
        spool_pair(house.spool, babble(2), tone(2)), key="x.ogg", format=Format.OPUS
    )
    assert recording.content_type == "audio/ogg; codecs=opus"
    assert probed(house.folder / "x.ogg", "stream=codec_name")["streams"][0]["codec_name"] == "opus"


@pytest.mark.parametrize(
    ("recorded", "expected", "warnings"),
    [
        (20, None, ()),
        (20, 21.5, ()),
        (20, 35, ()),
        (20, 41, (AudioWarning.MUCH_SHORTER_THAN_TALK,)),
        (20, 17, (AudioWarning.LONGER_THAN_TALK,)),
        (1, 2.9, ()),
    ],
)
def test_a_length_unlike_the_talk_time_is_a_warning(
    house: House, recorded: float, expected: float | None, warnings: tuple[AudioWarning, ...]
) -> None:
    pair = spool_pair(house.spool, babble(recorded), babble(recorded))
    assert house.store(pair, expected_seconds=expected).warnings == warnings


def test_a_side_without_speech_is_a_warning(house: House) -> None:
    recording = house.store(spool_pair(house.spool, babble(5), None))
    assert recording.warnings == (AudioWarning.COMPANY_MISSING, AudioWarning.COMPANY_SILENT)
    assert recording.company.rms_dbfs == -96.3


def test_a_file_cut_by_a_dying_machine_is_stored_with_a_warning(house: House) -> None:
    recording = house.store(spool_pair(house.spool, babble(5).tobytes()[:-1], babble(2)))
    assert recording.warnings == (AudioWarning.CUT_SAMPLE, AudioWarning.SIDES_DIFFER)
    assert recording.seconds == 5 - 1 / 8000


def test_done_again_after_the_spool_is_empty_it_is_the_same_recording(house: House) -> None:
    pair = spool_pair(house.spool, babble(3), babble(3))
    recording = house.store(pair)
    assert house.store(pair) == recording == recall(house.storage, KEY)


@pytest.mark.parametrize("left", ["caller", "company"])
def test_killed_while_emptying_the_spool_the_good_recording_is_not_replaced_by_half_of_it(
    house: House, left: str
) -> None:
    pair = spool_pair(house.spool, babble(3), babble(3))
    remainder: Path = getattr(pair, left)
    content = remainder.read_bytes()
    recording = house.store(pair)
    remainder.write_bytes(content)
    assert house.store(pair) == recording
    assert house.storage.stat(KEY).bytes == recording.bytes
    assert pair.files() == ()


def test_killed_before_the_label_was_written_it_is_done_again(house: House) -> None:
    pair = spool_pair(house.spool, babble(3), babble(3))
    recording = house.store(pair)
    (house.folder / f"{KEY}.json").unlink()
    assert recall(house.storage, KEY) is None
    assert house.store(spool_pair(house.spool, babble(3), babble(3))) == recording


def test_neither_spool_nor_storage_has_it(house: House) -> None:
    house.spool.mkdir()
    with pytest.raises(SpoolMissing):
        house.store(SpoolPair(directory=house.spool, name=NAME))
