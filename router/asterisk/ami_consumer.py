"""Passes the events of an AMI connection to one consumer."""

from collections.abc import Awaitable, Callable

import structlog

from router.asterisk.ami import Ami, Event
from router.errors import RingtraceError

log = structlog.get_logger()


async def consume(ami: Ami, take: Callable[[Event], Awaitable[None]]) -> None:
    """Consume a connection's events in order."""
    while True:
        event = await ami.events.get()
        try:
            await take(event)
        except RingtraceError as error:
            log.warning("event_lost", what=type(event).__name__, reason=error.message)
        except Exception:
            # a bug: the next event is still processed
            log.exception("event_broke", what=type(event).__name__)
