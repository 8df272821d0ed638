"""Hands the events of an AMI connection to their one consumer."""

from collections.abc import Awaitable, Callable

import structlog

from router.asterisk.ami import Ami, Event
from router.errors import RingtraceError

log = structlog.get_logger()


async def consume(ami: Ami, take: Callable[[Event], Awaitable[None]]) -> None:
    """The one consumer of a connection's events, in their order."""
    while True:
        event = await ami.events.get()
        try:
            await take(event)
        except RingtraceError as error:
            log.warning("event_lost", what=type(event).__name__, reason=error.message)
        except Exception:
            # a fault of ours: the next one is answered
            log.exception("event_broke", what=type(event).__name__)
