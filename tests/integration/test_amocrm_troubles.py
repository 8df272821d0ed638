"""What amoCRM refuses, and how: too many requests, a ban, a moved account, missing rights and
fields, nonsense.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import jwt
import pytest
import pytest_asyncio
import requests
from amocrm.v2 import Contact, Lead, tokens
from amocrm.v2.interaction import _session
from requests.adapters import HTTPAdapter
from starlette.responses import JSONResponse

from router.domain.delivery.connection import Mode, Rules, Scenario
from router.domain.delivery.entity import EntityKind, Ref
from router.service.delivery.catalogue import faults
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Draft
from tests.contracts.serving import served
from tests.integration.amocrm_world import World, amocrm_world
from tests.support.builders import NOON, later
from tests.support.crm_calls import ANNA, CLIENT_ID, call_event

DEAL = Ref(kind=EntityKind.DEAL, id="1")


@pytest_asyncio.fixture
async def amo() -> AsyncIterator[World]:
    async with amocrm_world() as world:
        yield world


async def trouble(asked: Awaitable[Any]) -> ReceiverUnavailable | None:
    try:
        await asked
    except ReceiverUnavailable as error:
        return error
    return None


async def test_requests_too_many_are_paused_and_a_ban_is_left_alone_for_long(amo: World) -> None:
    amo.account.limited, amo.account.clock = True, lambda: 0.0
    crm = amo.crm(amo.connection(mode=Mode.TELEPHONY))
    met = [
        await trouble(crm.appeared(call_event(caller=None), NOON, later(900))) for _ in range(19)
    ]
    assert met[:7] == [None] * 7
    too_many, banned = met[7], met[18]
    assert too_many is not None
    assert too_many.pause == timedelta(seconds=10)
    assert too_many.message.startswith("amoCRM refuses more requests for now")
    assert banned is not None
    assert banned.pause >= timedelta(hours=1)
    assert "blocked this server's address" in banned.message


async def test_a_moved_account_says_where_to_and_what_to_do(amo: World) -> None:
    amo.account.moved_to = "https://new.amocrm.ru"
    with pytest.raises(
        ReceiverUnavailable,
        match=r"moved to https://new\.amocrm\.ru.*enter the new addr",
    ):
        await amo.crm(amo.connection()).read(DEAL, ["GCLIENTID"])


async def test_what_validation_refuses_is_named_with_its_place(amo: World) -> None:
    await amo.prepare()
    done = await amo.annotate(amo.connection(options={"status": "999"}))
    assert "without stage: 400 leads: status_id: The value" in str(done.said)
    assert "(NotSupportedChoice)" in str(done.said)
    assert all("'status_id'" in complaint for complaint in amo.account.complaints)
    amo.account.complaints.clear()


async def test_a_field_that_went_away_is_refused_once_and_then_looked_for_again(amo: World) -> None:
    lead = Ref(kind=EntityKind.DEAL, id=str(await amo.rings()))
    crm = amo.crm(amo.connection(mode=Mode.TELEPHONY))
    await crm.read(lead, ["GCLIENTID"])
    gone = next(field for field in amo.account.fields["leads"] if field["code"] == "GCLIENTID")
    amo.account.fields["leads"].remove(gone)
    with pytest.raises(
        Refused, match=r"custom_fields_values\.0\.field_id: .* \(NotSupportedChoice\)"
    ):
        await crm.write(lead, {"GCLIENTID": CLIENT_ID})
    missing = "leads have no field 'GCLIENTID': run `ringtrace crm connect`"
    with pytest.raises(Refused, match=missing):
        await crm.write(lead, {"GCLIENTID": CLIENT_ID})
    amo.account.fields["leads"].append(gone)
    await crm.write(lead, {"GCLIENTID": CLIENT_ID})
    assert len(amo.account.complaints) == 1
    amo.account.complaints.clear()


async def test_an_entity_that_is_gone_is_refused(amo: World) -> None:
    crm = amo.crm(amo.connection())
    with pytest.raises(Refused, match="deal 1 is gone from the CRM"):
        await crm.read(DEAL, ["GCLIENTID"])
    with pytest.raises(Refused, match=r"'\.\./account', but amoCRM uses only numbers"):
        await crm.read(Ref(kind=EntityKind.DEAL, id="../account"), ["GCLIENTID"])


async def test_without_the_field_of_the_calls_id_nothing_is_created(amo: World) -> None:
    with pytest.raises(ReceiverUnavailable, match="no field 'RINGTRACE_CALL_ID'"):
        await amo.annotate(amo.connection())
    assert amo.account.those("contacts") == []


async def test_a_wrong_token_is_said_by_the_check(amo: World) -> None:
    (check,) = await amo.crm(amo.connection(), token="old").check()
    assert not check.well
    assert "token is refused" in str(check.fix)
    assert len(amo.account.complaints) == 1
    amo.account.complaints.clear()


async def test_the_check_names_what_is_missing_and_prepare_adds_it_once(amo: World) -> None:
    rules = Rules(fields={"source": "utm_source", "page": "no such field"})
    connection = amo.connection(rules=rules, options={"pipeline": "31", "status": "5"})
    missing = [str(check.what) for check in await amo.crm(connection).check() if not check.well]
    assert missing == [
        "contacts: field GA_CLIENT_ID",
        "contacts: field RINGTRACE_CALL_ID",
        "leads: field RINGTRACE_CALL_ID",
        "leads: field RINGTRACE_CALL",
    ]
    assert not [request for request in amo.account.asked if not request.startswith("GET")]
    assert len(await amo.prepare(rules=rules)) == 4
    assert await amo.prepare(rules=rules) == []
    missing = [str(check.what) for check in await amo.crm(connection).check() if not check.well]
    assert missing == []
    wrong = faults(await amo.crm(connection).catalogue(whole=True), connection, [])
    assert [str(check.what) for check in wrong if not check.optional] == [
        "the field 'no such field' for page",
        "the stage 5",
    ]


async def test_who_may_not_add_fields_is_named(amo: World) -> None:
    amo.account.admin_only = True
    with pytest.raises(
        ReceiverUnavailable, match="403 at contacts/custom_fields: either the token's user lacks"
    ):
        await amo.prepare()
    amo.account.complaints.clear()


NONSENSE: list[Any] = [
    None,
    5,
    "text",
    [],
    [[]],
    {"_embedded": []},
    {
        "_embedded": {
            "leads": {},
            "contacts": [None, 5],
            "unsorted": [[]],
            "custom_fields": "x",
            "notes": [3],
        }
    },
    {
        "id": [],
        "custom_fields_values": [
            None,
            {"field_id": {}, "values": [None, {"value": []}]},
            {"values": 3},
        ],
        "_embedded": {
            "custom_fields": [
                {"id": 1, "code": "RINGTRACE_CALL_ID"},
                {"id": "x"},
                {"id": 2, "code": "GCLIENTID"},
            ],
            "leads": [{"id": None}, {"id": -1}, {"id": True, "created_at": "soon"}],
            "contacts": [
                {"id": 1, "custom_fields_values": {"a": 1}, "_embedded": {"leads": [{"id": []}, 4]}}
            ],
            "unsorted": [
                {
                    "metadata": {"from": {}, "phone": ANNA, "called_at": 1e40},
                    "_embedded": {"leads": [{}]},
                }
            ],
            "notes": [{"params": [], "entity_id": {}}],
            "companies": [{}],
        },
    },
]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_ends_in_nothing_or_in_words(body: Any) -> None:
    call, person = call_event(), Ref(kind=EntityKind.CONTACT, id="1")
    world = World()
    async with served(JSONResponse(body)) as world.address:
        crm = world.crm(world.connection(rules=Rules(scenario=Scenario.LEAD)))
        found: list[Awaitable[Any]] = [
            crm.made_for("rt1-1.0"),
            crm.contacts(ANNA),
            crm.deals([person], ANNA),
            crm.appeared(call, NOON, later(900)),
            crm.read(DEAL, ["GCLIENTID"]),
        ]
        for answer in found:
            with suppress(ReceiverUnavailable, Refused):
                assert not await answer
        lead, human = (
            Draft(kind=kind, call=call, title="t", text="x")
            for kind in (EntityKind.LEAD, person.kind)
        )
        done: list[Awaitable[Any]] = [
            crm.create(lead),
            crm.create(human),
            crm.note(DEAL, "x", "rt1-1.0"),
        ]
        for waiting in [*done, crm.write(DEAL, {"GCLIENTID": "1"}), crm.check(), crm.prepare()]:
            with suppress(ReceiverUnavailable, Refused):
                await waiting
        await world.close()


class ToLoopback(HTTPAdapter):
    """Sends what is meant for the account to the contract server."""

    address = ""

    def send(self, request: requests.PreparedRequest, *rest: Any, **how: Any) -> requests.Response:
        assert request.url
        request.url = request.url.replace("https://shop.amocrm.ru", self.address)
        return super().send(request, *rest, **how)


async def test_anothers_client_of_amocrm_gets_along_with_the_contract_server(amo: World) -> None:
    amo.account.token = jwt.encode({"exp": int(time.time()) + 600}, "k" * 32)  # type: ignore[misc]
    tokens.default_token_manager(
        "id", "secret", "shop", "https://example.org", storage=tokens.MemoryTokensStorage()
    )
    tokens.default_token_manager._storage.save_tokens(amo.account.token, "")
    way = ToLoopback()
    way.address = amo.address
    _session.mount("https://shop.amocrm.ru/", way)

    def drive() -> None:
        lead = Lead.objects.create(name="Call", price=100)
        person = Contact.objects.create({"name": "Anna"})
        Lead.objects.update(lead.id, name="Call of Anna")
        Lead.objects.get(lead.id).notes.objects.create(note_type="common", params={"text": "Hello"})
        assert [lead.name for lead in Lead.objects.filter(query="anna")] == ["Call of Anna"]
        assert list(Contact.objects.filter(query="nobody")) == []
        assert Contact.objects.get(person.id).name == "Anna"

    await asyncio.to_thread(drive)
    assert amo.account.notes["leads"][0]["params"] == {"text": "Hello"}


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"pipeline": "31", "status": "3101"}, {}),
        ({"pipeline": "31", "status": "142"}, {}),
        ({"status": "4101"}, {}),
        ({"pipeline": "99"}, {"the pipeline 99": "none"}),
        ({"pipeline": "51"}, {"the pipeline 51": "archived"}),
        (
            {"pipeline": "31", "status": "4101"},
            {"the stage 4101": "of the pipeline 41, not of 31"},
        ),
        ({"status": "5101"}, {"the stage 5101": "archived"}),
    ],
)
async def test_the_check_names_an_archived_pipeline_and_anothers_status(
    amo: World, options: dict[str, str], wrong: dict[str, str]
) -> None:
    amo.account.other_pipelines = {41: (4101,), 51: (5101,)}
    amo.account.archived = {51}
    connection = amo.connection(options=options)
    catalogue = await amo.crm(connection).catalogue(whole=True)
    checks = [*faults(catalogue, connection, [])]
    assert [str(check.what) for check in checks if not check.well] == list(wrong)
    assert all(
        words in str(check.fix)
        for check, words in zip([c for c in checks if not c.well], wrong.values(), strict=True)
    )
