"""Our process is killed at every step of every scenario and starts again: Tryton holds each thing
once, none twice.

Tests of a real Tryton. The process dies after one of its requests, when Tryton has done what was
asked and we have not yet heard of it; then the same delivery is made by a new process that knows
nothing. This is done for the first request, the second, and so on until the delivery ends before
the process does. One scenario dies after every request; the others only after those that change
something, since a process that has merely asked leaves Tryton as it was.
"""

from collections.abc import Awaitable, Callable

import pytest

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Rules, Scenario
from router.receivers.http import HttpClient
from router.service.delivery.crm_update import Annotated
from tests.integration.tryton_world import Killed, World
from tests.support.crm_calls import CLIENT_ID
from tests.support.tryton_template import FIELD

pytest_plugins = ["tests.integration.tryton_world"]


@pytest.fixture
def world(tryton_world: World) -> World:
    return tryton_world


Deliver = Callable[[CallEvent, HttpClient | None], Awaitable[Annotated]]
CHANGING = ("POST", "PUT")
EVERY = ("GET", *CHANGING)


async def killed_after(
    world: World, step: int, call: CallEvent, deliver: Deliver, methods: tuple[str, ...]
) -> bool:
    """Deliver, killed after request `step` of these methods, and deliver again; False when there
    was no such step.
    """
    try:
        await deliver(call, world.mortal(step, methods))
    except Killed:
        await deliver(call, None)
        return True
    return False


def deliver_to(world: World, scenario: Scenario = Scenario.CONTACT_DEAL) -> Deliver:
    return lambda call, http: world.tell(call, Rules(scenario=scenario), http)


@pytest.mark.parametrize(
    ("scenario", "methods", "steps", "held"),
    [
        (Scenario.LEAD, CHANGING, 1, (0, 1, 0)),
        (Scenario.DEAL, CHANGING, 1, (0, 1, 0)),
        (Scenario.CONTACT_DEAL, EVERY, 8, (1, 1, 0)),
        (Scenario.COMPANY_CONTACT_DEAL, CHANGING, 3, (2, 1, 0)),
    ],
)
async def test_a_new_caller_is_entered_once_whenever_we_were_killed(
    world: World,
    scenario: Scenario,
    methods: tuple[str, ...],
    steps: int,
    held: tuple[int, int, int],
) -> None:
    step = 1
    while await killed_after(world, step, world.call(), deliver_to(world, scenario), methods):
        assert world.held == held, f"killed after request {step}"
        assert {row[FIELD] for row in world.parties + world.opportunities} == {CLIENT_ID}
        world.new_caller()
        world.forget()
        step += 1
    assert step > steps  # it was killed at least so many times


async def test_a_repeat_call_is_one_note_when_we_were_killed_after_writing_it(world: World) -> None:
    await world.tell(world.call())

    assert await killed_after(world, 1, world.call(), deliver_to(world), CHANGING)

    assert world.held == (1, 1, 1)


async def test_the_telephony_s_deal_has_the_client_id_when_we_were_killed_after_writing_it(
    world: World,
) -> None:
    deal = world.telephony.opportunity(world.telephony.party("Caller", world.caller))

    async def deliver(call: CallEvent, http: HttpClient | None) -> Annotated:
        return await world.look(call, 11.0, http=http)

    assert await killed_after(world, 1, world.call(), deliver, CHANGING)

    assert world.telephony.client_id(deal) == CLIENT_ID
    assert world.held == (1, 1, 0)


@pytest.mark.parametrize("step", [1, 2])
async def test_the_caller_s_next_call_finds_what_a_killed_process_left(
    world: World, step: int
) -> None:
    assert await killed_after(world, step, world.call(), deliver_to(world), CHANGING)

    await world.tell(world.call())

    assert world.held == (1, 1, 1)
