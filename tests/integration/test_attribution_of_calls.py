"""Whose call it was, on a real database: what is gathered, what is learned, and what is attributed
again.
"""

from dataclasses import replace
from typing import Any

import pytest

from router.domain.attribution.model import USUAL
from router.domain.attribution.terms import Evidence, Verdict
from router.domain.calls.call import Call, State
from router.domain.delivery.delivery import DeliveryKind
from router.domain.visitors.site import Site
from router.domain.visitors.visit import Form, PageView, Tap
from router.errors import InvalidInput
from router.service.calls.attribution import Attributor
from router.service.calls.reattribution import attribute_again, form_left
from router.service.calls.replay import replay
from router.service.calls.training import Trainer, train_site
from router.store.engine import SqlStore
from tests.support.builders import (
    DID,
    NOON,
    OTHER_DID,
    Clock,
    dynamic,
    furnish,
    later,
    lease,
    site,
    visit,
    visitor,
    webhook,
)

PHONE = "+74951234567"


def a_call(id: str = "call-1", at: float = 100, **fields: Any) -> Call:  # noqa: A002
    known = {"did": DID[1:], "trunk": "carrier", "number": DID, "site_id": "shop", "caller": PHONE}
    times = {"arrived_at": later(at), "ended_at": later(at + 60), "state": State.ENDED}
    return Call(**{"id": id, **known, **times, **fields})


async def two_visitors(store: SqlStore, *more: Any) -> None:
    """Anna held the number from noon, Boris from 20 minutes later."""
    boris = (
        visitor("boris"),
        visit("boris-1", visitor_id="boris", started_at=later(1200), source="vk", code="A7K2MP"),
    )
    await furnish(store, visitor(), visit(region="Moscow"), *boris, *more)
    async with store.write() as session:
        times = {
            "started_at": later(1200),
            "seen_at": later(1200),
            "frozen_at": later(1500),
            "ends_at": later(1800),
        }
        other = lease("lease-2", visitor_id="boris", visit_id="boris-1", **times)
        await session.leases.save([lease(), other])


async def keep(store: SqlStore, *calls: Call) -> list[Call]:
    """Judge calls as the ledger does, and keep them."""
    async with store.write() as session:
        attributor, found = Attributor(session), []
        where = await session.peek(Site, "shop")
        for call in calls:
            found.append(await attributor.attribute(call, where))
        await session.calls.save(found)
    return found


async def test_a_call_is_attributed_with_all_that_was_done_before_it_and_nothing_later(
    store: SqlStore,
) -> None:
    await two_visitors(
        store,
        Tap(id="t1", visit_id="anna-1", number=DID, at=later(90)),
        Tap(id="t2", visit_id="anna-1", number=DID, at=later(110)),
        PageView(id="p1", visit_id="anna-1", at=later(50), path="/contacts/moscow"),
        Form(id="f1", visit_id="boris-1", phone=PHONE, at=later(2000)),
    )
    async with store.write() as session:
        await session.change(site(contacts="/contacts"))
    (call,) = await keep(store, a_call())
    assert (call.verdict, call.visitor_id, call.source, call.caller_region) == (
        Verdict.EXACT,
        "anna",
        "google",
        "Moscow",
    )
    assert [candidate.visitor_id for candidate in call.candidates] == ["anna"]
    assert set(call.candidates[0].evidence) == {
        Evidence.ON_PAGE,
        Evidence.TAPPED,
        Evidence.CONTACTS,
        Evidence.SAME_REGION,
    }


async def test_a_regular_keeps_their_own_first_source_whichever_visitor_holds_the_number(
    store: SqlStore,
) -> None:
    await two_visitors(store)
    first, second = await keep(store, a_call(), a_call("call-2", at=1450))
    assert (first.visitor_id, second.verdict, second.visitor_id, second.source) == (
        "anna",
        Verdict.REPEAT,
        "anna",
        "google",
    )


async def test_calls_of_one_transaction_are_evidence_for_each_other_as_those_of_two_are(
    store: SqlStore,
) -> None:
    await two_visitors(store)
    together = await keep(store, a_call(), a_call("call-2", at=1450))
    apart = [
        *(await keep(store, a_call("call-1"))),
        *(await keep(store, a_call("call-2", at=1450))),
    ]
    assert [replace(call, revision=0) for call in together] == apart


async def test_a_code_said_later_names_its_visit_and_a_wrong_one_is_refused(
    store: SqlStore,
) -> None:
    await two_visitors(store)
    await keep(store, a_call(at=1900, caller=None))
    named = await attribute_again(store, "call-1", " a7-k2mp ", now=later(2000))
    assert (named.visit_id, named.probability, named.code) == ("boris-1", 1.0, "A7K2MP")
    async with store.read() as session:
        assert (await session.get(Call, "call-1")).visitor_id == "boris"
    for said in ("А7К2МР", "а7к–2мр"):  # in Cyrillic letters, as an operator's keyboard has them
        assert (await attribute_again(store, "call-1", said, now=later(2000))).visit_id == "boris-1"
    with pytest.raises(InvalidInput, match="cannot be a code: it has 6"):
        await attribute_again(store, "call-1", "NOPE", now=later(2000))
    with pytest.raises(InvalidInput, match="No visitor of 'shop' was shown the code 'A7K2MX'"):
        await attribute_again(store, "call-1", "A7K2MX", now=later(2000))


async def test_a_visitor_found_later_is_sent_to_the_receivers_once(store: SqlStore) -> None:
    await two_visitors(store, webhook())
    await keep(store, a_call(at=1900, caller=None))
    for _ in range(2):
        await attribute_again(store, "call-1", "A7K2MP", now=later(2000))
    async with store.read() as session:
        (told,) = await session.deliveries.find(call_id="call-1")
    assert (told.kind, told.key) == (DeliveryKind.CALL_ATTRIBUTED, "call.attributed:call-1:boris-1")
    assert told.payload["attribution"]["visitor"] == "boris"


async def test_a_form_sent_after_the_call_tells_whose_phone_it_was(store: SqlStore) -> None:
    await two_visitors(store)
    (call,) = await keep(store, a_call(at=90_000))
    assert call.visitor_id is None
    async with store.write() as session:
        await session.add(Form(id="f1", visit_id="anna-1", phone=PHONE, at=later(91_000)))
    assert await form_left(store, "shop", PHONE, later(91_000)) == 1
    async with store.read() as session:
        again = await session.get(Call, "call-1")
    assert again.visitor_id == "anna"
    assert Evidence.FORM in again.candidates[0].evidence


async def test_an_operator_who_types_in_a_callers_order_is_not_who_called(store: SqlStore) -> None:
    """The site's own form on the operator's screen: they never held the number that was called."""
    await two_visitors(store, visitor("operator"), visit("operator-1", visitor_id="operator"))
    (call,) = await keep(store, a_call(at=100))
    assert call.visitor_id == "anna"
    async with store.write() as session:
        await session.add(Form(id="f1", visit_id="operator-1", phone=PHONE, at=later(170)))
    await form_left(store, "shop", PHONE, later(170))
    async with store.read() as session:
        assert (await session.get(Call, "call-1")).visitor_id == "anna"


FORGED = (
    visitor("evil", ga_client_id="6.66"),
    visit("evil-1", visitor_id="evil", source="evil", started_at=later(-500)),
    Form(id="forged", visit_id="evil-1", phone=PHONE, at=later(-400)),
)


async def test_who_never_saw_a_number_of_the_site_owns_no_phone_by_a_form(store: SqlStore) -> None:
    await two_visitors(store, *FORGED)
    calls = await keep(
        store, a_call(at=100), a_call("c2", at=200, number="+74950000009", caller=PHONE)
    )
    assert all(candidate.visitor_id != "evil" for call in calls for candidate in call.candidates)


@pytest.mark.parametrize("days", [29, 31])
async def test_a_form_tells_of_calls_within_a_month(store: SqlStore, days: int) -> None:
    """And as little as then of the number that another visitor has on the page."""
    held = lease(
        "e", visitor_id="evil", visit_id="evil-1", number=OTHER_DID, started_at=later(-450)
    )
    await two_visitors(store, *FORGED)
    async with store.write() as session:
        await session.leases.save([held])
    at = days * 86_400 - 400
    now = {
        "started_at": later(at - 60),
        "seen_at": later(at),
        "frozen_at": later(at + 300),
        "ends_at": later(at + 600),
    }
    async with store.write() as session:
        await session.leases.save([lease("late", **now)])
    on_page, other = await keep(
        store, a_call(at=at), a_call("c2", at=at + 1, number="+74950000009")
    )
    assert on_page.visitor_id == "anna"
    assert ("evil" in {candidate.visitor_id for candidate in other.candidates}) == (days < 30)


async def test_a_forged_form_sent_after_the_call_changes_nothing(store: SqlStore) -> None:
    await two_visitors(store, webhook(), *FORGED[:2])
    [call] = await keep(store, a_call(at=100))
    async with store.write() as session:
        forger = {"visitor_id": "evil", "visit_id": "evil-1"}
        await session.leases.save([lease("e", number=OTHER_DID, **forger)])
        await session.add(Form(id="forged", visit_id="evil-1", phone=PHONE, at=later(200)))
    await form_left(store, "shop", PHONE, later(200))
    async with store.read() as session:
        assert (await session.get(Call, "call-1")).candidates == call.candidates
        assert await session.deliveries.find(call_id="call-1") == []


async def test_a_former_holders_tap_tells_nothing(store: SqlStore) -> None:
    """Their page shows the number no more: only a forger taps it."""
    await two_visitors(store)
    [without] = await keep(store, a_call("c1", at=1300, caller=None))
    async with store.write() as session:
        await session.add(Tap(id="t", visit_id="anna-1", number=DID, at=later(1290)))
    [with_tap] = await keep(store, a_call("c2", at=1300, caller=None))
    assert with_tap.candidates == without.candidates
    assert with_tap.visitor_id == "boris"


@pytest.mark.parametrize(("phones", "owner"), [(2, "boris"), (3, None)])
async def test_who_leaves_the_phones_of_many_people_owns_none(
    store: SqlStore, phones: int, owner: str | None
) -> None:
    await two_visitors(store)
    left = [
        Form(id=f"f{i}", visit_id="boris-1", phone=f"+7916123456{i}", at=later(1300 + i))
        for i in range(phones)
    ]
    async with store.write() as session:
        await session.add(*left)
    (call,) = await keep(store, a_call(at=90_000, caller=left[0].phone))
    assert call.visitor_id == owner


async def test_replaying_shows_what_changes_and_writes_it_only_when_asked(store: SqlStore) -> None:
    await two_visitors(store)
    (call,) = await keep(store, a_call(at=650))
    total, changes = await replay(store, NOON, later(90_000), certainty=1.0)
    assert (total, [(change.before.visitor_id, change.after.visitor_id) for change in changes]) == (
        1,
        [("anna", None)],
    )
    async with store.read() as session:
        assert (await session.get(Call, "call-1")).visitor_id == call.visitor_id == "anna"
    await replay(store, NOON, later(90_000), certainty=1.0, keep=True)
    async with store.read() as session:
        assert (await session.get(Call, "call-1")).visitor_id is None
    assert (await replay(store, NOON, later(90_000), certainty=1.0))[1] == []


async def test_a_site_learns_from_its_calls_and_only_when_there_are_new_ones(
    store: SqlStore,
) -> None:
    await two_visitors(store)
    clock = Clock(later(86_400))
    trainer = Trainer(store, clock)
    assert await trainer.due() == []
    await keep(store, *(a_call(f"c{i}", at=100 + i, caller=f"+7916000{i:04d}") for i in range(200)))
    assert await trainer.due() == ["shop"]
    model = await train_site(store, "shop", clock())
    assert model.calls == 200
    assert sum(model.present) > sum(USUAL.present)
    async with store.read() as session:
        assert await session.training.model("shop") == (model, clock())
    assert await trainer.due() == []


async def test_unattributed_calls_are_counted_where_they_came(store: SqlStore) -> None:
    await two_visitors(store, dynamic("+74950000005"))
    await keep(
        store, a_call("c1", at=90_000), a_call("c2", at=91_000, caller=None), a_call("c3", at=100)
    )
    async with store.write() as session:
        await session.training.recount_unattributed("shop", NOON)
        assert await session.training.mean_unattributed("shop") == pytest.approx(2 / 3)
