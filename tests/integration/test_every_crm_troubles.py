"""What each CRM must do alike when something is wrong, on its contract server."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import (
    Scenario,
)
from router.domain.delivery.entity import EntityKind
from router.receivers.http import NO_RIGHT
from router.service.delivery.catalogue import check_client_id, faults
from router.service.delivery.crm_ports import HasCatalogue
from router.service.delivery.outcomes import (
    ReceiverUnavailable,
    Refused,
)
from tests.contracts.serving import served
from tests.integration.crm_accounts import CrmAccount, Line
from tests.integration.every_crm import ACCOUNTS
from tests.support.builders import Clock
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

pytest_plugins = ["tests.integration.every_crm"]
CONTACT, COMPANY = EntityKind.CONTACT, EntityKind.COMPANY
LEAD, DEAL = EntityKind.LEAD, EntityKind.DEAL


async def test_a_wrong_token_waits_for_a_person_and_the_check_says_so(crm: CrmAccount) -> None:
    adapter = crm.crm(crm.connection(), crm.wrong_token)
    with pytest.raises(ReceiverUnavailable) as refused:
        await adapter.contacts(ANNA)
    assert refused.value.pause >= NO_RIGHT
    assert not all(check.well for check in await adapter.check())


async def test_too_many_requests_are_tried_again_when_the_crm_says(crm: CrmAccount) -> None:
    crm.refuse_for_a_while(1)
    with pytest.raises(ReceiverUnavailable) as refused:
        await crm.tell(call_event())
    assert refused.value.pause < timedelta(hours=1)
    await crm.tell(call_event())
    assert crm.count(DEAL) == 1


@pytest.mark.parametrize("kind", ACCOUNTS, ids=lambda account: account.__name__)
@pytest.mark.parametrize(
    "body",
    [
        *("", "<html>", "null", "[]", "{}", "[[]]", '{"data": [[], {}, 7]}', '{"result": [1]}'),
        '{"success": true, "data": [{}], "access_token": "t", "records": [{"attributes": 1}]}',
        '{"success": true, "data": {"items": [{"item": 1}]}, "access_token": "t", "fields": {}}',
    ],
)
async def test_an_answer_of_another_server_is_not_believed(
    kind: type[CrmAccount], body: str
) -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse(body, media_type="application/json")(scope, receive, send)

    account = kind(Clock())
    async with served(answer) as address:
        account.line = Line(address, {})
        with pytest.raises((ReceiverUnavailable, Refused)):
            await account.tell(call_event())
        await account.line.close()


async def test_a_fact_that_a_list_refuses_is_left_out_and_named(crm: CrmAccount) -> None:
    to = crm.connection(fields={"source": crm.list_field}, scenario=Scenario.DEAL)
    for source in ("google", "yandex"):
        call = call_event(f"call-{source}", caller=None)
        call.facts["source"] = source  # type: ignore[index]
        done = await crm.tell(call, to)
        assert {crm.client_id(ref) for ref, _ in done.entities} == {CLIENT_ID}
        assert (f"without {crm.list_field}" in str(done.said)) == (source == "yandex")


async def test_the_fields_of_the_account_say_beforehand_what_a_list_refuses(
    crm: CrmAccount,
) -> None:
    to = crm.connection(fields={"source": crm.list_field}, scenario=Scenario.DEAL)
    adapter = crm.crm(to)
    assert isinstance(adapter, HasCatalogue)
    call = call_event()
    call.facts["source"] = "yandex"  # type: ignore[index]
    (wrong,) = faults(await adapter.catalogue(whole=True), to, [call])
    assert "'yandex' is not among its options: Google" in str(wrong.fix)


@pytest.mark.parametrize("scenario", Scenario)
async def test_what_is_prepared_passes_the_check(crm: CrmAccount, scenario: Scenario) -> None:
    options = {"field": crm.new_field}
    adapter = crm.crm(crm.connection(scenario=scenario, options=options))
    assert not all(check.well for check in await adapter.check())
    assert bool(await adapter.prepare()) is crm.adds_fields
    if not crm.adds_fields:
        return
    assert [check for check in await adapter.check() if not check.well] == []
    assert await adapter.prepare() == []


async def test_a_place_of_new_deals_that_is_gone_gives_way_to_the_crms_own(
    crm: CrmAccount,
) -> None:
    to = crm.connection(options=crm.no_place)
    done = await crm.tell(call_event(), to)
    assert {crm.client_id(ref) for ref, _ in done.entities} == {CLIENT_ID}
    assert (crm.count(CONTACT), crm.count(DEAL)) == (1, 1)
    (deal,) = (ref for ref, _ in done.entities if ref.kind is DEAL)
    assert f"deal {deal.id} without stage" in str(done.said)


async def test_the_catalogue_has_the_field_of_the_client_id(crm: CrmAccount) -> None:
    to = crm.connection(scenario=Scenario.COMPANY_CONTACT_DEAL)
    adapter = crm.crm(to)
    assert isinstance(adapter, HasCatalogue)
    catalogue = await adapter.catalogue(whole=True)
    names = {kind: adapter.client_id_field(kind) for kind in (CONTACT, COMPANY, DEAL)}
    assert all(catalogue.find(kind, name) for kind, name in names.items())
    assert list(check_client_id(catalogue, names)) == []


async def test_a_token_that_is_revoked_in_the_middle_of_a_delivery_leaves_each_entity_once(
    crm: CrmAccount,
) -> None:
    before = crm.size()

    def revoked() -> None:
        if crm.size() > before:
            raise ReceiverUnavailable(AnswerCode.TOKEN_REJECTED, pause=NO_RIGHT, status=401)

    crm.line.after = revoked
    with pytest.raises(ReceiverUnavailable, match="401"):
        await crm.tell(call_event())
    crm.line.after = lambda: None
    done = await crm.tell(call_event())
    assert (crm.count(CONTACT), crm.count(DEAL)) == (1, 1)
    assert {crm.client_id(ref) for ref, _ in done.entities} == {CLIENT_ID}
