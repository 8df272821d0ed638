"""The connection to Asterisk's manager when it drops, hangs or is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from router.asterisk import ami as module
from router.asterisk.ami import Ami, Connected
from router.errors import AsteriskUnavailable, LoginRefused
from tests.support.asterisk_manager import (
    Action,
    Line,
    Manager,
    client,
    hurry,
    manager,
    mute,
    next_event,
    running,
    until,
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
    ] * 2  # and no question waited for an answer
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
async def test_a_server_that_is_no_asterisk_is_unavailable_and_tried_again(
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


async def test_a_refused_login_is_an_error_of_its_own(asterisk: Manager) -> None:
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
    async with running(client(asterisk, "wrong").run()), asyncio.timeout(180):
        await woken.wait()
    assert len(asterisk.named("Login")) == 3
    assert all(30 <= seconds <= 35 for seconds in slept)


async def test_pauses_between_attempts_grow_differ_and_start_again(
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
    async with running(made.run()), asyncio.timeout(180):
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
    async with asyncio.timeout(180):
        await line.closed.wait()
