"""The page of a receiver: its health by outcomes, each cause once, and the texts of a call."""

from dataclasses import replace

import pytest

from router.domain.calls.call import Call, State
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import DeliveryState
from router.domain.delivery.entity import EntityKind, Ref
from router.domain.delivery.outcome import Outcome
from router.domain.language import Language
from router.domain.visitors.site import Site
from router.service.delivery.receiver_view import causes_of
from tests.integration.deliveries_world import page, write
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


async def test_a_receiver_is_linked_from_the_list_and_a_removed_one_is_not(
    deliveries_world: World, told_calls: dict[str, Call]
) -> None:
    html = await page(deliveries_world)
    assert 'href="/receivers/amo"' in html
    assert 'href="/receivers/gone"' not in html
    client = await deliveries_world.person("anna")
    assert (await client.get("/receivers/gone")).status_code == 404
    assert (await deliveries_world.browser().get("/receivers/amo")).status_code in {303, 401}


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
