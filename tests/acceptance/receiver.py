"""A receiver of deliveries that checks signatures, acts once per webhook-id, and misbehaves as
asked.

It counts what its acting came to per fact (event and call), so that one fact sent under two keys
shows. It speaks HTTP by hand, because what it must be able to send is not always HTTP.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import standardwebhooks

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\ntaken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request as it came in."""

    key: str
    number: int  # of the attempts with this key, from 1
    body: dict[str, Any]
    signed: bool

    @property
    def fact(self) -> tuple[str, str]:
        """The event and the call it is about."""
        return self.body["event"], self.body["call"]["id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back: bytes, after `wait` seconds, or nothing; `takes`: the receiver acted on
    what it was sent.
    """

    content: bytes = OK
    wait: float = 0.0
    takes: bool = True


Behaviour = Callable[[Attempt], Answer]


@dataclass
class Receiver:
    """`behave` decides per attempt; acts on each key once, at the first attempt that is signed and
    taken.
    """

    behave: Behaviour = lambda _: Answer()
    secret: str = ""
    port: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)  # keys
    effects: Counter[tuple[str, str]] = field(default_factory=Counter)  # by fact

    @property
    def url(self) -> str:
        """Where to deliver."""
        return f"http://127.0.0.1:{self.port}/hook"

    def tries(self, fact: tuple[str, str]) -> int:
        """How often a fact was sent."""
        return sum(attempt.fact == fact for attempt in self.attempts)

    def keys(self, fact: tuple[str, str]) -> set[str]:
        """The keys under which a fact was sent: one, however often it was."""
        return {attempt.key for attempt in self.attempts if attempt.fact == fact}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Receiver"]:
        """Accept deliveries at `port`, a free one when it is 0."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            answer = self._answer(self._understand(*await _read(reader)))
            await asyncio.sleep(answer.wait)
            writer.write(answer.content)
            await writer.drain()
        writer.close()

    def _answer(self, attempt: Attempt) -> Answer:
        if "call" not in attempt.body:  # on a busy machine another receiver may be called failing
            return Answer()
        answer = self.behave(attempt)
        self.attempts.append(attempt)
        if answer.takes and attempt.signed and attempt.key not in self.taken:
            self.taken.add(attempt.key)
            self.effects[attempt.fact] += 1
        return answer

    def _understand(self, headers: dict[str, str], body: bytes) -> Attempt:
        body_text, message = body.decode(), headers["webhook-id"]
        try:
            standardwebhooks.Webhook(self.secret).verify(body_text, headers)
            signed = True
        except standardwebhooks.WebhookVerificationError:
            signed = False
        number = 1 + sum(attempt.key == message for attempt in self.attempts)
        return Attempt(key=message, number=number, body=json.loads(body), signed=signed)


async def _read(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)
    }
    return headers, await reader.readexactly(int(headers["content-length"]))
