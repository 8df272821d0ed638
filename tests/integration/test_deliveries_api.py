"""Deliveries and entities by the API, on both databases."""

import asyncio
from datetime import timedelta

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call
from router.domain.delivery.connection import Rules
from router.domain.delivery.entity import Entity
from tests.integration.deliveries_world import kept, revision, write
from tests.support.web_calls import a_call, a_delivery, ringing
from tests.support.web_deliveries import DEAL, a_connection
from tests.support.web_world import World

pytest_plugins = ["tests.integration.deliveries_world"]


@pytest.fixture
def world(deliveries_world: World) -> World:
    return deliveries_world


@pytest.fixture
def calls(told_calls: dict[str, Call]) -> dict[str, Call]:
    return told_calls


# The API: entities


async def test_another_system_names_an_entity_and_naming_it_again_changes_nothing(
    world: World, calls: dict[str, Call]
) -> None:
    path = f"/api/v1/calls/{calls['missed'].id}"
    program, body = world.program(Scope.CALLS_WRITE), {"kind": "deal", "id": "УТ-00000012"}
    first = await program.post(f"{path}/entity", json=body)
    reached = await revision(world)
    again = await program.post(f"{path}/entity", json=body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    # who asks for changed calls and names them all comes to an end
    assert await revision(world) == reached
    found = (await world.program(Scope.CALLS_READ).get(f"{path}/entities")).json()
    assert [
        (entity["kind"], entity["external_id"], entity["created_by"], entity["connection_id"])
        for entity in found
    ] == [("deal", "УТ-00000012", "api", None)]
    assert (await world.program(Scope.CALLS_READ).get(path)).json()["entities"] == found


async def test_entities_of_one_id_at_two_systems_are_two(
    world: World, calls: dict[str, Call]
) -> None:
    path, program = f"/api/v1/calls/{calls['missed'].id}/entity", world.program(Scope.CALLS_WRITE)
    for more in ({}, {"connection": "amo"}, {"connection": "amo"}, {"kind": "lead"}):
        assert (
            await program.post(path, json={"kind": "deal", "id": "5", **more})
        ).status_code == 200
    async with world.store.read() as session:
        assert len(await session.find(Entity, call_id=calls["missed"].id)) == 3


async def test_an_entity_named_by_many_at_once_is_kept_once(
    world: World, calls: dict[str, Call]
) -> None:
    path, program = f"/api/v1/calls/{calls['missed'].id}/entity", world.program(Scope.CALLS_WRITE)
    body = {"kind": "deal", "id": "5"}
    answers = await asyncio.gather(*(program.post(path, json=body) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "deal", "id": "../../oauth"}, 422),
        ({"kind": "deal", "id": "5?x=1"}, 422),
        ({"kind": "deal", "id": "5\n"}, 422),
        ({"kind": "deal", "id": ".."}, 422),
        ({"kind": "deal", "id": ""}, 422),
        ({"kind": "deal", "id": "5" * 81}, 422),
        ({"kind": "ship", "id": "5"}, 422),
        ({"kind": "deal", "id": 5}, 422),
        ({"kind": "deal", "id": "5", "created_by": "us"}, 422),
        ({"kind": "deal", "id": "5", "connection": "none"}, 404),
    ],
)
async def test_an_entity_that_cannot_be_is_refused(
    world: World, calls: dict[str, Call], body: dict[str, object], status: int
) -> None:
    path, program = f"/api/v1/calls/{calls['missed'].id}/entity", world.program(Scope.CALLS_WRITE)
    assert (await program.post(path, json=body)).status_code == status
    assert (
        await world.program(Scope.CALLS_READ).get(path.replace("entity", "entities"))
    ).json() == []


async def test_an_entity_of_no_call_is_not_found_and_reading_is_not_writing(
    world: World, calls: dict[str, Call]
) -> None:
    body = {"kind": "deal", "id": "5"}
    assert (
        await world.program(Scope.CALLS_WRITE).post("/api/v1/calls/none/entity", json=body)
    ).status_code == 404
    assert (
        await world.program(Scope.CALLS_READ).get("/api/v1/calls/none/entities")
    ).status_code == 404
    path = f"/api/v1/calls/{calls['missed'].id}/entity"
    assert (await world.program(Scope.CALLS_READ).post(path, json=body)).status_code == 403
    assert (
        await world.program(Scope.CALLS_WRITE).get(path.replace("entity", "entities"))
    ).status_code == 403


# The API: deliveries


async def test_a_choice_by_the_api_sends_the_delivery_on(
    world: World, calls: dict[str, Call]
) -> None:
    program = world.program(Scope.CALLS_WRITE)
    answer = await program.post(
        "/api/v1/deliveries/u1/entity", json={"kind": "deal", "id": "31337"}
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "pending")
    assert (await kept(world, "u1")).chosen == DEAL
    second = await program.post(
        "/api/v1/deliveries/u1/entity", json={"kind": "lead", "id": "31338"}
    )
    assert (second.status_code, second.json()["error"]) == (409, "conflict")
    assert (await kept(world, "u1")).chosen == DEAL
    assert (
        await program.post("/api/v1/deliveries/none/entity", json={"kind": "deal", "id": "1"})
    ).status_code == 404
    assert (
        await program.post("/api/v1/deliveries/u2/entity", json={"kind": "deal", "id": "1/2"})
    ).status_code == 422


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("state=needs_review", {"u1", "u2"}),
        ("state=failed", {"d2", "x1"}),
        ("receiver=amo", {"u1", "u2", "p1"}),
        ("receiver=amo&state=pending", {"p1"}),
        ("receiver=nobody", set()),
        ("", {"d1", "d2", "d3", "u1", "u2", "p1", "x1"}),
    ],
)
async def test_deliveries_are_found_by_state_and_receiver(
    world: World, calls: dict[str, Call], query: str, ids: set[str]
) -> None:
    answer = (await world.program(Scope.CALLS_READ).get(f"/api/v1/deliveries?{query}")).json()
    assert ({delivery["id"] for delivery in answer["deliveries"]}, answer["next_cursor"]) == (
        ids,
        None,
    )


async def test_pages_of_deliveries_miss_none_and_repeat_none(world: World) -> None:
    call = a_call("1", world.clock.now)
    await world.save(call)
    made = [  # three at each moment: their ids decide
        a_delivery(
            call, f"d{i:02}", key=f"k{i}", created_at=world.clock.now - timedelta(seconds=i // 3)
        )
        for i in range(20)
    ]
    await write(world, *made)
    program, seen, cursor = world.program(Scope.CALLS_READ), [], ""
    for _ in range(5):
        answer = (await program.get(f"/api/v1/deliveries?limit=4&receiver=crm{cursor}")).json()
        seen += [delivery["id"] for delivery in answer["deliveries"]]
        await write(
            world,
            a_delivery(
                call, f"late{len(seen)}", key=f"late{len(seen)}", created_at=world.clock.now
            ),
        )
        cursor = f"&cursor={answer['next_cursor']}"
    assert answer["next_cursor"] is None
    assert seen == [
        delivery.id
        for delivery in sorted(
            made, key=lambda delivery: (delivery.created_at, delivery.id), reverse=True
        )
    ]
    assert (await program.get("/api/v1/deliveries?cursor=nonsense")).status_code == 422


# The API: calls that changed


async def test_who_asks_by_revision_hears_of_a_call_that_ended_after_later_ones_had(
    world: World,
) -> None:
    long = ringing("1", world.clock.now)
    short = a_call("2", world.clock.now + timedelta(minutes=1))
    await world.save(long)
    await world.save(short)
    program = world.program(Scope.CALLS_READ)
    first = (await program.get("/api/v1/calls?after=0&state=ended")).json()
    assert [line["call"]["id"] for line in first["calls"]] == [short.id]
    await world.save(a_call("1", world.clock.now, ended_at=world.clock.now + timedelta(hours=1)))
    after = first["revision"]
    by_arrival = await program.get(
        "/api/v1/calls", params={"since": short.arrived_at.isoformat(), "state": "ended"}
    )
    assert long.id not in by_arrival.text  # why `since` is not enough
    second = (await program.get(f"/api/v1/calls?after={after}&state=ended")).json()
    assert [line["call"]["id"] for line in second["calls"]] == [long.id]
    assert (await program.get(f"/api/v1/calls?after={second['revision']}")).json()["calls"] == []


async def test_asking_while_the_revision_grows_brings_every_call_once(world: World) -> None:
    made = [a_call(str(i), world.clock.now + timedelta(seconds=i)) for i in range(30)]
    for call in made:
        await world.save(call)
    # of one revision
    await world.save(*(a_call(f"many{i}", world.clock.now, site_id=None) for i in range(20)))
    program, seen, after = world.program(Scope.CALLS_READ), [], 0
    while True:
        answer = (await program.get(f"/api/v1/calls?after={after}&limit=7&site_id=shop")).json()
        seen += [line["call"]["id"] for line in answer["calls"]]
        if answer["revision"] == after:
            break
        after = answer["revision"]
    assert seen == [call.id for call in made]
    assert after == await revision(world)


async def test_a_revision_that_is_yet_to_come_tells_of_a_restored_database(world: World) -> None:
    await world.save(a_call("1", world.clock.now))
    program = world.program(Scope.CALLS_READ)
    answer = await program.get("/api/v1/calls?after=999")
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert "999" in answer.json()["message"]
    for query in ("after=-1", f"after={2**63}", "after=1&cursor=x"):
        assert (await program.get(f"/api/v1/calls?{query}")).status_code == 422


# The API: connections


async def test_connections_are_listed_without_their_keys(world: World) -> None:
    rules = Rules(fields={"source": "UF_SOURCE"})
    hook = "https://u:p@portal.bitrix24.ru:8443/rest/1/SECRETKEY/?auth=SECRETKEY"
    await write(
        world,
        a_connection(world, "b24", kind="bitrix24", address=hook, rules=rules),
        a_connection(world, address="no"),
    )
    answer = await world.program(Scope.CONFIG_READ).get("/api/v1/connections")
    amo, b24 = answer.json()
    assert (amo["address"], b24["address"]) == (None, "https://portal.bitrix24.ru:8443")
    assert (b24["mode"], b24["rules"]["fields"]) == ("telephony", {"source": "UF_SOURCE"})
    assert "SECRETKEY" not in answer.text
    assert (await world.program(Scope.CALLS_READ).get("/api/v1/connections")).status_code == 403


async def test_what_is_dismissed_is_not_sent_until_a_person_takes_that_back(
    world: World, calls: dict[str, Call]
) -> None:
    program = world.program(Scope.CALLS_WRITE)
    assert (
        await world.program(Scope.CALLS_READ).post("/api/v1/deliveries/u1/dismiss")
    ).status_code == 403
    for name in ("u1", "x1", "p1"):  # needs review, failed, pending
        assert (await program.post(f"/api/v1/deliveries/{name}/dismiss")).json()[
            "state"
        ] == "dismissed"
    assert (await kept(world, "u1")).candidates == ()
    assert (await program.post("/api/v1/deliveries/d1/dismiss")).status_code == 409  # it was made
    assert (await program.post("/api/v1/deliveries/nope/dismiss")).status_code == 404
    assert (await program.post("/api/v1/deliveries/u1/resend")).json()["state"] == "pending"
