"""The page of a receiver: its health by outcomes, each cause once, and the texts of a call."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call, State
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import DeliveryState
from router.domain.delivery.entity import EntityKind, Ref
from router.domain.delivery.outcome import Outcome
from router.domain.language import Language
from router.domain.visitors.site import Site
from router.service.delivery.causes import causes_of, find_causes
from tests.integration.deliveries_world import kept, page, write
from tests.support.builders import NOON
from tests.support.web_deliveries import a_delivery
from tests.support.web_world import World

pytest_plugins = ["tests.integration.deliveries_world"]
FAILED = {"state": DeliveryState.FAILED, "done_at": None, "receipt": None, "receiver_id": "amo"}


def gone(number: int) -> Outcome:
    entity = Ref(kind=EntityKind.DEAL, id=str(number))
    return Outcome.of(CrmCode.ENTITY_GONE, entity=entity)


async def test_the_page_says_how_a_crm_is_and_what_is_written_there(
    deliveries_world: World, told_calls: dict[str, Call]
) -> None:
    call = told_calls["attributed"]
    refused = Outcome.of(AnswerCode.REFUSED, status=400, detail="field X refuses <google>")
    for number in range(3):
        failed = a_delivery(call, f"r{number}", key=f"r{number}", last_error=refused, **FAILED)
        await write(deliveries_world, failed)
    html = await page(deliveries_world, path="/receivers/amo")
    assert "Paused until" in html
    assert "&lt;b&gt;Slow&lt;/b&gt;" in html
    assert html.count("400 field X refuses &lt;google&gt;") == 1
    assert "3 deliveries" in html
    assert "Title of a deal or lead" in html
    assert "Google client ID: " in html


async def test_the_page_speaks_russian_and_its_texts_the_language_of_the_site(
    deliveries_world: World, told_calls: dict[str, Call]
) -> None:
    html = await page(deliveries_world, path="/receivers/amo", language="ru")
    assert "Название сделки или лида" in html
    assert "Google client ID: " in html
    assert "Source: " in html
    async with deliveries_world.store.write() as session:
        for site in await session.find(Site):
            await session.change(replace(site, language=Language.RUSSIAN))
    html = await page(deliveries_world, path="/receivers/amo", language="en")
    assert "Title of a deal or lead" in html
    assert "Источник: " in html


async def test_a_webhook_has_a_page(deliveries_world: World) -> None:
    assert "crm.example" in await page(deliveries_world, path="/receivers/crm")


async def test_a_receiver_is_linked_from_the_list_and_a_removed_one_is_not(
    deliveries_world: World, told_calls: dict[str, Call]
) -> None:
    html = await page(deliveries_world)
    assert 'href="/receivers/amo"' in html
    assert 'href="/receivers/gone"' not in html
    client = await deliveries_world.person("anna")
    assert (await client.get("/receivers/gone")).status_code == 404
    assert (await deliveries_world.browser().get("/receivers/amo")).status_code in {303, 401}


async def refusals(world: World, call: Call) -> str:
    """Three deliveries that were refused, the last of them being sent again, and one with another
    cause; the key of the first.
    """
    refused = Outcome.of(AnswerCode.REFUSED, status=400, detail="field X refuses <google>")
    other = Outcome.of(AnswerCode.REFUSED, status=400, detail="no")
    for name in ("r0", "r1"):
        await write(world, a_delivery(call, name, key=name, last_error=refused, **FAILED))
    sent = {**FAILED, "state": DeliveryState.PENDING, "claimed_until": NOON + timedelta(days=9999)}
    await write(world, a_delivery(call, "r2", key="r2", last_error=refused, **sent))
    await write(world, a_delivery(call, "r3", key="r3", last_error=other, **FAILED))
    causes = await find_causes(world.store, "amo")
    return next(cause.key for cause in causes if cause.outcome == refused)


@pytest.mark.parametrize(
    ("action", "said", "state"),
    [
        ("resend", "2 deliveries are sent again.", DeliveryState.PENDING),
        ("dismiss", "2 deliveries were dismissed.", DeliveryState.DISMISSED),
    ],
)
async def test_an_administrator_acts_on_all_deliveries_of_a_cause_and_sees_how_many(
    deliveries_world: World,
    told_calls: dict[str, Call],
    action: str,
    said: str,
    state: DeliveryState,
) -> None:
    cause = await refusals(deliveries_world, told_calls["attributed"])
    root = await deliveries_world.person("root")
    html = (await root.get("/receivers/amo")).text
    assert f"{action.capitalize()} these 3" in html
    assert f'action="/receivers/amo/{action}"' in html
    answer = await root.post(f"/receivers/amo/{action}", data={"cause": cause})
    assert answer.status_code == 303
    assert said in (await root.get(answer.headers["location"].partition("#")[0])).text
    states = [(await kept(deliveries_world, f"r{number}")).state for number in range(4)]
    assert states == [state, state, DeliveryState.PENDING, DeliveryState.FAILED]
    again = await root.post(f"/receivers/amo/{action}", data={"cause": cause})
    assert again.headers["location"].startswith("/receivers/amo?")


async def test_a_supervisor_sees_the_causes_and_has_no_buttons(
    deliveries_world: World, told_calls: dict[str, Call]
) -> None:
    cause = await refusals(deliveries_world, told_calls["attributed"])
    anna = await deliveries_world.person("anna")
    html = (await anna.get("/receivers/amo")).text
    assert "3 deliveries" in html
    assert "these 3" not in html
    refused = await anna.post("/receivers/amo/dismiss", data={"cause": cause})
    assert refused.status_code == 403
    assert (await kept(deliveries_world, "r0")).state is DeliveryState.FAILED


async def test_programs_list_causes_and_act_on_them(
    deliveries_world: World, told_calls: dict[str, Call]
) -> None:
    cause = await refusals(deliveries_world, told_calls["attributed"])
    reads = deliveries_world.program(Scope.CALLS_READ)
    writes = deliveries_world.program(Scope.CALLS_WRITE)
    listed = (await reads.get("/api/v1/receivers/amo/causes")).json()
    counts = {cause["key"]: cause["deliveries"] for cause in listed}
    assert counts[cause] == 3
    path = f"/api/v1/receivers/amo/causes/{cause}/resend"
    assert (await reads.post(path)).status_code == 403
    assert (await writes.post(path)).json() == {"deliveries": 2}


def test_outcomes_that_differ_by_the_record_alone_are_one_cause(
    told_call: Call,
) -> None:
    failed = [
        a_delivery(told_call, f"d{number}", key=f"d{number}", last_error=gone(number), **FAILED)
        for number in range(3)
    ]
    other = Outcome.of(AnswerCode.REFUSED, status=400, detail="no")
    failed.append(a_delivery(told_call, "d9", key="d9", last_error=other, **FAILED))
    causes = causes_of(failed)
    assert [(cause.outcome, cause.deliveries) for cause in causes] == [(gone(0), 3), (other, 1)]


@pytest.fixture
def told_call() -> Call:
    return Call(id="rt1-1.0", did="1", trunk="t", arrived_at=NOON, state=State.ENDED)
