"""Evidence that comes after a call: identifiers that analytics names late, and forms, looked at by
the worker.
"""

from datetime import timedelta
from typing import Any

import pytest

from router.domain.attribution.late_evidence import LateEvidence
from router.domain.calls.call import Call
from router.domain.delivery.connection import Connection, Mode
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState
from router.domain.visitors.visit import Visit, Visitor
from router.service.calls import reattribution
from router.service.calls.late_evidence import AFTER_FAILURE, look_again
from router.service.delivery.outbox import enqueue_calls
from router.service.visitors.identities import Ids
from router.service.visitors.visits import VisitService
from router.store.engine import SqlStore
from tests.integration.test_attribution_of_calls import a_call, keep
from tests.integration.visit_world import everything, opened
from tests.support.builders import Clock, later, webhook

IDS = Ids(ga_client_id="11.22", ga_session_id="33", ym_client_id="44")
GA4 = Connection(id="ga", kind="ga4", address="", mode=Mode.OWN, created_at=later(0))
CRM = Connection(
    id="amo", kind="amocrm", address="https://amo.example", mode=Mode.OWN, created_at=later(0)
)


async def ended_call(store: SqlStore, arrived: Any, at: float = 30) -> Call:
    """A call from the visit's own number, sent to every receiver when it ended."""
    [call] = await keep(store, a_call(at=at, number=arrived.numbers["main"].number))
    async with store.write() as session:
        await enqueue_calls(session, [call], DeliveryKind.CALL_ENDED, later(at + 60))
    return call


async def say(
    desk: VisitService,
    who: Any,
    how: str,
    ids: Ids,
    at: float,
    lease_id: str = "",
    number: str = "",
) -> None:
    """What a page says with each kind of message."""
    match how:
        case "alive":
            await desk.stay(who, [lease_id], None, ids, "", later(at))
        case "numbers":
            await desk.give_numbers(who, ["main"], "", later(at), ids)
        case "tap":
            await desk.tapped(who, number, later(at), ids)
        case "form":
            await desk.left_phone(who, "8 916 000-00-01", later(at), ids)
        case "left":
            await desk.left(who, [lease_id], later(at), ids)


@pytest.mark.parametrize("how", ["alive", "numbers", "tap", "form", "left"])
async def test_an_identifier_is_stored_with_whatever_message_says_it_first(
    store: SqlStore, how: str
) -> None:
    desk, who, arrived = await opened(store)
    number = arrived.numbers["main"]
    await say(desk, who, how, IDS, 8, number.lease_id or "", number.number or "")
    [visitor], [visit] = await everything(store, Visitor), await everything(store, Visit)
    assert (visitor.ga_client_id, visitor.ym_client_id, visit.ga_session_id) == (
        "11.22",
        "44",
        "33",
    )
    async with store.read() as session:
        holder = await session.leases.holder(number.number or "", later(9))
    assert holder is not None
    assert holder.client_id == "11.22", "the company's phone shows it at the next call"


@pytest.mark.parametrize("how", ["alive", "tap", "left"])
async def test_a_late_client_id_follows_the_calls_already_sent_once(
    store: SqlStore, how: str
) -> None:
    desk, who, arrived = await opened(store)
    async with store.write() as session:
        await session.add(webhook(), GA4)
    call = await ended_call(store, arrived)
    number = arrived.numbers["main"]
    for at in (100, 110):
        await say(desk, who, how, IDS, at, number.lease_id or "", number.number or "")
        await look_again(store, Clock(later(at)))
    async with store.read() as session:
        told = await session.deliveries.find(call_id=call.id)
    to_webhook = [delivery for delivery in told if delivery.receiver_id == "crm"]
    assert [delivery.kind for delivery in to_webhook] == [
        DeliveryKind.CALL_ATTRIBUTED,
        DeliveryKind.CALL_ENDED,
    ]
    assert [delivery.payload["attribution"]["ga_client_id"] for delivery in to_webhook] == [
        "11.22",
        None,
    ]
    [to_analytics] = [delivery for delivery in told if delivery.receiver_id == "ga"]
    assert (to_analytics.kind, to_analytics.payload["attribution"]["ga_client_id"]) == (
        DeliveryKind.CALL_ENDED,
        "11.22",
    )
    assert await everything(store, LateEvidence) == []


async def test_what_the_crm_was_not_sent_yet_gets_the_late_client_id(store: SqlStore) -> None:
    desk, who, arrived = await opened(store)
    async with store.write() as session:
        await session.add(CRM)
    call = await ended_call(store, arrived)
    await desk.tapped(who, arrived.numbers["main"].number or "", later(100), IDS)
    await look_again(store, Clock(later(100)))
    async with store.read() as session:
        [told] = await session.deliveries.find(call_id=call.id)
    assert told.payload["attribution"]["ga_client_id"] == "11.22"


async def test_what_the_crm_was_sent_already_is_sent_again_with_the_client_id(
    store: SqlStore,
) -> None:
    desk, who, arrived = await opened(store)
    async with store.write() as session:
        await session.add(CRM)
    call = await ended_call(store, arrived)
    async with store.write() as session:
        [sent] = await session.deliveries.find(call_id=call.id)
        await session.change_values(Delivery, sent.id, state=DeliveryState.DONE)
    await desk.tapped(who, arrived.numbers["main"].number or "", later(100), IDS)
    for _ in range(2):
        await look_again(store, Clock(later(100)))
    async with store.read() as session:
        again, _ = await session.deliveries.find(call_id=call.id)
    assert again.payload["attribution"]["ga_client_id"] == "11.22"
    assert again.state is DeliveryState.PENDING


async def test_analytics_are_not_sent_what_they_would_not_count(store: SqlStore) -> None:
    desk, who, arrived = await opened(store)
    async with store.write() as session:
        await session.add(GA4)
    await ended_call(store, arrived)
    days = timedelta(days=4).total_seconds()
    await desk.tapped(who, arrived.numbers["main"].number or "", later(days), IDS)
    await look_again(store, Clock(later(days)))
    assert await everything(store, Delivery) == []


async def test_a_call_that_ended_with_the_identifiers_known_is_not_sent_again(
    store: SqlStore,
) -> None:
    """The worker may be late itself."""
    desk, who, arrived = await opened(store)
    async with store.write() as session:
        await session.add(webhook())
    await desk.tapped(who, arrived.numbers["main"].number or "", later(8), IDS)
    await ended_call(store, arrived)
    await look_again(store, Clock(later(200)))
    [told] = await everything(store, Delivery)
    assert told.kind is DeliveryKind.CALL_ENDED


async def test_a_new_session_of_a_known_visitor_changes_no_earlier_call(store: SqlStore) -> None:
    desk, who, _ = await opened(store)
    await desk.left(who, [], later(5), IDS)
    await look_again(store, Clock(later(5)))
    again = await desk.recall(who.visit.id)
    await desk.left(again, [], later(50), Ids(ga_client_id="11.22", ga_session_id="99"))
    assert await everything(store, LateEvidence) == []


async def test_two_messages_at_once_keep_each_others_identifiers(store: SqlStore) -> None:
    desk, who, _ = await opened(store)
    await desk.left(who, [], later(5), Ids(ga_client_id="11.22"))
    await desk.left(who, [], later(5), Ids(ym_client_id="44"))  # read before the first was written
    [visitor] = await everything(store, Visitor)
    assert (visitor.ga_client_id, visitor.ym_client_id) == ("11.22", "44")


async def test_a_late_click_id_reaches_the_visit(store: SqlStore) -> None:
    desk, who, _ = await opened(store)
    await desk.left(who, [], later(5), Ids(click_ids={"gclid": "abc"}))
    [visit] = await everything(store, Visit)
    assert visit.click_ids == {"gclid": "abc"}
    assert len(await everything(store, LateEvidence)) == 1


async def test_a_look_that_fails_is_taken_again_later_and_stops_no_other(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, who, _ = await opened(store)
    await desk.left_phone(who, "+79160000001", later(1))
    await desk.left_phone(who, "+79160000002", later(2))
    looked: list[str] = []

    async def fails_once(store: SqlStore, site_id: str, phone: str, now: Any) -> int:
        looked.append(phone)
        if phone.endswith("1"):
            raise RuntimeError
        return 0

    monkeypatch.setattr("router.service.calls.late_evidence.form_left", fails_once)
    assert await look_again(store, Clock(later(3))) == 2
    [waits] = await everything(store, LateEvidence)
    assert (looked, waits.due_at) == (["+79160000001", "+79160000002"], later(3) + AFTER_FAILURE)


async def test_a_form_is_left_to_the_worker_and_a_worker_that_is_killed_loses_no_call(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, who, arrived = await opened(store)
    number = arrived.numbers["main"].number
    calls = [a_call(f"call-{n}", at=90_000 + 100 * n, number=number) for n in range(3)]
    for call in await keep(store, *calls):
        assert call.visitor_id is None
    await desk.left_phone(who, calls[0].caller or "", later(91_000))
    assert {call.visitor_id for call in await everything(store, Call)} == {None}

    real, attributed = reattribution.attribute_again, []

    async def killed_at_the_second(store: SqlStore, call_id: str, **more: Any) -> Call:
        if attributed:
            raise KeyboardInterrupt
        attributed.append(call_id)
        return await real(store, call_id, **more)

    with monkeypatch.context() as patched:
        patched.setattr(reattribution, "attribute_again", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            await look_again(store, Clock(later(91_001)))
    assert len(await everything(store, LateEvidence)) == 1

    assert await look_again(store, Clock(later(91_002))) == 1
    assert {call.visitor_id for call in await everything(store, Call)} == {who.visitor.id}
    assert await everything(store, LateEvidence) == []
