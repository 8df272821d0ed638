"""The connection to Asterisk's manager, with servers that behave as bad as they can."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from router.asterisk import ami as module
from router.asterisk.ami import Ami, Connected, Event, RouteAsked
from router.errors import AsteriskUnavailable, InvalidInput, LoginRefused
from tests.support.asterisk_manager import Action, Line, Manager, hurry, manager, running, until


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


def client(asterisk: Manager, secret: str = "secret") -> Ami:
    return Ami(host="127.0.0.1", port=asterisk.port, username="ringtrace", secret=secret)


async def next_event(ami: Ami) -> Event:
    async with asyncio.timeout(30):
        return await ami.events.get()


async def mute(_line: Line, _action: Action) -> None:
    """Hear, and never answer."""


async def test_an_answer_belongs_to_its_question(asterisk: Manager, ami: Ami) -> None:
    held: list[tuple[Line, Action]] = []

    async def backwards(line: Line, action: Action) -> None:
        held.append((line, action))
        if len(held) == 3:
            for at, one in reversed(held):
                at.reply(one, "Success", Message=one["variable"])

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


async def test_nobody_is_asked_while_nobody_is_there() -> None:
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


async def test_an_ear_that_nobody_empties_drops_events_and_lives(
    asterisk: Manager, ami: Ami, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami.events, "_maxsize", 3)
    for serial in range(9):
        asterisk.lines[0].route_asked(str(serial))
    await ami.ask("Ping")
    assert [(await next_event(ami)).did for _ in range(3)] == ["0", "1", "2"]  # type: ignore[union-attr]
    assert ami.events.empty()


# Losing and coming back


async def test_what_was_in_flight_at_a_drop_fails_at_once_and_is_never_sent_again(
    asterisk: Manager, ami: Ami
) -> None:
    async def drop(line: Line, _: Action) -> None:
        line.drop()

    asterisk.answers = drop
    lost = await asyncio.gather(
        *(ami.ask("Setvar", Variable="X", Value=v) for v in "ab"), return_exceptions=True
    )
    assert [type(error) for error in lost] == [AsteriskUnavailable, AsteriskUnavailable]
    assert [str(error) for error in lost] == [
        "the connection was lost"
    ] * 2  # and nobody waited for an answer
    asterisk.answers = Line.succeed
    assert await next_event(ami) == Connected()
    await ami.ask("Ping")
    assert [action["action"] for action in asterisk.actions[-2:]] == ["Login", "Ping"]
    assert len(asterisk.named("Setvar")) <= 2


async def test_a_hung_asterisk_is_noticed_and_dropped(
    asterisk: Manager, ami: Ami, impatient: None
) -> None:
    asterisk.answers = mute
    with pytest.raises(AsteriskUnavailable, match="did not answer Ping within"):
        await ami.ask("Ping")
    await until(lambda: len(asterisk.lines) > 1)


async def test_a_shutdown_is_a_drop(asterisk: Manager, ami: Ami) -> None:
    asterisk.lines[0].event("Shutdown", ("Shutdown", "Cleanly"), ("Restart", "False"))
    await until(lambda: not ami.connected or len(asterisk.lines) > 1)
    assert await next_event(ami) == Connected()


async def _close_at_once(line: Line) -> None:
    line.drop()


async def _say_nothing(line: Line) -> None:
    await line.read()
    await asyncio.sleep(3600)


async def _talk_rubbish(line: Line) -> None:
    line.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(range(256)) * 100)
    await asyncio.sleep(3600)


@pytest.mark.parametrize("greets", [_close_at_once, _say_nothing, _talk_rubbish])
async def test_whoever_is_no_asterisk_is_unavailable_and_tried_again(
    greets: Callable[[Line], Awaitable[None]], asterisk: Manager, impatient: None
) -> None:
    asterisk.greets = greets
    made = client(asterisk)

    async def connect() -> None:
        async with made.session():
            pass

    with pytest.raises(AsteriskUnavailable):
        await connect()
    async with running(made.run()):
        await until(lambda: len(asterisk.lines) >= 3)
        assert not made.connected
        asterisk.greets = None
        assert await next_event(made) == Connected()


async def test_a_refused_login_is_told_apart(asterisk: Manager) -> None:
    async def connect() -> None:
        async with client(asterisk, "wrong").session():
            pass

    with pytest.raises(LoginRefused, match="refuses the manager 'ringtrace'"):
        await connect()


async def test_a_refused_login_is_not_hammered(
    asterisk: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    woken = asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            woken.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    async with running(client(asterisk, "wrong").run()), asyncio.timeout(30):
        await woken.wait()
    assert len(asterisk.named("Login")) == 3
    assert all(30 <= seconds <= 35 for seconds in slept)


async def test_pauses_between_attempts_grow_differ_and_start_anew(
    asterisk: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 1.0)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 8.0)
    slept: list[float] = []
    real_sleep, woken = asyncio.sleep, asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 6:
            asterisk.greets = None
        if len(slept) == 7:
            woken.set()
            await asyncio.Event().wait()
        await real_sleep(0)

    asterisk.greets = _close_at_once
    made = client(asterisk)
    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    async with running(made.run()), asyncio.timeout(30):
        assert await made.events.get() == Connected()
        asterisk.lines[-1].drop()
        await woken.wait()
    for seconds, longest in zip(slept, [1, 2, 4, 8, 8, 8, 1], strict=True):
        assert 0 <= seconds <= longest
    assert len(set(slept)) == len(slept)


async def test_leaving_closes_the_connection(asterisk: Manager) -> None:
    made = client(asterisk)
    async with running(made.run()):
        await next_event(made)
        line = asterisk.lines[0]
    assert not made.connected
    async with asyncio.timeout(30):
        await line.closed.wait()
