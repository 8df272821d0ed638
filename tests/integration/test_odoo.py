"""What Odoo alone has: planned activities that become messages, and archived records."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.domain.delivery.entity import CreatedBy, EntityKind
from tests.contracts.odoo import USER
from tests.integration.crm_accounts import Line
from tests.integration.odoo_world import FIELD, OdooAccount, OldOdooAccount
from tests.support.builders import Clock
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

CONTACT, LEAD, DEAL = EntityKind.CONTACT, EntityKind.LEAD, EntityKind.DEAL
MISSED = call_event(answered=False, talk=0)


@pytest_asyncio.fixture(params=[OdooAccount, OldOdooAccount], ids=lambda account: account.__name__)
async def odoo(request: pytest.FixtureRequest) -> AsyncIterator[OdooAccount]:
    account: OdooAccount = request.param(Clock())
    async with account.serve() as address:
        account.line = Line(address, {})
        yield account
        await account.line.close()
    assert account.violations == []


async def test_a_task_that_somebody_has_done_is_not_planned_again(odoo: OdooAccount) -> None:
    to = odoo.connection(task=True)
    done = await odoo.tell(MISSED, to)
    (deal,) = (
        ref for ref, created_by in done.entities if created_by is CreatedBy.US and ref.kind is DEAL
    )
    ((key, activity),) = odoo.database.rows["mail.activity"].items()
    del odoo.database.rows["mail.activity"][key]  # Odoo posts a message in its place
    message = {"model": "crm.lead", "res_id": int(deal.id), "body": f"<p>{activity['note']}</p>"}
    odoo.database.add("mail.message", **message, message_type="comment")

    await odoo.tell(MISSED, to)
    assert odoo.tasks(deal) == []


async def test_a_database_without_calls_among_its_activities_gets_a_to_do(
    odoo: OdooAccount,
) -> None:
    odoo.database.rows["mail.activity.type"].clear()
    await odoo.tell(MISSED, odoo.connection(task=True, task_user=str(USER)))
    (activity,) = odoo.database.rows["mail.activity"].values()
    assert (activity["activity_type_id"], activity["user_id"]) == (False, USER)


async def test_a_lead_by_its_own_phone_and_one_of_the_partner_are_found(odoo: OdooAccount) -> None:
    anna = odoo.add(CONTACT, phone="8 (912) 345-67-89")
    mine = odoo.add(DEAL, contact=anna)
    other = odoo.database.add("crm.lead", name="By form", type="opportunity", phone=ANNA)
    deals = await odoo.crm(odoo.connection()).deals([anna], ANNA)
    assert {deal.ref.id for deal in deals} == {mine.id, str(other)}


async def test_a_lost_opportunity_is_archived_and_still_there(odoo: OdooAccount) -> None:
    anna = odoo.add(CONTACT, phone=ANNA)
    deal = odoo.add(DEAL, contact=anna, client_id=CLIENT_ID)
    odoo.row(deal)["active"] = False
    crm = odoo.crm(odoo.connection())
    assert await crm.deals([anna], ANNA) == []
    assert await crm.read(deal, [FIELD]) == {FIELD: CLIENT_ID}
