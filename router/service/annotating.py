"""Tells a CRM of a call: creates what the call needs, or finds what the telephony created, and writes the client ID.

Every step can be repeated: what an earlier attempt created is looked up by the call's id before anything is created,
a note is added once a call, and what was written is read back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.domain.annotation import CallTold, told_in_words
from router.domain.connection import Connection, Mode, Overwrite, Rules
from router.domain.creating import plan
from router.domain.entity import EntityKind, Found, Maker, Ref
from router.domain.matching import match
from router.service.crm import Crm, Draft
from router.service.deliveries import NotYet, Refused, Undecided

POLLS = (5.0, 10.0, 20.0, 40.0)  # seconds between looks, the last for ever after: 60
SLOW_POLL = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """What came of it: in words, and the entities that belong to the call from now on."""

    said: str
    entities: tuple[tuple[Ref, Maker], ...] = ()
    client_id: str | None = None


async def annotate(
    crm: Crm,
    connection: Connection,
    call: CallTold,
    *,
    looks: int,
    now: datetime,
    chosen: Ref | None = None,
    recent: Sequence[Ref] = (),
) -> Annotated:
    """Do for one call what the connection's mode says; `chosen` is the entity that a person named.

    `looks` counts the attempts before this one; `recent` is what calls of this phone became a moment ago, which the
    CRM's search may not find yet. Raises `NotYet`, `Undecided`, `Refused`, `ReceiverUnavailable`.
    """
    if chosen is not None:
        said = await _write(crm, connection.rules, chosen, call, Overwrite.ALWAYS)
        return Annotated(said=said, entities=((chosen, Maker.PERSON),), client_id=call.client_id)
    if connection.mode is Mode.OWN:
        return await _create(crm, connection.rules, call, recent)
    return await _find(crm, connection.rules, call, looks, now)


# Own: we create


async def _create(crm: Crm, rules: Rules, call: CallTold, recent: Sequence[Ref]) -> Annotated:
    made = {ref.kind: ref for ref in await crm.made_for(call.id)}
    contacts: Sequence[Found] = ()
    deals: Sequence[Found] = ()
    if call.caller:
        mine = set(made.values())
        contacts = _with(await crm.contacts(call.caller), recent, {EntityKind.CONTACT})
        deals = await crm.deals([one.ref for one in contacts], call.caller)
        deals = _with(deals, recent, {EntityKind.DEAL, EntityKind.LEAD})
        contacts, deals = ([one for one in some if one.ref not in mine] for some in (contacts, deals))
    decided = plan(call, rules, contacts, deals)
    if decided.note_on is not None and not made:
        await crm.note(decided.note_on, told_in_words(call), call.id)
        return Annotated(said=f"a note on {_named(decided.note_on)}", entities=((decided.note_on, Maker.US),))
    if not decided.create and not made:
        return Annotated(said=f"nothing: {decided.reason}")
    return await _create_all(crm, rules, call, decided.create, decided.contact, made)


def _with(found: Sequence[Found], recent: Sequence[Ref], kinds: set[EntityKind]) -> list[Found]:
    there = {one.ref for one in found}
    return [*found, *(Found(ref=ref) for ref in recent if ref.kind in kinds and ref not in there)]


async def _create_all(
    crm: Crm,
    rules: Rules,
    call: CallTold,
    kinds: Sequence[EntityKind],
    contact: Ref | None,
    made: dict[EntityKind, Ref],
) -> Annotated:
    links = {EntityKind.CONTACT: contact} if contact else {}
    for kind in kinds:
        if kind not in made:
            made[kind] = await crm.create(_draft(crm, rules, call, kind, {**links, **made}))
    for ref in made.values():
        if call.client_id:
            await _read_back(crm, rules, ref, call)
    said = "created " + ", ".join(_named(ref) for ref in made.values())
    return Annotated(said=said, entities=tuple((ref, Maker.US) for ref in made.values()), client_id=call.client_id)


def _draft(crm: Crm, rules: Rules, call: CallTold, kind: EntityKind, links: Mapping[EntityKind, Ref]) -> Draft:
    person = kind in {EntityKind.CONTACT, EntityKind.COMPANY}
    return Draft(
        kind=kind,
        call=call,
        title=(call.caller or "Hidden number") if person else call.title,
        text=told_in_words(call),
        links=links,
        responsible=rules.responsible.get(call.destination_id or ""),
        values=_values(crm, rules, kind, call),
    )


# Existing telephony: we find


async def _find(crm: Crm, rules: Rules, call: CallTold, looks: int, now: datetime) -> Annotated:
    if call.client_id is None:
        return Annotated(said="nothing: the visitor is not known, so there is no client ID to write")
    since = call.arrived_at - timedelta(seconds=rules.before)
    until = call.ended_at + timedelta(seconds=rules.wait)
    found = await crm.appeared(call, since, until)
    decided = match(found, call, rules, now)
    if decided.one is not None:
        said = await _write(crm, rules, decided.one.ref, call, rules.overwrite)
        return Annotated(said=said, entities=((decided.one.ref, Maker.TELEPHONY),), client_id=call.client_id)
    if decided.several:
        raise Undecided("several entities are equally likely", tuple(decided.several))
    if not decided.wait:
        raise Undecided(f"no entity appeared within {rules.wait:.0f} s", tuple(found))
    pause = POLLS[looks] if looks < len(POLLS) else SLOW_POLL
    raise NotYet("the telephony has created nothing for this call yet", timedelta(seconds=pause))


async def _write(crm: Crm, rules: Rules, ref: Ref, call: CallTold, overwrite: Overwrite) -> str:
    """Write and read back; what another put there stays, unless the rule says otherwise."""
    values = _values(crm, rules, ref.kind, call)
    stands = await crm.read(ref, list(values))
    field = crm.client_id_field(ref.kind)
    theirs = stands.get(field)
    if theirs and theirs != call.client_id and overwrite is Overwrite.NEVER:
        return f"{_named(ref)} kept {theirs}, which another put there"
    missing = {name: text for name, text in values.items() if stands.get(name) != text}
    if overwrite is Overwrite.NEVER:
        missing = {name: text for name, text in missing.items() if not stands.get(name)}
    if missing:
        await crm.write(ref, missing)
        await _read_back(crm, rules, ref, call)
    return f"{_named(ref)} has the client ID in {field}"


async def _read_back(crm: Crm, rules: Rules, ref: Ref, call: CallTold) -> None:
    field = crm.client_id_field(ref.kind)
    stands = (await crm.read(ref, [field])).get(field)
    if stands is None:
        raise Refused(f"{_named(ref)} did not keep the client ID: is '{field}' a field of its own and writable?")


def _values(crm: Crm, rules: Rules, kind: EntityKind, call: CallTold) -> dict[str, str]:
    """What goes into which field: the client ID always, the rest by the connection's mapping."""
    chosen = {field: call.facts[fact] for fact, field in rules.fields.items() if fact in call.facts}
    return {crm.client_id_field(kind): call.client_id, **chosen} if call.client_id else chosen


def _named(ref: Ref) -> str:
    return f"{ref.kind} {ref.id}"
