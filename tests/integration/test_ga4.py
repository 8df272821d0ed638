"""GA4 as documented, over real HTTP: what is sent, once, and what becomes of refusals."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from router.receivers.ga4.adapter import Ga4
from router.receivers.http import NO_RIGHT, HttpClient
from router.service.delivery.outcomes import ReceiverUnavailable
from tests.contracts.ga4 import Ga4Server
from tests.contracts.serving import served
from tests.support.analytics_events import SESSION, event, sale
from tests.support.builders import Clock, later
from tests.support.crm_calls import ANNA, CLIENT_ID, connection


@pytest_asyncio.fixture
async def google() -> AsyncIterator[Ga4Server]:
    server = Ga4Server(clock=Clock(later(70)))
    yield server
    assert server.faults == []


async def ga4(server: Ga4Server, url: str, secret: str = "secret", **options: str) -> Ga4:
    made = connection("ga4", options={"measurement_id": "G-ABC123DEF4", **options})
    return Ga4(made, {"api_secret": secret}, HttpClient(url, {}), server.clock)


async def test_a_call_falls_into_its_visitors_session_and_says_nothing_of_who_called(
    google: Ga4Server,
) -> None:
    async with served(google.app) as url:
        taken = await (await ga4(google, url, consent="GRANTED")).send([event()])
    (body,) = google.taken
    assert (body["client_id"], body["consent"]["ad_user_data"]) == (CLIENT_ID, "GRANTED")
    assert body["timestamp_micros"] == later(-5).timestamp() * 1e6  # the visit's last sign of life
    assert [sent["name"] for sent in body["events"]] == ["phone_call"]
    assert body["events"][0]["params"] == {
        "engagement_time_msec": 100,
        "session_id": SESSION,
        "call_uid": "rt1-1.0",
        "call_status": "answered",
        "call_duration": 50,
        "call_verdict": "exact",
    }
    assert str(taken.said) == "204: phone_call"
    assert ANNA[1:] not in json.dumps(body)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"first": True}, ["phone_call", "first_phone_call"]),
        ({"talk": 60.0}, ["phone_call", "target_phone_call"]),
        ({"first": False, "talk": 59.9}, ["phone_call"]),
        ({"first": True, "talk": 90.0}, ["phone_call", "first_phone_call", "target_phone_call"]),
        ({"answered": False, "talk": 90.0}, ["phone_call"]),
    ],
)
async def test_a_first_call_and_one_that_was_talked_long_enough_are_events_of_their_own(
    google: Ga4Server, fields: dict[str, Any], names: list[str]
) -> None:
    async with served(google.app) as url:
        await (await ga4(google, url, target_seconds="60")).send([event(**fields)])
    assert [event["name"] for event in google.taken[0]["events"]] == names


@pytest.mark.parametrize("hours", [23, 24, 71, 72.01])
async def test_a_late_event_is_sent_without_the_session_that_takes_it_no_more(
    google: Ga4Server, hours: float
) -> None:
    google.clock = Clock(later(hours * 3600))
    async with served(google.app) as url:
        taken = await (await ga4(google, url)).send([event()])
    (sent,) = google.taken[0]["events"]
    in_session = hours < 24 - 1200 / 3600
    assert ("session_id" in sent["params"]) is in_session
    assert ("takes events for 24 h only" in str(taken.said)) is not in_session


async def test_a_session_that_is_not_known_or_began_after_the_call_is_left_out(
    google: Ga4Server,
) -> None:
    google.clock = Clock(later(9000))
    facts = {"client_id": CLIENT_ID}
    after = {**facts, "session_id": str(int(later(7200).timestamp()))}
    async with served(google.app) as url:
        account = await ga4(google, url)
        said = str((await account.send([event(facts=facts), event(facts=after)])).said)
    assert [("session_id" in body["events"][0]["params"]) for body in google.taken] == [
        False,
        False,
    ]
    assert "is not known" in said
    assert "began after the call" in said


async def test_a_sale_has_value_and_currency_and_its_own_number(google: Ga4Server) -> None:
    async with served(google.app) as url:
        await (await ga4(google, url)).send([sale(event(), later(65))])
    (sent,) = google.taken[0]["events"]
    assert sent["name"] == "phone_sale"
    assert (sent["params"]["value"], sent["params"]["currency"]) == (4990.5, "RUB")
    assert sent["params"]["transaction_id"] == "rt1-1.0:2026-11-22T12:01:05.000+00:00"


async def test_a_server_in_trouble_is_tried_again_and_what_is_nobodys_any_more_is_not_sent(
    google: Ga4Server,
) -> None:
    google.status = 503
    async with served(google.app) as url:
        account = await ga4(google, url)
        with pytest.raises(ReceiverUnavailable, match="503"):
            await account.send([event()])
        assert str((await account.send([event(facts={})])).said).startswith("not sent")
    with pytest.raises(ReceiverUnavailable):  # nothing listens there any more
        await account.send([event()])
    assert google.taken == []


async def test_the_debugging_endpoint_is_asked_because_production_takes_anything(
    google: Ga4Server,
) -> None:
    async with served(google.app) as url:
        assert all(check.well for check in await (await ga4(google, url)).check())
        wrong = await (await ga4(google, url, consent="MAYBE", measurement_id="UA-1")).check()
        assert [check.well for check in wrong] == [False, False]
        assert "consent.ad_user_data" in str(wrong[1].fix)
        assert google.taken == []  # an examination records nothing
        await (await ga4(google, url, secret="wrong")).send([event()])
    assert google.faults.pop() == "the secret is wrong"  # 204 all the same


async def test_a_rule_that_is_no_number_is_for_a_person_to_fix(google: Ga4Server) -> None:
    with pytest.raises(ReceiverUnavailable, match="target_seconds is 'long'") as caught:
        await ga4(google, "http://127.0.0.1:9", target_seconds="long")
    assert caught.value.pause == NO_RIGHT
