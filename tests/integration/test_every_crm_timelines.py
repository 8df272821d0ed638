"""Users, stages, tasks and calls: what each CRM that has them must do alike, on its contract
server.
"""

import html
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from router.domain.delivery.catalogue import Catalogue
from router.domain.delivery.connection import Scenario
from router.domain.delivery.entity import CreatedBy, EntityKind
from router.service.delivery.catalogue import faults
from router.service.delivery.crm_ports import HasCatalogue, HasTasks
from router.service.delivery.outcomes import EntityGone
from tests.integration.crm_accounts import Died, Line
from tests.integration.crm_timelines import TimelineAccount
from tests.integration.every_crm import ACCOUNTS
from tests.integration.test_crm_recordings import LINK, sent
from tests.support.builders import NOON, Clock, later
from tests.support.crm_calls import ANNA, call_event

CONTACT, LEAD, DEAL = EntityKind.CONTACT, EntityKind.LEAD, EntityKind.DEAL
WITH_TIMELINES = [account for account in ACCOUNTS if issubclass(account, TimelineAccount)]
MISSED = call_event(answered=False, talk=0)
TODAY = f"{NOON:%Y-%m-%d}"


@pytest_asyncio.fixture(params=WITH_TIMELINES, ids=lambda account: account.__name__)
async def crm(request: pytest.FixtureRequest) -> AsyncIterator[TimelineAccount]:
    account: TimelineAccount = request.param(Clock(later(70)))
    async with account.serve() as address:
        account.line = Line(address, {})
        yield account
        await account.line.close()
    assert account.violations == []


# A task for a missed call


async def test_a_missed_call_is_a_task_of_the_contacts_own_responsible_once(
    crm: TimelineAccount,
) -> None:
    anna = crm.add(CONTACT, phone=ANNA)
    crm.give(anna, crm.user)
    to = crm.connection(task=True)
    for _ in range(2):  # the answer of the first attempt was lost
        done = await crm.tell(MISSED, to)
    (deal,) = (ref for ref, created_by in done.entities if created_by is CreatedBy.US)
    (task,) = crm.tasks(deal)
    assert (task.owner, task.day, task.subject) == (crm.user, TODAY, f"Call back {ANNA}")
    assert f"/calls/{MISSED.id}" in task.text
    assert "a task on deal" in str(done.said)


async def test_a_responsible_whom_the_crm_refuses_gives_way_to_the_connections(
    crm: TimelineAccount,
) -> None:
    crm.give(crm.add(CONTACT, phone=ANNA), crm.refused_user)
    done = await crm.tell(MISSED, crm.connection(task=True, task_user=crm.user))
    (deal,) = (ref for ref, created_by in done.entities if created_by is CreatedBy.US)
    (task,) = crm.tasks(deal)
    assert task.owner == crm.user
    assert f"for the user {crm.user}" in str(done.said)


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_new_callers_task_is_on_what_was_created(
    crm: TimelineAccount, scenario: Scenario
) -> None:
    done = await crm.tell(MISSED, crm.connection(task=True, scenario=scenario))
    (last,) = (ref for ref, _ in done.entities if ref.kind in {DEAL, LEAD})
    assert len(crm.tasks(last)) == 1


async def test_an_answered_call_is_no_task(crm: TimelineAccount) -> None:
    done = await crm.tell(call_event(), crm.connection(task=True))
    assert [crm.tasks(ref) for ref, _ in done.entities] == [[], []]


async def test_what_a_visitor_brought_along_is_text_in_a_task(crm: TimelineAccount) -> None:
    call = replace(MISSED, facts={**MISSED.facts, "source": '<b>x</b> & "y"'})
    done = await crm.tell(call, crm.connection(task=True, templates={"task": "From {source}"}))
    (deal,) = (ref for ref, _ in done.entities if ref.kind is DEAL)
    (task,) = crm.tasks(deal)
    assert '<b>x</b> & "y"' in html.unescape(task.text)
    assert ("<br>" in task.text) != ("<b>" in task.text)


async def test_a_process_that_dies_after_a_task_adds_no_second_one(crm: TimelineAccount) -> None:
    to = crm.connection(task=True, scenario=Scenario.DEAL)
    sizes = [crm.size()]
    crm.line.after = lambda: sizes.append(crm.size())
    await crm.tell(call_event("call-0", caller="+79120000000", answered=False, talk=0), to)
    crm.line.after = lambda: None
    place = max(place for place in range(1, len(sizes)) if sizes[place] > sizes[place - 1])

    crm.line.left = place
    with pytest.raises(Died):
        await crm.tell(MISSED, to)
    crm.line.left = 0
    done = await crm.tell(MISSED, to)
    (deal,) = (ref for ref, _ in done.entities)
    assert len(crm.tasks(deal)) == 1


async def test_what_is_gone_has_no_responsible(crm: TimelineAccount) -> None:
    deal = crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    adapter = crm.crm(crm.connection())
    assert isinstance(adapter, HasTasks)
    assert adapter.tasks is not None
    crm.give(deal, crm.user)
    assert await adapter.tasks.responsible(deal) == crm.user
    crm.delete(deal)
    with pytest.raises(EntityGone):
        await adapter.tasks.responsible(deal)


# The recording in the CRM's own list of calls


async def test_a_recording_is_a_call_of_the_deal_with_its_link_once(crm: TimelineAccount) -> None:
    to = crm.connection(recordings=True, responsible={"office": crm.user})
    done = await crm.tell(call_event(destination_id="office"), to)
    said = await sent(crm.crm(to), to, call_event(destination_id="office"), done)
    assert said == "the recording is in the CRM's list of calls"
    (deal,) = (ref for ref, _ in done.entities if ref.kind is DEAL)
    (call,) = crm.calls(deal)
    assert (call.subject, call.day) == (f"Call {ANNA}", TODAY)
    assert LINK in html.unescape(call.text)
    assert (call.owner, call.seconds) in {(crm.user, 50), (None, None)}
    assert crm.tasks(deal) == []


async def test_an_answered_call_without_a_recording_is_a_call_without_a_link(
    crm: TimelineAccount,
) -> None:
    to = crm.connection(recordings=True)
    done = await crm.tell(call_event(), to)
    await sent(crm.crm(to), to, call_event(), done, audio=None)
    (deal,) = (ref for ref, _ in done.entities if ref.kind is DEAL)
    (call,) = crm.calls(deal)
    assert call.subject == f"Call {ANNA}"
    assert "http" not in call.text


async def test_a_recording_of_a_lead_is_a_call_of_the_lead(crm: TimelineAccount) -> None:
    to = crm.connection(recordings=True, scenario=Scenario.LEAD)
    done = await crm.tell(call_event(), to)
    await sent(crm.crm(to), to, call_event(), done)
    (lead,) = (ref for ref, _ in done.entities if ref.kind is LEAD)
    assert len(crm.calls(lead)) == 1


async def test_a_note_of_the_same_call_does_not_pass_for_its_recording(
    crm: TimelineAccount,
) -> None:
    deal = crm.add(DEAL, contact=crm.add(CONTACT, phone=ANNA))
    to = crm.connection(recordings=True, task=True)
    done = await crm.tell(MISSED, to)
    assert (deal, CreatedBy.NOTE) in done.entities
    await sent(crm.crm(to), to, MISSED, done)
    counts = len(crm.notes(deal)), len(crm.tasks(deal)), len(crm.calls(deal))
    assert counts in {(1, 1, 1), (2, 1, 1)}  # where a call is a note


# What the account has


async def test_users_and_stages_of_the_rules_are_checked(crm: TimelineAccount) -> None:
    responsible = {"office": crm.user, "shop": crm.user_who_left, "bar": crm.no_user}
    wrong = await ill(crm, stage="no such stage", responsible=responsible, task_user=crm.no_user)
    assert "has left" in wrong.pop(f"the user {crm.user_who_left}, responsible for shop")
    assert "no such user" in wrong.pop(f"the user {crm.no_user}, responsible for bar")
    assert "never was" in wrong.pop(f"the user {crm.no_user} of tasks")
    assert crm.stage in wrong.pop("the stage no such stage")
    assert wrong == {}


async def test_a_stage_that_is_there_is_used(crm: TimelineAccount) -> None:
    assert await ill(crm, stage=crm.stage) == {}
    to = crm.connection(options={"stage": crm.stage})
    done = await crm.tell(call_event(), to)
    (deal,) = (ref for ref, _ in done.entities if ref.kind is DEAL)
    assert crm.stage in {str(value) for value in crm.row(deal).values()}


async def test_a_text_that_is_too_long_is_cut_and_the_check_says_so(crm: TimelineAccount) -> None:
    call = call_event()
    call = replace(call, facts={**call.facts, "campaign": "x" * 300})
    to = crm.connection(fields={"campaign": crm.text_field}, scenario=Scenario.DEAL)
    done = await crm.tell(call, to)
    ((deal, _),) = done.entities
    assert crm.text(deal) == "x" * (crm.longest or 300)
    assert "without" not in str(done.said)
    catalogue = await catalogue_of(crm, crm.connection(fields={"campaign": crm.text_field}))
    found = catalogue.find(DEAL, crm.text_field)
    assert found is not None
    assert found.most == crm.longest


async def test_a_token_that_may_not_see_users_says_nothing_of_them(crm: TimelineAccount) -> None:
    crm.hide_users()
    wrong = await ill(crm, responsible={"shop": crm.no_user})
    assert wrong == {}


async def ill(crm: TimelineAccount, stage: str = "", **rules: object) -> dict[str, str]:
    """What is wrong with these rules, by what it is about."""
    options = {"stage": stage} if stage else {}
    to = crm.connection(options=options, **rules)
    catalogue = await catalogue_of(crm, to)
    return {str(fault.what): str(fault.fix) for fault in faults(catalogue, to, [])}


async def catalogue_of(crm: TimelineAccount, to: object) -> Catalogue:
    adapter = crm.crm(to)  # type: ignore[arg-type]
    assert isinstance(adapter, HasCatalogue)
    return await adapter.catalogue(whole=True)
