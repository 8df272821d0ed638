"""An asyncio softphone: registers, makes and receives calls, plays and records audio.

The demo, the line check and the tests use it for their calls. Signalling runs on the event loop;
only the audio of a call has threads. When its `async with` ends, no thread, socket or call is left.
"""

import asyncio
import re
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Self

from pyVoIP import SIP

from router.phone.call import PATIENCE, CallState, IncomingCall, OutgoingCall, PhoneCall, before
from router.phone.errors import CallNotUp, CallRefused, PhoneError, TimeExpired
from router.phone.media import Media
from router.phone.pyvoip import Wire
from router.phone.sip_message import Message

__all__ = [
    "CallNotUp",
    "CallRefused",
    "CallState",
    "IncomingCall",
    "OutgoingCall",
    "PhoneCall",
    "PhoneError",
    "RegistrationRefused",
    "ServerSilent",
    "Softphone",
    "TimeExpired",
]


class RegistrationRefused(PhoneError):
    """The server refused the registration."""


class ServerSilent(PhoneError):
    """The SIP server does not answer."""


class Softphone:
    """A SIP phone at a free port of `bind`, registered during its `async with`.

    With `register=False` it only makes calls and receives those sent to its port, like a trunk.
    """

    def __init__(
        self,
        server: str,
        port: int,
        user: str,
        password: str,
        *,
        bind: str = "127.0.0.1",
        register: bool = True,
    ) -> None:
        self._wire = Wire(server, port, user, password, bind)
        self._wire.on_request = self._requested
        self._bind = bind
        self._register = register
        self._calls: dict[str, PhoneCall] = {}
        self._incoming: asyncio.Queue[IncomingCall] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The UDP port for SIP."""
        return int(self._wire.myPort)

    async def __aenter__(self) -> Self:
        """Open the port and register. Raises RegistrationRefused, ServerSilent."""
        await self._wire.open()
        try:
            if self._register:
                await self._registration()
                self._start(self._refresh())
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up every call, unregister, and wait until threads and sockets are gone."""
        calls = list(self._calls.values())
        await asyncio.gather(*(call.hang_up() for call in calls))
        await asyncio.gather(*(call.released() for call in calls))
        if self._register:
            with suppress(PhoneError):  # a server that is gone has no registration either
                await self._registration(leave=True)
        await self._close()

    async def call(
        self,
        number: str,
        *,
        timeout: float = PATIENCE,
        caller_number: str | None = None,
        caller_name: str | None = None,
    ) -> OutgoingCall:
        """Dial `number`; returns when the server has answered anything. Raises ServerSilent.

        `caller_number` and `caller_name` replace the user in From: the server must then know this
        phone by its address or its credentials, not by From.
        """
        if not re.fullmatch(r"[\w.+*#-]+", number):
            raise ValueError(f"not a number to dial: {number!r}")
        media = Media(self._bind)
        sender = self._sender(caller_number, caller_name)
        text = self._wire.gen_call(number, media.port, sender)
        call = OutgoingCall(self._wire, media, Message(text.encode("utf8")))
        self._keep(call)
        dialing = self._start(call.dial())
        try:
            await before(timeout, call.taken.wait())
        except TimeExpired:
            dialing.cancel()
            call.abandon()
            raise ServerSilent from None
        return call

    async def incoming(self, timeout: float) -> IncomingCall:
        """The next call that rings here. Raises TimeExpired."""
        return await before(timeout, self._incoming.get())

    def _sender(self, number: str | None, name: str | None) -> str | None:
        if number is None and name is None:
            return None
        shown = re.sub(r'(["\\])', r"\\\1", re.sub(r"[\r\n\0]", " ", name or ""))
        if number is None:
            number = self._wire.username
        user = re.sub(r"[^\w.+*#-]", "", number)
        return f'"{shown}" <sip:{user}@{self._wire.myIP}>'

    def _requested(self, request: Message) -> None:
        call = self._calls.get(request.headers["Call-ID"])
        if call:
            call.requested(request)
        elif request.method == "INVITE" and not request.headers["To"]["tag"]:
            ringing = IncomingCall(self._wire, Media(self._bind), request)
            self._keep(ringing)
            ringing.ring()
            if ringing.state is CallState.RINGING:
                self._incoming.put_nowait(ringing)
        elif request.method in ("OPTIONS", "NOTIFY"):
            self._wire.send(self._wire.gen_reply(request, SIP.SIPStatus.OK))
        elif request.method != "ACK":
            self._wire.send(
                self._wire.gen_reply(request, SIP.SIPStatus.CALL_OR_TRANSACTION_DOESNT_EXIST)
            )

    async def _registration(self, *, leave: bool = False) -> None:
        try:
            answer = await before(
                PATIENCE, self._wire.transact(self._wire.gen_first_response(leave))
            )
            if answer.code in (401, 407) and answer.authentication:
                text = self._wire.gen_register(answer, leave)
                answer = await before(PATIENCE, self._wire.transact(text))
        except TimeExpired:
            raise ServerSilent from None
        if answer.code >= 300:
            raise RegistrationRefused(
                f"The server refused the registration (SIP status {answer.code})."
            )

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self._wire.default_expires / 2)
            try:
                await self._registration()
            except PhoneError:
                continue  # the server may be restarting: the next renewal tries again

    def _keep(self, call: PhoneCall) -> None:
        self._calls[call.call_id] = call
        self._start(self._until_released(call))

    async def _until_released(self, call: PhoneCall) -> None:
        await call.released()
        self._calls.pop(call.call_id, None)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._wire.transport.close()
        await self._wire.closed.wait()
