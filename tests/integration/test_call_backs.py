"""Calls back in the store: asked for, limited, begun once, and followed into tasks of missed
callers.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from router.domain.access import Person, Role, Scope
from router.domain.calls.call import Call, Direction, Ending
from router.domain.calls.call_back import CallBack, CallBackResult, CallBackRules, CallBackState
from router.domain.calls.call_filter import Among, CallFilter
from router.domain.calls.missed import MissedState
from router.domain.calls.routing import RoutingTable
from router.errors import NotFound
from router.service.calls import call_backs
from router.service.calls.call_backs import CallBackRefused, Refusal, ask, begin
from router.service.calls.outgoing import identify_outgoing
from router.store.engine import SqlStore
from tests.integration.missed_world import answered, only, unanswered, write
from tests.support.builders import later

pytestmark = pytest.mark.asyncio(loop_scope="function")
RULES = CallBackRules(per_minute=2)
ANNA = Person(
    login="anna",
    password_hash="",
    role=Role.SUPERVISOR,
    created_at=later(0),
    phone="PJSIP/anna",
    scopes=(Scope.CALLS_CALL,),
)
BORIS = replace(ANNA, login="boris", phone="PJSIP/boris")
OTHER = {"caller": "+79160000002", "caller_raw": "79160000002"}


async def asked(
    store: SqlStore, name: str = "1", person: Person = ANNA, at: float = 60
) -> CallBack:
    return await ask(store, RULES, person, f"pbx-1768912345.{name}", later(at))


async def refusal(store: SqlStore, name: str, person: Person = ANNA, at: float = 60) -> Refusal:
    with pytest.raises(CallBackRefused) as refused:
        await asked(store, name, person, at)
    return refused.value.refusal


async def finish(store: SqlStore, back: CallBack) -> None:
    async with store.write() as session:
        ended = replace(back, state=CallBackState.ENDED, result=CallBackResult.BUSY)
        await session.change(ended)


def outgoing(name: str, seconds: float, **more: Any) -> Call:
    values: dict[str, Any] = {
        "direction": Direction.OUTGOING,
        "started_by": "anna",
        "verdict": None,
        **more,
    }
    return answered(name, seconds, **values)


async def test_who_may_not_or_has_no_phone_is_refused(store: SqlStore) -> None:
    await write(
        store,
        unanswered("1"),
        unanswered("2", caller=None, caller_raw="anonymous"),
        unanswered("3", caller="+882161234567"),
        unanswered("4", trunk="not, a trunk"),
    )
    assert await refusal(store, "1", replace(ANNA, scopes=())) is Refusal.RIGHT
    administrator = replace(ANNA, role=Role.ADMINISTRATOR, scopes=(Scope.CALLS_LISTEN,))
    assert await refusal(store, "1", administrator) is Refusal.RIGHT
    assert await refusal(store, "1", replace(ANNA, phone="")) is Refusal.PHONE
    assert await refusal(store, "2") is Refusal.WITHHELD
    assert await refusal(store, "3") is Refusal.NUMBER
    assert await refusal(store, "4") is Refusal.NUMBER
    with pytest.raises(NotFound):
        await asked(store, "9")


async def test_one_at_a_time_and_so_many_a_minute(store: SqlStore) -> None:
    await write(store, unanswered("1"), unanswered("2", 1, **OTHER))
    first = await asked(store, "1")
    assert await refusal(store, "2") is Refusal.BUSY
    assert await refusal(store, "1", BORIS) is Refusal.OTHER
    await finish(store, first)
    await finish(store, await asked(store, "2", at=70))
    assert await refusal(store, "1", at=80) is Refusal.OFTEN
    await asked(store, "1", BORIS, at=80)
    assert (await asked(store, "2", at=131)).by == "anna"


async def test_a_call_back_is_begun_once_with_the_number_of_its_call(store: SqlStore) -> None:
    await write(store, unanswered("1"))
    async with store.write() as session:
        await session.add(ANNA)
    back = await asked(store)
    order = await begin(store, RULES, back, later(61))
    assert order is not None
    assert (order.phone, order.line) == ("PJSIP/anna", "PJSIP/+79161234567@carrier")
    assert (order.number, order.caller_id) == ("+79161234567", "+74951234560")
    assert await begin(store, RULES, back, later(61)) is None
    (seen,) = await call_backs.recent(store, later(62))
    assert seen.state is CallBackState.RINGING


async def test_pages_that_show_it_see_each_step(store: SqlStore) -> None:
    await write(store, unanswered("1"))
    async with store.write() as session:
        await session.add(ANNA)

    async def revisions() -> tuple[int, int, int]:
        async with store.read() as session:
            call = await session.get(Call, "pbx-1768912345.1")
            return call.revision, await session.calls.revision(), await session.missed.revision()

    seen = [await revisions()]
    back = await asked(store)
    seen.append(await revisions())
    await begin(store, RULES, back, later(61))
    seen.append(await revisions())
    await call_backs.fail(store, back.id)
    seen.append(await revisions())
    for before, after in pairwise(seen):
        assert all(new > old for old, new in zip(before, after, strict=True))


async def test_a_right_that_was_taken_back_or_a_late_start_calls_no_one(store: SqlStore) -> None:
    await write(store, unanswered("1"))
    async with store.write() as session:
        await session.add(replace(ANNA, scopes=()))
    assert await begin(store, RULES, await asked(store), later(61)) is None
    (seen,) = await call_backs.recent(store, later(62))
    assert seen.result is CallBackResult.NOT_ALLOWED
    late = await asked(store, at=70)
    (shown, *_) = await call_backs.recent(store, later(105))
    assert shown.result is CallBackResult.NOT_STARTED, "nothing has begun it"
    assert await begin(store, RULES, late, later(105)) is None


async def test_an_answered_call_back_closes_the_task_and_others_count_as_tries(
    store: SqlStore,
) -> None:
    await write(store, unanswered("1"))
    busy = {"answered_at": None, "answered_by": None, "talk_seconds": 0.0}
    await write(store, outgoing("2", 60, ending=Ending.BUSY, **busy))
    await write(store, outgoing("2", 60, ending=Ending.BUSY, **busy))  # rows are read again
    await write(store, outgoing("3", 70, ending=Ending.UNREACHABLE, **busy))
    task = await only(store)
    assert (task.tries, task.closed_at) == (1, None)
    await write(store, outgoing("4", 300))
    task = await only(store)
    assert (task.closed_as, task.closed_by) == (MissedState.CALLED_BACK_SOON, "anna")
    assert task.contact_call_id == "pbx-1768912345.4"


async def test_a_call_back_is_no_missed_call_and_not_in_the_sums(store: SqlStore) -> None:
    nobody = {"answered_at": None, "answered_by": None, "talk_seconds": 0.0}
    await write(store, outgoing("2", 60, ending=Ending.NO_ANSWER, **nobody), unanswered("1"))
    task = await only(store)
    assert task.id == "pbx-1768912345.1"
    async with store.read() as session:
        sums = await session.missed.day(later(-10), later(3600))
        hours = await session.missed.hours(None, later(-10), later(3600))
        made = await session.calls.find(CallFilter(direction="outgoing"))
        came = await session.calls.find(CallFilter(direction=Among(("outgoing",), True)))
    assert (sums.calls, sums.missed) == (1, 1)
    assert sum(hour.calls for hour in hours) == 1
    assert [call.id for call in made] == ["pbx-1768912345.2"]
    assert [call.id for call in came] == ["pbx-1768912345.1"]


async def test_the_call_that_is_made_knows_its_customer_and_its_cause(store: SqlStore) -> None:
    await write(store, unanswered("1"))
    back = await asked(store)
    made = outgoing("2", 70, call_back_id=back.id, caller=None, caller_raw="", site_id=None)
    table = RoutingTable((), (), (), ())
    async with store.read() as session:
        call = await identify_outgoing(session, made, table, "RU")
        stranger = await identify_outgoing(
            session, replace(made, call_back_id="0" * 32, caller_raw="+79160000009"), table, "RU"
        )
    assert (call.caller, call.site_id) == ("+79161234567", "shop")
    assert (call.answers_call_id, call.started_by) == ("pbx-1768912345.1", "anna")
    assert (stranger.caller, stranger.answers_call_id) == ("+79160000009", None)


async def test_a_call_back_is_erased_with_its_call_and_may_fail_then(store: SqlStore) -> None:
    await write(store, unanswered("1"))
    back = await asked(store)
    async with store.write() as session:
        await session.remove(Call, back.call_id)
    await call_backs.fail(store, back.id)
    with pytest.raises(NotFound):
        await call_backs.show(store, back.id, later(61))
