"""Anna, who came by an advertisement and called, and the accounts for her call."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from router.domain.access import Scope
from router.domain.calls.call import Call
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Delivery, DeliveryKind
from router.receivers.registry import Accounts
from router.receivers.webhook import WebhookSender
from router.service.admin.access import create_token
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.outbox import enqueue_calls
from router.service.delivery.senders import Senders
from router.store.engine import SqlStore
from router.web.app import create_app
from router.web.deps import Web
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
    """Anna, who came by an advertisement and is known everywhere, and her call, not sent yet."""
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


async def enqueue(
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


async def deliveries_of_calls(store: SqlStore) -> dict[str, Delivery]:
    async with store.read() as session:
        return {
            f"{delivery.receiver_id} {delivery.kind}": delivery
            for delivery in await session.deliveries.find()
        }


SENT = "request request-2: 1 conversions; record 0"

SALE = "/api/v1/calls/rt1-1.0/sale"


async def deliver(store: SqlStore, home: Path, after: timedelta = timedelta()) -> None:
    clock = Clock(NOW + timedelta(minutes=5) + after)  # Metrica's files go every five minutes
    accounts, webhooks = Accounts(store, home, clock), WebhookSender("key")
    sender = Senders(store, webhooks, accounts, "http://pages", clock, lambda *_: "")
    try:
        for kind in ("ga4", "metrica", "google-ads"):
            await deliver_due(store, sender, clock, receiver_id=kind)
    finally:
        await accounts.close()
        await webhooks.close()
