"""A recording goes into the CRM's own list of calls, once, by a link that needs no log-in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.domain.calls.call import Recording, RecordingState
from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import Connection, Rules
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import DeliveryKind, DeliveryState
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.registry import Accounts
from router.secrets import keep_token
from router.service.delivery.crm_fill import Annotated
from router.service.delivery.crm_recording import send_recording
from router.service.delivery.dispatch import deliver_due, list_deliveries
from router.service.delivery.outbox import enqueue_calls, recording_deliveries
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.senders import Senders
from router.store.engine import SqlStore
from tests.contracts.amocrm import AmoAccount
from tests.contracts.bitrix24_portal import CONTACT
from tests.integration import bitrix24_world as bitrix24
from tests.integration import hubspot_world as hubspot
from tests.integration import retailcrm_world as retailcrm
from tests.integration.amocrm_world import World as Amo
from tests.integration.amocrm_world import amocrm_world
from tests.integration.tryton_world import World as Tryton
from tests.support.builders import NOON, Clock, furnish, later
from tests.support.crm_calls import ANNA, annas_call, call_event, connection

pytest_plugins = [
    "tests.integration.bitrix24_world",
    "tests.integration.retailcrm_world",
    "tests.integration.tryton_world",
]
LINK = "https://calls.example/recordings/rt1-1.0/recording.mp3?until=1&signature=5ec2e7"
RULES = Rules(recordings=True)
AUDIO = Recording(
    call_id="rt1-1.0",
    spool_name="rt1-1.0",
    state=RecordingState.STORED,
    expected_seconds=50,
    due_at=NOON,
    content_type="audio/mpeg",
    seconds=50,
)


@pytest.fixture
async def amo() -> AsyncIterator[Amo]:
    async with amocrm_world() as world:
        await world.prepare()
        yield world


@pytest.fixture
async def hub() -> AsyncIterator[hubspot.World]:
    async with hubspot.account() as world:
        yield world


async def sent(
    crm: object,
    account: Connection,
    call: CallEvent,
    done: Annotated | None = None,
    audio: Recording | None = AUDIO,
) -> str:
    """Twice, as where an answer was lost."""
    refs = [ref for ref, _ in done.entities] if done else []
    for _ in range(2):
        taken = await send_recording(crm, account, call, audio, refs, lambda *_: LINK, later(100))
    return str(taken.said)


async def test_amocrm(amo: Amo) -> None:
    account = amo.connection(rules=RULES)
    done = await amo.annotate(account)
    said = await sent(amo.crm(account), account, call_event(), done)
    assert said == "the recording is in the CRM's list of calls"
    notes = [note for notes in amo.account.notes.values() for note in notes]
    (note,) = [note for note in notes if note["note_type"] == "call_in"]
    assert note["params"]["link"] == LINK
    assert (note["params"]["phone"], note["params"]["duration"]) == (ANNA, 50)


async def test_bitrix24(bitrix24_world: bitrix24.World) -> None:
    account = replace(bitrix24.OWN, rules=RULES)
    done = await bitrix24_world.tell(account)
    await sent(bitrix24_world.crm(account), account, call_event(), done)
    portal = bitrix24_world.portal
    (record,) = portal.statistics
    assert portal.recordings == {record["CALL_ID"]: LINK}
    assert (record["EXTERNAL_CALL_ID"], record["CALL_DURATION"]) == ("rt1-1.0", "50")
    (person,) = bitrix24_world.all(CONTACT)
    assert record["CRM_ENTITY_ID"] == str(person["id"])


async def test_bitrix24_that_lets_apps_alone_add_calls_says_so(
    bitrix24_world: bitrix24.World,
) -> None:
    bitrix24_world.portal.calls_by_apps_alone = True
    account = replace(bitrix24.OWN, rules=RULES)
    done = await bitrix24_world.tell(account)
    with pytest.raises(Refused, match="--no-recordings"):
        await sent(bitrix24_world.crm(account), account, call_event(), done)


async def test_bitrix24_takes_no_other_format(bitrix24_world: bitrix24.World) -> None:
    account = replace(bitrix24.OWN, rules=RULES)
    done = await bitrix24_world.tell(account)
    audio = replace(AUDIO, content_type="audio/ogg")
    with pytest.raises(Refused, match="MP3"):
        await sent(bitrix24_world.crm(account), account, call_event(), done, audio)


async def test_hubspot(hub: hubspot.World) -> None:
    account = hubspot.connection(RULES)
    done = await hub.tell(hubspot.call_event(), RULES)
    await sent(hub.adapter(RULES), account, hubspot.call_event(), done)
    (call,) = hub.all("calls")
    assert call.properties["hs_call_recording_url"] == LINK
    assert call.properties["hs_call_title"] == f"Call {hubspot.CALLER}"
    linked = [hub.hub.account.linked("calls", call.id, kind) for kind in ("contacts", "deals")]
    assert [len(links) for links in linked] == [1, 1]


async def test_retailcrm_gets_an_answered_call_with_its_recording_alone(
    retailcrm_world: retailcrm.World,
) -> None:
    calls = retailcrm_world.account.calls
    account = retailcrm_world.connection(options={"calls": "on"}, recordings=True)
    done = await retailcrm_world.tell(account, retailcrm.call())
    assert calls == {}
    await sent(retailcrm_world.crm(account), account, retailcrm.call(), done)
    (call,) = calls.values()
    assert (call["recordUrl"], call["externalId"]) == (LINK, "ringtrace-call-1")

    await retailcrm_world.tell(account, retailcrm.call("call-2", "+79120000000", answered=False))
    assert "ringtrace-call-2" in calls


async def test_tryton_has_no_list_of_calls(tryton_world: Tryton) -> None:
    account = tryton_world.connection(rules=RULES)
    with pytest.raises(Refused, match="no list of calls"):
        await sent(tryton_world.crm(account), account, call_event())


class Saying:
    """A CRM that says the link back."""

    def __init__(self, error: Exception) -> None:
        self.calls, self.error = self, error

    async def record(self, record: Any) -> None:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        Refused(AnswerCode.REFUSED, status=400, detail=f"no such link: {LINK}"),
        ReceiverUnavailable(AnswerCode.UNAVAILABLE, status=500, detail=f"cannot fetch {LINK}"),
    ],
)
async def test_the_signature_is_in_no_reason(error: Exception) -> None:
    ref = Ref(kind=EntityKind.DEAL, id="1")
    with pytest.raises(type(error)) as raised:
        await send_recording(
            Saying(error), connection(), call_event(), AUDIO, [ref], lambda *_: LINK, NOON
        )
    assert "5ec2e7" not in str(raised.value)
    assert "signature" not in str(raised.value)


async def test_what_is_gone_or_not_in_the_crm_is_not_sent() -> None:
    crm = Saying(Refused(CrmCode.NO_TASKS))
    assert "not in the CRM" in await sent(crm, connection(), call_event())
    missed = call_event(answered=False)
    assert "gone" in await sent(crm, connection(), missed, audio=None)


async def test_a_stored_recording_goes_to_the_crm_after_its_call_and_no_link_is_kept(
    store: SqlStore, tmp_path: Path, amo: Amo
) -> None:
    account = amo.connection(id="sales", rules=RULES)
    other = amo.connection(id="other")
    keep_token(tmp_path, "sales", {"token": AmoAccount.token})
    call = annas_call()
    await furnish(store, account, replace(other, active=False))
    clock = Clock(later(100))
    async with store.write() as session:
        await session.calls.save([call])
        await session.add(AUDIO)
        await enqueue_calls(session, [call], DeliveryKind.CALL_ENDED, clock())
        made = await recording_deliveries(session, call, AUDIO, clock())
        await session.deliveries.add(made)
    assert [delivery.receiver_id for delivery in made] == ["sales"]

    accounts = Accounts(store, tmp_path, clock)
    senders = Senders(store, None, accounts, "http://pages", clock, lambda *_: LINK)  # type: ignore[arg-type]
    for _ in range(4):
        await deliver_due(store, senders, clock, receiver_id="sales")
        clock.move(60)
    await accounts.close()

    done = await list_deliveries(store)
    assert {(delivery.kind, delivery.state) for delivery in done} == {
        (DeliveryKind.CALL_ENDED, DeliveryState.DONE),
        (DeliveryKind.RECORDING_READY, DeliveryState.DONE),
    }
    notes = [note for notes in amo.account.notes.values() for note in notes]
    assert [note["params"]["link"] for note in notes if note["note_type"] == "call_in"] == [LINK]
    assert "5ec2e7" not in str(done)
