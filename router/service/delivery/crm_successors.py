"""What became of a call's entities: a lead that was converted, a contact that was merged."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.crm_plan import oldest
from router.domain.delivery.entity import EntityKind, Ref
from router.service.delivery.crm_ports import HasSuccessors
from router.service.delivery.outcomes import Refused
from router.service.delivery.ports import Crm

MOST = 20  # entities that are followed: merges may form long chains, or a circle


async def successors(
    crm: Crm, call: CallEvent, there: Sequence[Ref], gone: Iterable[Ref]
) -> set[Ref]:
    """The entities that take the place of those that are gone, and what converted leads became."""
    lost = list(gone)
    found = await _by_the_crm(crm, [*there, *lost])
    people = any(ref.kind in {EntityKind.CONTACT, EntityKind.LEAD} for ref in lost)
    if people and not any(ref.kind is EntityKind.CONTACT for ref in found):
        found |= await _by_phone(crm, call, lost)
    return found - {*there, *lost}


async def _by_the_crm(crm: Crm, refs: Sequence[Ref]) -> set[Ref]:
    """What the CRM itself says, followed to the end of each chain."""
    if not isinstance(crm, HasSuccessors):
        return set()
    seen, open_ends = set(refs), list(refs)
    while open_ends and len(seen) < len(refs) + MOST:
        with suppress(Refused):
            for ref in await crm.became(open_ends.pop()):
                if ref not in seen:
                    seen.add(ref)
                    open_ends.append(ref)
    return seen


async def _by_phone(crm: Crm, call: CallEvent, lost: Sequence[Ref]) -> set[Ref]:
    """The contact that now has the phone; in place of a lead also its only deal (or lead) since
    the call.
    """
    if call.caller is None:
        return set()
    people = await crm.contacts(call.caller)
    contact = oldest(people, EntityKind.CONTACT)
    if contact is None:
        return set()
    if all(ref.kind is not EntityKind.LEAD for ref in lost):
        return {contact.ref}

    since = [
        deal.ref
        for deal in await crm.deals([person.ref for person in people], call.caller)
        if not deal.ours and deal.created_at is not None and deal.created_at >= call.arrived_at
    ]
    return {contact.ref, *_only_one(since)}


def _only_one(refs: Sequence[Ref]) -> list[Ref]:
    """The only deal, or the only lead where there are no deals: RetailCRM's leads are orders."""
    for kind in (EntityKind.DEAL, EntityKind.LEAD):
        found = [ref for ref in refs if ref.kind is kind]
        if len(found) == 1:
            return found
        if found:
            return []
    return []
