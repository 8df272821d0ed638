"""What visitors wrote and no call needs goes by age; what a call rests on stays."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from router.domain.access import LoginSession
from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call
from router.domain.calls.call_back import CallBack, CallBackState
from router.domain.calls.call_filter import CallFilter
from router.domain.calls.listening import Listening
from router.domain.delivery.delivery import DeliveryKind, DeliveryState, Webhook, new_delivery
from router.domain.ids import new_id
from router.domain.mail import Mail
from router.domain.visitors.lease import Lease
from router.domain.visitors.visit import Form, PageView, Tap, Visit, Visitor
from router.service.admin import retention
from router.service.admin.retention import remove_old
from router.store import tables
from router.store.engine import SqlStore
from tests.integration.test_attribution_of_calls import a_call
from tests.integration.visit_world import everything
from tests.support.builders import DID, NOON, OTHER_DID, furnish, later, lease, visit, visitor

ANY_CALL = CallFilter()
OLD, NEW = NOON - timedelta(days=500), NOON - timedelta(days=10)
AGES = (("old", OLD), ("new", NEW))


async def test_what_is_old_and_needed_by_no_call_is_removed(store: SqlStore) -> None:
    keys = {name: new_id(NEW if name == "new" else OLD) for name in ("caller", "reader", "new")}
    texts = {"landing": "/tyres", "parameters": {"a": "b"}}
    people = [visitor(name) for name in keys]
    visits = [visit(key, visitor_id=name, started_at=OLD, **texts) for name, key in keys.items()]
    await furnish(store, *people, *visits)
    async with store.write() as session:
        for name, key in keys.items():
            at = NEW if name == "new" else OLD
            phone = f"+7916000000{len(name)}"
            await session.add(
                PageView(id=new_id(at), visit_id=key, at=at, path="/"),
                Tap(id=new_id(at), visit_id=key, number=DID, at=at),
                Form(id=new_id(at), visit_id=key, phone=phone, at=at),
            )
        await session.calls.save([a_call(visitor_id="caller", visit_id=keys["caller"])])
    assert await remove_old(store, NOON, 400, pause=0) == 4
    for kind in (PageView, Tap, Form):
        assert {row.visit_id for row in await everything(store, kind)} == {
            keys["caller"],
            keys["new"],
        }
    emptied = {
        visit.visitor_id: (visit.landing, visit.parameters)
        for visit in await everything(store, Visit)
    }
    assert emptied == {"caller": ("/tyres", {"a": "b"}), "new": ("/tyres", {"a": "b"})}


async def test_a_form_whose_phone_has_called_stays(store: SqlStore) -> None:
    key = new_id(OLD)
    await furnish(store, visitor(), visit(key, started_at=OLD))
    async with store.write() as session:
        await session.add(Form(id=new_id(OLD), visit_id=key, phone="+74951234567", at=OLD))
        await session.calls.save([a_call(at=later(0).timestamp() - NOON.timestamp())])
    await remove_old(store, NOON, 0, pause=0)
    assert len(await everything(store, Form)) == 1


def a_lease(at: datetime, visitor_id: str, visit_id: str, number: str = OTHER_DID) -> Lease:
    moments = {"started_at": at, "seen_at": at, "frozen_at": at, "ends_at": at + timedelta(hours=1)}
    return lease(new_id(at), visitor_id=visitor_id, visit_id=visit_id, number=number, **moments)


async def a_visitor(store: SqlStore, at: datetime, number: str = OTHER_DID) -> str:
    """A visitor who came once, with a number; answers their key."""
    key = new_id(at)
    visit_id = new_id(at)
    async with store.write() as session:
        await session.add(visitor(key, created_at=at))
        await session.add(visit(visit_id, visitor_id=key, started_at=at))
        await session.leases.save([a_lease(at, key, visit_id, number)])
    return key


async def kept(store: SqlStore) -> tuple[set[str], set[str], set[str]]:
    """The visitors that are left, and those of the visits and of the leases."""
    visits = {visit.visitor_id for visit in await everything(store, Visit)}
    leases = {lease.visitor_id for lease in await everything(store, Lease)}
    return {visitor.id for visitor in await everything(store, Visitor)}, visits, leases


async def test_visitors_visits_and_leases_that_no_call_names_go_and_the_others_stay(
    store: SqlStore,
) -> None:
    await furnish(store)
    await a_visitor(store, OLD)
    caller = await a_visitor(store, OLD)
    rang = await a_visitor(store, OLD, DID)  # a call came to their number while they held it
    new = await a_visitor(store, NEW)
    half_a_year = await a_visitor(store, NOON - timedelta(days=180))
    seconds = (OLD + timedelta(minutes=5) - NOON).total_seconds()
    async with store.write() as session:
        calls = [a_call("named", visitor_id=caller), a_call("stray", at=seconds, number=DID)]
        await session.calls.save(calls)
    await remove_old(store, NOON, 400, pause=0)
    assert await kept(store) == ({caller, rang, new, half_a_year},) * 3
    await remove_old(store, NOON, 60, pause=0)
    assert await kept(store) == ({caller, rang, new},) * 3


async def test_what_training_counts_stays_however_short_the_setting(store: SqlStore) -> None:
    await furnish(store)
    lately = await a_visitor(store, NOON - timedelta(days=100))
    await remove_old(store, NOON, 60, pause=0)
    assert await kept(store) == ({lately},) * 3


async def test_a_call_keeps_its_attribution_when_the_others_of_its_number_are_gone(
    store: SqlStore,
) -> None:
    await furnish(store)
    await a_visitor(store, OLD)
    caller = await a_visitor(store, OLD)
    named = a_call(visitor_id=caller, visit_id="gone", lease_id="gone", probability=0.9)
    async with store.write() as session:
        await session.calls.save([named])
        before = await session.calls.find(ANY_CALL)
    await remove_old(store, NOON, 400, pause=0)
    async with store.read() as session:
        assert await session.calls.find(ANY_CALL) == before


def a_mail(name: str, at: datetime) -> Mail:
    return Mail(
        id=name,
        site_id="shop",
        message_id=f"<{name}@example>",
        sender="a@example.com",
        address="info@shop.example",
        tag=None,
        automatic=False,
        arrived_at=at,
        verdict=Verdict.EXACT,
    )


def a_delivery(name: str, at: datetime, state: DeliveryState) -> Any:
    hook = Webhook(id="crm", url="https://crm.example", created_at=at)
    made = new_delivery(hook, DeliveryKind.CALL_ENDED, name, {}, id=name, now=at)
    return replace(made, state=state)


async def test_mail_finished_deliveries_and_sessions_that_are_over_go(store: SqlStore) -> None:
    await furnish(store)
    hour = timedelta(hours=1)
    async with store.write() as session:
        await session.add(a_mail("old", OLD), a_mail("new", NEW))
        for state in DeliveryState:
            await session.deliveries.add(
                [a_delivery(f"{state}-{age}", at, state) for age, at in AGES]
            )
        for name, ends in (("over", NOON - hour), ("going", NOON + hour)):
            await session.add(
                LoginSession(digest=name, login="anna", created_at=NEW, expires_at=ends)
            )
    await remove_old(store, NOON, 400, pause=0)
    assert {mail.id for mail in await everything(store, Mail)} == {"new"}
    assert {login.digest for login in await everything(store, LoginSession)} == {"going"}
    async with store.read() as session:
        left = {delivery.id for delivery in await session.deliveries.find(limit=50)}
    kept_of_old = {"pending-old", "needs_review-old"}
    assert left == kept_of_old | {f"{state}-new" for state in DeliveryState}


async def test_many_rows_go_in_batches_that_are_bounded(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 10)
    rows = [
        {"file": "log", "offset": number, "text": "?", "reason": "?", "at": OLD}
        for number in range(35)
    ]
    async with store.write() as session:
        await session.connection.execute(insert(tables.rejected_row), rows)
        assert await session.retention.remove_aged("rejected_row", NOON, 10) == 10
    assert await remove_old(store, NOON, 400, pause=0) == 25
    async with store.read() as session:
        counting = select(func.count()).select_from(tables.rejected_row)
        assert (await session.connection.execute(counting)).scalar_one() == 0


async def test_calls_back_and_listening_go_by_age_and_with_their_call(store: SqlStore) -> None:
    await furnish(store)
    call = a_call()
    rows: list[Any] = []
    for place, at in enumerate((OLD, NEW)):
        back = CallBack(
            id=f"b{place}", call_id=call.id, number="+79160000001", by="anna", at=at, reason="rule"
        )
        rows += [back, replace(back, id=f"e{place}", state=CallBackState.ENDED)]
        rows.append(Listening(id=f"l{place}", call_id=call.id, by="anna", at=at))
    async with store.write() as session:
        await session.calls.save([call])
        await session.add(*rows)
    await remove_old(store, NOON, 400, pause=0)
    backs = await everything(store, CallBack)
    assert {back.id for back in backs} == {"b0", "b1", "e1"}  # one that has not ended stays
    assert [row.id for row in await everything(store, Listening)] == ["l1"]

    async with store.write() as session:
        await session.remove(Call, call.id)
    assert await everything(store, CallBack) == await everything(store, Listening) == []
