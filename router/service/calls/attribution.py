"""Attributes calls with the evidence in the store.

A call is attributed when it arrives, again when evidence comes later (a promo code, a form), and
again in a replay. Evidence later than the call does not count, except codes and forms.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from router.domain.attribution.inference import attribute
from router.domain.attribution.model import USUAL, Model
from router.domain.attribution.terms import (
    LOOK_BACK,
    CallContext,
    CandidateFacts,
    Verdict,
)
from router.domain.calls.call import Call
from router.domain.phone import caller_operator, caller_place
from router.domain.visitors.site import NumberKind, Site, TrackingNumber
from router.domain.visitors.visit import Visit
from router.service.calls.attributed import with_attribution
from router.service.calls.known_calls import as_earlier, as_named, caller_of, earlier_of
from router.service.calls.ports import EarlierCall
from router.service.ports import Session

# holders that are weighed one by one; earlier ones are counted: see decision 0010
MOST_HOLDERS = 8
UNATTRIBUTED = {Verdict.UNKNOWN, Verdict.REPEAT}
_Phone = tuple[str | None, str]  # site and caller


@dataclass(slots=True)
class Attributor:
    """Attributes calls in one transaction, oldest first: each result is evidence for later calls.
    Models and numbers are read once.
    """

    session: Session
    certainty: float | None = None  # None: each site's own
    # results of these calls that are not stored yet
    _attributed: set[str] = field(default_factory=set)
    _by_phone: defaultdict[_Phone, list[Call]] = field(default_factory=lambda: defaultdict(list))
    _by_visitor: defaultdict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    _strangers: set[str] = field(default_factory=set)  # phones that are not in the store
    _numbers: dict[str, TrackingNumber | None] = field(default_factory=dict)
    _models: dict[str, Model] = field(default_factory=dict)
    _unattributed_means: dict[str, float] = field(default_factory=dict)

    async def expect(self, calls: Collection[Call]) -> None:
        """Load the data for many calls at once."""
        numbers = {call.number for call in calls if call.number} - self._numbers.keys()
        found = await self.session.get_many(TrackingNumber, numbers)
        self._numbers |= {e164: found.get(e164) for e164 in numbers}
        phones = {call.caller for call in calls if call.caller}
        self._strangers |= phones - await self.session.earlier_calls.known_phones(phones)

    async def attribute(
        self, call: Call, site: Site | None, *, forms_until: datetime | None = None
    ) -> Call:
        """The call with its verdict; its number, site and caller must be set."""
        call = _with_place(call)
        context = await self.context(call, site, forms_until=forms_until)
        certainty = self._certainty_for(site)
        attributed = with_attribution(call, attribute(context, await self._model(site), certainty))
        self._attributed.add(attributed.id)
        if attributed.caller:
            self._by_phone[attributed.site_id, attributed.caller].append(attributed)
            if attributed.visitor_id:
                self._by_visitor[attributed.visitor_id].append(attributed)
        return attributed

    def _certainty_for(self, site: Site | None) -> float:
        if self.certainty is not None:
            return self.certainty
        if site is None:
            return 0.5
        return site.certainty

    async def context(
        self, call: Call, site: Site | None, *, forms_until: datetime | None = None
    ) -> CallContext:
        """The context of the call."""
        at, e164 = call.arrived_at, call.number
        number = await self._number(e164)
        holders = await self._holders(e164, at)
        calls = await self._calls_of_phone(call, site)
        others = await self._known_otherwise(call, site, calls)
        if forms_until is not None and site is not None:
            others += await self._later_forms(call, site, number, holders, forms_until)
        identified = await self._identified(call, site, holders)
        return CallContext(
            number=number,
            at=at,
            caller=call.caller,
            caller_region=call.caller_region,
            candidates=_joined(identified, others),
            rest=await self._rest(e164, at, holders),
            earlier=tuple(earlier_of(known) for known in calls),
            unattributed_calls=await self._mean_unattributed(site),
        )

    async def _holders(self, e164: str | None, at: datetime) -> list[CandidateFacts]:
        if e164 is None:
            return []
        return await self.session.evidence.holders(e164, at, MOST_HOLDERS)

    async def _identified(
        self, call: Call, site: Site | None, holders: list[CandidateFacts]
    ) -> list[CandidateFacts]:
        """The holders with their behaviour on the site and the probability that they already
        called.
        """
        if not holders or call.number is None:
            return []
        at = call.arrived_at
        contacts = None
        if site and site.contacts:
            contacts = await self.session.evidence.contacts_seen(
                {holder.visit_id for holder in holders}, site.contacts, at
            )
        called = await self._already_called(call, holders)
        identified = []
        for holder in holders:
            if contacts is not None:
                holder = replace(holder, contacts=holder.visit_id in contacts)
            if holder.visitor_id in called:
                holder = replace(holder, called=called[holder.visitor_id])
            identified.append(holder)
        return identified

    async def _already_called(
        self, call: Call, holders: Sequence[CandidateFacts]
    ) -> dict[str, float]:
        """The probability that each holder already called from another phone."""
        at, last = call.arrived_at, holders[-1].lease
        if call.number is None or last is None:
            return {}
        kept = await self.session.earlier_calls.by_holders(
            call.number, last.started_at, at - LOOK_BACK, at
        )
        known = [earlier for earlier in kept if earlier.call_id not in self._attributed]
        for visitor_id in {holder.visitor_id for holder in holders} & self._by_visitor.keys():
            for own in self._by_visitor[visitor_id]:
                if at - LOOK_BACK < own.arrived_at < at:
                    known.append(as_named(own))

        found: dict[str, float] = {}
        for earlier in known:
            if earlier.caller and earlier.caller != call.caller:
                found[earlier.visitor_id] = 1 - (1 - found.get(earlier.visitor_id, 0.0)) * (
                    1 - earlier.probability
                )
        return found

    async def _calls_of_phone(self, call: Call, site: Site | None) -> list[EarlierCall]:
        """Earlier calls of this phone to the site with their attribution, newest first."""
        if site is None or call.caller is None:
            return []
        kept: list[EarlierCall] = []
        if call.caller not in self._strangers:
            kept = await self.session.earlier_calls.by_phone(site.id, call.caller, call.arrived_at)
        known = [earlier for earlier in kept if earlier.call_id not in self._attributed]
        fresh = self._by_phone.get((call.site_id, call.caller), ())
        known += [as_earlier(other) for other in fresh if other.arrived_at < call.arrived_at]
        return sorted(known, key=lambda earlier: earlier.at, reverse=True)

    async def _known_otherwise(
        self, call: Call, site: Site | None, calls: Sequence[EarlierCall]
    ) -> list[CandidateFacts]:
        """Visitors known by the code, by a form with this phone, or by an earlier call."""
        if site is None:
            return []
        found: list[CandidateFacts] = []
        if call.code and (said := await self.session.evidence.visit_by_code(site.id, call.code)):
            found.append(said)
        if call.caller and call.caller not in self._strangers:
            found += await self.session.evidence.visits_by_form(
                site.id, call.caller, call.arrived_at, call.arrived_at
            )
        if calls:
            candidates = calls[0].candidates
            visits = await self.session.get_many(
                Visit, {candidate.visit_id for candidate in candidates}
            )
            for candidate in candidates:
                if candidate.visit_id in visits:
                    found.append(caller_of(candidate, visits[candidate.visit_id]))
        return found

    async def _later_forms(
        self,
        call: Call,
        site: Site,
        number: TrackingNumber | None,
        holders: Sequence[CandidateFacts],
        until: datetime,
    ) -> list[CandidateFacts]:
        """Visitors who entered this phone after the call; for a leased number only its holders,
        because employees type in callers' orders.
        """
        if call.caller is None or call.caller in self._strangers:
            return []
        found = await self.session.evidence.visits_by_form(
            site.id, call.caller, call.arrived_at, until
        )
        if number is None or number.kind is NumberKind.STATIC:
            return found
        held = {holder.visitor_id for holder in holders}
        return [facts for facts in found if facts.visitor_id in held]

    async def _rest(
        self, e164: str | None, at: datetime, holders: Sequence[CandidateFacts]
    ) -> tuple[int, ...]:
        """How many earlier holders the number had, beyond those that are weighed."""
        last = None
        if len(holders) == MOST_HOLDERS:
            last = holders[-1].lease

        if e164 is None or last is None:
            return ()
        return await self.session.evidence.leases_before(e164, at, last.started_at)

    async def _number(self, e164: str | None) -> TrackingNumber | None:
        if e164 is None:
            return None
        if e164 not in self._numbers:
            self._numbers[e164] = await self.session.peek(TrackingNumber, e164)
        return self._numbers[e164]

    async def _model(self, site: Site | None) -> Model:
        if site is None:
            return USUAL
        if site.id not in self._models:
            learned, _ = await self.session.training.model(site.id) or (USUAL, None)
            self._models[site.id] = learned
        return self._models[site.id]

    async def _mean_unattributed(self, site: Site | None) -> float | None:
        if site is None:
            return None
        if site.id not in self._unattributed_means:
            self._unattributed_means[site.id] = await self.session.training.mean_unattributed(
                site.id
            )
        return self._unattributed_means[site.id]


def _with_place(call: Call) -> Call:
    if call.caller is None or call.caller_region or call.caller_operator:
        return call
    return replace(
        call, caller_region=caller_place(call.caller), caller_operator=caller_operator(call.caller)
    )


def _joined(
    holders: Sequence[CandidateFacts], others: Collection[CandidateFacts]
) -> tuple[CandidateFacts, ...]:
    """All candidates, with evidence of forms and codes joined to their leases."""
    forms = {facts.visitor_id for facts in others if facts.form}
    codes = {facts.visit_id for facts in others if facts.code}
    if not forms and not codes:
        return (*holders, *others)
    marked = []
    for holder in holders:
        marked.append(
            replace(holder, form=holder.visitor_id in forms, code=holder.visit_id in codes)
        )

    leased = {facts.visit_id for facts in marked if facts.code}
    return (*marked, *(facts for facts in others if not (facts.code and facts.visit_id in leased)))
