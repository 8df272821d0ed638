"""Plans the entities of a call in mode `own`: new entities, a note on an open deal, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import SCENARIO_KINDS, Missed, Repeat, Rules
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome

_OWNERS = (EntityKind.CONTACT, EntityKind.COMPANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Kinds to `create`, in this order, or a note, or the reason for neither.

    New entities are linked to the known `contact` and `company` with this phone.
    """

    create: tuple[EntityKind, ...] = ()
    contact: Ref | None = None
    company: Ref | None = None
    note_on: Ref | None = None
    reason: Outcome | None = None

    @property
    def links(self) -> dict[EntityKind, Ref]:
        """The known entities to link."""
        known = {EntityKind.CONTACT: self.contact, EntityKind.COMPANY: self.company}
        return {kind: ref for kind, ref in known.items() if ref is not None}


def plan(call: CallEvent, rules: Rules, contacts: Sequence[Found], deals: Sequence[Found]) -> Plan:
    """Make the plan.

    `contacts` are the contacts and companies with this phone, `deals` their deals and open leads.
    """
    if call.caller in rules.ignored:
        return Plan(reason=Outcome.of(CrmCode.CALLER_IGNORED))
    if call.answered and not call.lost and call.talk_seconds < rules.shortest_talk:
        return Plan(reason=Outcome.of(CrmCode.CALL_TOO_SHORT, seconds=round(call.talk_seconds)))
    contact, company = (oldest(contacts, kind) for kind in _OWNERS)
    deal = _newest_open(deals)
    if not call.answered and rules.missed is not Missed.CREATE:
        on = deal or contact or company
        if rules.missed is Missed.NOTE and on is not None:
            return Plan(note_on=on.ref, contact=_ref(contact))
        return Plan(reason=Outcome.of(CrmCode.MISSED_CALL_SKIPPED))
    if deal is not None and rules.repeat is Repeat.NOTE:
        return Plan(note_on=deal.ref, contact=_ref(contact))
    wanted = SCENARIO_KINDS[rules.scenario]
    if contact is None and company is None:
        return Plan(create=wanted)
    return Plan(
        create=tuple(kind for kind in wanted if kind not in _OWNERS),
        contact=_ref(contact),
        company=_ref(company),
    )


def _ref(entity: Found | None) -> Ref | None:
    if entity is None:
        return None
    return entity.ref


def responsible_for(call: CallEvent, rules: Rules) -> str | None:
    """The CRM's user whose phone answered, else the one for the destination."""
    names = (call.answered_by or "", call.destination_id or "")
    return next((rules.responsible[name] for name in names if name in rules.responsible), None)


def oldest(found: Sequence[Found], kind: EntityKind) -> Found | None:
    """The oldest of several contacts or companies with one phone: the others are duplicates."""
    some = [entity for entity in found if entity.ref.kind is kind]
    return min(
        some,
        key=lambda entity: (entity.created_at is None, entity.created_at, entity.ref.id),
        default=None,
    )


def _newest_open(deals: Sequence[Found]) -> Found | None:
    still = [deal for deal in deals if deal.open]
    return max(
        still,
        key=lambda deal: (deal.created_at is not None, deal.created_at, deal.ref.id),
        default=None,
    )
