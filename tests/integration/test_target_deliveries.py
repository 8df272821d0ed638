"""Target calls and spam at analytics: what is left out, sent later, and cannot be taken back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from router.domain.calls.qualification import Subject
from router.domain.delivery.delivery import Delivery, DeliveryKind, Webhook
from router.secrets import keep_token
from router.service.calls.qualification import decide, undo_decision
from router.store.engine import SqlStore
from tests.contracts.ga4 import Ga4Server
from tests.contracts.serving import served
from tests.integration.sales_world import NOW, account, deliver, enqueue, furnish

CALL = "rt1-1.0"


@asynccontextmanager
async def ga4(store: SqlStore, home: Path, *also: Any, **options: str) -> AsyncIterator[Ga4Server]:
    """A GA4 account that was not sent Anna's call yet."""
    google = Ga4Server(clock=lambda: datetime.now(UTC))
    keep_token(home, "ga4", {"api_secret": "secret"})
    async with served(google.app) as url:
        options = {"measurement_id": "G-ABC123DEF4", **options}
        call = await furnish(store, account("ga4", address=url, options=options), *also)
        await enqueue(store, call)
        yield google
    assert google.faults == []


def names(google: Ga4Server) -> list[str]:
    return [event["name"] for body in google.taken for event in body["events"]]


_moments = count(1)


def later() -> datetime:
    return NOW + timedelta(microseconds=next(_moments))


async def say(store: SqlStore, subject: Subject, *, wanted: bool) -> None:
    await decide(store, CALL, subject, wanted=wanted, author="anna", now=later())


async def receipts(store: SqlStore, receiver: str = "ga4") -> list[tuple[str, str]]:
    async with store.read() as session:
        found = await session.deliveries.find(receiver_id=receiver)
    ordered: list[Delivery] = sorted(found, key=lambda one: one.id)
    return [(one.kind, one.receipt.code if one.receipt else "") for one in ordered]


async def test_a_call_that_becomes_a_target_call_later_is_sent_as_one_then(
    store: SqlStore, tmp_path: Path
) -> None:
    async with ga4(store, tmp_path, target_calls="rules") as google:
        await deliver(store, tmp_path)
        assert names(google) == ["phone_call", "first_phone_call"]
        await say(store, Subject.TARGET, wanted=True)
        await deliver(store, tmp_path)
        assert names(google)[2:] == ["target_phone_call"]
        await undo_decision(store, CALL, Subject.TARGET, later())
        await deliver(store, tmp_path)
        assert len(names(google)) == 3
    assert [code for _, code in await receipts(store)] == [
        "ga4_sent",
        "ga4_sent",
        "counted_already",
    ]


async def test_only_target_calls_are_sent_where_so_set(store: SqlStore, tmp_path: Path) -> None:
    async with ga4(store, tmp_path, target_calls="only") as google:
        await deliver(store, tmp_path)
        assert names(google) == []
        await say(store, Subject.TARGET, wanted=True)
        await deliver(store, tmp_path)
        assert names(google) == ["phone_call", "first_phone_call", "target_phone_call"]
    assert await receipts(store) == [
        (DeliveryKind.CALL_ENDED, "left_out_not_target"),
        (DeliveryKind.CALL_QUALIFIED, "ga4_sent"),
    ]


async def test_spam_is_not_sent_and_what_was_sent_before_is_named(
    store: SqlStore, tmp_path: Path
) -> None:
    async with ga4(store, tmp_path) as google:
        await say(store, Subject.SPAM, wanted=True)  # before it was sent
        await deliver(store, tmp_path)
        assert names(google) == []
        await say(store, Subject.SPAM, wanted=False)
        await deliver(store, tmp_path)
        assert names(google) == ["phone_call", "first_phone_call"]
        await say(store, Subject.TARGET, wanted=True)  # nothing that this account counts
        await deliver(store, tmp_path)
        await say(store, Subject.SPAM, wanted=True)
        await deliver(store, tmp_path)
        assert len(names(google)) == 2
    assert [code for _, code in await receipts(store)] == [
        "left_out_spam",
        "ga4_sent",
        "nothing_changed",
        "counted_already",
    ]


async def test_webhooks_are_sent_what_a_call_counts_as(store: SqlStore, tmp_path: Path) -> None:
    hook = Webhook(id="crm", url="https://crm.example", created_at=NOW)
    async with ga4(store, tmp_path, hook):
        await say(store, Subject.TARGET, wanted=True)
        await say(store, Subject.TARGET, wanted=True)  # changes nothing
    async with store.read() as session:
        sent = await session.deliveries.find(receiver_id="crm")
    counts = {one.kind: one.payload["call"]["target"] for one in sent}
    assert (len(sent), counts) == (
        2,
        {DeliveryKind.CALL_ENDED: False, DeliveryKind.CALL_QUALIFIED: True},
    )
