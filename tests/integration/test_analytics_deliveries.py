"""How calls and sales reach analytics accounts: coalesced, in order, in time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from router.domain.delivery.delivery import DeliveryKind, DeliveryState
from router.receivers.registry import KINDS
from router.secrets import keep_token
from router.service.delivery.manage import resend_delivery
from router.store.engine import SqlStore
from tests.contracts.ga4 import Ga4Server
from tests.contracts.google_ads import GoogleAdsServer
from tests.contracts.metrica import MetricaServer
from tests.contracts.serving import served
from tests.integration.sales_world import (
    AN_HOUR,
    CALLED,
    NOW,
    SALE,
    SENT,
    a_call,
    account,
    deliver,
    deliveries_of_calls,
    enqueue,
    furnish,
    program,
)
from tests.integration.store_calls import save
from tests.support.builders import visit, visitor


async def test_whether_a_call_is_its_callers_first_at_the_site_is_sent_with_it(
    store: SqlStore,
) -> None:
    await furnish(store, account("ga4"))
    second = a_call("rt1-2.0", arrived_at=CALLED + timedelta(seconds=1))
    elsewhere = a_call("rt1-3.0", site_id="garage", arrived_at=CALLED + timedelta(seconds=2))
    hidden = a_call("rt1-4.0", caller=None)
    await save(store, second, elsewhere, hidden)
    await enqueue(store, a_call(), second, elsewhere, hidden)
    async with store.read() as session:
        first = {d.call_id: d.payload["call"]["first"] for d in await session.deliveries.find()}
    assert first == {"rt1-1.0": True, "rt1-2.0": False, "rt1-3.0": True, "rt1-4.0": None}


async def test_a_call_attributed_again_before_it_was_sent_is_sent_once_with_the_last_verdict(
    store: SqlStore, tmp_path: Path
) -> None:
    google = Ga4Server(clock=lambda: datetime.now(UTC))
    keep_token(tmp_path, "ga4", {"api_secret": "secret"})
    async with served(google.app) as url:
        first = await furnish(
            store, account("ga4", address=url, options={"measurement_id": "G-ABC123DEF4"})
        )
        await enqueue(store, first)
        async with store.write() as session:
            await session.add(
                visitor("boris", ga_client_id="3.4"), visit("boris-1", visitor_id="boris")
            )
        again = a_call(visitor_id="boris", visit_id="boris-1")
        await enqueue(store, again, kind=DeliveryKind.CALL_ATTRIBUTED)
        await deliver(store, tmp_path)
        await enqueue(store, first, kind=DeliveryKind.CALL_ATTRIBUTED)  # too late: it was sent
        await deliver(store, tmp_path)
    assert [body["client_id"] for body in google.taken] == ["3.4"]
    assert google.faults == []


async def test_a_call_found_to_be_unattributed_before_it_was_sent_leaves_out_its_first_visitor(
    store: SqlStore, tmp_path: Path
) -> None:
    google = Ga4Server(clock=lambda: datetime.now(UTC))
    keep_token(tmp_path, "ga4", {"api_secret": "secret"})
    async with served(google.app) as url:
        await enqueue(store, await furnish(store, account("ga4", address=url)))
        await enqueue(
            store, a_call(visitor_id=None, visit_id=None), kind=DeliveryKind.CALL_ATTRIBUTED
        )
        await deliver(store, tmp_path)
    (delivery,) = (await deliveries_of_calls(store)).values()
    assert (google.taken, delivery.state) == ([], DeliveryState.DONE)
    assert "no longer known" in str(delivery.receipt)


async def test_calls_and_their_sales_reach_all_three_services_each_once(
    store: SqlStore, tmp_path: Path
) -> None:
    google, yandex, ads = (
        Ga4Server(clock=lambda: datetime.now(UTC)),
        MetricaServer(),
        GoogleAdsServer(),
    )
    keep_token(tmp_path, "ga4", {"api_secret": "secret"})
    keep_token(tmp_path, "metrica", {"token": "token"})
    keep_token(
        tmp_path,
        "google-ads",
        {"client_id": "id", "client_secret": "hush", "refresh_token": "fresh"},
    )
    async with served(google.app) as one, served(yandex.app) as two, served(ads.app) as three:
        actions = {
            "conversion_action": "11",
            "sale_action": "22",
            "token_address": f"{three}/token",
        }
        await furnish(
            store,
            account("ga4", address=one, options={"measurement_id": "G-ABC123DEF4"}),
            account("metrica", address=two, options={"counter": "42"}),
            account("google-ads", address=three, options={"account": "1234567890", **actions}),
        )
        await enqueue(store, a_call())
        sold = {"value": 4990.5, "currency": "RUB"}
        assert (await (await program(store)).post(SALE, json=sold)).status_code == 201
        for _ in range(3):
            await deliver(store, tmp_path)
        assert str((await deliveries_of_calls(store))["google-ads sale.made"].receipt) == SENT
        yandex.stands = "PROCESSED"
        await deliver(store, tmp_path, 3 * AN_HOUR)
    deliveries = await deliveries_of_calls(store)
    assert {delivery.state for delivery in deliveries.values()} == {DeliveryState.DONE}, deliveries
    assert (
        str(deliveries["google-ads call.ended"].receipt)
        == "request request-1: 1 conversions; used by Google"
    )
    assert (
        str(deliveries["metrica call.ended"].receipt)
        == "upload 100: 1 lines; matched to visits by Metrica"
    )
    names = [event["name"] for body in google.taken for event in body["events"]]
    assert names == ["phone_call", "first_phone_call", "phone_sale"]  # the sale after its call
    assert (len(yandex.lines["upload_calls"]), len(yandex.lines["upload"])) == (1, 1)
    assert sorted(action for action, _ in ads.conversions) == ["11", "22"]
    assert google.faults == yandex.faults == ads.faults == []


async def test_of_calls_sent_together_the_refused_one_alone_is_given_up(
    store: SqlStore, tmp_path: Path
) -> None:
    ads = GoogleAdsServer(bad_clicks={"bad"})
    keep_token(
        tmp_path,
        "google-ads",
        {"client_id": "id", "client_secret": "hush", "refresh_token": "fresh"},
    )
    async with served(ads.app) as url:
        options = {
            "account": "1234567890",
            "conversion_action": "11",
            "token_address": f"{url}/token",
        }
        await furnish(store, account("google-ads", address=url, options=options))
        async with store.write() as session:
            await session.add(visit("anna-2", click_ids={"gclid": "bad"}))
        bad = a_call("rt1-2.0", visit_id="anna-2")
        await save(store, bad)
        await enqueue(store, a_call(), bad)
        await deliver(store, tmp_path)
    async with store.read() as session:
        states = {
            delivery.call_id: (delivery.state, str(delivery.answer))
            for delivery in await session.deliveries.find()
        }
    assert states["rt1-1.0"] == (DeliveryState.PENDING, SENT)
    assert states["rt1-2.0"][0] is DeliveryState.FAILED
    assert "The click ID is not one" in states["rt1-2.0"][1]


async def test_what_google_takes_and_cannot_use_is_given_up_later_and_sent_again_by_hand(
    store: SqlStore, tmp_path: Path
) -> None:
    ads = GoogleAdsServer(works=2, unusable={"11": "INVALID_GCLID"})
    keep_token(
        tmp_path,
        "google-ads",
        {"client_id": "id", "client_secret": "hush", "refresh_token": "fresh"},
    )
    async with served(ads.app) as url:
        options = {
            "account": "1234567890",
            "conversion_action": "11",
            "token_address": f"{url}/token",
        }
        await furnish(store, account("google-ads", address=url, options=options))
        await enqueue(store, a_call())
        stood = []
        for hours in range(5):
            await deliver(store, tmp_path, hours * AN_HOUR)
            (delivery,) = (await deliveries_of_calls(store)).values()
            stood.append((delivery.state, delivery.last_error and str(delivery.last_error)))
            if hours == 1:
                await enqueue(store, a_call(), kind=DeliveryKind.CALL_ATTRIBUTED)
        assert ads.requests == 1  # and not one of them sent it again
        ads.unusable.clear()
        await resend_delivery(store, delivery.id, NOW + 5 * AN_HOUR)
        for hours in (6, 7):
            await deliver(store, tmp_path, hours * AN_HOUR)
    works = (DeliveryState.PENDING, "Google has not reported a result yet")
    given_up = (DeliveryState.FAILED, "Google accepted it but could not use it: INVALID_GCLID")
    assert stood == [(DeliveryState.PENDING, None), works, works, given_up, given_up]
    (delivery,) = (await deliveries_of_calls(store)).values()
    assert (delivery.state, ads.requests) == (DeliveryState.DONE, 2)
    assert ads.faults == []


async def test_what_comes_too_late_for_a_service_is_given_up_in_words(
    store: SqlStore, tmp_path: Path
) -> None:
    await furnish(store, account("metrica"))
    old = CALLED - timedelta(days=22)
    await save(store, a_call("rt1-2.0", arrived_at=old, ended_at=old))
    answer = await (await program(store)).post(
        "/api/v1/calls/rt1-2.0/sale", json={"value": 1, "currency": "RUB"}
    )
    assert answer.status_code == 201
    await deliver(store, tmp_path)
    (delivery,) = (await deliveries_of_calls(store)).values()
    assert delivery.state is DeliveryState.FAILED
    assert "too late: metrica" in str(delivery.last_error)


async def test_an_account_of_each_kind_has_the_services_own_address() -> None:
    assert {
        name: (kind.address, kind.batch > 1) for name, kind in KINDS.items() if kind.analytics
    } == {
        "ga4": ("https://www.google-analytics.com", False),
        "metrica": ("https://api-metrika.yandex.net", True),
        "google-ads": ("https://datamanager.googleapis.com", True),
    }
