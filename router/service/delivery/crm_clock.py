"""Matches by the clock of the CRM, where that clock is wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.crm_match import Window
from router.domain.delivery.entity import Found
from router.service.delivery.crm_ports import HasClock
from router.service.delivery.ports import Crm

JITTER = timedelta(seconds=30)  # servers give their time in whole seconds, and answers take time


async def appeared(crm: Crm, call: CallEvent, within: Window) -> Sequence[Found]:
    """The entities that appeared in the window, dated by our clock.

    The difference of the clocks is known after an answer: where the first one shows another
    difference, the question is repeated.
    """
    ahead = _ahead(crm)
    found = await _by_its_clock(crm, call, within, ahead)
    if abs(_ahead(crm) - ahead) > JITTER:
        ahead = _ahead(crm)
        found = await _by_its_clock(crm, call, within, ahead)

    if not ahead:
        return found
    return [_by_ours(entity, ahead) for entity in found]


async def _by_its_clock(
    crm: Crm, call: CallEvent, within: Window, ahead: timedelta
) -> Sequence[Found]:
    arrived, ended = call.arrived_at + ahead, call.ended_at + ahead
    call = replace(call, arrived_at=arrived, ended_at=ended)
    return await crm.appeared(call, within.since + ahead, within.until + ahead)


def _by_ours(entity: Found, ahead: timedelta) -> Found:
    if entity.created_at is None:
        return entity
    return replace(entity, created_at=entity.created_at - ahead)


def _ahead(crm: Crm) -> timedelta:
    if isinstance(crm, HasClock):
        return crm.clock_ahead()
    return timedelta()
