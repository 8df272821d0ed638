"""Tells a CRM of a call: creates what the call needs, or finds what the telephony created, and writes the client ID.

Every step can be repeated: what an earlier attempt created is looked up by the call's id before anything is created,
a note is added once a call, and what was written is read back.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.domain.delivery.call_event import CallTold, told_in_words
from router.domain.delivery.connection import Connection, Mode, Overwrite, Rules
from router.domain.delivery.crm_match import Window, match, window
from router.domain.delivery.crm_plan import Plan, plan, responsible_for
from router.domain.delivery.entity import Entity, EntityKind, Found, Maker, Ref
from router.service.delivery.dispatch import NotYet, Refused, Undecided
from router.service.delivery.ports import Crm, Draft

POLLS = (5.0, 10.0, 20.0, 40.0)  # seconds between looks, the last for ever after: 60
SLOW_POLL = 60.0
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

    `looks` counts the attempts before this one; `recent` is what calls of this phone became a moment ago, which the
    CRM's search may not find yet; `kept` is what this call became, and is told again when the call was judged anew;
    `before` is what was told of it then, or may have been; `others` says which entities belong to other calls, and
    `within` when this one's may have been created; `had` got this client ID by earlier calls of this phone.

    Raises `NotYet`, `Undecided`, `Refused`, `ReceiverUnavailable`.
    """
    pen = _Pen(crm, connection.rules, tuple(before))
    if chosen is not None:
        return await pen.annotate(chosen, Maker.PERSON, call, Overwrite.ALWAYS)
    if kept:
        return await _tell_again(pen, call, kept)
    if connection.mode is Mode.OWN:
        return await _create(pen, call, recent)
    return await _find(pen, call, looks, now, others, within or window(call, connection.rules), had)


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes facts of a call into an entity's fields, and reads them back."""

    crm: Crm
    rules: Rules
    before: tuple[CallTold, ...]  # what we told then may be replaced, what others wrote may not

    def values(self, kind: EntityKind, call: CallTold) -> dict[str, str]:
        """What goes into which field: the client ID always, the rest by the connection's mapping."""
        chosen = {field: call.facts[fact] for fact, field in self.rules.fields.items() if fact in call.facts}
        return {self.crm.client_id_field(kind): call.client_id, **chosen} if call.client_id else chosen

    async def tell(self, ref: Ref, call: CallTold, overwrite: Overwrite) -> str | None:
        """Write and read back; the client ID that another put there and that the rule lets stand, if there is one.

        What we told before and do not know any more is emptied, where it still stands as we wrote it.
        """
        values, field = self.values(ref.kind, call), self.crm.client_id_field(ref.kind)
        told = [self.values(ref.kind, one) for one in self.before]
        stands = await self.crm.read(ref, list(dict.fromkeys([*values, *(name for one in told for name in one)])))

        def others(name: str) -> bool:
            text = stands.get(name)
            return bool(text) and text != values.get(name) and all(one.get(name) != text for one in told)

        if overwrite is Overwrite.NEVER and values.get(field) and others(field):
            return stands[field]
        wanted = dict.fromkeys((name for name in stands if not others(name)), "") | values
        changed = {name: text for name, text in wanted.items() if stands.get(name, "") != text}
        if overwrite is Overwrite.NEVER:
            changed = {name: text for name, text in changed.items() if not others(name)}
        if changed:
            await self.crm.write(ref, changed)
        if changed.get(field):
            await self.read_back(ref, call, stands.get(field))
        return None

    async def annotate(self, ref: Ref, maker: Maker, call: CallTold, overwrite: Overwrite) -> Annotated:
        """Tell an entity that is there already."""
        theirs, mine = await self.tell(ref, call, overwrite), ((ref, maker),)
        if theirs is not None:
            return Annotated(said=f"{named(ref)} kept {theirs}, which another put there", entities=mine)
        if call.client_id is None:
            return Annotated(said=f"{named(ref)}: no client ID is known", entities=mine)
        said = f"{named(ref)} has the client ID in {self.crm.client_id_field(ref.kind)}"
        return Annotated(said=said, entities=mine, client_id=call.client_id)

    async def read_back(self, ref: Ref, call: CallTold, before: str | None) -> None:
        """See that it stands there. What somebody else wrote in that moment is theirs to answer for."""
        field = self.crm.client_id_field(ref.kind)
        stands = (await self.crm.read(ref, [field])).get(field)
        if stands is None or (stands == before and stands != call.client_id):
            raise Refused(f"{named(ref)} did not keep the client ID: is '{field}' a field of its own and writable?")


async def _tell_again(pen: _Pen, call: CallTold, kept: Sequence[Entity]) -> Annotated:
    """The call was judged anew: what it became stays, and learns who it was."""
    told = []
    for one in kept:
        if one.maker is Maker.NOTE:
            continue  # what was said there was said; the page that it names tells what is known now
        overwrite = Overwrite.NEVER if one.maker is Maker.US else pen.rules.overwrite
        told.append(await pen.annotate(one.ref, one.maker, call, overwrite))
    said = "; ".join(one.said for one in told) or "nothing: an event of this call was added before"
    return Annotated(
        said=said,
        entities=tuple(entity for one in told for entity in one.entities),
        client_id=call.client_id,
        without=frozenset(ref for one in told if one.client_id is None for ref, _ in one.entities),
    )


# Own: we create


async def _create(pen: _Pen, call: CallTold, recent: Sequence[Ref]) -> Annotated:
    crm = pen.crm
    earlier = {ref.kind: ref for ref in await crm.made_for(call.id)}
    contacts: Sequence[Found] = ()
    deals: Sequence[Found] = ()
    if call.caller:
        mine = set(earlier.values())
        contacts = _with(await crm.contacts(call.caller), recent, {EntityKind.CONTACT})
        deals = await crm.deals([one.ref for one in contacts], call.caller)
        deals = _with(deals, recent, {EntityKind.DEAL, EntityKind.LEAD})
        contacts, deals = ([one for one in some if one.ref not in mine] for some in (contacts, deals))
    decided = plan(call, pen.rules, contacts, deals)
    if decided.note_on is not None and not earlier.keys() - _PEOPLE:
        await crm.note(decided.note_on, told_in_words(call), call.id)
        return Annotated(said=f"a note on {named(decided.note_on)}", entities=((decided.note_on, Maker.NOTE),))
    if not decided.create and not earlier:
        return Annotated(said=f"nothing: {decided.reason}")
    return await _complete(pen, call, decided, earlier)


def _with(found: Sequence[Found], recent: Sequence[Ref], kinds: set[EntityKind]) -> list[Found]:
    there = {one.ref for one in found}
    return [*found, *(Found(ref=ref) for ref in recent if ref.kind in kinds and ref not in there)]


async def _complete(pen: _Pen, call: CallTold, decided: Plan, earlier: Mapping[EntityKind, Ref]) -> Annotated:
    """Create what is not there yet; what an earlier attempt created is told what is known now."""
    made, without = dict(earlier), set[Ref]()
    links = {EntityKind.CONTACT: decided.contact} if decided.contact else {}
    for kind in decided.create:
        if kind not in made:
            made[kind] = await pen.crm.create(_draft(pen, call, kind, {**links, **made}))
    for kind, ref in made.items():
        if kind in earlier and await pen.tell(ref, call, Overwrite.NEVER) is not None:
            without.add(ref)
        elif kind not in earlier and call.client_id:
            await pen.read_back(ref, call, None)
    new = ", ".join(named(ref) for kind, ref in made.items() if kind not in earlier)
    old = ", ".join(named(ref) for ref in earlier.values())
    return Annotated(
        said="; ".join([*([f"created {new}"] if new else []), *([f"{old}: by an earlier attempt"] if old else [])]),
        entities=tuple((ref, Maker.US) for ref in made.values()),
        client_id=call.client_id,
        without=frozenset(without),
    )


def _draft(pen: _Pen, call: CallTold, kind: EntityKind, links: Mapping[EntityKind, Ref]) -> Draft:
    person = kind in _PEOPLE
    return Draft(
        kind=kind,
        call=call,
        title=(call.caller or "Hidden number") if person else call.title,
        text=told_in_words(call),
        links=links,
        responsible=responsible_for(call, pen.rules),
        values=pen.values(kind, call),
    )


# Existing telephony: we find


async def _find(
    pen: _Pen,
    call: CallTold,
    looks: int,
    now: datetime,
    others: Others | None,
    within: Window,
    had: Sequence[Ref],
) -> Annotated:
    rules = pen.rules
    if call.client_id is None:
        return Annotated(said="nothing: the visitor is not known, so there is no client ID to write")
    found = await pen.crm.appeared(call, within.since, within.until)
    taken = await others([one.ref for one in found]) if others and found else set()
    # A person may call twice, but what the telephony created for another call is that call's.
    found = [one for one in found if one.ref not in taken or one.ref.kind in _PEOPLE]
    decided = match(found, call, rules, now, within)
    if decided.one is not None:
        return await pen.annotate(decided.one.ref, Maker.TELEPHONY, call, rules.overwrite)
    if decided.several:
        raise Undecided("several entities are equally likely", tuple(decided.several))
    if not decided.wait:
        if (same := await _told_already(pen.crm, call, had)) is not None:
            return Annotated(said=f"{named(same)} has the client ID already, by an earlier call")
        raise Undecided(f"no entity appeared within {rules.wait:.0f} s", tuple(found))
    pause = POLLS[looks] if looks < len(POLLS) else SLOW_POLL
    raise NotYet("the telephony has created nothing for this call yet", timedelta(seconds=pause))


async def _told_already(crm: Crm, call: CallTold, had: Sequence[Ref]) -> Ref | None:
    """Where this client ID still stands: the telephony may have put the call on an entity of an earlier one."""
    for ref in sorted(had, key=lambda one: one.kind in _PEOPLE):
        field = crm.client_id_field(ref.kind)
        with suppress(Refused):  # it is gone
            if (await crm.read(ref, [field])).get(field) == call.client_id:
                return ref
    return None


def named(ref: Ref) -> str:
    """An entity in words."""
    return f"{ref.kind} {ref.id}"
