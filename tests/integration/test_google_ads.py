"""Google Ads as documented, over real HTTP; and what senseless answers do to any analytics
account.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from router.domain.delivery.analytics_codes import GoogleAdsCode
from router.domain.delivery.delivery import Result, Use
from router.domain.delivery.outcome import Outcome, joined
from router.receivers.ga4.adapter import Ga4
from router.receivers.google_ads.adapter import GoogleAds
from router.receivers.http import NO_RIGHT, HttpClient
from router.receivers.kept_tokens import TokenInMemory
from router.receivers.metrica.adapter import Metrica
from router.receivers.registry import KINDS, login_of
from router.service.delivery.analytics import AnalyticsEvent
from router.service.delivery.outcomes import NotYet, ReceiverUnavailable, Refused
from tests.contracts.google_ads import GoogleAdsServer
from tests.contracts.serving import served
from tests.support.analytics_events import event, sale
from tests.support.builders import Clock, later
from tests.support.crm_calls import ANNA, connection
from tests.support.receiver import receiver


@pytest_asyncio.fixture
async def ads() -> AsyncIterator[GoogleAdsServer]:
    server = GoogleAdsServer()
    yield server
    assert server.faults == []


def google_ads(url: str, **options: str) -> GoogleAds:
    given = {
        "account": "123-456-7890",
        "conversion_action": "11",
        "sale_action": "22",
        "token_address": f"{url}/token",
    }
    token = {"client_id": "id", "client_secret": "hush", "refresh_token": "fresh"}
    to, http = connection("google-ads", options={**given, **options}), HttpClient(url, {})
    http.login = login_of(KINDS["google-ads"], to, TokenInMemory(token), Clock())
    return GoogleAds(to, token, http, Clock())


def clicked(number: int = 0, name: str = "gclid", **fields: Any) -> AnalyticsEvent:
    return event(f"rt1-{number}.0", facts={name: f"click-{number}"}, **fields)


async def test_calls_and_sales_are_conversions_of_clicks_counted_once(ads: GoogleAdsServer) -> None:
    events = [clicked(0), clicked(1, "gbraid"), clicked(2, "wbraid"), sale(clicked(0), later(3600))]
    async with served(ads.app) as url:
        account = google_ads(url, consent="DENIED")
        assert str((await account.send(events)).said) == "request request-1: 4 conversions"
        await account.send(events)
    assert sorted(ads.conversions) == [
        ("11", "rt1-0.0"),
        ("11", "rt1-1.0"),
        ("11", "rt1-2.0"),
        ("22", "rt1-0.0:2026-11-22T13:00:00.000+00:00"),
    ]
    sold = ads.conversions["22", "rt1-0.0:2026-11-22T13:00:00.000+00:00"]
    assert (sold["conversionValue"], sold["currency"], sold["eventTimestamp"]) == (
        4990.5,
        "RUB",
        "2026-11-22T13:00:00Z",
    )
    assert len(ads.tokens) == 1  # kept in memory
    assert ANNA[1:] not in str(ads.conversions)


async def test_a_revoked_access_token_is_fetched_again_once(ads: GoogleAdsServer) -> None:
    async with served(ads.app) as url:
        account = google_ads(url)
        ads.refuses = 1
        await account.send([clicked()])
        assert (len(ads.tokens), len(ads.conversions)) == (2, 1)
        ads.refuses = 2
        with pytest.raises(ReceiverUnavailable, match="401") as caught:
            await account.send([clicked(1)])
    assert caught.value.pause == NO_RIGHT
    assert (len(ads.tokens), len(ads.conversions)) == (3, 1)


async def test_a_revoked_refresh_token_says_what_to_do(ads: GoogleAdsServer) -> None:
    ads.revoked = True
    async with served(ads.app) as url:
        with pytest.raises(ReceiverUnavailable, match=r"invalid_grant.*crm connect google-ads"):
            await google_ads(url).send([clicked()])
        (check,) = await google_ads(url).check()
    assert not check.well
    assert ads.requests == 0


async def test_bad_events_are_named_and_do_not_keep_the_others_back(ads: GoogleAdsServer) -> None:
    ads.bad_clicks = {"click-1", "click-3"}
    async with served(ads.app) as url:
        taken = await google_ads(url).send([clicked(number) for number in range(5)])
    assert sorted(transaction for _, transaction in ads.conversions) == [
        "rt1-0.0",
        "rt1-2.0",
        "rt1-4.0",
    ]
    assert sorted(taken.results) == ["call.ended:rt1-1.0", "call.ended:rt1-3.0"]
    bad = taken.results["call.ended:rt1-1.0"]
    assert bad.use is Use.NEVER
    assert "ad_identifiers: The click ID is not one." in str(bad.outcome)
    assert taken.records == {
        "call.ended:rt1-0.0": 0,
        "call.ended:rt1-2.0": 1,
        "call.ended:rt1-4.0": 2,
    }


async def test_only_target_calls_count_where_the_rule_says_so_and_what_has_no_action_is_left_out(
    ads: GoogleAdsServer,
) -> None:
    async with served(ads.app) as url:
        events = [clicked(0, talk=29.0), clicked(1, talk=30.0), sale(clicked(1), later(90))]
        taken = await google_ads(url, target_seconds="30", sale_action="").send(events)
        assert str(taken.said) == "request request-1: 1 conversions"
        assert [str(made.outcome) for made in taken.results.values()] == ["not sent, by rule"] * 2
        assert list(ads.conversions) == [("11", "rt1-1.0")]


async def test_a_wrong_account_is_refused_for_good_and_found_by_the_check(
    ads: GoogleAdsServer,
) -> None:
    async with served(ads.app) as url:
        assert [check.well for check in await google_ads(url).check()] == [True, True, True]
        assert ads.conversions == {}
        with pytest.raises(Refused, match="400 Invalid JSON payload"):
            await google_ads(url, account="12").send([clicked()])
        assert [check.well for check in await google_ads(url, account="12").check()] == [
            True,
            False,
            False,
        ]
        nothing = await google_ads(url, conversion_action="", sale_action="").check()
        assert [check.well for check in nothing] == [True, False]
    assert all("accountId" in fault for fault in ads.faults)
    ads.faults.clear()


async def test_what_came_of_a_request_is_asked_until_google_says_it(ads: GoogleAdsServer) -> None:
    ads.works = 2
    async with served(ads.app) as url:
        account, events = google_ads(url), [clicked(0), sale(clicked(1), later(60))]
        receipt = (await account.send(events)).said
        for looks in (1, 2):
            with pytest.raises(NotYet, match="not reported a result yet"):
                await account.outcome(events, receipt, looks=looks)
        done = await account.outcome(events, receipt, looks=3)
        assert done.look_in is None
        by_google = joined([receipt, Outcome.of(GoogleAdsCode.GOOGLE_USED)])
        used = Result(use=Use.USED, outcome=by_google)
        assert done.results == {told.key: used for told in events}
        ads.unusable = {"22": "EVENT_TOO_OLD"}
        call, sold = (await account.outcome(events, receipt, looks=3)).results.values()
        assert call == used
        assert (sold.use, str(sold.outcome)) == (
            Use.NEVER,
            "Google accepted it but could not use it: EVENT_TOO_OLD",
        )


OUTCOMES = {
    "TOO_RECENT_CLICK": (Use.LATER, "Google could not use it yet: TOO_RECENT_CLICK"),
    "CLICK_NOT_FOUND": (Use.LATER, "Google could not use it yet: CLICK_NOT_FOUND"),
    "INTERNAL_ERROR": (Use.LATER, "Google could not use it yet: INTERNAL_ERROR"),
    "DUPLICATE_TRANSACTION_ID": (
        Use.COUNTED_BEFORE,
        "counted by Google before: DUPLICATE_TRANSACTION_ID",
    ),
    "INVALID_GCLID": (Use.NEVER, "Google accepted it but could not use it: INVALID_GCLID"),
}


async def test_each_record_of_a_request_has_its_own_outcome(ads: GoogleAdsServer) -> None:
    events = [clicked(number) for number in range(len(OUTCOMES) + 1)]
    ads.reasons = {f"rt1-{number}.0": reason for number, reason in enumerate(OUTCOMES, 1)}
    async with served(ads.app) as url:
        account = google_ads(url)
        sent = await account.send(events)
        placed = [replace(told, record=sent.records[told.key]) for told in reversed(events)]
        made = (await account.outcome(placed, sent.said, looks=1)).results
    first, *others = (made[told.key] for told in events)
    assert first.use is Use.USED
    for outcome, (use, said) in zip(others, OUTCOMES.values(), strict=True):
        assert outcome.use is use
        assert str(outcome.outcome).endswith(said)


@pytest.mark.parametrize(
    ("reason", "use", "said"),
    [
        (
            "INVALID_GCLID",
            Use.USED,
            "except for some records that it does not name: INVALID_GCLID (1)",
        ),
        ("CLICK_NOT_FOUND", Use.LATER, "some of them yet: CLICK_NOT_FOUND (1)"),
    ],
)
async def test_where_google_does_not_name_the_records_the_receipt_says_so(
    reason: str, use: Use, said: str, ads: GoogleAdsServer
) -> None:
    ads.reasons, ads.names_records = {"rt1-0.0": reason}, False
    async with served(ads.app) as url:
        account, events = google_ads(url), [clicked(0), clicked(1)]
        sent = await account.send(events)
        placed = [replace(told, record=sent.records[told.key]) for told in events]
        made = (await account.outcome(placed, sent.said, looks=1)).results
    assert {outcome.use for outcome in made.values()} == {use}
    assert all(said in str(outcome.outcome) for outcome in made.values())


async def test_what_google_never_tells_of_is_not_asked_for_ever(ads: GoogleAdsServer) -> None:
    async with served(ads.app) as url:
        forgotten = Outcome.of(GoogleAdsCode.GOOGLE_REQUEST, request="request-99", count=1)
        with pytest.raises(NotYet):
            await google_ads(url).outcome([clicked()], forgotten, looks=25)
        taken = await google_ads(url).outcome([clicked()], forgotten, looks=26)
    assert str(taken.said) == f"{forgotten}; Google reported no result"


# What no service says


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "400 Bad", "401 Who"])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "[]",
        "7",
        '{"uploadings": 1, "uploading": [], "goals": {}, "validationMessages": "no", '
        '"access_token": 5}',
        '{"uploadings": [1, {"comment": 3}], "uploading": {}, "goals": [{"type": "action", '
        '"conditions": [2]}],'
        ' "validationMessages": [3, {}], "access_token": "a", "expires_in": "x", "requestId": []}',
        '{"error": [], "errors": 4, "access_token": "\\u044f"}',
        '{"error": {"details": [1, {"fieldViolations": [{"field": "events[77]"}, 2]}]}, '
        '"errors": [0],'
        ' "access_token": "a"}',
        '{"requestStatusPerDestination": [{"requestStatus": "PARTIAL_SUCCESS", "errorInfo": '
        '{"errorCounts":'
        ' [{"reason": 7}, {"reason": "X", "recordCount": "many", "recordIndices": [null, "0", '
        "-1, {}]}]}}],"
        ' "access_token": "a"}',
        '{"requestStatusPerDestination": [4, {"requestStatus": "FAILED", "errorInfo": '
        '{"errorCounts": [1, {}]},'
        ' "destination": 5}, {"requestStatus": ["SUCCESS"]}], "access_token": "a"}',
    ],
)
async def test_senseless_answers_end_in_words(status: str, body: str) -> None:
    async with receiver() as hook:
        hook.says(status, b"" if status.startswith("204") else body.encode())
        url = hook.url.removesuffix("/hook")
        for account in (
            Ga4(connection("ga4"), {"api_secret": "s"}, HttpClient(url, {}), Clock(later(70))),
            Metrica(
                connection("metrica", options={"counter": "42"}),
                {"token": "t"},
                HttpClient(url, {}),
            ),
            google_ads(url),
        ):
            told = event(facts={"client_id": "1.2", "ym_client_id": "5", "gclid": "click"})
            steps = [account.send([told]), account.check(), account.prepare()]
            if not isinstance(account, Ga4):
                steps.append(account.outcome([told], Outcome.text("r1"), looks=26))
            for step in steps:
                with suppress(ReceiverUnavailable, Refused):  # in our words, and nothing else
                    await step
