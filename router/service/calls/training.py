"""Trains each site's model on its calls, periodically and on request."""

import asyncio
from datetime import datetime, timedelta

import structlog

from router.domain.attribution.model import UNATTRIBUTED_DAYS, USUAL, Model
from router.domain.attribution.population import crowds
from router.domain.attribution.terms import LOOK_BACK, CallContext
from router.domain.attribution.training import Case, train_model
from router.domain.calls.call import Call, State
from router.domain.calls.call_filter import CallFilter
from router.domain.visitors.site import NumberKind, Site, TrackingNumber
from router.errors import DatabaseUnavailable
from router.service.calls.attribution import Attributor
from router.service.calls.replay import all_calls
from router.service.clock import Clock
from router.service.ports import Session, Store

log = structlog.get_logger()

MOST_CALLS = 3000  # only the newest calls are used
TRAINED_BY = timedelta(days=UNATTRIBUTED_DAYS)
RETRAIN_AFTER = timedelta(days=1)
RETRAIN_CALLS = 200
LOOK = 600.0  # seconds between checks for sites to train


async def train_site(store: Store, site_id: str, now: datetime) -> Model:
    """Train a site's model and store it. Raises `NotFound`. Takes seconds, so not for a request."""
    async with store.read() as session:
        site = await session.get(Site, site_id)
        numbers = []
        for number in await session.find(TrackingNumber, site_id=site_id):
            if number.kind is NumberKind.DYNAMIC:
                numbers.append(number)

        wanted = CallFilter(site_id=site_id, since=now - TRAINED_BY, state=State.ENDED)
        calls = await all_calls(session, wanted, MOST_CALLS)
        cases = await _cases(session, site, calls, len(numbers))
        known = await session.training.model(site_id)
    phones = len({call.caller for call in calls if call.caller})
    start = USUAL
    if known:
        start = known[0]

    model = await asyncio.to_thread(train_model, cases, phones=phones, start=start)
    async with store.write() as session:
        await session.training.save_model(site_id, model, now)
        await session.training.recount_unattributed(site_id, now - TRAINED_BY)
    log.info("model_trained", site=site_id, calls=model.calls)
    return model


async def _cases(session: Session, site: Site, calls: list[Call], numbers: int) -> list[Case]:
    if not calls:
        return []
    since, until = calls[0].arrived_at - LOOK_BACK, calls[-1].arrived_at
    spans = await session.training.lease_spans(site.id, since, until)
    phones = [(call.arrived_at, call.caller) for call in calls if call.caller]
    beside = await asyncio.to_thread(
        crowds, [call.arrived_at for call in calls], spans, phones, numbers
    )
    attributor = Attributor(session)
    cases = []
    for call, crowd in zip(calls, beside, strict=True):
        context = await attributor.context(call, site)
        cases.append(Case(context=context, crowd=crowd, visitor_id=_certain_visitor(context)))
    return cases


def _certain_visitor(context: CallContext) -> str | None:
    """Who surely called: by a code, otherwise by a form sent beside a number, which is more than
    an unverified form.
    """
    for candidate in context.candidates:
        if candidate.code:
            return candidate.visitor_id
    for candidate in context.candidates:
        if candidate.form and candidate.lease:
            return candidate.visitor_id
    return None


class Trainer:
    """Trains due sites periodically; `run` never returns."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def run(self) -> None:
        """Train until cancelled; wait while the database does not answer."""
        while True:
            try:
                for site_id in await self.due():
                    await train_site(self._store, site_id, self._clock())
            except DatabaseUnavailable as error:
                log.warning("training_put_off", reason=error.message)
            await asyncio.sleep(LOOK)

    async def due(self) -> list[str]:
        """Sites with calls that their model has not seen: many of them, or any after a day."""
        now, found = self._clock(), []
        async with self._store.read() as session:
            for site in await session.find(Site):
                learned = await session.training.model(site.id)
                since = now - TRAINED_BY
                if learned:
                    since = learned[1]

                new = await session.training.count_calls(site.id, since)
                if new >= RETRAIN_CALLS or (new and learned and now - since >= RETRAIN_AFTER):
                    found.append(site.id)
        return found
