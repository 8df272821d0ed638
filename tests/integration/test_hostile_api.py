"""Whatever is sent to the API, it answers as its schema says, and never with an error of its
own.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from router.domain.access import Scope
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import Visit
from router.service.admin.access import create_token
from tests.support.web_calls import furnish
from tests.support.web_world import ORIGIN, World, a_world

OPEN = "/api/v1/sites/shop/visits"
QUIET = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
CHECKS = [not_a_server_error, response_schema_conformance]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


class Line:
    """Lets a thread speak to the application, which lives in the loop of the test."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client, self._loop = client, asyncio.get_running_loop()

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer to a request; one that cannot be written on the wire is left unsent."""
        request = self._client.build_request(method, path, **more)
        return asyncio.run_coroutine_threadsafe(self._client.send(request), self._loop).result(30)


async def test_every_operation_answers_as_the_schema_says(world: World) -> None:
    calls = await furnish(world)
    known = {"site_id": "shop", "pool_id": "visitors", "lease_id": "lease-1", "visit_id": "visit-1"}
    known |= {
        "call_id": calls["attributed"].id,
        "e164": "+74951234560",
        "id": "visitors",
        "name": "missed",
    }
    token = await create_token(world.store, "all", list(Scope), world.clock.now)
    client = world.browser(Origin=ORIGIN, Authorization=f"Bearer {token.secret}")
    schema = schemathesis.openapi.from_dict((await client.get("/api/v1/openapi.json")).json())
    line, tried, statuses = Line(client), [], Counter[int]()
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(QUIET, max_examples=12)
        @given(case=operation.as_strategy(), named=st.booleans())
        def check(case: Any, named: bool) -> None:
            if named:  # what is here
                case.path_parameters = {
                    key: known.get(key, value) for key, value in case.path_parameters.items()
                }
            sent = case.as_transport_kwargs(base_url="https://ringtrace.test")
            try:
                answer = line.send(sent["method"], sent["url"], **_as_httpx(sent))
            except (UnicodeError, ValueError, TypeError, httpx.InvalidURL):
                return  # no client could write it
            case.validate_response(answer, checks=CHECKS)
            statuses[answer.status_code] += 1

        await asyncio.to_thread(check)
        tried.append(operation.label)
    assert len(tried) > 30
    assert statuses[200] + statuses[201] > 50  # not everything was refused at the door


def _as_httpx(sent: dict[str, Any]) -> dict[str, Any]:
    known = {name: sent[name] for name in ("params", "json") if sent.get(name) is not None}
    # The token stays ours: with another one every operation would stop at the door.
    known["headers"] = {
        k: v
        for k, v in (sent.get("headers") or {}).items()
        if k.lower() not in {"authorization", "origin"}
    }
    if isinstance(sent.get("data"), str | bytes):
        known["content"] = sent["data"]
    return known


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=50),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=8,
)
QUERY = st.dictionaries(
    st.sampled_from(["utm_source", "utm_campaign", "gclid", "x"]), st.text(max_size=300)
)
TOLD = st.fixed_dictionaries(
    {},
    optional={
        "url": QUERY.map(lambda query: str(httpx.URL(ORIGIN, params=query))) | st.text(),
        "referrer": st.none() | st.text(),
        "visitor_id": st.none() | st.text(),
        "ga_client_id": st.none() | st.text(),
        "parameters": st.dictionaries(st.text(), st.text() | st.integers() | st.none()),
        "pools": st.lists(st.just("visitors") | st.text()),
        "consent": st.booleans(),
    },
)


async def test_no_text_that_a_page_may_tell_costs_the_visitor_their_number(world: World) -> None:
    line = Line(world.browser(Origin=ORIGIN))

    @settings(QUIET, max_examples=150)
    @given(
        told=TOLD,
        agent=st.binary(max_size=40),
        cookie=st.text(st.characters(min_codepoint=33, max_codepoint=126)),
    )
    def check(told: dict[str, Any], agent: bytes, cookie: str) -> None:
        headers = [
            (b"user-agent", agent.translate(None, b"\r\n\0")),
            (b"cookie", b"ringtrace_visitor=" + cookie.encode()),
        ]
        answer = line.send("POST", OPEN, json=told, headers=headers)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()["numbers"]) == {"visitors"} & set(told.get("pools", ()))

    await asyncio.to_thread(check)
    async with world.store.read() as session:
        for visit in await session.find(Visit):
            kept = [
                visit.source,
                visit.landing,
                visit.campaign,
                *visit.parameters.values(),
                *visit.click_ids.values(),
            ]
            assert all(len(text or "") <= 2000 and "\0" not in (text or "") for text in kept)


@pytest.mark.parametrize("verb", ["", "/numbers", "/alive", "/tap", "/form", "/left"])
async def test_bodies_of_any_shape_are_answered_with_a_reason(verb: str, world: World) -> None:
    client = world.browser(Origin=ORIGIN)
    opened = (await client.post(OPEN, json={"pools": ["visitors"]})).json()
    path = f"/api/v1/visits/{opened['visit_id']}{verb}" if verb else OPEN
    line = Line(client)

    @settings(QUIET, max_examples=60)
    @given(body=st.binary(max_size=200) | ANY)
    def check(body: Any) -> None:
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = line.send("POST", path, **sent)
        assert answer.status_code in {200, 204, 422}
        if answer.status_code == 422:
            assert answer.json()["error"] == "invalid_input"
            assert answer.json()["message"]

    await asyncio.to_thread(check)
    async with world.store.read() as session:
        leases = await session.find(Lease)
    assert len({lease.number for lease in leases}) == len(leases)  # none of it has shared a number
