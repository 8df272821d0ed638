"""Writes the facts of a call into existing entities, each separately."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Overwrite
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.domain.delivery.outcome import Outcome, joined
from router.service.delivery.field_writer import FieldWriter
from router.service.delivery.outcomes import Refused

PEOPLE = {EntityKind.CONTACT, EntityKind.COMPANY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """The result: a message, and the entities of the call."""

    said: Outcome
    entities: tuple[tuple[Ref, CreatedBy], ...] = ()
    client_id: str | None = None  # that is in them,
    without: frozenset[Ref] = frozenset()  # but for these
    links: tuple[Ref, ...] = ()  # who was known before the call, as contact or company


async def fill(
    writer: FieldWriter, ref: Ref, created_by: CreatedBy, call: CallEvent, overwrite: Overwrite
) -> Annotated:
    """Write the call's facts into an entity that exists."""
    written, mine = await writer.write(ref, call, overwrite), ((ref, created_by),)
    left_out = left_out_of(ref, written.refused)
    if written.kept is not None:
        said = Outcome.of(CrmCode.CLIENT_ID_DIFFERS, *left_out, entity=ref, found=written.kept)
        return Annotated(said=said, entities=mine, without=frozenset({ref}))

    if call.client_id is None:
        said = Outcome.of(CrmCode.CLIENT_ID_UNKNOWN, *left_out, entity=ref)
        return Annotated(said=said, entities=mine)

    own = writer.crm.client_id_field(ref.kind)
    said = Outcome.of(CrmCode.CLIENT_ID_WRITTEN, *left_out, entity=ref, field=own)
    return Annotated(said=said, entities=mine, client_id=call.client_id)


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
    )


async def fill_each(
    writer: FieldWriter,
    call: CallEvent,
    entities: Iterable[tuple[Ref, CreatedBy]],
    overwrite: Callable[[CreatedBy], Overwrite],
) -> Annotated:
    """Write to each entity separately: a missing or refusing one does not affect the others. Raises
    `Refused` if all refused.
    """
    done, refused = list[Annotated](), list[Refused]()
    for ref, created_by in sorted(entities, key=_deals_first):
        try:
            done.append(await fill(writer, ref, created_by, call, overwrite(created_by)))
        except Refused as error:
            refused.append(error)

    if refused and not done:
        raise refused[0]
    return together(done, *(error.outcome for error in refused))


async def fill_known(writer: FieldWriter, call: CallEvent, refs: Iterable[Ref]) -> Annotated:
    """Fill entities that existed before the call; refusals stop nothing else."""
    known = [(ref, CreatedBy.NOTE) for ref in refs]
    try:
        return await fill_each(writer, call, known, lambda _: writer.rules.overwrite)
    except Refused as error:
        without = frozenset(ref for ref, _ in known)
        return Annotated(said=error.outcome, entities=tuple(known), without=without)


def _deals_first(entity: tuple[Ref, CreatedBy]) -> tuple[bool, str, str]:
    ref = entity[0]
    return ref.kind in PEOPLE, ref.kind, ref.id
