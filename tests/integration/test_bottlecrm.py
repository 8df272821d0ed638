"""What BottleCRM alone has: names that only one record may have, and what it drops without a
word.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.domain.delivery.connection import Repeat, Scenario
from router.domain.delivery.entity import EntityKind
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from tests.integration.bottlecrm_world import UID, BottleCrmAccount
from tests.integration.crm_accounts import Line
from tests.support.builders import Clock
from tests.support.crm_calls import ANNA, call_event

CONTACT, LEAD, DEAL = EntityKind.CONTACT, EntityKind.LEAD, EntityKind.DEAL


@pytest_asyncio.fixture
async def bottle() -> AsyncIterator[BottleCrmAccount]:
    account = BottleCrmAccount(Clock())
    async with account.serve() as address:
        account.line = Line(address, {})
        yield account
        await account.line.close()
    assert account.violations == []


async def test_a_second_deal_of_a_caller_has_the_call_behind_its_name(
    bottle: BottleCrmAccount,
) -> None:
    to = bottle.connection(repeat=Repeat.DEAL)
    for name in ("call-1", "call-2"):
        await bottle.tell(call_event(name), to)
    names = [row["name"] for row in bottle.account.rows["opportunities"].values()]
    assert names == [f"Call {ANNA}", f"Call {ANNA} (call-2)"]


async def test_a_responsible_who_has_left_is_named_and_the_deal_is_created(
    bottle: BottleCrmAccount,
) -> None:
    to = bottle.connection(responsible={"office": bottle.user_who_left}, scenario=Scenario.DEAL)
    done = await bottle.tell(call_event(), to)
    assert bottle.count(DEAL) == 1
    assert f"no active user {bottle.user_who_left}" in str(done.said)


async def test_without_the_field_of_the_call_nothing_is_created(bottle: BottleCrmAccount) -> None:
    bottle.account.fields["Contact"][UID]["is_active"] = False
    with pytest.raises(Refused, match=UID):
        await bottle.tell(call_event())
    assert bottle.size() == 0


async def test_a_converted_lead_is_followed_by_a_new_one(bottle: BottleCrmAccount) -> None:
    bottle.row(bottle.add(LEAD, phone=ANNA))["status"] = "converted"
    await bottle.tell(call_event(), bottle.connection(scenario=Scenario.LEAD))
    assert bottle.count(LEAD) == 2


async def test_a_token_that_is_no_administrators_is_not_enough(bottle: BottleCrmAccount) -> None:
    bottle.account.admin = False
    (check,) = await bottle.crm(bottle.connection()).check()
    assert not check.well
    assert "Permission Denied" in str(check.fix)
    with pytest.raises(ReceiverUnavailable, match="Permission Denied"):
        await bottle.crm(bottle.connection(options={"field": "new"})).prepare()


async def test_an_extension_is_no_phone_of_a_contact(bottle: BottleCrmAccount) -> None:
    await bottle.tell(call_event(caller="+71234"))
    (row,) = bottle.account.rows["contacts"].values()
    assert "phone" not in row
