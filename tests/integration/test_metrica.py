"""Yandex.Metrica as documented, over real HTTP: uploads, each once, and refusals."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from router.domain.delivery.delivery import Result, Use
from router.receivers.http import HttpClient
from router.receivers.metrica.adapter import MOST, Metrica
from router.service.delivery.analytics import AnalyticsEvent
from router.service.delivery.outcomes import NotYet, ReceiverUnavailable
from tests.contracts.metrica import MetricaServer
from tests.contracts.serving import served
from tests.support.analytics_events import event, sale
from tests.support.crm_calls import ANNA, connection

# Metrica's server takes nothing that has not happened yet
LONG_AGO = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def yandex() -> AsyncIterator[MetricaServer]:
    server = MetricaServer()
    yield server
    assert server.faults == []


def metrica(url: str, token: str = "token", **options: str) -> Metrica:
    return Metrica(
        connection("metrica", options={"counter": "42", **options}),
        {"token": token},
        HttpClient(url, {}),
    )


def russian(number: int = 0, **more: Any) -> AnalyticsEvent:
    facts = {"ym_client_id": f"17346803885749{number:05}", "wait_seconds": "10", "verdict": "exact"}
    fields = {
        "facts": facts,
        "arrived_at": LONG_AGO,
        "ended_at": LONG_AGO + timedelta(seconds=60),
        **more,
    }
    return event(f"rt1-{number}.0", **fields)


async def test_calls_are_lines_with_client_ids_and_no_phone_unless_it_is_wanted(
    yandex: MetricaServer,
) -> None:
    async with served(yandex.app) as url:
        await metrica(url).send([russian(first=True)])
        await metrica(url, phone="on", goal="Call").send([russian(1, answered=False, talk=0.0)])
    first, second = yandex.lines["upload_calls"]
    assert first == {
        "ClientId": "1734680388574900000",
        "DateTime": str(int(LONG_AGO.timestamp())),
        "StaticCall": "0",
        "TalkDuration": "50",
        "HoldDuration": "10",
        "CallMissed": "0",
        "FirstTimeCaller": "1",
    }
    assert (second["PhoneNumber"], second["CallMissed"], second["FirstTimeCaller"]) == (
        ANNA,
        "1",
        "",
    )


async def test_many_calls_go_in_few_files_and_sales_in_files_of_their_own(
    yandex: MetricaServer,
) -> None:
    by_click = event(
        "rt1-c.0",
        arrived_at=LONG_AGO,
        ended_at=LONG_AGO,
        facts={"yclid": "77", "wait_seconds": "1"},
    )
    calls = [russian(number) for number in range(MOST + 5)]
    async with served(yandex.app) as url:
        taken = await metrica(url).send(
            [*calls, by_click, sale(calls[0], LONG_AGO + timedelta(days=2))]
        )
    assert [upload["line_quantity"] for upload in yandex.uploadings["upload_calls"]] == [MOST, 5, 1]
    assert yandex.lines["upload_calls"][-1]["Yclid"] == "77"
    assert yandex.lines["upload"] == [
        {
            "ClientId": "1734680388574900000",
            "Target": "phone_sale",
            "DateTime": str(int((LONG_AGO + timedelta(days=2)).timestamp())),
            "Price": "4990.5",
            "Currency": "RUB",
        }
    ]
    assert "upload 100: 30 lines" in str(taken.said)


async def test_a_call_that_is_long_enough_reaches_a_goal_once_though_one_of_its_files_is_refused(
    yandex: MetricaServer,
) -> None:
    long, short = russian(0, talk=60.0), russian(1, talk=59.0)
    async with served(yandex.app) as url:
        counter = metrica(url, target_seconds="60", target_goal="long_call")
        assert await counter.prepare() == [
            "goal: phone_sale",
            "goal: long_call",
        ]
        yandex.statuses, yandex.keeps = [200, 400], False
        assert set((await counter.send([long, short])).results) == {long.key}
        assert (await counter.send([long, short])).results == {}
    assert len(yandex.lines["upload_calls"]) == 2
    moment = str(int(LONG_AGO.timestamp()))
    assert yandex.lines["upload"] == [
        {"ClientId": "1734680388574900000", "Target": "long_call", "DateTime": moment}
    ]


@pytest.mark.parametrize("keeps", [True, False])
async def test_an_upload_whose_outcome_is_unknown_is_looked_up_before_it_is_repeated(
    yandex: MetricaServer, keeps: bool
) -> None:
    yandex.statuses, yandex.keeps = [504], keeps
    async with served(yandex.app) as url:
        with pytest.raises(ReceiverUnavailable, match="504 Backend is busy") as caught:
            await metrica(url).send([russian(0), russian(1)])
        # in other company, by another process
        taken = await metrica(url).send([russian(1), russian(2)])
        await metrica(url).send([russian(0)])
    assert caught.value.pause >= timedelta(minutes=1)  # until it is in the list
    assert sorted(line["ClientId"][-1] for line in yandex.lines["upload_calls"]) == ["0", "1", "2"]
    assert str(taken.said).endswith("1 lines" if keeps else "2 lines")


async def test_whether_metrica_found_visits_for_the_lines_is_asked_until_it_says_so(
    yandex: MetricaServer,
) -> None:
    events = [russian(0, talk=60.0), sale(russian(1), LONG_AGO + timedelta(hours=1))]
    async with served(yandex.app) as url:
        counter = metrica(url, target_seconds="60")
        taken = await counter.send(events)
        assert taken.look_in is not None
        with pytest.raises(NotYet, match="not reported a result yet"):
            await counter.outcome(events, taken.said, looks=12)
        assert str((await counter.outcome(events, taken.said, looks=13)).said).endswith(
            "; Metrica reported no result"
        )
        for stands, use, found in (
            ("PROCESSED", Use.USED, f"{taken.said}; matched to visits by Metrica"),
            ("LINKAGE_FAILURE", Use.NEVER, "matched to no visit by Metrica"),
        ):
            yandex.stands = stands
            made = await counter.outcome(events, taken.said, looks=1)
            assert {(result.use, str(result.outcome)) for result in made.results.values()} == {
                (use, found)
            }
        nobody = await counter.send([event("rt1-nobody.0", facts={})])
        assert (nobody.look_in, list(yandex.lines)) == (None, ["upload_calls", "upload"])


async def outcomes(yandex: MetricaServer, *events: AnalyticsEvent) -> list[Result]:
    """What Metrica says of these, sent together."""
    async with served(yandex.app) as url:
        counter = metrica(url)
        sent = await counter.send(events)
        yandex.stands = "PROCESSED"
        made = (await counter.outcome(events, sent.said, looks=1)).results
    return [made[told.key] for told in events]


@pytest.mark.parametrize("problem", ["strangers", "invalid"])
async def test_lines_that_metrica_did_not_bind_are_named_in_the_receipt(
    problem: str, yandex: MetricaServer
) -> None:
    setattr(yandex, problem, {"1734680388574900001"})
    words = {"strangers": "knows no such visitor", "invalid": "Metrica's validation failed"}[
        problem
    ]
    for outcome in await outcomes(yandex, russian(0), russian(1), russian(2)):
        assert outcome.use is Use.USED
        assert "but not all; 1 of 3 lines: " in str(outcome.outcome)
        assert words in str(outcome.outcome)


@pytest.mark.parametrize("problem", ["strangers", "invalid"])
async def test_a_call_that_metrica_bound_to_nothing_is_not_done(
    problem: str, yandex: MetricaServer
) -> None:
    setattr(yandex, problem, {"1734680388574900001"})
    (outcome,) = await outcomes(yandex, russian(1))
    assert outcome.use is Use.NEVER
    assert str(outcome.outcome).startswith("matched to no visit by Metrica; 1 of 1 lines: ")


async def test_a_sale_whose_goal_is_gone_says_so_and_is_uploaded_again_once_it_is_there(
    yandex: MetricaServer,
) -> None:
    yandex.no_goals = {"phone_sale"}
    sold = sale(russian(), LONG_AGO + timedelta(hours=1))
    (outcome,) = await outcomes(yandex, sold)
    assert outcome.use is Use.NEVER
    assert outcome.outcome.also[0].code == "metrica_no_goal"
    yandex.no_goals = set()
    (outcome,) = await outcomes(yandex, sold)  # as a person sends it again
    assert outcome.use is Use.USED
    assert len(yandex.lines["upload"]) == 2


async def test_what_metrica_cannot_know_is_refused_alone_and_its_errors_are_named_in_words(
    yandex: MetricaServer,
) -> None:
    odd = event(
        "rt1-odd.0",
        arrived_at=LONG_AGO,
        ended_at=LONG_AGO,
        facts={"yclid": "=cmd\n1", "wait_seconds": "1"},
    )
    nobody = event("rt1-nobody.0", facts={})
    yandex.statuses, yandex.keeps = [400], False
    async with served(yandex.app) as url:
        taken = await metrica(url).send([russian(), odd, nobody])
        assert str(taken.results[russian().key].outcome) == "400 Backend is busy"
        assert "Metrica uses only numbers" in str(taken.results[odd.key].outcome)
        assert taken.results[nobody.key].use is Use.USED
        with pytest.raises(ReceiverUnavailable, match="403 Access is denied"):
            await metrica(url, token="stale").send([russian()])


async def test_the_goal_of_sales_is_found_or_made_and_a_missing_right_is_named(
    yandex: MetricaServer,
) -> None:
    async with served(yandex.app) as url:
        assert [check.well for check in await metrica(url).check()] == [True, True, True, False]
        assert await metrica(url).prepare() == ["goal: phone_sale"]
        assert await metrica(url).prepare() == []
        assert all(check.well for check in await metrica(url).check())
        denied = await metrica(url, token="stale").check()
    assert not any(check.well for check in denied)
    assert "Access is denied" in str(denied[0].fix)
