"""A promo code that is heard in a call is offered, and is proof once a person confirms it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.domain.attribution.terms import Evidence
from router.domain.calls.call import Call
from router.domain.calls.heard_codes import possible_codes
from router.domain.calls.transcript import Side, Spoken, TranscriptState, in_order
from router.domain.visitors.visit import Visit, Visitor
from tests.support.speech_world import a_rule, asked
from tests.support.web_calls import furnish
from tests.support.web_world import World, a_world


def said(*texts: str, side: Side = Side.CALLER) -> tuple[Spoken, ...]:
    return tuple(
        Spoken(side=side, at=place, until=place + 1, text=text) for place, text in enumerate(texts)
    )


@pytest.mark.parametrize(
    ("texts", "codes"),
    [
        (["My code is 4K7M2X."], ["4K7M2X"]),
        (["my code is 4 k 7 m 2 x thanks"], ["4K7M2X"]),
        (["4-K-7, M-2-X"], ["4K7M2X"]),
        (["код четыре К семь М два Х, верно?"], ["4K7M2X"]),
        (["4K7", "M2X"], ["4K7M2X"]),  # with a pause
        (["4K7M2XX", "no code here", "teacher"], []),
        ([], []),
    ],
)
def test_a_code_is_read_as_people_say_it(texts: list[str], codes: list[str]) -> None:
    assert list(possible_codes(in_order("c1", said(*texts)))) == codes


def test_two_sides_do_not_make_one_code() -> None:
    both = (*said("4K7"), *said("M2X", side=Side.COMPANY))
    assert possible_codes(in_order("c1", both)) == ()


def test_hours_of_codes_are_bounded() -> None:
    assert len(possible_codes(in_order("c1", said("4K7M2X 9PTXYA " * 3, "23 45 67 " * 2000)))) <= 20


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def test_a_heard_code_is_offered_and_proves_the_visit_when_confirmed(world: World) -> None:
    call: Call = (await furnish(world))["attributed"]
    async with world.store.write() as session:
        at = call.arrived_at
        await session.add(Visitor(id="vera", site_id="shop", created_at=at))
        await session.add(
            Visit(id="vera-1", visitor_id="vera", started_at=at, source="radio", code="4K7M2X")
        )
        await session.add(a_rule())
        await session.transcripts.save(asked(call.id, state=TranscriptState.DONE))
        lines = in_order(call.id, said("my code is 4K7M2X", "not 9PTXYA"))
        await session.transcripts.save_segments(call.id, lines)

    anna, path = await world.person("anna"), f"/calls/{call.id}"
    page = (await anna.get(path)).text
    assert "Heard: 4K7M2X?" in page
    assert "Heard: 9PTXYA" not in page  # no page showed it
    assert (await anna.post(f"{path}/code", data={"code": "4K7M2X"})).status_code == 303
    assert "Heard:" not in (await anna.get(path)).text
    async with world.store.read() as session:
        proven = await session.get(Call, call.id)
    assert (proven.code, proven.visit_id) == ("4K7M2X", "vera-1")
    assert Evidence.CODE in proven.candidates[0].evidence
