"""Sales told through the API, and how calls and sales reach analytics accounts: coalesced, in
order, in time.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call, State
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState
from router.receivers.registry import KINDS, Accounts
from router.receivers.webhook import WebhookSender
from router.secrets import keep_token
from router.service.admin.access import create_token
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.manage import resend_delivery
from router.service.delivery.outbox import enqueue_calls
from router.service.delivery.senders import Senders
from router.store.engine import SqlStore
from router.web.app import create_app
from router.web.deps import Web
from tests.contracts.ga4 import Ga4Server
from tests.contracts.google_ads import GoogleAdsServer
from tests.contracts.metrica import MetricaServer
from tests.contracts.serving import served
from tests.integration.store_calls import call, save
from tests.support.builders import Clock, site, visit, visitor
from tests.support.builders import furnish as furnish_site
from tests.support.crm_calls import ANNA
from tests.support.web_world import MemoryStorage

# adapters keep their own time, and Google's is the real one
NOW = datetime.now(UTC).replace(microsecond=0)
BEGAN = NOW - timedelta(minutes=10)
CALLED = NOW - timedelta(minutes=5)
AN_HOUR = timedelta(hours=1)


def account(kind: str, **fields: Any) -> Connection:
    return Connection(
        **{"id": kind, "kind": kind, "address": "http://127.0.0.1:9", "created_at": NOW, **fields}
    )


def a_call(id: str = "rt1-1.0", **fields: Any) -> Call:  # noqa: A002
    times = {"arrived_at": CALLED, "answered_at": CALLED, "ended_at": CALLED + timedelta(minutes=1)}
    who = {
        "caller": ANNA,
        "visitor_id": "anna",
        "visit_id": "anna-1",
        "site_id": "shop",
        "talk_seconds": 60.0,
    }
    return call(id, **{**times, **who, **fields})


async def furnish(store: SqlStore, *accounts: Connection) -> Call:
    """Anna, who came by an advertisement and is known to everybody, and her call, not told yet."""
    known = {
        "ga_client_id": "1.2",
        "ga_session_id": str(int(BEGAN.timestamp())),
        "ym_client_id": "77",
    }
    anna = visitor(created_at=BEGAN, **known)
    arrived = visit(started_at=BEGAN, seen_at=NOW, click_ids={"gclid": "click"})
    await furnish_site(store, site("garage"), anna, arrived, *accounts)
    await save(store, a_call())
    return a_call()


async def announce(
    store: SqlStore, *calls: Call, kind: DeliveryKind = DeliveryKind.CALL_ENDED
) -> None:
    async with store.write() as session:
        await enqueue_calls(session, calls, kind, NOW)


async def program(store: SqlStore, scope: Scope = Scope.CALLS_WRITE) -> httpx.AsyncClient:
    app = create_app(
        Web(store=store, listening=MemoryStorage(), session_key="k" * 43, clock=Clock(NOW))
    )
    secret = (await create_token(store, "shop", [scope], NOW)).secret
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport,
        base_url="https://ringtrace.test",
        headers={"Authorization": f"Bearer {secret}"},
    )


async def told(store: SqlStore) -> dict[str, Delivery]:
    async with store.read() as session:
        return {f"{one.receiver_id} {one.kind}": one for one in await session.deliveries.find()}


SENT = "request request-2: 1 conversions; record 0"
SALE = "/api/v1/calls/rt1-1.0/sale"


async def test_a_sale_goes_to_every_analytics_account_of_the_site_that_knows_the_visitor(
    store: SqlStore,
) -> None:
    await furnish(
        store,
        account("ga4"),
        account("google-ads"),
        account("metrica", site_id="shop"),
        account("metrica", id="other", site_id="garage"),
        account("ga4", id="off", active=False),
        account("tryton"),
    )
    at = (NOW - timedelta(minutes=1)).isoformat()
    answer = await (await program(store)).post(
        SALE, json={"value": 4990.5, "currency": "RUB", "at": at}
    )
    assert (answer.status_code, answer.json()["told"]) == (201, ["ga4", "google-ads", "metrica"]), (
        answer.text
    )
    deliveries = await told(store)
    assert sorted(deliveries) == ["ga4 sale.made", "google-ads sale.made", "metrica sale.made"]
    one = deliveries["google-ads sale.made"]
    assert one.key.startswith("sale.made:rt1-1.0:20")
    assert (one.payload["sale"]["value"], one.payload["sale"]["currency"]) == (4990.5, "RUB")
    assert (one.payload["call"]["id"], one.payload["attribution"]["visitor"]) == ("rt1-1.0", "anna")
    assert (one.stream, one.deadline_at) == ("rt1-1.0", CALLED + timedelta(days=90))


async def test_a_sale_of_one_moment_counts_once_and_another_value_for_it_is_a_conflict(
    store: SqlStore,
) -> None:
    await furnish(store, account("ga4"))
    client, sold = await program(store), {"value": 10, "currency": "EUR", "at": NOW.isoformat()}
    assert [(await client.post(SALE, json=sold)).status_code for _ in range(2)] == [201, 201]
    assert len(await told(store)) == 1
    assert (await client.post(SALE, json={**sold, "value": 11})).status_code == 409
    earlier = (NOW - timedelta(seconds=9)).isoformat()
    assert (await client.post(SALE, json={**sold, "at": earlier})).status_code == 201
    async with store.read() as session:
        assert len(await session.deliveries.find()) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": -1},
        {"value": "10"},
        {"value": True},
        {"value": 1e13},
        {"currency": "rub"},
        {"currency": "RUBLES"},
        {"currency": None},
        {"at": "2026-01-20T12:00:00"},
        {"at": (CALLED - timedelta(seconds=1)).isoformat()},
        {"at": (NOW + timedelta(hours=1)).isoformat()},
        {"tip": 1},
    ],
)
async def test_a_sale_that_makes_no_sense_is_refused(
    store: SqlStore, wrong: dict[str, Any]
) -> None:
    await furnish(store, account("ga4"))
    answer = await (await program(store)).post(SALE, json={"value": 10, "currency": "EUR", **wrong})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input"), answer.text
    assert await told(store) == {}


async def test_a_sale_needs_a_call_that_is_over_and_the_right_to_write(store: SqlStore) -> None:
    await furnish(store, account("ga4"))
    await save(store, a_call("rt1-2.0", state=State.TALKING, ended_at=None))
    client, sold = await program(store), {"value": 10, "currency": "EUR"}
    answers = [
        await client.post(f"/api/v1/calls/{name}/sale", json=sold) for name in ("rt1-2.0", "nobody")
    ]
    answers.append(await (await program(store, Scope.CALLS_READ)).post(SALE, json=sold))
    assert [one.status_code for one in answers] == [409, 404, 403]


async def test_whether_a_call_is_its_callers_first_at_the_site_is_told_with_it(
    store: SqlStore,
) -> None:
    await furnish(store, account("ga4"))
    second = a_call("rt1-2.0", arrived_at=CALLED + timedelta(seconds=1))
    elsewhere = a_call("rt1-3.0", site_id="garage", arrived_at=CALLED + timedelta(seconds=2))
    hidden = a_call("rt1-4.0", caller=None)
    await save(store, second, elsewhere, hidden)
    await announce(store, a_call(), second, elsewhere, hidden)
    async with store.read() as session:
        first = {d.call_id: d.payload["call"]["first"] for d in await session.deliveries.find()}
    assert first == {"rt1-1.0": True, "rt1-2.0": False, "rt1-3.0": True, "rt1-4.0": None}


async def test_a_call_judged_again_before_it_was_sent_is_sent_once_as_it_was_judged_last(
    store: SqlStore, tmp_path: Path
) -> None:
    google = Ga4Server(clock=lambda: datetime.now(UTC))
    keep_token(tmp_path, "ga4", {"api_secret": "secret"})
    async with served(google.app) as url:
        first = await furnish(
            store, account("ga4", address=url, options={"measurement_id": "G-ABC123DEF4"})
        )
        await announce(store, first)
        async with store.write() as session:
            await session.add(
                visitor("boris", ga_client_id="3.4"), visit("boris-1", visitor_id="boris")
            )
        again = a_call(visitor_id="boris", visit_id="boris-1")
        await announce(store, again, kind=DeliveryKind.CALL_JUDGED)
        await _deliver(store, tmp_path)
        await announce(store, first, kind=DeliveryKind.CALL_JUDGED)  # too late: it was told
        await _deliver(store, tmp_path)
    assert [body["client_id"] for body in google.taken] == ["3.4"]
    assert google.faults == []


async def test_a_call_found_to_be_nobodys_before_it_was_sent_is_not_told_of_its_first_visitor(
    store: SqlStore, tmp_path: Path
) -> None:
    google = Ga4Server(clock=lambda: datetime.now(UTC))
    keep_token(tmp_path, "ga4", {"api_secret": "secret"})
    async with served(google.app) as url:
        await announce(store, await furnish(store, account("ga4", address=url)))
        await announce(store, a_call(visitor_id=None, visit_id=None), kind=DeliveryKind.CALL_JUDGED)
        await _deliver(store, tmp_path)
    (one,) = (await told(store)).values()
    assert (google.taken, one.state) == ([], DeliveryState.DONE)
    assert "no longer known" in str(one.receipt)


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
        await announce(store, a_call())
        sold = {"value": 4990.5, "currency": "RUB"}
        assert (await (await program(store)).post(SALE, json=sold)).status_code == 201
        for _ in range(3):
            await _deliver(store, tmp_path)
        assert str((await told(store))["google-ads sale.made"].receipt) == SENT
        yandex.stands = "PROCESSED"
        await _deliver(store, tmp_path, 3 * AN_HOUR)
    deliveries = await told(store)
    assert {one.state for one in deliveries.values()} == {DeliveryState.DONE}, deliveries
    assert (
        str(deliveries["google-ads call.ended"].receipt)
        == "request request-1: 1 conversions; used by Google"
    )
    assert (
        str(deliveries["metrica call.ended"].receipt)
        == "upload 100: 1 lines; bound to visits by Metrica"
    )
    names = [event["name"] for body in google.taken for event in body["events"]]
    assert names == ["phone_call", "first_phone_call", "phone_sale"]  # the sale after its call
    assert (len(yandex.lines["upload_calls"]), len(yandex.lines["upload"])) == (1, 1)
    assert sorted(action for action, _ in ads.conversions) == ["11", "22"]
    assert google.faults == yandex.faults == ads.faults == []


async def test_of_calls_told_together_the_refused_one_alone_is_given_up(
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
        await announce(store, a_call(), bad)
        await _deliver(store, tmp_path)
    async with store.read() as session:
        states = {
            one.call_id: (one.state, str(one.answer)) for one in await session.deliveries.find()
        }
    assert states["rt1-1.0"] == (DeliveryState.PENDING, SENT)
    assert states["rt1-2.0"][0] is DeliveryState.DEAD
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
        await announce(store, a_call())
        stood = []
        for hours in range(5):
            await _deliver(store, tmp_path, hours * AN_HOUR)
            (one,) = (await told(store)).values()
            stood.append((one.state, one.last_error and str(one.last_error)))
            if hours == 1:
                await announce(store, a_call(), kind=DeliveryKind.CALL_JUDGED)
        assert ads.requests == 1  # and not one of them sent it again
        ads.unusable.clear()
        await resend_delivery(store, one.id, NOW + 5 * AN_HOUR)
        for hours in (6, 7):
            await _deliver(store, tmp_path, hours * AN_HOUR)
    works = (DeliveryState.PENDING, "Google has not said yet what came of it")
    given_up = (DeliveryState.DEAD, "Google took it and could not use it: INVALID_GCLID")
    assert stood == [(DeliveryState.PENDING, None), works, works, given_up, given_up]
    (one,) = (await told(store)).values()
    assert (one.state, ads.requests) == (DeliveryState.DONE, 2)
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
    await _deliver(store, tmp_path)
    (one,) = (await told(store)).values()
    assert one.state is DeliveryState.DEAD
    assert "too late: metrica" in str(one.last_error)


async def test_an_account_of_each_kind_has_the_services_own_address() -> None:
    assert {
        name: (kind.address, kind.batch > 1) for name, kind in KINDS.items() if kind.analytics
    } == {
        "ga4": ("https://www.google-analytics.com", False),
        "metrica": ("https://api-metrika.yandex.net", True),
        "google-ads": ("https://datamanager.googleapis.com", True),
    }


async def _deliver(store: SqlStore, home: Path, after: timedelta = timedelta()) -> None:
    clock = Clock(NOW + timedelta(minutes=5) + after)  # Metrica's files go every five minutes
    accounts, webhooks = Accounts(store, home, clock), WebhookSender("key")
    courier = Senders(store, webhooks, accounts, "http://pages", clock, lambda *_: "")
    try:
        for kind in ("ga4", "metrica", "google-ads"):
            await deliver_due(store, courier, clock, receiver_id=kind)
    finally:
        await accounts.close()
        await webhooks.close()


async def test_a_sale_without_a_receiver_is_kept_and_shown_with_its_call(store: SqlStore) -> None:
    await furnish(store)
    async with await program(store) as client:
        at = (CALLED + timedelta(minutes=2)).isoformat()
        sale = {"value": 4990.0, "currency": "RUB", "at": at}
        for _ in range(2):
            answer = await client.post(SALE, json=sale)
            assert (answer.status_code, answer.json()["told"]) == (201, [])
        assert (await client.post(SALE, json={**sale, "value": 1.0})).status_code == 409
    async with await program(store, Scope.CALLS_READ) as client:
        kept = (await client.get("/api/v1/calls/rt1-1.0")).json()["sales"]
    assert [(one["value"], one["currency"]) for one in kept] == [(4990.0, "RUB")]
