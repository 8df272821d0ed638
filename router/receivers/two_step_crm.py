"""Base of adapters whose CRM has no description of deals and leads: the call's text is a note,
which needs a second request.
"""

from abc import abstractmethod
from typing import Any

from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.activities import Entry
from router.receivers.custom_field_crm import CustomFieldCrm
from router.service.delivery.crm_fill import PEOPLE
from router.service.delivery.ports import Draft


class TwoStepCrm(CustomFieldCrm):
    """Completes an entity that an interrupted attempt left without its note."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._begun: dict[tuple[EntityKind, str], Ref] = {}

    @abstractmethod
    async def find_made(self, kind: EntityKind, call_id: str) -> Ref | None:
        """The entity with the call's id."""

    @abstractmethod
    async def insert(self, draft: Draft) -> Ref:
        """Create an entity with the call's id."""

    async def made_for(self, call_id: str) -> list[Ref]:
        """The complete entities; `create` completes the others."""
        found = list[Ref]()
        for kind in self.kinds:
            ref = await self.find_made(kind, call_id)
            if ref is None:
                continue
            whole = kind in PEOPLE or await self.activities.has(Entry.NOTE, ref, call_id)
            if kind in self.scenario and whole:
                found.append(ref)
            else:
                self._begun[kind, call_id] = ref
        return found

    async def create(self, draft: Draft) -> Ref:
        """Create an entity with the call's id, then its note."""
        kind, call_id = draft.kind, draft.call.id
        ref = self.begun(kind, call_id) or await self.insert(draft)
        if kind not in PEOPLE:
            await self.note(ref, draft.text, call_id)
        return ref

    def begun(self, kind: EntityKind, call_id: str) -> Ref | None:
        """The entity that an earlier attempt left; it is returned once."""
        return self._begun.pop((kind, call_id), None)

    def is_begun(self, ref: Ref) -> bool:
        """Whether the entity is not complete yet."""
        return ref in self._begun.values()
