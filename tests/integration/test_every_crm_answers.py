"""What each CRM's adapter makes of a wrong clock, and of an answer that says nothing."""

from contextlib import suppress
from datetime import timedelta

import pytest

from router.domain.delivery.connection import Mode
from router.domain.delivery.entity import EntityKind
from router.receivers.http import Answer
from router.receivers.json_body import read_json
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from tests.integration.crm_accounts import CrmAccount
from tests.support.builders import later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

pytest_plugins = ["tests.integration.every_crm"]
CONTACT, DEAL = EntityKind.CONTACT, EntityKind.DEAL
WRONG = {"an error with 200": (200, '{"error": "internal"}'), "nothing with 202": (202, "")}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_search_that_is_answered_wrong_makes_no_second_contact_or_deal(
    crm: CrmAccount, wrong: str
) -> None:
    status, text = WRONG[wrong]
    body = await read_json(text)
    deal = crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    await crm.tell(call_event("call-0"))
    for place in range(1, crm.line.sent + 1):
        call, crm.line.sent, crm.line.at = call_event(f"call-{place}"), 0, place
        crm.line.instead = Answer(status=status, body=body, text=text, headers={})
        with suppress(ReceiverUnavailable, Refused):
            await crm.tell(call)
        assert (crm.count(CONTACT), crm.count(DEAL)) == (1, 1), f"request {place}"
        crm.line.instead = None
        await crm.tell(call)
        notes = sum(f"/calls/{call.id}" in note for note in crm.notes(deal))
        assert (crm.count(CONTACT), crm.count(DEAL), notes) == (1, 1, 1), f"request {place}"


@pytest.mark.parametrize("hours", [-5, 3])
async def test_a_crm_whose_clock_is_hours_wrong_is_matched_by_its_clock(
    crm: CrmAccount, hours: int
) -> None:
    crm.line.ahead = wrong = timedelta(hours=hours)
    crm.clock.now = later(5) + wrong
    deal = crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    crm.clock.now = later(160) + wrong
    await crm.tell(call_event(), crm.connection(mode=Mode.TELEPHONY))
    assert crm.client_id(deal) == CLIENT_ID
