"""Several who change one call at the same time: nothing that one of them learned is lost."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from router.domain.calls.call import Call, State
from router.domain.visitors.visit import Form
from router.service.calls import replay as replaying
from router.service.calls.attribution import Attributor
from router.service.calls.reattribution import attribute_again, form_left
from router.service.calls.replay import replay
from router.store.engine import SqlStore
from tests.integration.ingests import at, call_ingest
from tests.integration.test_attribution_of_calls import PHONE, a_call, keep, two_visitors
from tests.support.builders import NOON, Story, furnish, later, visit, visitor

CODE = "ACE234"


class Held:
    """Lets something happen in the middle of a function that is waited for."""

    def __init__(self, real: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        self._real, self.reached, self.go = real, asyncio.Event(), asyncio.Event()

    async def __call__(self, *args: Any, **more: Any) -> Any:
        found = await self._real(*args, **more)
        self.reached.set()
        await asyncio.wait_for(self.go.wait(), 180)
        return found


async def stands(store: SqlStore, call_id: str) -> Call:
    async with store.read() as session:
        return await session.get(Call, call_id)


async def test_a_code_typed_while_the_caller_hangs_up_is_kept_and_so_is_the_end(
    store: SqlStore, other_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(store, visitor(), visit(code=CODE))
    story = Story(at=later(100)).arrives().routed().dials().wait(5).answered()
    agent = await call_ingest(other_store)
    await agent.ingest(story.rows, at(1))
    known = len(story.rows)
    story.wait(60).leg_ends(16).over("ANSWER", ring=3)
    judging = Held(Attributor.attribute)

    async def attributor(self: Attributor, *args: Any, **more: Any) -> Any:
        return await judging(self, *args, **more)

    monkeypatch.setattr(Attributor, "attribute", attributor)
    typed = asyncio.create_task(attribute_again(store, story.linkedid, CODE, now=later(150)))
    await judging.reached.wait()
    ends = asyncio.create_task(agent.ingest(story.rows[known:], at(2)))
    await asyncio.wait({ends}, timeout=0.5)  # without waiting, it would be over by now
    judging.go.set()
    await asyncio.gather(typed, ends)
    call = await stands(store, story.linkedid)
    assert (call.state, call.code, call.visit_id) == (State.ENDED, CODE, "anna-1")
    assert call.ended_at is not None


async def test_replaying_knows_of_forms_that_came_after_the_call(store: SqlStore) -> None:
    await two_visitors(store)
    await keep(store, a_call(at=90_000))
    async with store.write() as session:
        await session.add(Form(id="f1", visit_id="anna-1", phone=PHONE, at=later(91_000)))
    await form_left(store, "shop", PHONE, later(91_000))
    assert (await stands(store, "call-1")).visitor_id == "anna"
    await replay(store, NOON, later(92_000), keep=True)
    assert (await stands(store, "call-1")).visitor_id == "anna"


async def test_a_code_typed_while_calls_are_replayed_is_kept(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_visitors(store)
    await keep(store, a_call(at=650))
    reading = Held(replaying.all_calls)
    monkeypatch.setattr(replaying, "all_calls", reading)
    replayed = asyncio.create_task(replay(store, NOON, later(3000), certainty=1.0, keep=True))
    await reading.reached.wait()
    async with store.write() as session:
        await session.change(
            replace(await session.get(Call, "call-1"), code="A7K2MP", visitor_id="boris")
        )
    reading.go.set()
    await replayed
    call = await stands(store, "call-1")
    assert (call.code, call.visitor_id) == ("A7K2MP", "boris")
