"""One client for every server with OpenAI's transcription interface: each personality of the
contract server gives the same lines, and each kind of error its outcome.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from recordings import take_side
from router.domain.calls.transcript import Side, Spoken, TranscriptionRule
from router.errors import InvalidInput
from router.receivers.network import Network
from router.receivers.speech_to_text import (
    HttpSpeech,
    check_speech_address,
    endpoint_of,
    server_of,
)
from router.service.calls.transcription_ports import Piece
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from tests.contracts.serving import served
from tests.contracts.speech import (
    HEARD,
    MODEL,
    PERSONALITIES,
    SECONDS,
    TOKEN,
    Personality,
    SpeechServer,
)
from tests.support.speech_world import KEY, a_rule, store_voices


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("sound")
    storage, seconds = store_voices(home)
    whole, side = home / "whole.mp3", home / "caller.mp3"
    whole.write_bytes(storage.read(KEY))
    take_side(whole, side, channel=0, start=0, seconds=seconds)
    return side


@asynccontextmanager
async def listening(
    server: SpeechServer, token: str = TOKEN, **fields: object
) -> AsyncIterator[tuple[HttpSpeech, TranscriptionRule]]:
    async with served(server.app) as address:
        path = "/inference" if server.personality.path == "/inference" else "/v1"
        rule = a_rule(address=f"{address}{path}", **{"model": MODEL, **fields})
        tokens = {"speech:all": {"token": token, "server": server_of(rule.address)}}
        yield HttpSpeech(network=Network(), tokens=lambda: tokens), rule


async def hear(client: HttpSpeech, rule: TranscriptionRule, sound: Path) -> tuple[Spoken, ...]:
    piece = Piece(path=sound, side=Side.CALLER, start=0, seconds=SECONDS)
    return await anext(client.hear(rule, [piece]))


@pytest.mark.parametrize("name", PERSONALITIES)
async def test_every_server_gives_the_same_text(name: str, sound: Path) -> None:
    server = SpeechServer(PERSONALITIES[name])
    async with listening(server) as (client, rule):
        lines = await hear(client, rule, sound)
    text = " ".join(line.text for line in lines)
    assert text == " ".join(said for _, _, said in HEARD)
    assert server.requests[0]["language"] == "en"
    if not server.personality.verbose:
        assert (len(lines), len(server.requests)) == (1, 2)
        return
    assert server.violations == []
    assert [(line.at, line.until) for line in lines] == [(at, until) for at, until, _ in HEARD]


@pytest.mark.parametrize(
    ("name", "given"),
    [("openai", True), ("speaches", True), ("vllm", False), ("localai", False)],
)
async def test_words_have_times_where_the_server_gives_them(
    name: str, given: bool, sound: Path
) -> None:
    server = SpeechServer(PERSONALITIES[name])
    async with listening(server) as (client, rule):
        lines = await hear(client, rule, sound)
    assert [bool(line.words) for line in lines] == [given, given]
    if given:
        assert [word.text for word in lines[1].words] == ["I", "want", "a", "refund."]
        assert lines[1].words[0].at == 2.5


async def test_parts_of_words_are_not_taken_for_words(sound: Path) -> None:
    async with listening(SpeechServer(PERSONALITIES["whisper_cpp"])) as (client, rule):
        lines = await hear(client, rule, sound)
    assert [line.words for line in lines] == [(), ()]


@pytest.mark.parametrize("name", ["openai", "speaches"])
async def test_an_unknown_model_is_refused_with_the_servers_words(name: str, sound: Path) -> None:
    async with listening(SpeechServer(PERSONALITIES[name]), model="other") as (client, rule):
        with pytest.raises(Refused, match="not installed locally"):
            await hear(client, rule, sound)


FINAL = (400, 404, 413, 422)
PASSING = (429, 499, 500, 502, 503)


@pytest.mark.parametrize("status", FINAL)
async def test_a_refusal_is_final(status: int, sound: Path) -> None:
    server = SpeechServer(Personality(), says=[JSONResponse({"error": "no such thing"}, status)])
    async with listening(server) as (client, rule):
        with pytest.raises(Refused, match="no such thing"):
            await hear(client, rule, sound)


@pytest.mark.parametrize("status", PASSING)
async def test_what_may_pass_is_tried_again(status: int, sound: Path) -> None:
    headers = {"Retry-After": "90"}
    server = SpeechServer(
        Personality(), says=[PlainTextResponse("loading model", status, headers=headers)]
    )
    async with listening(server) as (client, rule):
        with pytest.raises(ReceiverUnavailable, match="loading model") as caught:
            await hear(client, rule, sound)
    assert caught.value.pause == timedelta(seconds=90)


@pytest.mark.parametrize(
    "answer",
    [
        HTMLResponse("<html>Welcome to nginx</html>"),
        JSONResponse({"status": "ok"}),
        JSONResponse([]),
        JSONResponse({"text": 7}),
    ],
)
async def test_an_answer_without_text_is_refused(answer: Response, sound: Path) -> None:
    server = SpeechServer(Personality(), says=[answer])
    async with listening(server) as (client, rule):
        with pytest.raises(Refused, match="without a text"):
            await hear(client, rule, sound)


async def test_silence_is_no_failure(sound: Path) -> None:
    server = SpeechServer(Personality(), says=[JSONResponse({"text": "", "segments": []})])
    async with listening(server) as (client, rule):
        assert await hear(client, rule, sound) == ()


async def test_a_token_of_another_server_is_not_sent(sound: Path) -> None:
    server = SpeechServer(PERSONALITIES["openai"])
    async with served(server.app) as address:
        rule = a_rule(address=f"{address}/v1", model=MODEL)
        tokens = {"speech:all": {"token": TOKEN, "server": "speech.example"}}
        client = HttpSpeech(network=Network(), tokens=lambda: tokens)
        with pytest.raises(ReceiverUnavailable):
            await hear(client, rule, sound)


async def test_the_token_is_not_in_errors(sound: Path) -> None:
    said = JSONResponse({"error": f"bad key {TOKEN}"}, 400)
    async with listening(SpeechServer(Personality(), says=[said])) as (client, rule):
        with pytest.raises(Refused) as caught:
            await hear(client, rule, sound)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("https://api.example.com", "https://api.example.com/v1/audio/transcriptions"),
        ("https://api.example.com/v1/", "https://api.example.com/v1/audio/transcriptions"),
        ("http://127.0.0.1:8080/inference", "http://127.0.0.1:8080/inference"),
        ("https://a.example/x/transcriptions", "https://a.example/x/transcriptions"),
    ],
)
def test_the_address_may_be_given_in_part(address: str, endpoint: str) -> None:
    assert endpoint_of(address) == endpoint


@pytest.mark.parametrize(
    "address",
    [
        "http://speech.example.com/v1",
        "http://192.168.1.5:8000",
        "ftp://speech.example.com",
        "https://user:password@speech.example.com",
        "https://speech.example.com/v1?key=secret",
        "https://[::1",
        "speech.example.com",
        "",
    ],
)
def test_voices_are_sent_unencrypted_to_this_machine_alone(address: str) -> None:
    with pytest.raises(InvalidInput):
        check_speech_address(address)


@pytest.mark.parametrize("address", ["https://speech.example.com", "http://127.0.0.1:8000/v1"])
def test_an_address_is_accepted(address: str) -> None:
    assert check_speech_address(f"{address}/") == address
