"""Tells a CRM of a call: creates what the call needs, or finds what the telephony created, and
writes the client ID.

Every step can be repeated: what an earlier attempt created is looked up by the call's id before
anything is created, a note is added once a call, and what was written is read back.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.domain.delivery.call_event import CallTold, told_in_words
from router.domain.delivery.connection import Connection, Mode, Overwrite
from router.domain.delivery.crm_match import Window, created_by_us, match, window
from router.domain.delivery.crm_plan import Plan, oldest, plan, responsible_for
from router.domain.delivery.entity import Entity, EntityKind, Found, Maker, Ref
from router.service.delivery.field_writer import FieldWriter, named
from router.service.delivery.outcomes import EntityGone, NotYet, Refused, Undecided
from router.service.delivery.ports import Crm, Draft

POLLS = (5.0, 10.0, 20.0, 40.0)  # seconds between looks, the last for ever after: 60
SLOW_POLL = 60.0
_OTHER_USER = "give Ringtrace a user of its own in the CRM"
_PEOPLE = {EntityKind.CONTACT, EntityKind.COMPANY}
Others = Callable[[Sequence[Ref]], Awaitable[set[Ref]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """What came of it: in words, and the entities that belong to the call from now on."""

    said: str
    entities: tuple[tuple[Ref, Maker], ...] = ()
    client_id: str | None = None  # that stands in them,
    without: frozenset[Ref] = frozenset()  # but for these


async def annotate(
    crm: Crm,
    connection: Connection,
    call: CallTold,
    *,
    looks: int,
    now: datetime,
    chosen: Ref | None = None,
    recent: Sequence[Ref] = (),
    kept: Sequence[Entity] = (),
    before: Sequence[CallTold] = (),
    others: Others | None = None,
    within: Window | None = None,
    had: Sequence[Ref] = (),
) -> Annotated:
    """Do for one call what the connection's mode says; `chosen` is the entity that a person named.

    `looks` counts the attempts before this one; `recent` is what calls of this phone became a
    moment ago, which the CRM's search may not find yet; `kept` is what this call became, and is
    told again when the call was judged anew; `before` is what was told of it then, or may have
    been; `others` says which entities belong to other calls, and `within` when this one's may have
    been created; `had` got this client ID by earlier calls of this phone.

    Raises `NotYet`, `Undecided`, `Refused`, `ReceiverUnavailable`.
    """
    writer = FieldWriter(crm, connection.rules, tuple(before))
    if chosen is not None:
        return await _fill(writer, chosen, Maker.PERSON, call, Overwrite.ALWAYS)
    if kept:
        return await _update(writer, call, kept)
    if connection.mode is Mode.OWN:
        return await _create(writer, call, recent)
    return await _find(
        writer, call, looks, now, others, within or window(call, connection.rules), had
    )


async def _fill(
    writer: FieldWriter, ref: Ref, maker: Maker, call: CallTold, overwrite: Overwrite
) -> Annotated:
    """Write the call's facts into an entity that exists."""
    written, mine = await writer.write(ref, call, overwrite), ((ref, maker),)
    left_out = _left_out(ref, written.refused)
    if written.kept is not None:
        said = f"{named(ref)} kept {written.kept}, which another put there"
        return Annotated(said="; ".join([said, *left_out]), entities=mine, without=frozenset({ref}))

    own = writer.crm.client_id_field(ref.kind)
    known = call.client_id is not None
    said = (
        f"{named(ref)} has the client ID in {own}"
        if known
        else f"{named(ref)}: no client ID is known"
    )
    return Annotated(said="; ".join([said, *left_out]), entities=mine, client_id=call.client_id)


def _left_out(ref: Ref, refused: Mapping[str, str]) -> list[str]:
    return [f"{named(ref)} without {name}: {reason}" for name, reason in refused.items()]


def _together(parts: Sequence[Annotated], *more: str) -> Annotated:
    """One receipt for several entities."""
    return Annotated(
        said="; ".join([*(part.said for part in parts), *more]),
        entities=tuple(entity for part in parts for entity in part.entities),
        client_id=next((part.client_id for part in parts if part.client_id), None),
        without=frozenset(ref for part in parts for ref in part.without),
    )


async def _each(
    writer: FieldWriter,
    call: CallTold,
    entities: Iterable[tuple[Ref, Maker]],
    overwrite: Callable[[Maker], Overwrite],
) -> Annotated:
    """Write to each entity by itself: one that is gone, or refuses, keeps nothing from the others.

    Raises `Refused` when none took anything.
    """
    done, refused = list[Annotated](), list[Refused]()
    for ref, maker in sorted(entities, key=_deals_first):
        try:
            done.append(await _fill(writer, ref, maker, call, overwrite(maker)))
        except Refused as error:
            refused.append(error)

    if refused and not done:
        raise refused[0]
    return _together(done, *map(str, refused))


async def _fill_known(writer: FieldWriter, call: CallTold, refs: Iterable[Ref]) -> Annotated:
    """Fill entities that were there before the call; what all of them refuse stops nothing else."""
    known = [(ref, Maker.NOTE) for ref in refs]
    try:
        return await _each(writer, call, known, lambda _: writer.rules.overwrite)
    except Refused as error:
        without = frozenset(ref for ref, _ in known)
        return Annotated(said=str(error), entities=tuple(known), without=without)


def _deals_first(entity: tuple[Ref, Maker]) -> tuple[bool, str, str]:
    ref = entity[0]
    return ref.kind in _PEOPLE, ref.kind, ref.id


async def _update(writer: FieldWriter, call: CallTold, kept: Sequence[Entity]) -> Annotated:
    """The call was attributed again: its entities get what is known now.

    A contact that is gone may have been merged: the contact that has the phone now takes its place.
    """

    def overwrite(maker: Maker) -> Overwrite:
        return Overwrite.NEVER if maker is Maker.US else writer.rules.overwrite

    there, gone = list[tuple[Ref, Maker]](), list[Ref]()
    for entity in kept:
        if await _exists(writer.crm, entity.ref):
            there.append((entity.ref, entity.maker))
        else:
            gone.append(entity.ref)

    if call.caller and any(ref.kind is EntityKind.CONTACT for ref in gone):
        contact = oldest(await writer.crm.contacts(call.caller), EntityKind.CONTACT)
        if contact is not None and contact.ref not in {ref for ref, _ in there}:
            there.append((contact.ref, Maker.NOTE))

    done = await _each(writer, call, there, overwrite)
    return _together([done] if there else [], *(str(EntityGone(ref)) for ref in gone))


async def _exists(crm: Crm, ref: Ref) -> bool:
    try:
        await crm.read(ref, [crm.client_id_field(ref.kind)])
    except EntityGone:
        return False
    return True


# Own: we create


async def _create(writer: FieldWriter, call: CallTold, recent: Sequence[Ref]) -> Annotated:
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
    if decided.note_on is not None and not earlier.keys() - _PEOPLE:
        return await _note(writer, call, decided)
    if not decided.create and not earlier:
        return Annotated(said=f"nothing: {decided.reason}")
    return await _complete(writer, call, decided, earlier)


async def _with(
    crm: Crm, found: Sequence[Found], recent: Sequence[Ref], kinds: set[EntityKind]
) -> list[Found]:
    """What the CRM found, and what we created a moment ago and its search does not know yet, if it
    still exists.
    """
    known = {entity.ref for entity in found}
    new = [ref for ref in recent if ref.kind in kinds and ref not in known]
    return [*found, *[Found(ref=ref) for ref in new if await _exists(crm, ref)]]


async def _note(writer: FieldWriter, call: CallTold, decided: Plan) -> Annotated:
    """Fill the empty fields of the deal and of its contact, then add the event to the deal."""
    assert decided.note_on is not None
    known = [ref for ref in (decided.note_on, decided.contact) if ref is not None]
    touched = dict.fromkeys(ref for ref in known if ref.kind is not EntityKind.COMPANY)
    filled = await _fill_known(writer, call, touched)
    await writer.crm.note(decided.note_on, told_in_words(call), call.id)
    said = f"a note on {named(decided.note_on)}"
    return replace(filled, said=f"{said}; {filled.said}" if call.client_id else said)


async def _complete(
    writer: FieldWriter, call: CallTold, decided: Plan, earlier: Mapping[EntityKind, Ref]
) -> Annotated:
    """Create what is missing; what an earlier attempt created, and the known contact, get what is
    known now.
    """
    made, refused = dict(earlier), list[str]()
    links = decided.links
    for kind in decided.create:
        if kind not in made:
            made[kind], left_out = await writer.create(
                _draft(writer, call, kind, {**links, **made})
            )
            refused += _left_out(made[kind], left_out)

    without = set[Ref]()
    for kind, ref in made.items():
        if kind in earlier:
            written = await writer.write(ref, call, Overwrite.NEVER)
            refused += _left_out(ref, written.refused)
            without |= {ref} if written.kept else set()
        elif call.client_id:
            await writer.read_back(ref, call, None)

    new = ", ".join(named(ref) for kind, ref in made.items() if kind not in earlier)
    old = ", ".join(named(ref) for ref in earlier.values())
    said = [
        *([f"created {new}"] if new else []),
        *([f"{old}: by an earlier attempt"] if old else []),
    ]
    mine = Annotated(
        said="; ".join([*said, *refused]),
        entities=tuple((ref, Maker.US) for ref in made.values()),
        client_id=call.client_id,
        without=frozenset(without),
    )
    if decided.contact is None or call.client_id is None:
        return mine

    return _together([mine, await _fill_known(writer, call, [decided.contact])])


def _draft(
    writer: FieldWriter, call: CallTold, kind: EntityKind, links: Mapping[EntityKind, Ref]
) -> Draft:
    person = kind in _PEOPLE
    return Draft(
        kind=kind,
        call=call,
        title=(call.caller or "Hidden number") if person else call.title,
        text=told_in_words(call),
        links=links,
        responsible=responsible_for(call, writer.rules),
    )


# Existing telephony: we find


async def _find(
    writer: FieldWriter,
    call: CallTold,
    looks: int,
    now: datetime,
    others: Others | None,
    within: Window,
    had: Sequence[Ref],
) -> Annotated:
    rules = writer.rules
    if call.client_id is None:
        return Annotated(
            said="nothing: the visitor is not known, so there is no client ID to write"
        )
    found = await writer.crm.appeared(call, within.since, within.until)
    taken = await others([one.ref for one in found]) if others and found else set()
    # A person may call twice, but what the telephony created for another call is that call's.
    found = [one for one in found if one.ref not in taken or one.ref.kind in _PEOPLE]
    decided = match(found, call, rules, now, within)
    if decided.one is not None:
        return await _fill(writer, decided.one.ref, Maker.TELEPHONY, call, rules.overwrite)
    if decided.several:
        raise Undecided("several entities are equally likely", tuple(decided.several))
    if not decided.wait:
        if (same := await _told_already(writer.crm, call, had)) is not None:
            return Annotated(said=f"{named(same)} has the client ID already, by an earlier call")
        reason = f"no entity appeared within {rules.wait:.0f} s"
        if (own := created_by_us(found, call, rules, within)) is not None:
            reason += f" but {named(own.ref)}, which Ringtrace's own user created: {_OTHER_USER}"
        raise Undecided(reason, tuple(found))
    pause = POLLS[looks] if looks < len(POLLS) else SLOW_POLL
    raise NotYet("the telephony has created nothing for this call yet", timedelta(seconds=pause))


async def _told_already(crm: Crm, call: CallTold, had: Sequence[Ref]) -> Ref | None:
    """Where this client ID still stands: the telephony may have put the call on an entity of an
    earlier one.
    """
    for ref in sorted(had, key=lambda one: one.kind in _PEOPLE):
        field = crm.client_id_field(ref.kind)
        with suppress(Refused):  # it is gone
            if (await crm.read(ref, [field])).get(field) == call.client_id:
                return ref
    return None
