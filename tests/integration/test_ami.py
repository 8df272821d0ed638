"""The connection to Asterisk's manager: questions, answers and events, among rubbish."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.asterisk import ami as module
from router.asterisk.ami import Ami, Connected, RouteAsked
from router.errors import AsteriskUnavailable, InvalidInput
from tests.support.asterisk_manager import (
    Action,
    Line,
    Manager,
    client,
    hurry,
    manager,
    next_event,
    running,
)


@pytest_asyncio.fixture
async def asterisk() -> AsyncIterator[Manager]:
    async with manager() as made:
        yield made


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For those who never answer."""
    for name in ("REPLY_SECONDS", "LOGIN_SECONDS"):
        monkeypatch.setattr(module, name, 0.3)


@pytest_asyncio.fixture
async def ami(asterisk: Manager) -> AsyncIterator[Ami]:
    """Connected, and kept so."""
    made = client(asterisk)
    async with running(made.run()):
        assert await next_event(made) == Connected()
        yield made


async def test_an_answer_belongs_to_its_question(asterisk: Manager, ami: Ami) -> None:
    held: list[tuple[Line, Action]] = []

    async def backwards(line: Line, action: Action) -> None:
        held.append((line, action))
        if len(held) == 3:
            for at, asked in reversed(held):
                at.reply(asked, "Success", Message=asked["variable"])

    asterisk.answers = backwards
    answers = await asyncio.gather(*(ami.ask("Setvar", Variable=name, Value="1") for name in "abc"))
    assert [answer.message for answer in answers] == ["a", "b", "c"]


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b"])
async def test_a_value_that_could_end_a_line_is_never_sent(
    value: str, asterisk: Manager, ami: Ami
) -> None:
    with pytest.raises(InvalidInput, match="Value"):
        await ami.ask("Setvar", Variable="X", Value=value)
    with pytest.raises(InvalidInput, match="Variable"):
        ami.tell("Setvar", Variable=value, Value="x")
    await ami.ask("Ping")
    assert [action["action"] for action in asterisk.actions] == ["Login", "Ping"]


async def test_letters_of_every_alphabet_reach_asterisk(asterisk: Manager, ami: Ami) -> None:
    await ami.ask("Setvar", Variable="X", Value="Осень 😀")
    assert asterisk.named("Setvar")[0]["value"] == "Осень 😀"


async def test_a_list_is_whole(asterisk: Manager, ami: Ami) -> None:
    async def three(line: Line, action: Action) -> None:
        line.reply(action, "Success", EventList="start", Message="Channels will follow")
        await asyncio.sleep(0)
        line.channels(action, "rt1-1.0", "rt1-1.1", "rt1-1.2")

    asterisk.answers = three
    found = [m["uniqueid"] for m in await ami.ask_list("CoreShowChannels") if "uniqueid" in m]
    assert found == ["rt1-1.0", "rt1-1.1", "rt1-1.2"]


async def test_no_question_is_sent_while_asterisk_is_away() -> None:
    alone = Ami(host="127.0.0.1", port=1, username="x", secret="y")
    with pytest.raises(AsteriskUnavailable):
        await alone.ask("Ping")
    with pytest.raises(AsteriskUnavailable):
        await alone.ask_list("CoreShowChannels")
    alone.tell("Ping")
    assert not alone.connected


async def test_events_come_in_the_order_in_which_they_were_sent(
    asterisk: Manager, ami: Ami
) -> None:
    for serial in range(500):
        asterisk.lines[0].route_asked(str(serial), serial)
    assert [(await next_event(ami)).did for _ in range(500)] == [str(n) for n in range(500)]  # type: ignore[union-attr]


async def test_a_letter_split_between_two_packets_survives(asterisk: Manager, ami: Ami) -> None:
    line = asterisk.lines[0]
    told = (
        "Event: UserEvent",
        "UserEvent: RingtraceRoute",
        "Uniqueid: u",
        "Channel: PJSIP/Анна😀",
        "DID: 7",
        "",
        "",
    )
    whole = "\r\n".join(told).encode()
    for at in range(len(whole)):
        line.write(whole[at : at + 1])
        await asyncio.sleep(0)
    assert await next_event(ami) == RouteAsked(
        uniqueid="u", channel="PJSIP/Анна😀", did="7", linkedid="u"
    )


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\xff\xfe\x00rubbish\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"Event\r\n\r\n",
        b"Response: Success\r\nActionID: x\r\n\r\n",
    ],
)
async def test_rubbish_between_events_is_passed_over(
    rubbish: bytes, asterisk: Manager, ami: Ami
) -> None:
    line = asterisk.lines[0]
    line.write(rubbish)
    line.route_asked("7495")
    assert (await next_event(ami)).did == "7495"  # type: ignore[union-attr]
    assert ami.connected


async def test_a_message_that_cannot_be_understood_does_not_close_the_connection(
    asterisk: Manager, ami: Ami, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise ValueError("no such thing")

    with monkeypatch.context() as patched:
        patched.setattr(module, "parse_event", refuse)
        asterisk.lines[0].route_asked("1")
        await ami.ask("Ping")
    asterisk.lines[0].route_asked("2")
    assert (await next_event(ami)).did == "2"  # type: ignore[union-attr]
    assert len(asterisk.lines) == 1


async def test_a_full_queue_of_events_drops_events_and_lives(
    asterisk: Manager, ami: Ami, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami.events, "_maxsize", 3)
    for serial in range(9):
        asterisk.lines[0].route_asked(str(serial))
    await ami.ask("Ping")
    assert [(await next_event(ami)).did for _ in range(3)] == ["0", "1", "2"]  # type: ignore[union-attr]
    assert ami.events.empty()
