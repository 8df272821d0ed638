"""Writes the facts of a call into an entity's fields, and reads the client ID back.

The client ID comes first: other facts that the CRM refuses are left out and named. Where its own
field does not take it, the second field of the rules may.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.catalogue import Catalogue, Fitted
from router.domain.delivery.connection import Overwrite, Rules
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import EntityKind, Ref
from router.domain.delivery.outcome import Outcome
from router.domain.delivery.saved_text import is_changed, made_of, same_id, same_text
from router.domain.delivery.templates import Part, render
from router.service.delivery.outcomes import EntityGone, Refused
from router.service.delivery.ports import Crm, Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The client ID's own field does not take it."""

    reason: Outcome
    other: str | None  # the second field of the rules, which has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The result of writing to one entity: a client ID of others that stays, and refused fields."""

    kept: str | None = None
    refused: Mapping[str, Outcome] = field(default_factory=dict)  # field → the CRM's reason
    lost: Lost | None = None


@dataclass(frozen=True, slots=True)
class FieldWriter:
    """Writes to the entities of one connection. Facts of `before`, which we wrote earlier, may be
    replaced.
    """

    crm: Crm
    rules: Rules
    before: tuple[CallEvent, ...]
    # empty: texts are sent as they are
    catalogue: Catalogue = field(default_factory=Catalogue)

    def text(self, part: Part, call: CallEvent) -> str:
        """Render a text by the connection's templates."""
        return render(part, call, self.rules.language, self.rules.templates)

    def own(self, kind: EntityKind, call: CallEvent) -> dict[str, str]:
        """Field → the client ID, if it is known."""
        if not call.client_id:
            return {}
        return {self.crm.client_id_field(kind): call.client_id}

    def essential(self, kind: EntityKind, call: CallEvent) -> dict[str, str]:
        """Field → text of values that a new entity needs: the client ID, and defaults of required
        fields.
        """
        return {**self.catalogue.fit(kind, self.rules.defaults).values, **self.own(kind, call)}

    def facts(self, kind: EntityKind, call: CallEvent) -> Fitted:
        """Field → text of the facts that the connection maps, as the fields can take them."""
        mapped = self.rules.fields.items()
        values = {name: call.facts[fact] for fact, name in mapped if fact in call.facts}
        return self.catalogue.fit(kind, values)

    def values(self, kind: EntityKind, call: CallEvent) -> dict[str, str]:
        """Field → text of everything that the call says."""
        return {**self.own(kind, call), **self.facts(kind, call).values}

    async def create(self, draft: Draft) -> tuple[Ref, Written]:
        """Create an entity with its client ID; refused fields are left out and returned with the
        reason. Raises `Refused` if the CRM refuses even the bare entity.
        """
        fitted, own = self.facts(draft.kind, draft.call), self.crm.client_id_field(draft.kind)
        bare = replace(draft, values=self.essential(draft.kind, draft.call))
        whole = replace(bare, values={**bare.values, **fitted.values})
        try:
            return await self.crm.create(whole), Written(refused=fitted.refused)
        except Refused as error:
            refusal = error

        for attempt in _simpler(whole, bare, own):
            try:
                ref = await self.crm.create(attempt)
            except Refused:
                continue

            values = whole.values.items()
            left_out = {name: text for name, text in values if name not in attempt.values}
            refused = {**fitted.refused, **await self._each(ref, left_out)}
            if attempt.responsible != draft.responsible:
                refused["responsible"] = refusal.outcome
            if not attempt.placed:
                refused["stage"] = refusal.outcome
            lost = None
            if own in refused:
                lost = self._lost(own, refused.pop(own), whole.values.keys() - refused.keys())
            return ref, Written(refused=refused, lost=lost)
        raise refusal

    async def write(self, ref: Ref, call: CallEvent, overwrite: Overwrite) -> Written:
        """Write and read back. Values of others are replaced only by the rule `ALWAYS`. Our earlier
        values that are no longer known are cleared.
        """
        values, own = self.values(ref.kind, call), self.crm.client_id_field(ref.kind)
        earlier = [self.values(ref.kind, event) for event in self.before]
        names = dict.fromkeys([*values, *(name for event in earlier for name in event)])
        found = await self.crm.read(ref, list(names))

        def of_others(name: str) -> bool:
            text = (found.get(name) or "").strip()
            ours = filter(None, (event.get(name) for event in (values, *earlier)))
            is_ours = same_id if name == own else made_of
            return bool(text) and not any(is_ours(written, text) for written in ours)

        if overwrite is Overwrite.NEVER and values.get(own) and of_others(own):
            return Written(kept=found[own])

        wanted = dict.fromkeys((name for name in found if not of_others(name)), "") | values
        if overwrite is Overwrite.NEVER:
            wanted = {name: text for name, text in wanted.items() if not of_others(name)}
        return await self._save(ref, call, wanted, found)

    async def _save(
        self, ref: Ref, call: CallEvent, wanted: Mapping[str, str], found: Mapping[str, str]
    ) -> Written:
        """Write what differs from the values found, and read the client ID back."""
        own, changed = self.crm.client_id_field(ref.kind), {}
        for name, text in wanted.items():
            is_same = same_id if name == own else same_text
            if not is_same(text, found.get(name, "")):
                changed[name] = text

        refused = dict(self.facts(ref.kind, call).refused)
        try:
            if changed:
                refused |= await self._all_or_each(ref, changed)
            kept = None
            if own in changed:
                kept = await self.read_back(ref, call, found.get(own))
            return Written(kept=kept, refused=refused)
        except EntityGone:
            raise
        except Refused as error:
            # a wrong one stays, or something else was refused: a person has to see to it
            if not changed.get(own) or await self._has(ref, own, changed[own]):
                raise
            reason = error.outcome

        others = {name: text for name, text in changed.items() if name != own}
        refused |= await self._each(ref, others)
        lost = self._lost(own, reason, wanted.keys() - refused.keys())
        return Written(refused=refused, lost=lost)

    async def _has(self, ref: Ref, own: str, client_id: str) -> bool:
        found = await self.crm.read(ref, [own])
        return same_id(client_id, found.get(own, ""))

    async def confirm(self, ref: Ref, call: CallEvent) -> Written:
        """Read the client ID of a new entity back."""
        try:
            return Written(kept=await self.read_back(ref, call, None))
        except EntityGone:
            raise
        except Refused as error:
            own, saved = self.crm.client_id_field(ref.kind), self.values(ref.kind, call).keys()
            return Written(lost=self._lost(own, error.outcome, saved))

    def _lost(self, own: str, reason: Outcome, saved: Set[str]) -> Lost:
        """What its own field does not take may be in the other one that the rules name."""
        other = self.rules.fields.get("client_id")
        if other == own or other not in saved:
            other = None
        return Lost(reason=reason, other=other)

    async def read_back(self, ref: Ref, call: CallEvent, before: str | None) -> str | None:
        """A value that others wrote meanwhile, which stays. Raises `Refused` if the field does not
        have our value, or has it changed.
        """
        own = self.crm.client_id_field(ref.kind)
        found = (await self.crm.read(ref, [own])).get(own, "").strip()
        if call.client_id is None:
            if found and found == before:
                raise Refused(CrmCode.CLIENT_ID_NOT_EMPTIED, entity=ref, field=own)
            return None

        if same_id(call.client_id, found):
            return None
        if not found or found == before:
            raise Refused(CrmCode.CLIENT_ID_NOT_KEPT, entity=ref, field=own)
        if is_changed(call.client_id, found):
            raise Refused(CrmCode.CLIENT_ID_CHANGED, entity=ref, field=own, found=found)
        return found

    async def _all_or_each(self, ref: Ref, changed: Mapping[str, str]) -> dict[str, Outcome]:
        """Write all in one request; where the CRM refuses that, the client ID first and then each
        fact.
        """
        own = self.crm.client_id_field(ref.kind)
        try:
            await self.crm.write(ref, changed)
            return {}
        except EntityGone:
            raise
        except Refused:
            if set(changed) == {own}:
                raise

        if own in changed:
            await self.crm.write(ref, {own: changed[own]})
        return await self._each(ref, {name: text for name, text in changed.items() if name != own})

    async def _each(self, ref: Ref, facts: Mapping[str, str]) -> dict[str, Outcome]:
        refused = {}
        for name, text in facts.items():
            try:
                await self.crm.write(ref, {name: text})
            except EntityGone:
                raise
            except Refused as error:
                refused[name] = error.outcome
        return refused


def _simpler(whole: Draft, bare: Draft, own: str) -> Iterator[Draft]:
    """What to try where the CRM refuses the whole draft: without facts, without the client ID (it
    is written afterwards), without the responsible user, and a deal or lead where the CRM itself
    puts it.
    """
    tried = [whole]
    without = [bare, _without(whole, own), _without(bare, own)]
    without += [replace(draft, responsible=None) for draft in (whole, *without)]
    if whole.kind in {EntityKind.DEAL, EntityKind.LEAD}:
        without += [replace(draft, placed=False) for draft in (whole, *without)]
    for attempt in without:
        if attempt not in tried:
            tried.append(attempt)
            yield attempt


def _without(draft: Draft, own: str) -> Draft:
    return replace(draft, values={name: draft.values[name] for name in draft.values if name != own})
