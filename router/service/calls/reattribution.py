"""Attributes calls again after late evidence."""

from dataclasses import replace
from datetime import datetime, timedelta

from router.domain.attribution.terms import (
    LOOK_BACK,
)
from router.domain.calls.call import Call, State
from router.domain.calls.call_filter import CallFilter
from router.domain.delivery.delivery import DeliveryKind
from router.domain.visitors.promo_codes import LENGTH, read_code
from router.domain.visitors.site import Site
from router.domain.visitors.visit import Visit
from router.errors import InvalidInput
from router.service.calls.attribution import UNATTRIBUTED, Attributor
from router.service.delivery.outbox import enqueue_calls
from router.service.ports import Session, Store

_AT_ONCE = 200  # calls in one page


async def attribute_again(
    store: Store, call_id: str, code: str | None = None, *, now: datetime
) -> Call:
    """Attribute a call again with later evidence: a promo code (`code`), forms up to `now`.

    Raises `NotFound` for an unknown call, `InvalidInput` for a code that no page of its site showed
    before the call.
    """
    async with store.write() as session:
        await session.calls.lock()
        call = before = await session.get(Call, call_id)
        site = await session.peek(Site, call.site_id)
        if code is not None:
            call = replace(call, code=await checked_code(session, call, site, code))
        attributed = await Attributor(session).attribute(call, site, forms_until=now)
        if attributed != before:
            await session.calls.save([attributed])
            await _recount(session, attributed, before)
        if attributed.state is State.ENDED and attributed.visit_id != before.visit_id:
            await enqueue_calls(session, [attributed], DeliveryKind.CALL_ATTRIBUTED, now)
        return attributed


async def form_left(store: Store, site_id: str, phone: str, now: datetime) -> int:
    """A visitor entered a phone number: attribute its calls of the last month again."""
    wanted = CallFilter(site_id=site_id, caller=phone, since=now - LOOK_BACK)
    async with store.read() as session:
        calls = await session.calls.find(wanted, limit=_AT_ONCE)
    for call in reversed(calls):
        await attribute_again(store, call.id, now=now)
    return len(calls)


async def checked_code(session: Session, call: Call, site: Site | None, code: str) -> str:
    """The code as it was shown. Raises `InvalidInput` if no page showed it before the call."""
    if site is None:
        raise InvalidInput("This call belongs to no site, so it has no promo code.")
    said = read_code(code)
    if said is None:
        raise InvalidInput(
            f"'{code[:20]}' cannot be a code: it has {LENGTH} letters or digits, such as "
            "ACE234. Ask again."
        )
    found = await session.evidence.visit_by_code(site.id, said)
    visit = None
    if found:
        visit = await session.peek(Visit, found.visit_id)

    if visit is None or visit.started_at > call.arrived_at + timedelta(hours=1):
        raise InvalidInput(
            f"No visitor of '{site.id}' was shown the code '{said}' before this call: ask again."
        )
    return said


async def _recount(session: Session, after: Call, before: Call) -> None:
    if after.number and after.verdict in UNATTRIBUTED and before.verdict not in UNATTRIBUTED:
        await session.training.count_unattributed([after.number])
