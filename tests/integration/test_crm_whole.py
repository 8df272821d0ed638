"""From the CEL log to the CRM: a call that Asterisk wrote down is in a real Tryton with its
client ID, once.
"""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call
from router.domain.delivery.connection import Connection, Mode, Rules
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState
from router.domain.delivery.entity import CreatedBy, Entity, EntityKind
from router.domain.delivery.outcome import sentence
from router.receivers.registry import Accounts
from router.secrets import keep_token
from router.service.calls.reattribution import attribute_again
from router.service.delivery.dispatch import deliver_due, list_deliveries
from router.service.delivery.outbox import enqueue_calls
from router.service.delivery.senders import Senders
from router.store.engine import SqlStore
from tests.integration.ingests import at, call_ingest
from tests.integration.tryton_world import World
from tests.support.builders import Clock, Story, answered_call, furnish, lease, visit, visitor
from tests.support.tryton_template import DATABASE, FIELD

pytest_plugins = ["tests.integration.tryton_world"]


@pytest.fixture
def world(tryton_world: World) -> World:
    return tryton_world


PAGES = "https://calls.example"
_serials = itertools.count(1)


class Company:
    """A site whose visitor Anna holds a number, connected to a Tryton; `clock` is everybody's."""

    def __init__(self, store: SqlStore, home: Path, world: World) -> None:
        self.store, self.world, self.clock = store, world, Clock(datetime.now(UTC))
        self.accounts = Accounts(store, home, self.clock)
        keep_token(home, "books", {"key": world.server.keys["ringtrace"]})

    async def connect(self, mode: Mode, rules: Rules, *, leased: bool = True) -> None:
        account = Connection(
            id="books",
            kind="tryton",
            address=self.world.server.url,
            mode=mode,
            rules=rules,
            options={"database": DATABASE},
            created_at=self.clock(),
        )
        begun, ends = self.clock() - timedelta(hours=1), self.clock() + timedelta(hours=1)
        held = lease(started_at=begun, seen_at=self.clock(), frozen_at=ends, ends_at=ends)
        shown = visit(code="K7M2AX", started_at=begun)
        await furnish(self.store, visitor(), shown, *([held] if leased else []), account)

    async def call(self) -> Story:
        """Anna calls, and the CEL log is read."""
        serial = next(_serials)  # the Tryton is shared, and knows calls by their ids
        story = answered_call(
            serial, at=self.clock() - timedelta(seconds=70), number=self.world.caller
        )
        await (await call_ingest(self.store, self.clock)).ingest(story.rows, at(serial + 1))
        return story

    async def work(self) -> Delivery:
        """The worker's turn; what became of the newest delivery."""
        senders = Senders(self.store, None, self.accounts, PAGES, self.clock, lambda *_: PAGES)  # type: ignore[arg-type]
        await deliver_due(self.store, senders, self.clock, receiver_id="books")
        return (await list_deliveries(self.store))[0]


@pytest_asyncio.fixture
async def company(store: SqlStore, tmp_path: Path, world: World) -> AsyncIterator[Company]:
    made = Company(store, tmp_path, world)
    yield made
    await made.accounts.close()


async def test_a_call_becomes_a_contact_and_a_deal_with_its_client_id(company: Company) -> None:
    await company.connect(Mode.OWN, Rules(fields={"page": "comment"}))
    story = await company.call()
    made = await company.work()
    assert (made.state, made.last_error) == (DeliveryState.DONE, None)
    (deal,) = company.world.opportunities
    assert deal[FIELD] == "123.456"
    assert deal["reference"].endswith(story.linkedid)
    assert f"{PAGES}/calls/{story.linkedid}" in deal["comment"]
    async with company.store.read() as session:
        kept = await session.find(Entity, call_id=story.linkedid)
    assert {(entity.kind, entity.created_by, entity.client_id) for entity in kept} == {
        ("contact", CreatedBy.US, "123.456"),
        ("deal", CreatedBy.US, "123.456"),
    }


async def test_the_same_callers_next_call_is_a_note_on_the_open_deal(company: Company) -> None:
    await company.connect(Mode.OWN, Rules())
    await company.call()
    await company.call()
    await company.work()
    assert (await company.work()).state is DeliveryState.DONE
    assert company.world.held == (1, 1, 1)


async def test_what_the_telephony_creates_late_is_found_and_updated(company: Company) -> None:
    await company.connect(Mode.TELEPHONY, Rules(settle=0, prefer=0))
    await company.call()
    waiting = await company.work()
    assert (waiting.state, waiting.attempts) == (DeliveryState.PENDING, 1)
    telephony = company.world.telephony
    deal = telephony.opportunity(telephony.party("Caller", company.world.caller))
    company.clock.move(10)
    assert (await company.work()).state is DeliveryState.DONE
    assert telephony.client_id(deal) == "123.456"
    assert company.world.held == (1, 1, 0)


async def test_without_a_token_nothing_is_lost(company: Company, tmp_path: Path) -> None:
    await company.connect(Mode.OWN, Rules())
    keep_token(tmp_path, "books", None)
    await company.call()
    waiting = await company.work()
    assert waiting.state is DeliveryState.PENDING
    assert "ringtrace crm connect books" in sentence(waiting.last_error)
    keep_token(tmp_path, "books", {"key": company.world.server.keys["ringtrace"]})
    company.clock.move(301)
    assert (await company.work()).state is DeliveryState.DONE
    assert company.world.held == (1, 1, 0)


async def test_a_call_whose_visitor_is_found_later_is_sent_again(company: Company) -> None:
    """First no visitor is known, then the caller says the promo code of the page."""
    await company.connect(Mode.OWN, Rules(), leased=False)
    story = await company.call()
    await company.work()
    assert [deal[FIELD] for deal in company.world.opportunities] == [None]
    company.clock.move(60)
    await attribute_again(company.store, story.linkedid, "K7M2AX", now=company.clock())
    assert (await company.work()).state is DeliveryState.DONE
    assert [deal[FIELD] for deal in company.world.opportunities] == ["123.456"]
    assert company.world.held == (1, 1, 0)


async def test_what_the_telephony_created_for_one_call_is_not_taken_for_the_next(
    company: Company,
) -> None:
    await company.connect(Mode.TELEPHONY, Rules(settle=0, prefer=0, targets=(EntityKind.DEAL,)))
    telephony = company.world.telephony
    telephony.opportunity(telephony.party("Caller", company.world.caller))
    await company.call()
    assert (await company.work()).state is DeliveryState.DONE
    second = await company.call()
    await company.work()
    waiting = next(
        delivery
        for delivery in await list_deliveries(company.store)
        if delivery.call_id == second.linkedid
    )
    assert waiting.state is DeliveryState.PENDING
    async with company.store.read() as session:
        assert await session.find(Entity, call_id=second.linkedid) == []


@pytest.mark.parametrize("stands", ["123.456", "9.9"])
async def test_a_repeat_call_for_which_the_telephony_creates_nothing_is_done_where_its_client_id_is_already(  # noqa: E501
    company: Company, stands: str
) -> None:
    await company.connect(
        Mode.TELEPHONY, Rules(settle=0, prefer=0, wait=600, targets=(EntityKind.DEAL,))
    )
    telephony = company.world.telephony
    deal = telephony.opportunity(telephony.party("Caller", company.world.caller))
    await company.call()
    assert (await company.work()).state is DeliveryState.DONE
    telephony.write("sale.opportunity", deal, **{FIELD: stands})
    company.clock.move(120)
    second = await company.call()
    company.clock.move(601)
    await company.work()
    told = next(
        delivery
        for delivery in await list_deliveries(company.store)
        if delivery.call_id == second.linkedid
    )
    if stands == "123.456":
        assert told.state is DeliveryState.DONE
        assert str(told.receipt) == f"deal {deal} has the client ID already, from an earlier call"
    else:  # of another visit, or a person's own: it is unknown what this call belongs to
        assert (told.state, told.receipt) == (DeliveryState.NEEDS_REVIEW, None)


@pytest.mark.parametrize("mode", Mode)
async def test_a_call_that_turns_out_to_be_nobodys_loses_its_client_id(
    company: Company, mode: Mode
) -> None:
    await company.connect(mode, Rules(settle=0, prefer=0, targets=(EntityKind.DEAL,)))
    if mode is Mode.TELEPHONY:
        company.world.telephony.opportunity(
            company.world.telephony.party("Caller", company.world.caller)
        )
    story = await company.call()
    assert (await company.work()).state is DeliveryState.DONE
    assert [deal[FIELD] for deal in company.world.opportunities] == ["123.456"]
    async with company.store.write() as session:
        call = await session.get(Call, story.linkedid)
        nobodys = replace(
            call, verdict=Verdict.UNKNOWN, visitor_id=None, visit_id=None, lease_id=None
        )
        await session.calls.save([nobodys])
        await enqueue_calls(session, [nobodys], DeliveryKind.CALL_ATTRIBUTED, company.clock())
    assert (await company.work()).state is DeliveryState.DONE
    assert [deal[FIELD] for deal in company.world.opportunities] == [""]
    async with company.store.read() as session:
        assert {
            entity.client_id for entity in await session.find(Entity, call_id=story.linkedid)
        } == {None}


async def test_what_was_created_since_the_phone_called_again_is_the_next_calls(
    company: Company,
) -> None:
    await company.connect(Mode.TELEPHONY, Rules(settle=0, prefer=0, targets=(EntityKind.DEAL,)))
    company.clock.move(-300)
    first = await company.call()
    await company.work()
    company.clock.move(300)
    second = await company.call()
    telephony = company.world.telephony
    deal = telephony.opportunity(telephony.party("Caller", company.world.caller))
    for _ in range(2):
        company.clock.move(10)
        await company.work()
    states = {delivery.call_id: delivery.state for delivery in await list_deliveries(company.store)}
    assert states == {first.linkedid: DeliveryState.PENDING, second.linkedid: DeliveryState.DONE}
    assert telephony.client_id(deal) == "123.456"
