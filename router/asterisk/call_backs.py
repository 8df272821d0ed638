"""Begins calls back: writes the order as a file, and starts its dialplan at the console.

An account of the manager interface that may originate calls may also run any application, enter any
context and set any variable (docs/decisions/0032). The console is there already. What is sent to it
has one variable part, a token of 32 hexadecimal digits.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from router.asterisk.answers import Answers
from router.domain.calls.call_back import CallBack, CallBackRules
from router.errors import AsteriskUnavailable, DatabaseUnavailable
from router.service.calls import call_backs
from router.service.calls.call_backs import Order
from router.service.clock import Clock
from router.service.outages import Outages
from router.service.ports import Store

log = structlog.get_logger()

EVERY = 0.5  # seconds
KEPT = 5.0  # seconds: the dialplan reads an order at once
_TOKEN = re.compile(r"[0-9a-f]{32}")
_UNSAFE = re.compile(r"[|\r\n]")
Console = Callable[[str], Awaitable[str]]


@dataclass(kw_only=True)
class CallBackStarter:
    """Gives the calls back of one Asterisk to it."""

    store: Store
    answers: Answers
    console: Console
    rules: CallBackRules
    name: str  # of the Asterisk, in front of its calls' ids
    clock: Clock
    _orders: dict[str, float] = field(default_factory=dict)
    _outages: Outages = field(default_factory=Outages)

    async def run(self) -> None:
        """Look for new ones until cancelled."""
        while True:
            try:
                await self.look()
                self._outages.back("call_backs")
            except (DatabaseUnavailable, OSError) as error:
                self._outages.fell("call_backs", str(error))
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Begin what was asked for, and remove orders that were read."""
        self._remove_old()
        async with self.store.read_inline() as session:
            asked = await session.call_backs.asked()
            if not asked:
                return
            others = await session.cel_log.names() - {self.name}
        for back in asked:
            # calls of an Asterisk that is gone, or was renamed, are answered by any
            if back.call_id.rpartition("-")[0] not in others:
                await self._begin(back)

    async def _begin(self, back: CallBack) -> None:
        order = await call_backs.begin(self.store, self.rules, back, self.clock())
        if order is None:
            return
        try:
            self.answers.put(back.id, order_line(order))
            self._orders[back.id] = time.monotonic()
            said = await self.console(start_command(back.id))
        except (AsteriskUnavailable, OSError) as error:
            said = str(error)
        if said:  # it says nothing where it begins
            log.error("call_back_not_started", reason=said[:200])
            await call_backs.fail(self.store, back.id)

    def _remove_old(self) -> None:
        for token, at in list(self._orders.items()):
            if time.monotonic() - at > KEPT:
                del self._orders[token]
                with suppress(OSError):
                    self.answers.remove(token)


def order_line(order: Order) -> str:
    """The order as the dialplan reads it."""
    parts = (order.phone, order.line, order.number, order.caller_id)
    return "|".join(_UNSAFE.sub("", part) for part in parts)


def start_command(token: str) -> str:
    """The console command that starts an order."""
    assert _TOKEN.fullmatch(token)
    return (
        f"channel originate Local/{token}@ringtrace-call-back extension s@ringtrace-call-customer"
    )
