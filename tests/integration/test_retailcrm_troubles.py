"""RetailCRM when something goes wrong: crashes at every request, keys, limits, missing fields, and
nonsense.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Connection, Missed, Mode, Rules, Scenario
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.http import NO_RIGHT, HttpClient
from router.receivers.registry import KINDS
from router.receivers.retailcrm.adapter import RetailCrm
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Crm, Draft
from tests.contracts.retailcrm import Account
from tests.integration.retailcrm_world import PHONE, Died, World, call, telephony
from tests.support.builders import NOON, later
from tests.support.receiver import receiver

pytest_plugins = ["tests.integration.retailcrm_world"]


@pytest.fixture
def world(retailcrm_world: World) -> World:
    return retailcrm_world


Prepare = Callable[[Account], object]
STORIES: dict[str, tuple[dict[str, Any], CallEvent, Prepare]] = {
    **{scenario.value: ({"scenario": scenario}, call(), lambda _: None) for scenario in Scenario},
    "with the telephony module": ({"options": {"calls": "on"}}, call(), lambda _: None),
    "anonymous": ({}, call(caller=None), lambda _: None),
    "note on an order": (
        {},
        call(),
        lambda account: account.add("orders", phone=PHONE, managerComment="Hello"),
    ),
    "note on a customer": (
        {"missed": Missed.NOTE},
        call(answered=False),
        lambda account: account.add("customers", phones=[{"number": PHONE}]),
    ),
    "telephony": (
        {"mode": Mode.TELEPHONY},
        call(),
        lambda account: account.add("orders", phone=PHONE),
    ),
}


@pytest.mark.parametrize("name", STORIES)
async def test_killed_after_any_request_and_started_again_the_account_holds_what_it_should(
    world: World, name: str
) -> None:
    rules, told, prepare = STORIES[name]
    connection = world.connection(**rules)
    prepare(world.account)
    done = await world.tell(connection, told)
    wanted, deaths = holdings(world.account), 0
    while True:
        world.account.empty()
        prepare(world.account)
        deaths += 1
        world.http.lives = deaths
        try:
            again = await world.tell(connection, told)
        except Died:
            again = await world.tell(connection, told)
            assert holdings(world.account) == wanted, f"after request {deaths}"
            assert again.entities == done.entities
        else:
            break
    assert deaths > 4, "the story is longer than that"


def holdings(account: Account) -> Any:
    """All that the account holds. A client ID may be bound once more: it is the same."""
    bound = {json.dumps(line, sort_keys=True) for line in account.client_ids}
    return json.loads(
        json.dumps([account.rows, account.notes, account.calls, sorted(bound)], sort_keys=True)
    )


async def test_a_create_that_was_carried_out_unseen_takes_what_is_there(world: World) -> None:
    crm, told = world.crm(world.connection()), call()
    for kind in (EntityKind.CONTACT, EntityKind.COMPANY, EntityKind.DEAL):
        draft = Draft(kind=kind, call=told, title="Anna", text="Called")
        assert await crm.create(draft) == await crm.create(draft)
    assert world.counts() == {"orders": 1, "customers": 1, "customers-corporate": 1}


async def test_connecting_makes_the_fields_and_finds_all_well(world: World) -> None:
    world.account.fields = {"order": set(), "customer": set()}
    crm = world.crm(world.connection())
    assert [str(check.what) for check in await crm.check() if not check.well] == [
        "order field ga_client_id",
        "customer field ga_client_id",
    ]
    assert await crm.prepare() == ["order: ga_client_id", "customer: ga_client_id"]
    assert await crm.prepare() == []
    assert all(check.well for check in await crm.check())


async def test_the_check_says_which_shop_and_which_right_is_missing(world: World) -> None:
    world.account.scopes.remove("order_write")
    checks = await world.crm(world.connection(options={"site": "shoe-shop"})).check()
    assert [str(check.fix) for check in checks if not check.well] == [
        "set the option 'site' to one of: shop, outlet",
        "give the API key the right order_write",
    ]


async def test_a_key_of_one_shop_needs_no_shop_named(world: World) -> None:
    world.account.opens = ["shop"]
    connection = world.connection(options={"site": ""})
    assert all(check.well for check in await world.crm(connection).check())
    await world.tell(connection, call())
    assert world.counts()["orders"] == 1


async def test_a_wrong_key_is_said_and_rests_for_long(world: World) -> None:
    crm = world.crm(world.connection(), key="old")
    assert [(str(check.what), check.well) for check in await crm.check()] == [
        ("access to RetailCRM", False)
    ]
    with pytest.raises(ReceiverUnavailable, match=r'Wrong "apiKey" value.*crm connect') as refused:
        await crm.contacts(PHONE)
    assert refused.value.pause == NO_RIGHT


async def test_too_many_requests_are_followed_by_a_rest(world: World) -> None:
    world.account.busy = 1
    with pytest.raises(ReceiverUnavailable, match="refuses more requests") as asked:
        await world.tell(world.connection(), call())
    assert asked.value.pause > timedelta()
    await world.tell(world.connection(), call())
    assert world.counts()["orders"] == 1


async def test_a_field_that_is_missing_is_named_and_the_order_has_the_client_id_in_its_text(
    world: World,
) -> None:
    world.account.fields["order"] = set()
    done = await world.tell(world.connection(scenario=Scenario.DEAL), call())
    assert "customFields.ga_client_id" in str(done.fault)
    (order,) = world.rows("orders")
    assert call().facts["client_id"] in order["managerComment"]


@pytest.mark.parametrize("id", ["../customers/1", "anna", "", "9" * 5000])
async def test_an_id_that_is_no_number_is_refused(world: World, id: str) -> None:  # noqa: A002
    with pytest.raises(Refused, match="is not a deal of RetailCRM"):
        await world.tell(telephony(world), call(), chosen=Ref(kind=EntityKind.DEAL, id=id))


async def test_a_responsible_person_who_is_no_number_is_left_out_and_named(world: World) -> None:
    done = await world.tell(world.connection(responsible={"office": "anna"}), call())
    assert "without responsible: responsible is 'anna'" in str(done.said)
    assert done.client_id


NONSENSE: Sequence[Any] = [
    *(
        None,
        7,
        "well",
        [],
        {},
        {"success": True},
        {"success": "yes"},
        {"success": False, "errors": [{}, 3]},
    ),
    {
        "success": True,
        "orders": {"1": {}},
        "customers": [None, {"id": "x"}, {"id": 1, "phones": 3}],
        "id": "new",
    },
    {
        "success": True,
        "history": [{"id": 1, "created": True, "order": [], "customer": 7}],
        "statuses": [],
    },
    {
        "success": True,
        "order": {"id": 1, "customFields": [1]},
        "customer": [],
        "notes": [{"id": 1, "text": 5}],
    },
    {
        "success": True,
        "id": 5,
        "contacts": [{"id": 1, "customer": 3}],
        "customFields": [5],
        "statuses": {"a": 1},
        "orders": [
            {"id": 1, "status": [], "createdAt": 5, "customer": {"phones": [{"number": 7}, 8]}}
        ],
        "order": {"id": 1, "managerComment": {}},
        "sitesAvailable": 3,
        "scopes": "all",
        "siteAccess": [],
    },
]


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "460 Partly"])
async def test_nonsense_is_trouble_or_nothing_and_never_a_crash(status: str) -> None:
    async with receiver() as server:
        http = HttpClient(f"http://127.0.0.1:{server.port}", {})
        for said in [*(json.dumps(value).encode() for value in NONSENSE), b"<html>", b"\xff\x00"]:
            server.says(status, said)
            for attempt in everything(http):
                with suppress(ReceiverUnavailable, Refused):
                    await attempt()
        await http.close()


def everything(http: HttpClient) -> list[Callable[[], Any]]:
    """All that the port can be asked."""
    fields: dict[str, Any] = {
        "id": "retail",
        "kind": "retailcrm",
        "address": "",
        "created_at": NOON,
    }
    own = Connection(
        **fields, rules=Rules(scenario=Scenario.COMPANY_CONTACT_DEAL), options={"calls": "on"}
    )
    crm: Crm = RetailCrm(own, {"key": "x"}, http)
    refs = [Ref(kind=kind, id="1") for kind in EntityKind]
    links = {ref.kind: ref for ref in refs}
    return [
        lambda: crm.made_for("call-1"),
        lambda: crm.contacts(PHONE),
        lambda: crm.deals(refs, PHONE),
        lambda: crm.appeared(call(), NOON, later(60)),
        lambda: crm.create(
            Draft(kind=EntityKind.DEAL, call=call(), title="A", text="B", links=links)
        ),
        *(lambda ref=ref: crm.note(ref, "text", "call-1") for ref in refs),
        *(lambda ref=ref: crm.read(ref, ["ga_client_id"]) for ref in refs),
        *(lambda ref=ref: crm.write(ref, {"ga_client_id": "1.1"}) for ref in refs),
        crm.check,
        crm.prepare,
    ]


def test_the_kind_is_offered_with_its_options() -> None:
    kind = KINDS["retailcrm"]
    assert kind.adapter is RetailCrm
    assert set(kind.token) == {"key"}
