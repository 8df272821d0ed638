"""What Pipedrive alone has: activities with participants, and stages of several pipelines."""

from collections.abc import AsyncIterator

import pytest_asyncio

from router.domain.delivery.connection import Scenario
from router.domain.delivery.entity import EntityKind
from router.service.delivery.crm_ports import HasCatalogue
from tests.integration.crm_accounts import Line
from tests.integration.pipedrive_world import FIELD, PipedriveAccount
from tests.integration.test_crm_recordings import sent
from tests.support.builders import Clock
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

CONTACT, LEAD, DEAL = EntityKind.CONTACT, EntityKind.LEAD, EntityKind.DEAL


@pytest_asyncio.fixture
async def pipedrive() -> AsyncIterator[PipedriveAccount]:
    account = PipedriveAccount(Clock())
    async with account.serve() as address:
        account.line = Line(address, {})
        yield account
        await account.line.close()
    assert account.violations == []


async def test_a_call_is_in_the_timeline_of_the_deal_and_of_the_person(
    pipedrive: PipedriveAccount,
) -> None:
    to = pipedrive.connection(recordings=True)
    done = await pipedrive.tell(call_event(), to)
    await sent(pipedrive.crm(to), to, call_event(), done)
    made = {ref.kind: ref for ref, _ in done.entities}
    assert len(pipedrive.calls(made[DEAL])) == 1
    assert pipedrive.calls(made[CONTACT]) == pipedrive.calls(made[DEAL])


async def test_the_person_of_a_lead_is_the_responsibles_and_has_the_client_id(
    pipedrive: PipedriveAccount,
) -> None:
    to = pipedrive.connection(scenario=Scenario.LEAD, responsible={"office": pipedrive.user})
    done = await pipedrive.tell(call_event(destination_id="office"), to)
    (lead,) = (ref for ref, _ in done.entities if ref.kind is LEAD)
    (person,) = pipedrive.linked(lead)
    assert pipedrive.client_id(person) == CLIENT_ID
    assert {pipedrive.responsible(ref) for ref in (lead, person)} == {pipedrive.user}


async def test_an_organization_is_found_by_its_persons(pipedrive: PipedriveAccount) -> None:
    firm = pipedrive.add(EntityKind.COMPANY)
    pipedrive.add(CONTACT, phone=ANNA, company=firm)
    found = await pipedrive.crm(pipedrive.connection()).contacts(ANNA)
    assert firm in {entity.ref for entity in found}


async def test_each_stage_is_of_its_pipeline(pipedrive: PipedriveAccount) -> None:
    adapter = pipedrive.crm(pipedrive.connection())
    assert isinstance(adapter, HasCatalogue)
    pipelines = (await adapter.catalogue(whole=True)).pipelines or ()
    stages = {pipeline.id: [stage.title for stage in pipeline.stages] for pipeline in pipelines}
    assert stages == {"1": ["Stage 1"], "2": ["Stage 5"]}


async def test_a_field_of_people_never_hides_one_of_pipedrives_own(
    pipedrive: PipedriveAccount,
) -> None:
    pipedrive.account.add_field("deal", "status")
    deal = pipedrive.add(DEAL, contact=pipedrive.add(CONTACT, phone=ANNA))
    adapter = pipedrive.crm(pipedrive.connection())
    assert (await adapter.read(deal, ["status", FIELD])) == {"status": "open"}
    people = [contact.ref for contact in await adapter.contacts(ANNA)]
    assert [deal.open for deal in await adapter.deals(people, ANNA)] == [True]
