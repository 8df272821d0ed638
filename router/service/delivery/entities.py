"""Entities of calls: from deliveries, or reported by other systems such as 1C."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from router.domain.calls.call import Call
from router.domain.delivery.connection import Connection
from router.domain.delivery.entity import CreatedBy, Entity, Ref
from router.domain.ids import new_id
from router.service.ports import Session, Store


async def name_entity(
    store: Store, call_id: str, ref: Ref, connection_id: str | None, now: datetime
) -> Entity:
    """Store that `ref` belongs to the call; repeating changes nothing. Raises `NotFound`."""
    async with store.read() as session:
        known = await _known(session, call_id, ref, connection_id)
    # the call is not marked as changed: a client that reports entities of all changed calls would
    # loop
    if known is not None:
        return known
    async with store.write() as session:
        if connection_id is not None:
            await session.get(Connection, connection_id)
        # first, as a lock against concurrent reports
        await session.calls.touch(call_id)
        known = await _known(session, call_id, ref, connection_id)
        if known is None:
            known = await _keep(session, call_id, connection_id, ref, CreatedBy.API, None, now)
    return known


async def entities_of(store: Store, call_id: str) -> Sequence[Entity]:
    """The entities of a call, in order of reporting. Raises `NotFound`."""
    async with store.read() as session:
        await session.get(Call, call_id)
        return await session.find(Entity, call_id=call_id)


async def keep_entities(
    session: Session,
    call_id: str,
    connection_id: str,
    refs: Sequence[tuple[Ref, CreatedBy, str | None]],
    now: datetime,
) -> None:
    """Store the entities that a delivery found or created, with their client ID."""
    for ref, created_by, client_id in refs:
        known = await _known(session, call_id, ref, connection_id)
        if known is None:
            await _keep(session, call_id, connection_id, ref, created_by, client_id, now)
        elif known.client_id != client_id:
            await session.change(replace(known, client_id=client_id))


async def _keep(
    session: Session,
    call_id: str,
    connection_id: str | None,
    ref: Ref,
    created_by: CreatedBy,
    client_id: str | None,
    now: datetime,
) -> Entity:
    entity = Entity(
        id=new_id(now),
        call_id=call_id,
        connection_id=connection_id,
        kind=ref.kind,
        external_id=ref.id,
        created_by=created_by,
        client_id=client_id,
        at=now,
    )
    await session.add(entity)
    return entity


async def _known(
    session: Session, call_id: str, ref: Ref, connection_id: str | None
) -> Entity | None:
    kept = await session.find(Entity, call_id=call_id)
    same = (connection_id, ref.kind, ref.id)
    return next(
        (
            entity
            for entity in kept
            if (entity.connection_id, entity.kind, entity.external_id) == same
        ),
        None,
    )
