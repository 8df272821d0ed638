"""Creates the entities of a call, or adds a note to the caller's open deal: mode `own`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Overwrite
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.crm_plan import Plan, plan, responsible_for
from router.domain.delivery.entity import CreatedBy, EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome, joined
from router.domain.delivery.templates import Part
from router.service.delivery.crm_fill import (
    PEOPLE,
    Annotated,
    exists,
    fill_known,
    keep_elsewhere,
    left_out_of,
    together,
)
from router.service.delivery.field_writer import FieldWriter, Lost, Written
from router.service.delivery.outcomes import Refused
from router.service.delivery.ports import Crm, Draft


async def create_entities(writer: FieldWriter, call: CallEvent, recent: Sequence[Ref]) -> Annotated:
    """Create what the scenario says, or add a note to an open deal."""
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

    decided = await _planned(writer, call, contacts, deals)
    if decided.note_on is not None and not earlier.keys() - PEOPLE:
        return await _note(writer, call, decided)
    if decided.reason is not None and not earlier:
        return Annotated(said=decided.reason)
    return await _complete(writer, call, decided, earlier)


async def _planned(
    writer: FieldWriter, call: CallEvent, contacts: Sequence[Found], deals: Sequence[Found]
) -> Plan:
    """The plan; what the CRM's search still finds, though it is gone, does not count."""
    while True:
        decided = plan(call, writer.rules, contacts, deals)
        gone = decided.note_on
        if gone is None or await exists(writer.crm, gone):
            return decided
        contacts = [contact for contact in contacts if contact.ref != gone]
        deals = [deal for deal in deals if deal.ref != gone]


async def _with(
    crm: Crm, found: Sequence[Found], recent: Sequence[Ref], kinds: set[EntityKind]
) -> list[Found]:
    """Entities found by the CRM, and recent ones of ours that its search does not return yet, if
    they still exist.
    """
    known = {entity.ref for entity in found}
    new = [ref for ref in recent if ref.kind in kinds and ref not in known]
    return [*found, *[Found(ref=ref) for ref in new if await exists(crm, ref)]]


async def _note(writer: FieldWriter, call: CallEvent, decided: Plan) -> Annotated:
    """Fill the empty fields of the deal and of its contact, then add the note to the deal."""
    assert decided.note_on is not None
    known = [ref for ref in (decided.note_on, decided.contact) if ref is not None]
    touched = dict.fromkeys(ref for ref in known if ref.kind is not EntityKind.COMPANY)
    text = writer.text(Part.NOTE, call)
    filled = await fill_known(writer, call, touched, {decided.note_on: text})
    await writer.crm.note(decided.note_on, text, call.id)
    said = Outcome.of(CrmCode.NOTE_ADDED, entity=decided.note_on)
    if call.client_id:
        said = said.with_([filled.said])
    return replace(filled, said=said)


async def _complete(
    writer: FieldWriter, call: CallEvent, decided: Plan, earlier: Mapping[EntityKind, Ref]
) -> Annotated:
    """Create missing entities, and update those of an earlier attempt and the known contact."""
    written = dict[Ref, Written]()
    for ref in earlier.values():
        written[ref] = await writer.write(ref, call, Overwrite.NEVER)

    made, links = dict(earlier), decided.links
    for kind in decided.create:
        if kind not in made:
            draft = _draft(writer, call, kind, {**links, **made})
            made[kind], written[made[kind]] = await writer.create(draft)

    new = [ref for kind, ref in made.items() if kind not in earlier]
    for ref in new:
        written[ref] = await _confirmed(writer, call, ref, written[ref])

    said = list[Outcome]()
    if new:
        said.append(Outcome.of(CrmCode.CREATED, entities=new))
    if earlier:
        said.append(Outcome.of(CrmCode.CREATED_BEFORE, entities=earlier.values()))
    mine = Annotated(
        said=joined([*said, *_remarks(written)]),
        entities=tuple((ref, CreatedBy.US) for ref in made.values()),
        client_id=call.client_id,
        without=frozenset(ref for ref in written if written[ref].kept),
        links=tuple(links.values()),
    )
    parts = [mine]
    for ref, done in written.items():
        if done.lost is not None:
            parts.append(await _keep_lost(writer, call, ref, done.lost))
    if decided.contact is not None and call.client_id is not None:
        parts.append(await fill_known(writer, call, [decided.contact]))
    return together(parts)


async def _confirmed(writer: FieldWriter, call: CallEvent, ref: Ref, done: Written) -> Written:
    """The client ID of a new entity, read back."""
    if done.lost is not None or not call.client_id:
        return done
    found = await writer.confirm(ref, call)
    return replace(found, refused=done.refused)


def _remarks(written: Mapping[Ref, Written]) -> list[Outcome]:
    """Fields that were left out, and client IDs of others that stay."""
    remarks = list[Outcome]()
    for ref, done in written.items():
        remarks += left_out_of(ref, done.refused)
        if done.kept:
            remarks.append(Outcome.of(CrmCode.CLIENT_ID_DIFFERS, entity=ref, found=done.kept))
    return remarks


async def _keep_lost(writer: FieldWriter, call: CallEvent, ref: Ref, lost: Lost) -> Annotated:
    """A contact that takes neither field nor note costs nothing: its deal has the client ID."""
    text = ""
    if ref.kind not in PEOPLE:
        text = writer.text(Part.NOTE, call)
    try:
        return await keep_elsewhere(writer, ref, call, lost, text)
    except Refused as error:
        if ref.kind not in PEOPLE:
            raise
        own = writer.crm.client_id_field(ref.kind)
        (said,) = left_out_of(ref, {own: error.outcome})
        return Annotated(said=said, without=frozenset({ref}), fault=said)


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
