"""Receivers that are down, slow, failing, talking nonsense or dying: each gets each fact to
one effect.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from router.domain.calls.call import Call
from router.domain.delivery.delivery import Delivery, DeliveryState
from tests.acceptance import sip
from tests.acceptance.calling import Voices, company_line, dial, somebody, the_call
from tests.acceptance.promises import expect_deliveries, facts_of, subscribe
from tests.acceptance.receiver import OK, Answer, Attempt, Behaviour, Receiver
from tests.acceptance.system import System
from tests.support.ports import free_port

# some are slow, and tried again
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
]


def first(answer: Answer) -> Behaviour:
    """That answer to the first attempt of each key; then all is well."""
    return lambda attempt: answer if attempt.number == 1 else Answer()


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An answer in HTTP."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


AGAIN: dict[str, Behaviour] = {
    "failing": first(Answer(content=http("500 Internal Server Error"), takes=False)),
    "busy": first(Answer(content=http("429 Too Many Requests"), takes=False)),
    "not-http": first(
        Answer(content=b"\x16\x03\x01\x02 Do you speak English?\r\n\r\n", takes=False)
    ),
    "half": first(Answer(content=OK[:60])),  # it acted, and died in mid-answer
    "dying": first(Answer(content=b"")),  # it acted, and died before it could say so
    "redirecting": first(
        Answer(content=http("302 Found", b"", "Location: http://127.0.0.1:{trap}/"), takes=False)
    ),
    # it acted, and says so too late
    "slow": lambda attempt: Answer(wait=13.0 if attempt.number == 1 else 0.0),
}
AT_ONCE: dict[str, Behaviour] = {
    "good": lambda _: Answer(),
    "binary": lambda _: Answer(
        content=http("200 OK", b"\x00\xff\r\nHTTP/1.1 500 \x1b[2J" + bytes(range(256)))
    ),
    "huge": lambda _: Answer(content=http("200 OK", b"x" * 30_000_000)),
    "silent": lambda _: Answer(content=http("204 No Content")),
}


@dataclass
class SentCall:
    """One call, and every receiver that got it."""

    call: Call
    receivers: dict[str, Receiver]
    trap: Receiver
    deliveries: list[Delivery]

    def of(self, name: str) -> list[Delivery]:
        """The deliveries to one receiver."""
        return [delivery for delivery in self.deliveries if delivery.receiver_id == name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everyone(
    running: System, tmp_path_factory: pytest.TempPathFactory, voice: Voices
) -> AsyncIterator[SentCall]:
    """One call, sent to all of them at once; the receiver `down` comes up only after it was
    tried.
    """
    async with AsyncExitStack() as stack:
        trap = await stack.enter_async_context(Receiver().listening())
        receivers = {
            name: Receiver(behave=trapping(behave, trap))
            for name, behave in (AGAIN | AT_ONCE).items()
        }
        for name, receiver in receivers.items():
            await stack.enter_async_context(receiver.listening())
            await subscribe(running, name, receiver)
        down = receivers["down"] = Receiver(port=free_port())
        await subscribe(running, "down", down)
        call = await spoken(running, tmp_path_factory.mktemp("work"), voice)
        await tried(running, "down")
        await stack.enter_async_context(down.listening())
        await asyncio.gather(
            *(
                expect_deliveries(running, receiver, [call], timeout=180)
                for receiver in receivers.values()
            )
        )
        yield SentCall(call, receivers, trap, await settled(running, call, 2 * len(receivers)))


@pytest.mark.parametrize("name", [*AGAIN, "down"])
async def test_a_receiver_that_failed_is_sent_the_fact_again_to_one_effect(
    running: System, everyone: SentCall, name: str
) -> None:
    receiver = everyone.receivers[name]
    assert set(receiver.effects.values()) == {1}
    assert set(receiver.effects) == await facts_of(running, [everyone.call])
    assert {delivery.state for delivery in everyone.of(name)} == {DeliveryState.DONE}
    assert all(delivery.attempts >= 2 for delivery in everyone.of(name) if name != "down")
    if name != "down":
        # a busy machine may take an answer for late, and send once more under the same key
        assert all(receiver.tries(fact) >= 2 for fact in receiver.effects)
        assert all(len(receiver.keys(fact)) == 1 for fact in receiver.effects)


@pytest.mark.parametrize("name", AT_ONCE)
async def test_a_receiver_that_took_it_gets_it_once(
    running: System, everyone: SentCall, name: str
) -> None:
    receiver = everyone.receivers[name]
    assert receiver.effects == dict.fromkeys(await facts_of(running, [everyone.call]), 1)
    assert [receiver.tries(fact) for fact in receiver.effects] == [1, 1]
    for delivery in everyone.of(name):
        assert (delivery.state, delivery.attempts) == (DeliveryState.DONE, 1)
        assert str(delivery.receipt).startswith("20")
        assert str(delivery.receipt).isprintable()


async def test_a_redirection_is_not_followed(everyone: SentCall) -> None:
    assert everyone.trap.attempts == []


async def test_what_is_sent_is_the_same_each_time_and_signed_each_time(
    everyone: SentCall,
) -> None:
    attempts = everyone.receivers["failing"].attempts
    assert len(attempts) >= 4
    assert all(attempt.signed for attempt in attempts)
    assert len({attempt.key for attempt in attempts}) == 2
    assert attempts[0].body == next(a.body for a in attempts[1:] if a.key == attempts[0].key)


def trapping(behave: Behaviour, trap: Receiver) -> Behaviour:
    """Fills in where the redirection leads."""

    def behaves(attempt: Attempt) -> Answer:
        answer = behave(attempt)
        return Answer(
            content=answer.content.replace(b"{trap}", str(trap.port).encode()),
            wait=answer.wait,
            takes=answer.takes,
        )

    return behaves


async def spoken(running: System, work: Path, voice: Voices) -> Call:
    """One call with a recording."""
    lease = await running.lease()
    who = somebody(lease.number, voice, talk=2.0)
    async with company_line(running, work, sip.answers(0.1, speech=voice.company)):
        assert (await dial(running, work, who)).statuses == (200,)
    call = await the_call(running, who)
    await running.recorded(call)
    return call


async def tried(running: System, name: str) -> None:
    """A delivery to this receiver has failed."""

    async def look() -> bool:
        return any(d.receiver_id == name and d.last_error for d in await running.deliveries())

    await running.until(look, f"nothing was sent to {name}", timeout=180)


async def settled(running: System, call: Call, count: int) -> list[Delivery]:
    """All deliveries of the call, when the worker knows that they are done."""

    async def look() -> list[Delivery] | None:
        deliveries = [d for d in await running.deliveries() if d.call_id == call.id]
        done = [delivery for delivery in deliveries if delivery.state is DeliveryState.DONE]
        return deliveries if len(done) == count else None

    return await running.until(look, f"not all of {count} deliveries are done", timeout=180)
