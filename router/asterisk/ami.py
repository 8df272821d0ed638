"""Client of the manager interface, based on panoramisk. panoramisk 1.4 decodes each TCP chunk
separately, runs coroutine handlers as detached tasks, replays actions after a reconnect, does
not detect a hung peer and lets CR LF through. Here one synchronous callback puts typed events
into a queue, bytes are decoded incrementally, pending actions are cancelled when the connection
drops, and values with line breaks are refused.
"""

import asyncio
import codecs
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from router.domain.backoff import backoff
from router.errors import AsteriskUnavailable, InvalidInput, LoginRefused

log = structlog.get_logger()

REPLY_SECONDS = 2.0  # a peer that takes longer is dead or hung
# Asterisk answers a wrong login after a second, or later if it is busy
LOGIN_SECONDS = 10.0
CONNECT_SECONDS = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
REFUSED_PAUSE = 30.0  # a wrong secret stays wrong, and fail2ban counts attempts
MOST_EVENTS = 10_000  # waiting in the queue; more means that the agent has stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAsked:
    """A route request of the dialplan, which waits for the deadline."""

    uniqueid: str
    channel: str
    did: str
    linkedid: str
    caller_number: str = ""
    caller_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChanged:
    """A phone put the other side on hold, or resumed."""

    linkedid: str
    channel: str
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed:
    """A phone sent a key (DTMF)."""

    uniqueid: str
    linkedid: str
    channel: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """Logged in; earlier state in Asterisk may be gone."""


Event = RouteAsked | HoldChanged | KeyPressed | Connected


def parse_event(message: Message) -> Event | None:
    """The typed event of a message; None for others."""
    name = message.get("event")
    if name == "UserEvent" and message.get("userevent") == "RingtraceRoute":
        uniqueid = _one(message, "uniqueid")
        return RouteAsked(
            uniqueid=uniqueid,
            channel=_one(message, "channel"),
            did=_one(message, "did"),
            linkedid=_one(message, "linkedid") or uniqueid,
            caller_number=_one(message, "calleridnum"),
            caller_name=_one(message, "calleridname"),
        )
    if name in {"Hold", "Unhold"}:
        return HoldChanged(
            linkedid=_one(message, "linkedid"),
            channel=_one(message, "channel"),
            held=name == "Hold",
        )
    if name == "DTMFEnd" and _one(message, "direction") == "Received":
        return KeyPressed(
            uniqueid=_one(message, "uniqueid"),
            linkedid=_one(message, "linkedid"),
            channel=_one(message, "channel"),
            key=_one(message, "digit")[:1],
        )
    return None


def _one(message: Message, header: str) -> str:
    """The first value of a header: a forged second one comes after Asterisk's own."""
    value = message.get(header, "")
    if isinstance(value, list):
        value = value[0]
    return str(value)[:200].replace("\0", "\ufffd")


class Ami:
    """A connection that reconnects: `run` it in a task group, read `events`, use `ask` and
    `tell`.
    """

    def __init__(self, *, host: str, port: int, username: str, secret: str) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue(MOST_EVENTS)
        self._address = (host, port)
        self._login = {"Action": "Login", "Username": username, "Secret": secret, "Events": "on"}
        self._protocol: _Protocol | None = None

    @property
    def connected(self) -> bool:
        """Whether the connection is logged in."""
        return self._protocol is not None

    async def run(self) -> None:
        """Connect, and reconnect after growing pauses; never returns."""
        failures = 0
        while True:
            least = 0.0
            try:
                async with self.session() as protocol:
                    log.info("ami_connected", again=failures > 0)
                    failures = 0
                    self._protocol = protocol
                    self._put(Connected())
                    await protocol.lost.wait()
                    log.warning("ami_lost")
            except LoginRefused as error:
                log.error("ami_login_refused", hint=error.message)
                least = REFUSED_PAUSE
            except (AsteriskUnavailable, OSError) as error:
                if not failures:
                    log.warning("ami_down", reason=str(error))
            finally:
                self._protocol = None
            failures += 1
            await asyncio.sleep(least + backoff(failures, FIRST_PAUSE, LONGEST_PAUSE))

    @asynccontextmanager
    async def session(self) -> "AsyncIterator[_Protocol]":
        """One logged-in connection. Raises `LoginRefused` and `AsteriskUnavailable`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport, protocol = await loop.create_connection(
                    lambda: _Protocol(self._heard), *self._address
                )
        except (OSError, TimeoutError) as error:
            raise AsteriskUnavailable(
                f"nothing answers at {self._address[0]}:{self._address[1]}: {error}"
            ) from error
        try:
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reply = await protocol.ask(self._login, seconds=LOGIN_SECONDS)
            if not reply.success:
                raise LoginRefused(
                    f"Asterisk refuses the manager '{self._login['Username']}': {reply.message}"
                )
            yield protocol
        finally:
            protocol.close()

    async def ask(self, action: str, **fields: str) -> Message:
        """Send an action and wait for its reply. Raises `AsteriskUnavailable`; a hung peer is
        dropped.
        """
        if self._protocol is None:
            raise AsteriskUnavailable
        return await self._protocol.ask({"Action": action, **fields})

    async def ask_list(self, action: str) -> list[Message]:
        """Send an action that answers with a list of events."""
        if self._protocol is None:
            raise AsteriskUnavailable
        answer: list[Message] = await self._protocol.ask({"Action": action}, as_list=True)
        return answer

    def tell(self, action: str, **fields: str) -> None:
        """Send an action without waiting; lost if the connection drops."""
        if self._protocol is not None:
            self._protocol.say({"Action": action, **fields})

    def _heard(self, message: Message) -> None:
        event = parse_event(message)
        if event is not None:
            self._put(event)

    def _put(self, event: Event) -> None:
        try:
            self.events.put_nowait(event)
        except asyncio.QueueFull:
            log.error("ami_event_dropped", reason="the agent is too slow")


class _Factory:
    """The manager that panoramisk's protocol expects; it never resends."""

    save_stream = None
    forgetable_actions = ()

    def __init__(self, heard: Any) -> None:
        self.awaiting_actions: list[Action] = []
        self.dispatch = heard

    def connection_lost(self, _exc: Any) -> None:
        """The protocol reports this with its `lost` event."""


class _Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """One connection."""

    encoding = "utf-8"

    def __init__(self, heard: Any) -> None:
        self._heard = heard
        self.responses: dict[str, Action] = {}
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.lost = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.factory = _Factory(self._heard)

    def data_received(self, data: bytes) -> None:
        # keeps the first half of a split letter for the next chunk
        text = self._decoder.decode(data)
        if text:
            super().data_received(text.encode())

    def handle_message(self, message: Message) -> None:
        try:
            super().handle_message(message)
        except Exception:
            log.exception("ami_message_unreadable")

    def say(self, data: dict[str, str]) -> None:
        """Send without an ActionID, because no one waits for the reply."""
        _check(data)
        self.transport.write(
            "".join((*(f"{name}: {value}\r\n" for name, value in data.items()), "\r\n")).encode()
        )

    def send(self, data: dict[str, str], as_list: bool | None = None) -> asyncio.Future[Any]:
        _check(data)
        future: asyncio.Future[Any] = super().send(Action(data, as_list=as_list), as_list=as_list)
        return future

    async def ask(
        self, data: dict[str, str], *, as_list: bool = False, seconds: float | None = None
    ) -> Any:
        future, patience = self.send(data, as_list=as_list), seconds or REPLY_SECONDS
        try:
            async with asyncio.timeout(patience):
                return await future
        except TimeoutError as error:
            self.close()
            raise AsteriskUnavailable(
                f"Asterisk did not answer {data['Action']} within {patience} s"
            ) from error
        except asyncio.CancelledError:
            if self.closed and not _cancelling():
                raise AsteriskUnavailable("the connection was lost") from None
            raise

    def connection_lost(self, exc: Exception | None) -> None:
        self.close()

    def close(self) -> None:
        """Close at once; pending actions are cancelled."""
        # an action is in it twice, and is not hashable
        actions, self.responses = list(self.responses.values()), {}
        self.closed = True
        self.lost.set()
        self.transport.abort()
        for action in actions:
            action.future.cancel()


def _check(data: dict[str, str]) -> None:
    for name, value in data.items():
        if any(c in value for c in "\r\n\0"):
            raise InvalidInput(f"the manager field {name} has a line break in it")


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
