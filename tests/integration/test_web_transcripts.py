"""The transcript on a call's page and in the API, and its rules by command."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call
from router.domain.calls.transcript import Side, Spoken, TranscriptState, Word, in_order
from router.domain.calls.transcript_codes import TranscriptCode
from router.domain.delivery.outcome import Outcome
from tests.support.command_line import ringtrace
from tests.support.speech_world import a_rule, asked
from tests.support.web_calls import furnish
from tests.support.web_world import World, a_world

HOSTILE = '<script>alert("x")</script> \u202eevil\u202c 😀 ' + "A" * 3900


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def call(world: World) -> Call:
    """A recorded call with a transcript of two lines."""
    call = (await furnish(world))["attributed"]
    words = (Word(text="Hello,", at=7.5, until=8), Word(text="Anna", at=8.1, until=9))
    spoken = [
        Spoken(side=Side.COMPANY, at=7.5, until=9, text="Hello, Anna", words=words),
        Spoken(side=Side.CALLER, at=10, until=14, text=HOSTILE),
    ]
    async with world.store.write() as session:
        await session.add(a_rule(id="all"))
        done = asked(call.id, state=TranscriptState.DONE, engine="speech.example · whisper-1")
        await session.transcripts.save(done)
        await session.transcripts.save_segments(call.id, in_order(call.id, spoken))
    return call


async def test_the_page_shows_what_was_said_with_its_times(world: World, call: Call) -> None:
    page = (await (await world.person("anna")).get(f"/calls/{call.id}")).text
    assert 'data-times="7.5 8.1 "' in page
    assert "Transcribed by speech.example · whisper-1." in page
    assert f"/calls/{call.id}?t=7.5" in page
    assert "<script>alert" not in page


async def test_a_supervisor_corrects_a_line_and_sees_who_did_it(world: World, call: Call) -> None:
    anna, path = await world.person("anna"), f"/calls/{call.id}"
    answer = await anna.post(f"{path}/transcript/0", data={"text": "Hello, Olga"})
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = (await anna.get(path)).text
    assert "Hello, Olga" in page
    assert "recognized: <bdi>Hello, Anna</bdi>" in page
    assert (await anna.post(f"{path}/transcript/0", data={"text": "  "})).status_code == 422
    assert (await anna.post(f"{path}/transcript/0", data={"text": "a" * 4001})).status_code == 422
    assert (await anna.post(f"{path}/transcript/9", data={"text": "x"})).status_code == 404
    stranger = world.browser(Origin="https://elsewhere.example")
    assert (await stranger.post(f"{path}/transcript/0", data={"text": "x"})).status_code == 403
    logged_out = world.browser(Origin="https://ringtrace.test")
    assert (await logged_out.post(f"{path}/transcript/0", data={"text": "x"})).status_code != 200


async def test_a_failed_transcript_says_why_and_is_tried_again(world: World, call: Call) -> None:
    said = Outcome.of(TranscriptCode.MODEL_FAILED, model="small", detail="<b>no memory</b>")
    async with world.store.write() as session:
        await session.transcripts.remove([call.id])
        await session.transcripts.save(asked(call.id, state=TranscriptState.FAILED, outcome=said))
    anna, path = await world.person("anna"), f"/calls/{call.id}"
    page = (await anna.get(path)).text
    assert "the model small cannot be used: &lt;b&gt;no memory&lt;/b&gt;" in page
    assert "Transcribe again" in page
    assert (await anna.post(f"{path}/transcript")).status_code == 303
    assert "is being transcribed" in (await anna.get(path)).text


async def test_without_a_rule_the_page_says_nothing_of_transcripts(world: World) -> None:
    call = (await furnish(world))["attributed"]
    page = (await (await world.person("anna")).get(f"/calls/{call.id}")).text
    assert "Transcribe</button>" not in page


async def test_programs_read_order_and_correct(world: World, call: Call) -> None:
    path = f"/api/v1/calls/{call.id}/transcript"
    reader, writer = world.program(Scope.CALLS_READ), world.program(Scope.CALLS_WRITE)
    whole = (await reader.get(path)).json()
    assert (whole["state"], whole["engine"]) == ("done", "speech.example · whisper-1")
    first, second = whole["segments"]
    assert [word["text"] for word in first["words"]] == ["Hello,", "Anna"]
    assert (first["estimated"], second["estimated"]) == (False, True)

    line = (await writer.put(f"{path}/0", json={"text": "Hello, Olga"})).json()
    assert (line["text"], line["original"]) == ("Hello, Olga", "Hello, Anna")
    assert line["corrected_by"] == "calls:write"
    assert (await reader.put(f"{path}/0", json={"text": "x"})).status_code == 403
    assert (await writer.put(f"{path}/0", json={"text": ""})).status_code == 422
    assert (await writer.post(path)).status_code == 202  # it stays
    assert len((await reader.get(path)).json()["segments"]) == 2
    assert (await reader.get("/api/v1/calls/none/transcript")).status_code == 404


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ringtrace.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("RINGTRACE_HOME", str(tmp_path))
    return tmp_path


def test_an_administrator_adds_a_rule_and_the_token_is_kept_for_that_server(home: Path) -> None:
    url = ("--url", "https://speech.example/v1", "--model", "whisper-1")
    query = "https://ringtrace.test/calls?site=shop&talk_from=30"
    added = ringtrace(
        "transcript", "add", "long", *url, "--calls", query, "--password-stdin", stdin="sk-1\n"
    )
    assert "sent to speech.example" in added.err
    kept = json.loads((home / "secrets.json").read_text())["tokens"]["speech:long"]
    assert kept == {"token": "sk-1", "server": "speech.example"}
    listed = ringtrace("transcript", "list", "--json")
    assert "sk-1" not in listed.out
    (rule,) = listed.json
    assert (rule["calls"], rule["engine"]) == ("site=shop&talk_from=30", "http")
    ringtrace("transcript", "remove", "long")
    assert json.loads((home / "secrets.json").read_text())["tokens"] == {}


@pytest.mark.parametrize(
    "options",
    [
        ("--url", "http://speech.example/v1"),
        ("--local", "--calls", "colour=red"),
        ("--local", "--language", "russian"),
        ("--local", "--talk", "-1"),
    ],
)
def test_a_wrong_rule_is_refused(options: tuple[str, ...], home: Path) -> None:
    assert home
    assert ringtrace("transcript", "add", "x", *options, status=1).err


def test_the_progress_is_shown(home: Path) -> None:
    assert home
    assert "No call was transcribed yet" in ringtrace("transcript", "status").err
    assert ringtrace("transcript", "status", "--json").json == {"counts": [], "waiting": []}
