"""Listening in: allowed to few, written down before the first sound, over with the call."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from router.domain.access import Person, Scope
from router.domain.calls.call import Call, State
from router.domain.calls.listening import Listening
from router.domain.ids import new_id
from router.errors import Conflict, NotAllowed, NotFound
from router.service.ports import Store

log = structlog.get_logger()


class Sides(Protocol):
    """Both sides of a call that goes on."""

    def read(self) -> bytes: ...
    def close(self) -> None: ...


class LiveSound(Protocol):
    """Where the sound of running calls is read."""

    def open(self, spool_name: str) -> Sides: ...


async def begin(store: Store, person: Person, call_id: str, now: datetime) -> tuple[Listening, str]:
    """Write down that this person listens in; also the name of the spool files. Raises
    `NotAllowed`, `NotFound`, and `Conflict` for a call without a talk or a recording.
    """
    if Scope.CALLS_LISTEN not in person.scopes:
        raise NotAllowed("This user may not listen in: `ringtrace user allow LOGIN calls:listen`.")
    async with store.write() as session:
        call = await session.get(Call, call_id)
        if call.state is not State.TALKING or call.spool_name is None:
            raise Conflict("This call is not going on, or is not recorded.")
        made = Listening(id=new_id(now), call_id=call_id, by=person.login, at=now)
        await session.add(made)
        await session.calls.touch(call_id)
    log.info("listening_began", login=person.login, call=call_id)
    return made, call.spool_name


async def goes_on(store: Store, listening: Listening) -> bool:
    """Whether the call goes on, and the person still may listen."""
    async with store.read_inline() as session:
        call = await session.peek(Call, listening.call_id)
        person = await session.peek(Person, listening.by)
    allowed = person is not None and Scope.CALLS_LISTEN in person.scopes
    return allowed and call is not None and call.state is State.TALKING


async def end(store: Store, listening: Listening, now: datetime) -> None:
    """Write down when it ended."""
    async with store.write() as session:
        await session.change(replace(listening, ended_at=now))
        with suppress(NotFound):
            await session.calls.touch(listening.call_id)
    log.info("listening_ended", login=listening.by, call=listening.call_id)


async def listeners(store: Store, call_id: str) -> list[Listening]:
    """Who listened in on this call, the first one first."""
    async with store.read() as session:
        found = await session.find(Listening, call_id=call_id)
    return sorted(found, key=lambda one: (one.at, one.id))
