"""An answered call that has no recording is in the CRM's list of calls all the same, once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from router.domain.calls.call import Call, Recording, RecordingState
from router.domain.delivery.connection import Rules
from router.domain.delivery.delivery import DeliveryKind, DeliveryState
from router.receivers.registry import Accounts
from router.secrets import keep_token
from router.service.calls.recording import store_due
from router.service.delivery.dispatch import deliver_due, list_deliveries
from router.service.delivery.outbox import enqueue_calls, enqueue_unrecorded
from router.service.delivery.senders import Senders
from router.store.engine import SqlStore
from tests.contracts.retailcrm import Account
from tests.integration import bitrix24_world as bitrix24
from tests.integration import hubspot_world as hubspot
from tests.integration import retailcrm_world as retailcrm
from tests.integration.amocrm_world import World as Amo
from tests.integration.amocrm_world import amocrm_world
from tests.integration.test_crm_recordings import AUDIO, RULES, sent
from tests.support.builders import Clock, furnish, later
from tests.support.crm_calls import annas_call, call_event, connection

pytest_plugins = ["tests.integration.bitrix24_world", "tests.integration.retailcrm_world"]
LISTED = "the call is in the CRM's list of calls, without a recording"
LOST = [None, replace(AUDIO, state=RecordingState.MISSING)]
UNRECORDED = annas_call(spool_name=None)


@pytest.fixture
async def amo() -> AsyncIterator[Amo]:
    async with amocrm_world() as world:
        await world.prepare()
        yield world


@pytest.mark.parametrize("audio", LOST, ids=["never recorded", "no sound"])
async def test_amocrm(amo: Amo, audio: Recording | None) -> None:
    account = amo.connection(rules=RULES)
    done = await amo.annotate(account)
    assert await sent(amo.crm(account), account, call_event(), done, audio) == LISTED
    notes = [note for notes in amo.account.notes.values() for note in notes]
    (note,) = [note for note in notes if note["note_type"] == "call_in"]
    assert "link" not in note["params"]


async def test_bitrix24(bitrix24_world: bitrix24.World) -> None:
    account = replace(bitrix24.OWN, rules=RULES)
    done = await bitrix24_world.tell(account)
    assert await sent(bitrix24_world.crm(account), account, call_event(), done, None) == LISTED
    assert len(bitrix24_world.portal.statistics) == 1
    assert bitrix24_world.portal.recordings == {}


async def test_hubspot() -> None:
    async with hubspot.account() as hub:
        done = await hub.tell(hubspot.call_event(), RULES)
        account = hubspot.connection(RULES)
        assert await sent(hub.adapter(RULES), account, hubspot.call_event(), done, None) == LISTED
        (call,) = hub.all("calls")
        assert "hs_call_recording_url" not in call.properties


@pytest.mark.parametrize("calls", ["on", "off"])
async def test_retailcrm(retailcrm_world: retailcrm.World, calls: str) -> None:
    account = retailcrm_world.connection(options={"calls": calls}, recordings=True)
    done = await retailcrm_world.tell(account, retailcrm.call())
    assert retailcrm_world.account.calls == {}
    crm = retailcrm_world.crm(account)
    assert await sent(crm, account, retailcrm.call(), done, None) == LISTED
    (call,) = retailcrm_world.account.calls.values()
    assert call["result"] == "answered"
    assert "recordUrl" not in call


async def test_from_its_end_an_unrecorded_call_goes_into_the_list_of_calls(
    store: SqlStore, tmp_path: Path, retailcrm_world: retailcrm.World
) -> None:
    account = replace(
        retailcrm_world.connection(options={"calls": "on"}, recordings=True),
        address=retailcrm_world.http.address,
    )
    keep_token(tmp_path, account.id, {"key": Account.key})
    await furnish(store, account)
    clock = Clock(later(100))
    async with store.write() as session:
        await session.calls.save([UNRECORDED])
        await enqueue_calls(session, [UNRECORDED], DeliveryKind.CALL_ENDED, clock())
        await enqueue_unrecorded(session, [UNRECORDED], clock())

    accounts = Accounts(store, tmp_path, clock)
    senders = Senders(store, None, accounts, "http://pages", clock, lambda *_: "")  # type: ignore[arg-type]
    for _ in range(4):
        await deliver_due(store, senders, clock, receiver_id=account.id)
        clock.move(60)
    await accounts.close()

    assert {delivery.state for delivery in await list_deliveries(store)} == {DeliveryState.DONE}
    (call,) = retailcrm_world.account.calls.values()
    assert call["result"] == "answered"
    assert "recordUrl" not in call


@pytest.mark.parametrize(
    ("call", "kinds"),
    [
        (UNRECORDED, [DeliveryKind.CALL_ENDED, DeliveryKind.RECORDING_READY]),
        (annas_call(spool_name=None, answered_at=None), [DeliveryKind.CALL_ENDED]),
        (annas_call(spool_name="rt1-1.0"), [DeliveryKind.CALL_ENDED]),
    ],
    ids=["unrecorded", "missed", "its recording comes"],
)
async def test_what_is_recorded_or_missed_is_not_listed_twice(
    store: SqlStore, call: Call, kinds: list[DeliveryKind]
) -> None:
    await furnish(store, connection("amocrm", rules=RULES))
    async with store.write() as session:
        await enqueue_calls(session, [call], DeliveryKind.CALL_ENDED, later(60))
        await enqueue_unrecorded(session, [call], later(60))
    assert sorted(delivery.kind for delivery in await list_deliveries(store)) == kinds


class Failing:
    """A recorder that ends with this state."""

    def __init__(self, state: RecordingState) -> None:
        self._state = state

    async def store(self, recording: Recording, _call: Call) -> Recording:
        return replace(recording, state=self._state)

    async def discard(self, _recording: Recording) -> bool:
        return True


@pytest.mark.parametrize("state", [RecordingState.MISSING, RecordingState.BROKEN])
@pytest.mark.parametrize("rules", [RULES, Rules()], ids=["wanted", "not wanted"])
async def test_a_recording_that_failed_leaves_its_call_for_the_list(
    store: SqlStore, state: RecordingState, rules: Rules
) -> None:
    account = connection("amocrm", rules=rules)
    await furnish(store, account)
    async with store.write() as session:
        await session.calls.save([UNRECORDED])
        await session.add(replace(AUDIO, state=RecordingState.WAITING))
    await store_due(store, Failing(state), Clock(later(90)))
    made = await list_deliveries(store)
    assert [delivery.receiver_id for delivery in made] == ([account.id] if rules.recordings else [])
