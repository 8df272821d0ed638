"""What EspoCRM alone has: HMAC, several phones of a record, roles, fields that it may need."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from router.domain.delivery.connection import Scenario
from router.domain.delivery.entity import EntityKind
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from tests.contracts.espocrm import KEY, ROBOT, SECRET
from tests.integration.crm_accounts import Line
from tests.integration.espocrm_world import UID, EspoCrmAccount
from tests.integration.test_crm_recordings import sent
from tests.support.builders import Clock, later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

CONTACT, LEAD, DEAL = EntityKind.CONTACT, EntityKind.LEAD, EntityKind.DEAL


@pytest_asyncio.fixture
async def espo() -> AsyncIterator[EspoCrmAccount]:
    account = EspoCrmAccount(Clock())
    async with account.serve() as address:
        account.line = Line(address, {})
        yield account
        await account.line.close()
    assert account.violations == []


async def test_a_user_with_hmac_signs_each_request(espo: EspoCrmAccount) -> None:
    espo.account.hmac = True
    crm = espo.crm(espo.connection(), {"key": KEY, "secret": SECRET})
    anna = espo.add(CONTACT, phone=ANNA)
    assert [contact.ref for contact in await crm.contacts(ANNA)] == [anna]
    await crm.write(anna, {"cGaClientId": CLIENT_ID})
    assert espo.client_id(anna) == CLIENT_ID
    with pytest.raises(ReceiverUnavailable):
        await espo.crm(espo.connection(), {"key": KEY, "secret": "another"}).contacts(ANNA)


async def test_a_contact_is_found_by_any_of_its_phones(espo: EspoCrmAccount) -> None:
    anna = espo.add(CONTACT, phone="+74951112233")
    phones = ("+74951112233", "8 (912) 345-67-89", "+375291234567")
    espo.row(anna)["phoneNumberData"] = [{"phoneNumber": phone} for phone in phones]
    (found,) = await espo.crm(espo.connection()).contacts(ANNA)
    assert (found.ref, found.phones) == (anna, phones)


async def test_a_contact_that_is_deleted_between_two_requests_is_not_found(
    espo: EspoCrmAccount,
) -> None:
    anna = espo.add(CONTACT, phone="+74951112233")
    espo.row(anna)["phoneNumberData"] = [{"phoneNumber": ANNA}]
    crm = espo.crm(espo.connection())
    await crm.check()

    def gone() -> None:
        espo.account.rows["Contact"].pop(anna.id, None)

    espo.line.after = gone
    assert await crm.contacts(ANNA) == []


@pytest.mark.parametrize("status", ["Converted", "Recycled", "Dead"])
async def test_a_lead_that_is_no_longer_actual_is_followed_by_a_new_one(
    espo: EspoCrmAccount, status: str
) -> None:
    lead = espo.add(LEAD, phone=ANNA)
    espo.row(lead)["status"] = status
    await espo.tell(call_event(), espo.connection(scenario=Scenario.LEAD))
    assert espo.count(LEAD) == 2


async def test_a_deal_gets_what_the_account_requires_and_no_more(espo: EspoCrmAccount) -> None:
    await espo.tell(call_event("a", caller=None), espo.connection(options={"days": "7"}))
    for name in ("amount", "closeDate"):
        espo.account.fields["Opportunity"][name]["required"] = False
    await espo.tell(call_event("b", caller=None))
    needed, free = espo.account.rows["Opportunity"].values()
    assert (needed["amount"], needed["closeDate"]) == (0, f"{later(60 + 7 * 86400):%Y-%m-%d}")
    assert not {"amount", "closeDate"} & free.keys()


async def test_a_task_that_needs_a_user_is_ours_where_no_other_is_known(
    espo: EspoCrmAccount,
) -> None:
    missed = call_event(answered=False, talk=0)
    await espo.tell(missed, espo.connection(task=True))
    (task,) = espo.account.rows["Task"].values()
    assert task["assignedUserId"] == ROBOT


async def test_a_call_is_of_the_deal_and_its_contact_and_of_a_lead(espo: EspoCrmAccount) -> None:
    for scenario, caller in {Scenario.CONTACT_DEAL: ANNA, Scenario.LEAD: "+79120000000"}.items():
        to = espo.connection(scenario=scenario, recordings=True)
        call = call_event(scenario, caller=caller)
        await sent(espo.crm(to), to, call, await espo.tell(call, to))
    with_deal, with_lead = espo.account.rows["Call"].values()
    assert with_deal["parentType"] == "Opportunity"
    assert with_deal["contactsIds"] == list(espo.account.rows["Contact"])
    assert with_lead["leadsIds"] == [with_lead["parentId"]]


async def test_names_and_texts_of_visitors_are_what_espocrm_can_take(
    espo: EspoCrmAccount,
) -> None:
    call = call_event(answered=False, talk=0)
    hostile = "<b>[a](https://evil.example)</b> k=v"
    call = replace(call, facts={**call.facts, "source": hostile})
    templates = {"title": "{source} " + "x" * 300, "task": "{source}"}
    done = await espo.tell(call, espo.connection(templates=templates, task=True))
    (deal,) = (espo.row(ref) for ref, _ in done.entities if ref.kind is DEAL)
    (task,) = espo.account.rows["Task"].values()
    assert deal["name"].startswith("b [a](https://evil.example) /b k v x")
    assert "](" not in task["description"]
    assert "<b>[a] (https://evil.example)</b> k=v" in task["description"]


async def test_the_check_names_each_right_that_the_role_lacks(espo: EspoCrmAccount) -> None:
    espo.account.role["Contact"] |= {"read": "own", "stream": "no"}
    (check,) = await espo.crm(espo.connection()).check()
    assert not check.well
    assert "Contact: read, Contact: stream" in str(check.fix)
    espo.account.role["Contact"] |= {"read": "team", "stream": "all"}
    assert all(check.well for check in await espo.crm(espo.connection()).check())


async def test_a_right_that_is_missing_waits_and_a_value_that_is_refused_does_not(
    espo: EspoCrmAccount,
) -> None:
    espo.account.role["Lead"]["create"] = "no"
    to = espo.connection(scenario=Scenario.LEAD)
    with pytest.raises(ReceiverUnavailable, match="No create access"):
        await espo.tell(call_event(), to)
    espo.account.role["Lead"]["create"] = "yes"
    espo.account.fields["Lead"]["cBranch"] = {"type": "varchar", "required": True}
    with pytest.raises(Refused, match="field: cBranch, type: required"):
        await espo.tell(call_event(), to)


async def test_without_the_field_of_the_call_nothing_is_created(espo: EspoCrmAccount) -> None:
    del espo.account.fields["Contact"][UID]
    with pytest.raises(Refused, match=UID):
        await espo.tell(call_event())
    assert espo.size() == len(espo.account.rows["User"])


async def test_a_reason_in_a_header_does_not_show_the_key(espo: EspoCrmAccount) -> None:
    espo.account.role["Contact"] = {}
    espo.line.hide([KEY])
    espo.account.reason = f"No access for {KEY}."
    with pytest.raises(ReceiverUnavailable, match="No access for …") as refused:
        await espo.crm(espo.connection()).contacts(ANNA)
    assert KEY not in str(refused.value)
