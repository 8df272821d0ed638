"""The REST API over a real database, as programs use it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.domain.access import Scope
from tests.support.builders import webhook
from tests.support.web_world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def test_without_a_token_nothing_is_answered(world: World) -> None:
    paths = [
        "sites",
        "destinations",
        "pools",
        "numbers",
        "webhooks",
        "leases",
        "calls",
        "deliveries",
        "connections",
    ]
    for secret in (None, "rt_wrong"):
        client = world.browser(**({"Authorization": f"Bearer {secret}"} if secret else {}))
        for path in [*paths, "calls/x/recording", "calls/x/peaks"]:
            answer = await client.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json()["error"]) == (401, "not_logged_in"), path
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_without_the_scope_is_forbidden(world: World) -> None:
    answer = await world.program(Scope.CALLS_READ).get("/api/v1/sites")
    assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")
    assert "config:read" in answer.json()["message"]
    assert (await world.program(Scope.CONFIG_READ).delete("/api/v1/sites/shop")).status_code == 403


THINGS = {
    "sites": {"id": "garage", "name": "Garage", "origins": ["https://garage.example"]},
    "destinations": {
        "id": "night",
        "name": "Night",
        "steps": [{"dial": "PJSIP/night&PJSIP/42@trunk"}],
    },
    "pools": {
        "id": "second",
        "site_id": "shop",
        "name": "Second",
        "hold_seconds": 600,
        "freeze_seconds": 60,
    },
    "webhooks": {"id": "bi", "url": "https://bi.example/hook?a=1"},
}


@pytest.mark.parametrize("kind", THINGS)
async def test_a_thing_is_added_listed_changed_and_removed(world: World, kind: str) -> None:
    write, read = world.program(Scope.CONFIG_WRITE), world.program(Scope.CONFIG_READ)
    added = await write.post(f"/api/v1/{kind}", json=THINGS[kind])
    assert added.status_code == 201, added.text
    path = f"/api/v1/{kind}/{THINGS[kind]['id']}"
    assert (await write.post(f"/api/v1/{kind}", json=THINGS[kind])).json()["error"] == "conflict"
    assert added.json() in (await read.get(f"/api/v1/{kind}")).json()
    fixed = {"id", "site_id"} if kind == "pools" else {"id"}
    change = {name: value for name, value in THINGS[kind].items() if name not in fixed}
    change |= {"active": False} if kind == "webhooks" else {"name": "Renamed"}
    changed = await write.put(path, json=change)
    assert changed.status_code == 200, changed.text
    assert (
        (await read.get(path)).json()
        == changed.json()
        == added.json() | change | _defaults(added.json(), change)
    )
    assert (await write.delete(path)).status_code == 204
    assert (await read.get(path)).json()["error"] == "not_found"


def _defaults(thing: dict[str, object], change: dict[str, object]) -> dict[str, object]:
    return {"steps": thing["steps"]} if "steps" in change else {}


async def test_a_webhooks_password_from_an_older_version_is_not_shown(world: World) -> None:
    async with world.store.write() as session:
        await session.add(webhook("old", url="https://robot:pa55word@1c.example/hs"))
    read = world.program(Scope.CONFIG_READ)
    for path in ("/api/v1/webhooks", "/api/v1/webhooks/old"):
        answer = await read.get(path)
        assert "https://…@1c.example/hs" in answer.text
        assert "pa55word" not in answer.text


async def test_what_is_in_use_stays(world: World) -> None:
    answer = await world.program(Scope.CONFIG_WRITE).delete("/api/v1/destinations/office")
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sites", {"id": "Bad Name", "name": "x"}),
        ("sites", {"id": "x", "name": "x", "origins": ["https://x.example/page"]}),
        ("sites", {"id": "x", "name": "x", "surprise": 1}),
        ("sites", {"id": "x", "name": "y" * 121}),
        ("sites", {"id": "x", "name": "x", "destination_id": "nowhere"}),
        ("destinations", {"id": "x", "name": "x", "steps": [{"dial": "System(rm)"}]}),
        ("destinations", {"id": "x", "name": "x", "steps": []}),
        ("pools", {"id": "x", "site_id": "shop", "name": "x", "hold_seconds": 1}),
        ("webhooks", {"id": "x", "url": "file:///etc/passwd"}),
        ("webhooks", {"id": "x", "url": "https://robot:pa55word@1c.example/"}),
        ("numbers", {"e164": "12", "site_id": "shop", "kind": "static"}),
        ("numbers", {"e164": "+74951112233", "site_id": "shop", "kind": "dynamic"}),
    ],
)
async def test_what_cannot_be_accepted_is_refused_with_a_reason(
    world: World, path: str, body: dict[str, object]
) -> None:
    answer = await world.program(Scope.CONFIG_WRITE).post(f"/api/v1/{path}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input"), answer.text
    assert answer.json()["message"]


async def test_a_number_in_any_spelling_is_kept_in_e164(world: World) -> None:
    body = {"e164": "8 (495) 765-43-21", "site_id": "shop", "kind": "static", "channel": "radio"}
    added = await world.program(Scope.CONFIG_WRITE).post("/api/v1/numbers", json=body)
    assert (added.status_code, added.json()["e164"]) == (201, "+74957654321")
    path = "/api/v1/numbers/+74957654321"
    changed = await world.program(Scope.CONFIG_WRITE).put(
        path, json={"kind": "static", "channel": "tv"}
    )
    assert changed.json() == added.json() | {"channel": "tv"}


CSV = "number;pool;channel\n+74951110001;visitors;\n8 495 111 00 02;;radio\nnonsense;;\n"


async def test_an_import_takes_all_or_none_unless_asked_otherwise(world: World) -> None:
    program = world.program(Scope.CONFIG_WRITE)
    first = await program.post("/api/v1/numbers/import?site_id=shop", content="\ufeff" + CSV)
    assert (first.status_code, first.json()["added"]) == (200, [])
    assert [(bad["line"], bad["text"]) for bad in first.json()["bad"]] == [(4, "nonsense,,")]
    second = await program.post("/api/v1/numbers/import?site_id=shop&partly=true", content=CSV)
    assert [number["e164"] for number in second.json()["added"]] == ["+74951110001", "+74951110002"]
    assert (
        len((await world.program(Scope.CONFIG_READ).get("/api/v1/numbers?pool_id=visitors")).json())
        == 3
    )


async def test_an_import_that_is_no_text_is_refused(world: World) -> None:
    answer = await world.program(Scope.CONFIG_WRITE).post(
        "/api/v1/numbers/import?site_id=shop", content=b"\xff\xfe\x00"
    )
    assert answer.json()["error"] == "invalid_input"


async def test_bodies_have_a_limit_whether_announced_or_not(world: World) -> None:
    program = world.program(Scope.CONFIG_WRITE)

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"nonsense\n" * 11_000

    announced = await program.post("/api/v1/sites", content=b" " * 1_100_000)
    counted = await program.post("/api/v1/sites", content=drip())
    assert [(a.status_code, a.json()["error"]) for a in (announced, counted)] == [
        (413, "too_large")
    ] * 2
    larger = await program.post("/api/v1/numbers/import?site_id=shop", content=drip())
    assert larger.json()["error"] == "invalid_input"  # read whole: it names no columns
    assert (
        await program.post("/api/v1/numbers/import?site_id=shop", content=b" " * 5_300_000)
    ).status_code == 413


async def test_secrets_are_nowhere_in_the_api(world: World) -> None:
    schema = (await world.browser().get("/api/v1/openapi.json")).text
    assert "password_hash" not in schema
    assert "digest" not in schema
    for path in ("/docs", "/redoc", "/api/v1/docs"):
        assert (await world.browser().get(path)).status_code == 404


async def test_an_accident_is_reported_without_its_inside(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def explode(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("router.web.api.setup.setup.list_all", explode)
    answer = await world.program(Scope.CONFIG_READ).get("/api/v1/sites")
    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert "secret" not in answer.text


async def test_unknown_paths_and_verbs_answer_in_the_same_form(world: World) -> None:
    assert (await world.browser().get("/api/v1/nothing")).json()["error"] == "not_found"
    assert (await world.browser().patch("/api/v1/sites")).json()["error"] == "method_not_allowed"


async def test_a_refused_method_comes_with_all_that_are_allowed(world: World) -> None:
    async with world.program(Scope.CONFIG_READ) as client:
        for place, allowed in (("sites", "GET, POST"), ("sites/shop", "GET, PUT, DELETE")):
            for method in ("OPTIONS", "PATCH"):
                answer = await client.request(method, f"/api/v1/{place}")
                assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_the_schema_names_what_any_route_may_answer(world: World) -> None:
    async with world.browser() as client:
        paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
    answers = [
        operation["responses"] for operations in paths.values() for operation in operations.values()
    ]
    assert answers
    assert all({"400", "413", "422", "503"} <= set(answer) for answer in answers)


@pytest.mark.parametrize(
    "moment", ["0.5", "0", "1768912345", "2026-01-20", "2026-01-20T11:30:00", "infinity", ""]
)
async def test_a_moment_is_written_out_with_its_time_zone(world: World, moment: str) -> None:
    async with world.program(Scope.CALLS_READ) as client:
        for name in ("since", "until"):
            assert (await client.get("/api/v1/calls", params={name: moment})).status_code == 422


@pytest.mark.parametrize("active", [0, 1, "yes", "true"])
async def test_yes_and_no_are_booleans(world: World, active: object) -> None:
    async with world.program(Scope.CONFIG_WRITE) as client:
        body = {"id": "crm", "url": "https://crm.example/hook", "active": active}
        assert (await client.post("/api/v1/webhooks", json=body)).status_code == 422


async def test_health_is_shown_to_anyone(world: World) -> None:
    answer = await world.browser().get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")
