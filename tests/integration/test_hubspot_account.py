"""A HubSpot account: prepared and examined; its refusals, limits and nonsense; the official library
beside us.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any

import hubspot
import pytest
from hubspot.crm.associations.v4.exceptions import ApiException as AssociationRefused
from hubspot.crm.contacts import (
    BatchInputSimplePublicObjectBatchInputUpsert,
    Filter,
    FilterGroup,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInputUpsert,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.contacts.exceptions import ApiException
from hubspot.crm.properties import PropertyCreate
from starlette.responses import HTMLResponse, JSONResponse, Response

from router.domain.delivery.connection import Mode, Rules, Scenario
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.hubspot import api
from router.receivers.registry import KINDS
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from tests.contracts.hubspot import EVERY_SCOPE, TOKEN
from tests.integration.hubspot_world import CALLER, CLIENT_ID, World, account, call_event


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with account() as there:
        yield there


async def test_properties_are_created_once_and_then_all_is_well() -> None:
    async with account() as world:
        world.hub.account.properties["deals"].pop("ct_call_uid")
        crm = world.adapter()
        assert [str(check.what) for check in await crm.check() if not check.well] == [
            "deals: field ct_call_uid"
        ]
        assert await crm.prepare() == ["deals: ct_call_uid"]
        assert await crm.prepare() == []
        assert all(check.well for check in await crm.check())
        world.hub.account.properties["deals"]["ct_call_uid"]["hasUniqueValue"] = False
        (bad,) = [check for check in await crm.check() if not check.well]
        assert "must be unique" in str(bad.fix)


async def test_a_missing_scope_is_named(world: World) -> None:
    world.hub.scopes = EVERY_SCOPE - {"crm.objects.deals.write"}
    with pytest.raises(
        ReceiverUnavailable, match=r"lacks the scope crm\.objects\.deals\.write"
    ) as trouble:
        await world.tell(call_event())
    assert trouble.value.pause == timedelta(minutes=5)
    assert [str(check.what) for check in await world.adapter().check() if not check.well] == [
        "right crm.objects.deals.write"
    ]


async def test_a_wrong_stage_is_refused_by_hubspot(world: World) -> None:
    done = await world.tell(
        call_event(), Rules(scenario=Scenario.DEAL, fields={"source": "dealstage"})
    )
    assert "without dealstage: 400 VALIDATION_ERROR" in str(done.said)
    assert "INVALID_OPTION" in str(done.said)
    assert world.all("deals")[0].properties["ga_client_id"] == CLIENT_ID


async def test_an_unknown_property_is_refused_by_name(world: World) -> None:
    done = await world.tell(call_event(), Rules(fields={"source": "no_such_field"}))
    # of the contact and of the deal
    assert str(done.said).count("without no_such_field: there is no such field") == 2
    assert world.counts() == {"contacts": 1, "deals": 1}


async def test_a_value_that_must_be_unique_is_refused_with_what_has_it(world: World) -> None:
    world.put("contacts", {"email": "anna@example.com"})
    call = call_event()
    call = replace(call, facts={**call.facts, "term": "anna@example.com"})
    done = await world.tell(call, Rules(fields={"term": "email"}))
    assert "Existing ID: 5001" in str(done.said)
    assert done.client_id == CLIENT_ID


@pytest.mark.parametrize(
    ("answer", "said", "least"),
    [
        (JSONResponse({"policyName": "DAILY", "message": "daily limit"}, 429), "daily limit", 3600),
        (
            JSONResponse({"policyName": "TEN_SECONDLY_ROLLING", "message": "slower"}, 429),
            "slower",
            1,
        ),
        (JSONResponse({"message": "x"}, 429, {"Retry-After": "7"}), "more requests", 7),
        (
            JSONResponse({"message": "expired"}, 401),
            "or the app's access token again",
            300,
        ),
        (JSONResponse({"message": "no"}, 403), "lacks a right", 300),
        (JSONResponse({"message": "moving"}, 477, {"Retry-After": "90"}), "is moving", 90),
        (HTMLResponse("<h1>502</h1>", 502), "502", 0),
        (HTMLResponse("<h1>hello</h1>"), "lacks id", 0),
        (JSONResponse({"id": {"a": 1}}), "lacks id", 0),
        (JSONResponse([1]), "lacks id", 0),
    ],
)
async def test_trouble_is_named_in_words_and_tried_again(
    world: World, answer: Response, said: str, least: int
) -> None:
    world.hub.instead.append(answer)
    with pytest.raises(ReceiverUnavailable, match=said) as trouble:
        await world.tell(call_event())
    assert trouble.value.pause == timedelta(seconds=least)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"results": None},
        {"results": [{"id": None}]},
        {"results": [{"id": "x/../y", "properties": {}}]},
    ],
)
async def test_a_search_that_answers_nonsense_is_tried_again(world: World, body: Any) -> None:
    world.hub.instead.append(JSONResponse(body))
    with pytest.raises(ReceiverUnavailable):
        await world.adapter().contacts(CALLER)


async def test_odd_values_of_properties_are_texts(world: World) -> None:
    row = {
        "id": 7,
        "properties": {"phone": 79123456789, "firstname": {"a": 1}},
        "createdAt": 5,
        "associations": [],
    }
    world.hub.instead.append(JSONResponse({"results": [row, 5]}))
    (found,) = await world.adapter().contacts(CALLER)
    assert (found.ref.id, found.phones, found.created_at) == ("7", ("79123456789",), None)


async def test_a_batch_that_failed_in_part_is_tried_again_or_refused(world: World) -> None:
    for category, error in (("INTERNAL_ERROR", ReceiverUnavailable), ("VALIDATION_ERROR", Refused)):
        failed = {"status": "error", "category": category, "message": "half of it"}
        world.hub.instead.append(JSONResponse({"results": [], "errors": [failed]}, 207))
        with pytest.raises(error, match="half of it"):
            await world.adapter().deals([Ref(kind=EntityKind.CONTACT, id="1")], CALLER)


async def test_what_a_person_deleted_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="deal 99 is gone"):
        await world.adapter().read(Ref(kind=EntityKind.DEAL, id="99"), ["ga_client_id"])


class Still(datetime):
    """A clock that does not move."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Still":
        return cls(2026, 11, 22, 12, tzinfo=tz)


async def test_searches_keep_to_their_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = [0.0]  # since the beginning; everybody asks then

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(api, "datetime", Still)
    monkeypatch.setattr(api, "asyncio", SimpleNamespace(sleep=sleep))
    async with account(searches_per_second=4) as world:
        world.hub.clock = lambda: slept[-1]
        crm = world.adapter()
        for _ in range(6):
            await crm.contacts(CALLER)
        assert len(slept) > 5
        assert slept[-1] < 4
        with pytest.raises(ReceiverUnavailable, match="secondly limit"):
            await asyncio.gather(*(world.adapter().contacts(CALLER) for _ in range(6)))


def test_the_kind_says_what_it_needs() -> None:
    kind = KINDS["hubspot"]
    assert kind.address == "https://api.hubapi.com"
    assert set(kind.token) == {"token"}
    assert kind.per_second * 10 + kind.burst <= 110


async def test_the_official_library_and_the_contract_server_understand_each_other(
    world: World,
) -> None:
    client = hubspot.Client.create(access_token=TOKEN, host=world.address)
    await asyncio.to_thread(_drive, client, world)


def _drive(client: Any, world: World) -> None:
    contacts = client.crm.contacts
    names = [name for name in world.hub.account.properties["contacts"] if name.startswith("c")]
    assert "ct_call_uid" in names
    wanted = PropertyCreate(
        name="extra",
        label="Extra",
        group_name="ringtrace",
        type="string",
        field_type="text",
        has_unique_value=False,
    )
    assert client.crm.properties.core_api.create("contacts", wanted).name == "extra"
    upsert = SimplePublicObjectBatchInputUpsert(
        id="pbx-9", id_property="ct_call_uid", properties={"phone": CALLER, "extra": "1"}
    )
    batch = BatchInputSimplePublicObjectBatchInputUpsert(inputs=[upsert])
    first, second = (contacts.batch_api.upsert(batch).results[0] for _ in range(2))
    assert (first.id, first.new, second.new) == (second.id, True, False)
    by_call = contacts.basic_api.get_by_id("pbx-9", id_property="ct_call_uid", properties=["phone"])
    assert by_call.properties["phone"] == CALLER
    group = FilterGroup(
        filters=[Filter(property_name="phone", operator="CONTAINS_TOKEN", value="*9123456789")]
    )
    asked = PublicObjectSearchRequest(
        filter_groups=[group], properties=["phone"], limit=10, sorts=[]
    )
    assert contacts.search_api.do_search(asked).total == 0, "the search lags"
    world.hub.account.pass_time(10)
    deal = client.crm.deals.basic_api.create(
        SimplePublicObjectInputForCreate(properties={"dealname": "x"})
    )
    client.crm.associations.v4.basic_api.create_default("deals", deal.id, "contacts", first.id)
    again = client.crm.deals.basic_api.get_by_id(deal.id, associations=["contacts"])
    assert [to.id for to in again.associations["contacts"].results] == [first.id]
    with pytest.raises(ApiException) as refused:
        contacts.basic_api.create(
            SimplePublicObjectInputForCreate(properties={"ct_call_uid": "pbx-9"})
        )
    assert refused.value.status == 400
    with pytest.raises(AssociationRefused):
        client.crm.associations.v4.basic_api.create_default("deals", "1", "contacts", first.id)


async def test_a_service_key_needs_nothing_but_the_objects_themselves() -> None:
    """HubSpot documents no request by which a service key tells its scopes."""
    async with account() as world:
        crm = world.adapter(mode=Mode.TELEPHONY)
        assert all(check.well for check in await crm.check())
        world.put("contacts", {"phone": CALLER})
        await world.tell(call_event())
        assert world.hub.requests
        assert [
            path
            for path in world.hub.requests
            if "oauth" in path or "/v3/" in path or "/v4/" in path
        ] == []


@pytest.mark.parametrize("right", ["read", "write"])
@pytest.mark.parametrize("kind", ["contacts", "deals", "companies"])
async def test_each_missing_right_is_named_by_the_check(
    world: World, kind: str, right: str
) -> None:
    scope = f"crm.objects.{kind}.{right}"
    world.hub.scopes = EVERY_SCOPE - {scope}
    crm = world.adapter(Rules(scenario=Scenario.COMPANY_CONTACT_DEAL))
    bad = [check for check in await crm.check() if not check.well]
    assert [str(check.what) for check in bad] == [f"right {scope}"]
    assert "Service keys" in str(bad[0].fix)


async def test_a_refused_key_says_what_to_do_in_the_check(world: World) -> None:
    world.hub.instead.extend(JSONResponse({"message": "expired"}, 401) for _ in range(9))
    bad = [check for check in await world.adapter().check() if not check.well]
    assert "Development → Keys → Service keys" in str(bad[-1].fix)


async def test_a_key_that_opens_no_companies_still_finds_contacts(world: World) -> None:
    world.hub.scopes = EVERY_SCOPE - {"crm.objects.companies.read"}
    world.put("contacts", {"phone": CALLER})
    world.hub.account.pass_time(60)
    assert len(await world.adapter().contacts(CALLER)) == 1


async def test_a_right_that_is_added_later_is_noticed(world: World) -> None:
    world.hub.scopes = EVERY_SCOPE - {"crm.objects.companies.read"}
    world.put("companies", {"name": "Windows Ltd", "phone": CALLER})
    world.hub.account.pass_time(60)
    crm = world.adapter()
    assert await crm.contacts(CALLER) == []
    world.hub.scopes = EVERY_SCOPE
    assert [contact.ref.kind for contact in await crm.contacts(CALLER)] == [EntityKind.COMPANY]
