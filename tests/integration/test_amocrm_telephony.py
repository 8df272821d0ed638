"""amoCRM that the company's telephony fills: the client ID goes into what it created, and nothing
else changes.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.domain.delivery.connection import Connection, Mode, Overwrite, Rules
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.service.delivery.crm_update import annotate
from router.service.delivery.outcomes import NeedsReview, NotYet
from tests.contracts.amocrm_models import ENTITIES
from tests.integration.amocrm_world import World, amocrm_world, contact, owner
from tests.support.builders import later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event


@pytest_asyncio.fixture
async def amo() -> AsyncIterator[World]:
    """No field of ours is there, for in this mode none is needed."""
    async with amocrm_world() as world:
        yield world


def theirs(amo: World, **rules: object) -> Connection:
    return amo.connection(mode=Mode.TELEPHONY, rules=Rules(**rules))  # type: ignore[arg-type]


def written(amo: World) -> dict[int, str | None]:
    """The client ID of each lead."""
    return {
        lead["id"]: amo.account.value("leads", lead["id"], "GCLIENTID")
        for lead in amo.account.those("leads")
    }


@pytest.mark.parametrize(
    "spelled", [ANNA, "89123456789", "79123456789", "9123456789", "+7 (912) 345-67-89,12"]
)
async def test_the_lead_that_the_telephony_created_gets_the_client_id(
    amo: World, spelled: str
) -> None:
    lead = await amo.rings(spelled, at=later(2))
    done = await amo.annotate(theirs(amo))
    assert done.entities == ((Ref(kind=EntityKind.DEAL, id=str(lead)), CreatedBy.TELEPHONY),)
    assert written(amo) == {lead: CLIENT_ID}
    assert [len(amo.account.those(path)) for path in ENTITIES] == [1, 1, 0]


async def test_a_lead_that_comes_late_is_waited_for(amo: World) -> None:
    with pytest.raises(NotYet):
        await amo.annotate(theirs(amo), after=30)
    lead = await amo.rings(at=later(300))
    await amo.annotate(theirs(amo), after=300)
    assert written(amo) == {lead: CLIENT_ID}


async def test_two_leads_of_one_call_are_left_to_a_person_who_may_choose(amo: World) -> None:
    leads = [await amo.rings(at=later(2)), await amo.rings(at=later(3))]
    with pytest.raises(NeedsReview) as error:
        await amo.annotate(theirs(amo))
    assert {candidate.ref.id for candidate in error.value.candidates} == {
        str(lead) for lead in leads
    }
    assert set(written(amo).values()) == {None}
    chosen = Ref(kind=EntityKind.DEAL, id=str(leads[1]))
    await annotate(
        amo.crm(theirs(amo)), theirs(amo), call_event(), looks=1, now=later(200), chosen=chosen
    )
    assert written(amo) == {leads[0]: None, leads[1]: CLIENT_ID}


async def test_a_call_of_which_nothing_came_is_left_to_a_person(amo: World) -> None:
    with pytest.raises(NeedsReview, match="no CRM record appeared within 900 s"):
        await amo.annotate(theirs(amo), after=900)


async def test_of_others_and_of_earlier_calls_nothing_is_taken(amo: World) -> None:
    await amo.rings("+79123456788", at=later(2))
    await amo.rings(ANNA, at=later(-3600))
    with pytest.raises(NotYet):
        await amo.annotate(theirs(amo))
    assert set(written(amo).values()) == {None}


@pytest.mark.parametrize(
    "said",
    [
        {"uniq": "rt1-1.0", "phone": "+70000000000"},
        {"phone": "8 (912) 345-67-89"},
        {"phone": "+74950000001", "from": "89123456789"},
    ],
    ids=["the call's own id", "the phone", "the phone, the other way round"],
)
async def test_a_call_among_the_unsorted_is_known_by_what_its_telephony_said(
    amo: World, said: dict[str, str]
) -> None:
    lead = await amo.waits(at=later(5), **said)
    other = await amo.waits(at=later(5), uniq="pbx-8", phone="+79123456788")
    done = await amo.annotate(theirs(amo))
    assert done.entities == ((Ref(kind=EntityKind.LEAD, id=str(lead)), CreatedBy.TELEPHONY),)
    assert written(amo) == {lead: CLIENT_ID, other: None}


async def test_of_one_callers_unsorted_calls_each_gets_its_own(amo: World) -> None:
    await amo.waits(at=later(-3600), uniq="pbx-6")
    lead = await amo.waits(at=later(5))
    await amo.annotate(theirs(amo))
    assert [id_ for id_, value in written(amo).items() if value] == [lead]


async def test_an_unsorted_call_that_was_accepted_at_once_is_found_as_a_deal(amo: World) -> None:
    person = {
        "name": "Anna",
        "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": ANNA}]}],
    }
    words = {
        "from": "office",
        "phone": ANNA,
        "called_at": 1,
        "duration": 5,
        "link": "",
        "service_code": "pbx",
    }
    item = amo.account.take_call(
        {
            "source_name": "PBX",
            "source_uid": "pbx",
            "metadata": words,
            "_embedded": {"contacts": [person]},
        }
    )
    amo.account.accept(item)
    done = await amo.annotate(theirs(amo))
    assert [ref.kind for ref, _ in done.entities] == [EntityKind.DEAL]
    assert set(written(amo).values()) == {CLIENT_ID}


async def call_note(amo: World, lead: int, phone: str, at: float) -> None:
    words = {
        "uniq": "pbx-9",
        "duration": 5,
        "source": "pbx",
        "link": "https://pbx.example/9.mp3",
        "phone": phone,
    }
    await amo.telephony(
        f"leads/{lead}/notes", {"note_type": "call_in", "params": words}, at=later(at)
    )


async def test_a_call_that_was_put_on_a_known_lead_is_written_to_that_lead(amo: World) -> None:
    old, other = await amo.rings(at=later(-86400)), await amo.rings(at=later(-86300))
    await call_note(amo, other, ANNA, -3600)  # of an earlier call
    await call_note(amo, old, "89123456789", 61)
    await amo.annotate(theirs(amo))
    assert written(amo) == {old: CLIENT_ID, other: None}


async def test_a_contact_is_taken_only_when_no_lead_comes(amo: World) -> None:
    await amo.prepare(mode=Mode.TELEPHONY)
    person = contact(amo, ANNA, at=later(2))
    with pytest.raises(NotYet):
        await amo.annotate(theirs(amo), after=30)
    await amo.annotate(theirs(amo), after=61)
    assert amo.account.value("contacts", person, "GA_CLIENT_ID") == CLIENT_ID


@pytest.mark.parametrize(
    ("rule", "kept"), [(Overwrite.NEVER, "1.1"), (Overwrite.ALWAYS, CLIENT_ID)]
)
async def test_what_another_put_there_stays_unless_the_rule_says_otherwise(
    amo: World, rule: Overwrite, kept: str
) -> None:
    lead = await amo.rings(at=later(2))
    amo.account.entities["leads"][lead]["custom_fields_values"] = amo.account.values(
        "leads", [{"field_code": "GCLIENTID", "values": [{"value": "1.1"}]}]
    )
    await amo.annotate(theirs(amo, overwrite=rule))
    assert written(amo) == {lead: kept}


@pytest.mark.parametrize("stood", ["", "1.1"])
async def test_a_200_that_changed_nothing_is_noticed(amo: World, stood: str) -> None:
    lead = await amo.rings(at=later(2))
    given = [{"field_code": "GCLIENTID", "values": [{"value": stood}]}] if stood else []
    amo.account.entities["leads"][lead]["custom_fields_values"] = amo.account.values("leads", given)
    amo.account.deaf_fields = {field["id"] for field in amo.account.fields["leads"]}
    done = await amo.annotate(theirs(amo, overwrite=Overwrite.ALWAYS))
    assert done.fault is not None
    assert "did not save it: is it read-only" in str(done.said)
    (note,) = amo.account.notes["leads"]
    assert CLIENT_ID in note["params"]["text"]


async def test_a_second_telling_writes_nothing(amo: World) -> None:
    await amo.rings(at=later(2))
    await amo.annotate(theirs(amo))
    amo.account.asked.clear()
    await amo.annotate(theirs(amo))
    assert not [request for request in amo.account.asked if not request.startswith("GET")]


async def test_an_anonymous_call_is_matched_by_its_own_id_alone(amo: World) -> None:
    await amo.rings(at=later(2))
    call = call_event(caller=None)
    with pytest.raises(NotYet):
        await amo.annotate(theirs(amo), call)
    lead = await amo.waits(at=later(5), uniq=call.id, phone="anonymous")
    await amo.annotate(theirs(amo), call)
    assert written(amo)[lead] == CLIENT_ID


async def logs(amo: World, phone: str = ANNA, at: float = 61) -> None:
    """The telephony reports the call to amoCRM, which decides where to put it."""
    words = {
        "direction": "inbound",
        "uniq": "pbx-9",
        "duration": 50,
        "source": "pbx",
        "phone": phone,
    }
    await amo.telephony("calls", {**words, "link": "https://pbx.example/9.mp3"}, at=later(at))


def deals_of(amo: World, path: str, id_: int, *statuses: int) -> None:
    """Deals that an owner has had since yesterday."""
    for status in statuses:
        linked = {path: [{"id": id_}]}
        yesterday = int(later(-86400).timestamp())
        amo.account.put(
            "leads", name="Old", status_id=status, created_at=yesterday, _embedded=linked
        )


@pytest.mark.parametrize("spelled", [ANNA, "8 (912) 345-67-89"])
@pytest.mark.parametrize(
    "statuses", [(), (142, 143), (3101, 3101)], ids=["no deal", "closed ones", "two open ones"]
)
async def test_a_repeat_call_that_amocrm_puts_on_the_contact_is_the_contacts(
    amo: World, statuses: tuple[int, ...], spelled: str
) -> None:
    await amo.prepare(mode=Mode.TELEPHONY)
    person = contact(amo, spelled, at=later(-86400))
    deals_of(amo, "contacts", person, *statuses)
    await logs(amo)
    done = await amo.annotate(theirs(amo), after=75)
    assert done.entities == ((Ref(kind=EntityKind.CONTACT, id=str(person)), CreatedBy.TELEPHONY),)
    assert amo.account.value("contacts", person, "GA_CLIENT_ID") == CLIENT_ID
    assert set(written(amo).values()) <= {None}


async def test_with_one_open_deal_the_repeat_call_is_the_deals(amo: World) -> None:
    person = contact(amo, ANNA, at=later(-86400))
    deals_of(amo, "contacts", person, 3101, 142)
    await logs(amo)
    await amo.annotate(theirs(amo))
    assert sorted(value for value in written(amo).values() if value) == [CLIENT_ID]


async def test_a_call_that_amocrm_puts_on_a_company_is_the_companys(amo: World) -> None:
    await amo.prepare(mode=Mode.TELEPHONY)
    firm = owner(amo, "companies", "8 912 345 67 89", name="Windows Ltd", at=later(-86400))
    deals_of(amo, "companies", firm, 3101, 3101)
    await logs(amo)
    done = await amo.annotate(theirs(amo), after=75)
    assert done.entities == ((Ref(kind=EntityKind.COMPANY, id=str(firm)), CreatedBy.TELEPHONY),)
    assert amo.account.value("companies", firm, "GA_CLIENT_ID") == CLIENT_ID


async def test_the_contacts_earlier_and_others_calls_are_not_this_one(amo: World) -> None:
    await amo.prepare(mode=Mode.TELEPHONY)
    contact(amo, ANNA, at=later(-86400))
    contact(amo, "+79123456780", at=later(-86400))
    await logs(amo, at=-3600)
    await logs(amo, "+79123456780")
    with pytest.raises(NeedsReview, match="no CRM record appeared"):
        await amo.annotate(theirs(amo), after=900)


async def test_a_lead_that_the_telephony_created_comes_before_the_contacts_note(amo: World) -> None:
    await amo.prepare(mode=Mode.TELEPHONY)
    person = contact(amo, ANNA, at=later(-86400))
    await logs(amo, at=61)
    lead = amo.account.put("leads", name="Call", _embedded={"contacts": [{"id": person}]})
    await amo.annotate(theirs(amo), after=75)
    assert written(amo) == {lead["id"]: CLIENT_ID}
    assert amo.account.value("contacts", person, "GA_CLIENT_ID") is None
