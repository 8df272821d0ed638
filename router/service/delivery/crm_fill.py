"""Writes the facts of a call into existing entities, each separately."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Overwrite
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.domain.delivery.outcome import Outcome, joined
from router.service.delivery.field_writer import FieldWriter, Lost
from router.service.delivery.outcomes import EntityGone, Refused
from router.service.delivery.ports import Crm

PEOPLE = {EntityKind.CONTACT, EntityKind.COMPANY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """The result: a message, and the entities of the call."""

    said: Outcome
    entities: tuple[tuple[Ref, CreatedBy], ...] = ()
    client_id: str | None = None  # that is in them,
    without: frozenset[Ref] = frozenset()  # but for these
    links: tuple[Ref, ...] = ()  # who was known before the call, as contact or company
    fault: Outcome | None = None  # why the client ID's own field does not take it


async def fill(
    writer: FieldWriter,
    ref: Ref,
    created_by: CreatedBy,
    call: CallEvent,
    overwrite: Overwrite,
    text: str = "",
) -> Annotated:
    """Write the call's facts into an entity that exists, which gets `text` afterwards."""
    written, mine = await writer.write(ref, call, overwrite), ((ref, created_by),)
    left_out = left_out_of(ref, written.refused)
    if written.kept is not None:
        said = Outcome.of(CrmCode.CLIENT_ID_DIFFERS, *left_out, entity=ref, found=written.kept)
        return Annotated(said=said, entities=mine, without=frozenset({ref}))

    if written.lost is not None:
        elsewhere = await keep_elsewhere(writer, ref, call, written.lost, text)
        said = elsewhere.said.with_(left_out)
        return replace(elsewhere, said=said, entities=mine)

    if call.client_id is None:
        said = Outcome.of(CrmCode.CLIENT_ID_UNKNOWN, *left_out, entity=ref)
        return Annotated(said=said, entities=mine)

    own = writer.crm.client_id_field(ref.kind)
    said = Outcome.of(CrmCode.CLIENT_ID_WRITTEN, *left_out, entity=ref, field=own)
    return Annotated(said=said, entities=mine, client_id=call.client_id)


async def keep_elsewhere(
    writer: FieldWriter, ref: Ref, call: CallEvent, lost: Lost, text: str
) -> Annotated:
    """Keep a client ID that its field does not take: in the second field of the rules, or in the
    entity's text, by a note unless the `text` has it. Raises `Refused` if the entity takes no note.
    """
    assert call.client_id is not None
    own, reason = writer.crm.client_id_field(ref.kind), lost.reason
    fault = Outcome.of(
        CrmCode.CLIENT_ID_FIELD_REFUSES, field=own, kind=ref.kind.value, reason=reason
    )
    about = {"entity": ref, "field": own, "reason": reason}
    if lost.other is not None:
        said = Outcome.of(CrmCode.CLIENT_ID_IN_OTHER, other=lost.other, **about)
        return Annotated(said=said, client_id=call.client_id, fault=fault)

    if call.client_id not in text:
        note = f"Google client ID: {call.client_id}"
        try:
            await writer.crm.note(ref, note, f"client-id:{call.client_id}:{call.id}")
        except EntityGone:
            raise
        except Refused as error:
            raise Refused(reason) from error
    said = Outcome.of(CrmCode.CLIENT_ID_IN_NOTE, **about)
    return Annotated(said=said, without=frozenset({ref}), fault=fault)


def left_out_of(ref: Ref, refused: Mapping[str, Outcome]) -> list[Outcome]:
    """The fields that an entity did not get, each with the reason."""
    left_out = []
    for name, reason in refused.items():
        left_out.append(Outcome.of(CrmCode.FIELD_LEFT_OUT, entity=ref, field=name, reason=reason))
    return left_out


def together(parts: Sequence[Annotated], *more: Outcome) -> Annotated:
    """Join the receipts of several entities."""
    return Annotated(
        said=joined([*(part.said for part in parts), *more]),
        entities=tuple(entity for part in parts for entity in part.entities),
        client_id=next((part.client_id for part in parts if part.client_id), None),
        without=frozenset(ref for part in parts for ref in part.without),
        links=tuple(ref for part in parts for ref in part.links),
        fault=next((part.fault for part in parts if part.fault), None),
    )


async def fill_each(
    writer: FieldWriter,
    call: CallEvent,
    entities: Iterable[tuple[Ref, CreatedBy]],
    overwrite: Callable[[CreatedBy], Overwrite],
    texts: Mapping[Ref, str] = MappingProxyType({}),
) -> Annotated:
    """Write to each entity separately: a missing or refusing one does not affect the others;
    `texts` are added to them afterwards. Raises `Refused` if all refused.
    """
    done, refused = list[Annotated](), list[Refused]()
    for ref, created_by in sorted(entities, key=_deals_first):
        try:
            rule, text = overwrite(created_by), texts.get(ref, "")
            done.append(await fill(writer, ref, created_by, call, rule, text))
        except Refused as error:
            refused.append(error)

    if refused and not done:
        raise refused[0]
    return together(done, *(error.outcome for error in refused))


async def fill_known(
    writer: FieldWriter,
    call: CallEvent,
    refs: Iterable[Ref],
    texts: Mapping[Ref, str] = MappingProxyType({}),
) -> Annotated:
    """Fill entities that existed before the call; refusals stop nothing else."""
    known = [(ref, CreatedBy.NOTE) for ref in refs]
    try:
        return await fill_each(writer, call, known, lambda _: writer.rules.overwrite, texts)
    except Refused as error:
        without = frozenset(ref for ref, _ in known)
        return Annotated(said=error.outcome, entities=tuple(known), without=without)


def _deals_first(entity: tuple[Ref, CreatedBy]) -> tuple[bool, str, str]:
    ref = entity[0]
    return ref.kind in PEOPLE, ref.kind, ref.id


async def exists(crm: Crm, ref: Ref) -> bool:
    """Whether the CRM still has this entity."""
    try:
        await crm.read(ref, [crm.client_id_field(ref.kind)])
    except EntityGone:
        return False
    return True
