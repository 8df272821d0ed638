"""Updates a CRM for a call: creates its entities, or finds those of the telephony, and writes the
client ID. Every step can be repeated: entities of an earlier attempt are looked up by the call's
id, a note is added once per call, and writes are read back.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, Mode, Overwrite, Rules
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.crm_match import Window, created_by_us, match, window
from router.domain.delivery.entity import CreatedBy, Entity, Found, Ref
from router.domain.delivery.outcome import Outcome
from router.service.delivery.catalogue import catalogue_of
from router.service.delivery.crm_clock import appeared
from router.service.delivery.crm_create import create_entities
from router.service.delivery.crm_fill import (
    PEOPLE,
    Annotated,
    exists,
    fill,
    fill_each,
    together,
)
from router.service.delivery.crm_successors import successors
from router.service.delivery.crm_task import add_task
from router.service.delivery.field_writer import FieldWriter
from router.service.delivery.outcomes import EntityGone, NeedsReview, NotYet, Refused
from router.service.delivery.ports import Crm

POLLS = (5.0, 10.0, 20.0, 40.0)  # seconds between searches; the last is repeated
SLOW_POLL = 60.0
Others = Callable[[Sequence[Ref]], Awaitable[set[Ref]]]


async def annotate(
    crm: Crm,
    connection: Connection,
    call: CallEvent,
    *,
    looks: int,
    now: datetime,
    chosen: Ref | None = None,
    recent: Sequence[Ref] = (),
    kept: Sequence[Entity] = (),
    before: Sequence[CallEvent] = (),
    others: Others | None = None,
    within: Window | None = None,
    had: Sequence[Ref] = (),
) -> Annotated:
    """Update the CRM for one call, by the connection's mode; `chosen` is the entity that a person
    chose.

    `looks` counts earlier attempts; `recent` are new entities of this phone's calls, which the
    CRM's search may not find yet; `kept` are the entities of this call, updated when its
    attribution changed; `before` are the facts that were sent then, or may have been; `others` are
    entities of other calls, `within` is the time in which this call's may have been created; `had`
    got this client ID by earlier calls of this phone.

    Raises `NotYet`, `NeedsReview`, `Refused`, `ReceiverUnavailable`.
    """
    catalogue = await catalogue_of(crm, connection.rules)
    writer = FieldWriter(crm, connection.rules, tuple(before), catalogue)
    if chosen is not None:
        return await fill(writer, chosen, CreatedBy.PERSON, call, Overwrite.ALWAYS)
    if kept:
        return await _update(writer, call, kept)
    if connection.mode is Mode.OWN:
        return await add_task(writer, call, await create_entities(writer, call, recent))
    within = within or window(call, connection.rules)
    done = await _find(writer, call, looks, now, others, within, had)
    return await add_task(writer, call, done)


async def _update(writer: FieldWriter, call: CallEvent, kept: Sequence[Entity]) -> Annotated:
    """Update the entities of a call after its attribution changed, and what became of them."""

    def overwrite(created_by: CreatedBy) -> Overwrite:
        if created_by is CreatedBy.US:
            return Overwrite.NEVER
        return writer.rules.overwrite

    there, gone = list[tuple[Ref, CreatedBy]](), list[Ref]()
    for entity in kept:
        if await exists(writer.crm, entity.ref):
            there.append((entity.ref, entity.created_by))
        else:
            gone.append(entity.ref)

    found = await successors(writer.crm, call, [ref for ref, _ in there], gone)
    there += [(ref, CreatedBy.NOTE) for ref in found if await exists(writer.crm, ref)]
    done = await fill_each(writer, call, there, overwrite)
    lost = [EntityGone(ref).outcome for ref in gone]
    if not there:
        return together([], *lost)
    return together([done], *lost)


# Mode telephony


async def _find(
    writer: FieldWriter,
    call: CallEvent,
    looks: int,
    now: datetime,
    others: Others | None,
    within: Window,
    had: Sequence[Ref],
) -> Annotated:
    rules = writer.rules
    if call.client_id is None:
        return Annotated(said=Outcome.of(CrmCode.NO_VISITOR))
    found = await appeared(writer.crm, call, within)
    taken = set[Ref]()
    if others and found:
        taken |= await others([entity.ref for entity in found])

    # An entity that the telephony created for another call belongs to that call.
    found = [entity for entity in found if entity.ref not in taken or entity.ref.kind in PEOPLE]
    decided = match(found, call, rules, now, within)
    if decided.one is not None:
        return await fill(writer, decided.one.ref, CreatedBy.TELEPHONY, call, rules.overwrite)
    if decided.several:
        raise NeedsReview(CrmCode.SEVERAL_ENTITIES, tuple(decided.several))
    if not decided.wait:
        if (same := await _told_already(writer.crm, call, had)) is not None:
            return Annotated(said=Outcome.of(CrmCode.CLIENT_ID_THERE, entity=same))
        raise NeedsReview(_nothing_appeared(found, call, rules, within), tuple(found))
    pause = SLOW_POLL
    if looks < len(POLLS):
        pause = POLLS[looks]

    raise NotYet(CrmCode.NOT_CREATED_YET, timedelta(seconds=pause))


def _nothing_appeared(
    found: Sequence[Found], call: CallEvent, rules: Rules, within: Window
) -> Outcome:
    seconds = round(rules.wait)
    if (own := created_by_us(found, call, rules, within)) is not None:
        return Outcome.of(CrmCode.ONLY_OUR_ENTITY, seconds=seconds, entity=own.ref)
    return Outcome.of(CrmCode.NO_ENTITY, seconds=seconds)


async def _told_already(crm: Crm, call: CallEvent, had: Sequence[Ref]) -> Ref | None:
    """Entities of earlier calls that still have this client ID."""
    for ref in sorted(had, key=lambda entity: entity.kind in PEOPLE):
        field = crm.client_id_field(ref.kind)
        with suppress(Refused):  # it is gone
            if (await crm.read(ref, [field])).get(field) == call.client_id:
                return ref
    return None
