"""Updates a CRM for a call: creates its entities, or finds those of the telephony, and writes the
client ID. Every step can be repeated: entities of an earlier attempt are looked up by the call's
id, a note is added once per call, and writes are read back.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, Mode, Overwrite, Rules
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.crm_match import Window, created_by_us, match, window
from router.domain.delivery.crm_plan import Plan, plan, responsible_for
from router.domain.delivery.entity import CreatedBy, Entity, EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome, joined
from router.domain.delivery.templates import Part
from router.service.delivery.catalogue import catalogue_of
from router.service.delivery.crm_clock import appeared
from router.service.delivery.crm_fill import (
    PEOPLE,
    Annotated,
    fill,
    fill_each,
    fill_known,
    left_out_of,
    together,
)
from router.service.delivery.crm_successors import successors
from router.service.delivery.crm_task import add_task
from router.service.delivery.field_writer import FieldWriter
from router.service.delivery.outcomes import EntityGone, NeedsReview, NotYet, Refused
from router.service.delivery.ports import Crm, Draft

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
        return await add_task(writer, call, await _create(writer, call, recent))
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
        if await _exists(writer.crm, entity.ref):
            there.append((entity.ref, entity.created_by))
        else:
            gone.append(entity.ref)

    found = await successors(writer.crm, call, [ref for ref, _ in there], gone)
    there += [(ref, CreatedBy.NOTE) for ref in found if await _exists(writer.crm, ref)]
    done = await fill_each(writer, call, there, overwrite)
    lost = [EntityGone(ref).outcome for ref in gone]
    if not there:
        return together([], *lost)
    return together([done], *lost)


async def _exists(crm: Crm, ref: Ref) -> bool:
    try:
        await crm.read(ref, [crm.client_id_field(ref.kind)])
    except EntityGone:
        return False
    return True


# Mode own


async def _create(writer: FieldWriter, call: CallEvent, recent: Sequence[Ref]) -> Annotated:
    crm = writer.crm
    earlier = {ref.kind: ref for ref in await crm.made_for(call.id)}
    contacts: Sequence[Found] = ()
    deals: Sequence[Found] = ()
    if call.caller:
        mine = set(earlier.values())
        contacts = await _with(crm, await crm.contacts(call.caller), recent, {EntityKind.CONTACT})
        contacts = [contact for contact in contacts if contact.ref not in mine]
        deals = await crm.deals([contact.ref for contact in contacts], call.caller)
        deals = await _with(crm, deals, recent, {EntityKind.DEAL, EntityKind.LEAD})
        deals = [deal for deal in deals if deal.ref not in mine]

    decided = plan(call, writer.rules, contacts, deals)
    if decided.note_on is not None and not earlier.keys() - PEOPLE:
        return await _note(writer, call, decided)
    if decided.reason is not None and not earlier:
        return Annotated(said=decided.reason)
    return await _complete(writer, call, decided, earlier)


async def _with(
    crm: Crm, found: Sequence[Found], recent: Sequence[Ref], kinds: set[EntityKind]
) -> list[Found]:
    """Entities found by the CRM, and recent ones of ours that its search does not return yet, if
    they still exist.
    """
    known = {entity.ref for entity in found}
    new = [ref for ref in recent if ref.kind in kinds and ref not in known]
    return [*found, *[Found(ref=ref) for ref in new if await _exists(crm, ref)]]


async def _note(writer: FieldWriter, call: CallEvent, decided: Plan) -> Annotated:
    """Fill the empty fields of the deal and of its contact, then add the note to the deal."""
    assert decided.note_on is not None
    known = [ref for ref in (decided.note_on, decided.contact) if ref is not None]
    touched = dict.fromkeys(ref for ref in known if ref.kind is not EntityKind.COMPANY)
    filled = await fill_known(writer, call, touched)
    text = writer.text(Part.NOTE, call)
    await writer.crm.note(decided.note_on, text, call.id)
    said = Outcome.of(CrmCode.NOTE_ADDED, entity=decided.note_on)
    if call.client_id:
        said = said.with_([filled.said])
    return replace(filled, said=said)


async def _complete(
    writer: FieldWriter, call: CallEvent, decided: Plan, earlier: Mapping[EntityKind, Ref]
) -> Annotated:
    """Create missing entities, and update those of an earlier attempt and the known contact."""
    made, refused = dict(earlier), list[Outcome]()
    links = decided.links
    for kind in decided.create:
        if kind not in made:
            made[kind], left_out = await writer.create(
                _draft(writer, call, kind, {**links, **made})
            )
            refused += left_out_of(made[kind], left_out)

    without = set[Ref]()
    for kind, ref in made.items():
        if kind in earlier:
            written = await writer.write(ref, call, Overwrite.NEVER)
            refused += left_out_of(ref, written.refused)
            if written.kept:
                without.add(ref)
        elif call.client_id and (kept := await writer.read_back(ref, call, None)):
            refused.append(Outcome.of(CrmCode.CLIENT_ID_DIFFERS, entity=ref, found=kept))
            without.add(ref)

    said = list[Outcome]()
    new = [ref for kind, ref in made.items() if kind not in earlier]
    if new:
        said.append(Outcome.of(CrmCode.CREATED, entities=new))
    if earlier:
        said.append(Outcome.of(CrmCode.CREATED_BEFORE, entities=earlier.values()))
    mine = Annotated(
        said=joined([*said, *refused]),
        entities=tuple((ref, CreatedBy.US) for ref in made.values()),
        client_id=call.client_id,
        without=frozenset(without),
        links=tuple(links.values()),
    )
    if decided.contact is None or call.client_id is None:
        return mine

    return together([mine, await fill_known(writer, call, [decided.contact])])


def _draft(
    writer: FieldWriter, call: CallEvent, kind: EntityKind, links: Mapping[EntityKind, Ref]
) -> Draft:
    person = title = writer.text(Part.CONTACT, call)
    if kind not in PEOPLE:
        title = writer.text(Part.TITLE, call)

    return Draft(
        kind=kind,
        call=call,
        title=title,
        text=writer.text(Part.NOTE, call),
        person=person,
        links=links,
        responsible=responsible_for(call, writer.rules),
    )


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
