"""What other systems received of a call, and what it became there, on the page of the call; on
both databases.
"""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import DeliveryKind, DeliveryState
from router.domain.delivery.entity import EntityKind, Found
from router.domain.delivery.outcome import Outcome
from tests.integration.deliveries_world import kept, page, section, write
from tests.support.web_calls import a_call, a_delivery
from tests.support.web_deliveries import DEAL, LEAD, a_connection, needs_review
from tests.support.web_world import World

pytest_plugins = ["tests.integration.deliveries_world"]


@pytest.fixture
def world(deliveries_world: World) -> World:
    return deliveries_world


@pytest.fixture
def calls(told_calls: dict[str, Call]) -> dict[str, Call]:
    return told_calls


@pytest.mark.parametrize(
    ("kind", "address", "entity", "link"),
    [
        (
            "amocrm",
            "https://shop.amocrm.ru/",
            EntityKind.DEAL,
            "https://shop.amocrm.ru/leads/detail/5",
        ),
        (
            "amocrm",
            "https://shop.amocrm.ru",
            EntityKind.CONTACT,
            "https://shop.amocrm.ru/contacts/detail/5",
        ),
        (
            "bitrix24",
            "https://b.example/rest/1/KEY/",
            EntityKind.LEAD,
            "https://b.example/crm/lead/details/5/",
        ),
        (
            "retailcrm",
            "https://s.retailcrm.ru",
            EntityKind.DEAL,
            "https://s.retailcrm.ru/orders/5/edit",
        ),
        (
            "hubspot",
            "https://api.hubapi.com",
            EntityKind.DEAL,
            "https://app.hubspot.com/l/contacts/record/0-3/5",
        ),
        ("amocrm", "javascript:alert(1)//", EntityKind.DEAL, None),
        ("amocrm", "https://[", EntityKind.DEAL, None),
    ],
)
async def test_an_entity_is_linked_where_the_account_tells_how(
    world: World, kind: str, address: str, entity: EntityKind, link: str | None
) -> None:
    call = a_call("1", world.clock.now)
    await world.save(call)
    await write(world, a_connection(world, kind=kind, address=address))
    body = {"kind": entity, "id": "5", "connection": "amo"}
    path = f"/calls/{call.id}"
    assert (
        await world.program(Scope.CALLS_WRITE).post(f"/api/v1{path}/entity", json=body)
    ).status_code == 200
    html = section(await page(world, path=path), "entities")
    assert re.findall(r'href="([^"]+)"', html) == ([link] if link else [])
    assert "reported through the API" in html
    assert "KEY" not in html
    assert "javascript" not in html


async def test_the_page_of_a_call_tells_what_it_became_and_names_receivers(
    world: World, calls: dict[str, Call]
) -> None:
    html = await page(world, path=f"/calls/{calls['attributed'].id}")
    became = section(html, "entities")
    for text in (
        "Deal",
        "777",
        "created by the telephony",
        "1234567890.1768900000",
        "amo · amoCRM (Kommo) · shop.amocrm.ru",
    ):
        assert text in became
    told = section(html, "deliveries")
    for text in (
        "amo · amoCRM (Kommo) · shop.amocrm.ru",
        "crm · webhook · crm.example",
        "Needs review",
    ):
        assert text in told
    other = await page(world, path=f"/calls/{calls['busy'].id}")
    assert "No CRM record is known" in section(other, "entities")


async def test_a_removed_connection_leaves_its_entities_and_deliveries_readable(
    world: World, calls: dict[str, Call]
) -> None:
    async with world.store.write() as session:
        await session.remove(Connection, "amo")
    html = await page(world, path=f"/calls/{calls['attributed'].id}")
    assert "777" in section(html, "entities")
    assert "leads/detail" not in html
    receivers = section(await page(world), "receivers")
    assert "Removed" in receivers


async def test_a_delivery_of_mail_that_was_given_up_is_shown_without_a_call(world: World) -> None:
    mail = a_delivery(
        a_call("1", world.clock.now), "m1", kind=DeliveryKind.MAIL_RECEIVED, call_id=None
    )
    late = mail.deadline_at + timedelta(seconds=1)
    await write(
        world,
        replace(
            mail,
            state=DeliveryState.FAILED,
            attempts=27,
            due_at=late,
            last_error=Outcome.text("500"),
        ),
    )
    failed = section(await page(world), "failed")
    assert "Mail received" in failed
    assert "All 27 attempts failed" in failed


async def test_candidates_without_anything_known_are_still_to_be_chosen(world: World) -> None:
    call = a_call("1", world.clock.now)
    await world.save(call)
    await write(world, needs_review(call, "u1", Found(ref=DEAL), Found(ref=LEAD)))
    html = section(await page(world), "needs_review")
    assert html.count("created at an unknown time") == 2
    assert html.count('aria-describedby="candidate-') == 2


async def test_an_administrator_lets_one_be_and_it_leaves_the_page(
    world: World, calls: dict[str, Call]
) -> None:
    anna, root = await world.person("anna"), await world.person("root")
    assert "Dismiss" not in (await anna.get("/deliveries")).text
    assert (await anna.post("/deliveries/x1/dismiss?back=failed")).status_code == 403
    assert (
        await root.post(
            "/deliveries/x1/dismiss?back=failed", headers={"Origin": "https://evil.example"}
        )
    ).status_code == 403
    assert 'id="delivery-x1"' in (await root.get("/deliveries")).text
    answer = await root.post("/deliveries/x1/dismiss?back=failed")
    assert (answer.status_code, answer.headers["location"]) == (303, "/deliveries#failed")
    assert (await kept(world, "x1")).state is DeliveryState.DISMISSED
    assert 'id="delivery-x1"' not in (await root.get("/deliveries")).text
    assert "Dismissed" in (await root.get(f"/calls/{calls['missed'].id}")).text
