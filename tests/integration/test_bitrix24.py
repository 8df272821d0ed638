"""Bitrix24 in both modes, against a server that behaves by its documents."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count, product
from typing import Any

import b24pysdk
import pytest
import requests
from b24pysdk.credentials import BitrixApp, BitrixToken, BitrixWebhook
from starlette.types import Receive, Scope, Send

from router.crm.bitrix24 import Bitrix24
from router.domain.connection import SCENARIO_KINDS, Connection, Mode, Overwrite, Rules, Scenario
from router.domain.entity import EntityKind, Maker, Ref
from router.errors import ReceiverUnavailable
from router.outside import LONGEST_PATIENCE, NO_RIGHT, Answer, Outside
from router.service.annotating import Annotated, annotate
from router.service.deliveries import NotYet, Refused, Undecided
from tests.builders import NOON, later
from tests.contracts.bitrix24 import Bitrix24Server
from tests.contracts.bitrix24_portal import COMPANY, CONTACT, DEAL, LEAD, TYPES, Problem, as_phone
from tests.contracts.serving import served
from tests.crm_calls import ANNA, CLIENT_ID, connection, told

FIELD = "UF_CRM_GA_CLIENT_ID"
OWN = connection("bitrix24")
TELEPHONY = connection("bitrix24", mode=Mode.TELEPHONY)
SHAPES: list[Callable[[str], str]] = [
    lambda ten: f"+7{ten}",
    lambda ten: f"7{ten}",
    lambda ten: f"8{ten}",
    lambda ten: ten,
    lambda ten: f"8 ({ten[:3]}) {ten[3:6]}-{ten[6:8]}-{ten[8:]}",
    lambda ten: f"+7 {ten[:3]} {ten[3:]}, 104",
]


class Breaking(Outside):
    """Its line breaks after so many requests, each of which was carried out."""

    left = 0

    async def ask(self, method: str, path: str, *, accept: frozenset[int] = frozenset(), **request: Any) -> Answer:
        answer = await super().ask(method, path, accept=accept, **request)
        self.left -= 1
        if self.left == 0:
            raise ReceiverUnavailable("the line broke")
        return answer


class World:
    """A portal with its fields, and our way to it; `renew` is cheaper than another server."""

    address: str
    line: Breaking

    def renew(self, breaks_after: int = 0) -> None:
        """An empty portal, and a line that breaks after so many requests."""
        self.server = Bitrix24Server()
        self.portal = self.server.portal
        for kind in self.portal.user_fields:
            self.portal.user_fields[kind].add(FIELD)
        self.line.left = breaks_after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.server.app(scope, receive, send)

    async def tell_until_done(self, account: Connection = OWN, **more: Any) -> bool:
        """Tell, and if the line breaks tell once more. Whether it broke."""
        try:
            await self.tell(account, **more)
        except ReceiverUnavailable:
            await self.tell(account, **more)
            return True
        return False

    def crm(self, account: Connection = OWN, webhook: str = "7/c0de") -> Bitrix24:
        return Bitrix24(account, {"webhook": webhook}, self.line)

    async def tell(self, account: Connection = OWN, call: Any = None, after: float = 75, **more: Any) -> Annotated:
        """Annotate so many seconds after noon; the call ended at 60."""
        call, more = call or told(), {"looks": 0, **more}
        return await annotate(self.crm(account), account, call, now=later(after), **more)

    def all(self, kind: int) -> list[dict[str, Any]]:
        return list(self.portal.items[kind].values())

    def person(self, phone: str = ANNA, kind: int = CONTACT, **more: Any) -> int:
        return self.portal.add(kind, {"name": "Anna", "title": "Anna", "fm": as_phone(phone)}, **more)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    async with served(made) as address:
        made.line, made.address = Breaking(address, {}), address.removeprefix("http://")
        made.renew()
        yield made
        await made.line.close()
    assert not made.server.breaches


# Own


@pytest.mark.parametrize("scenario", Scenario)
async def test_a_new_caller_becomes_what_the_scenario_says(world: World, scenario: Scenario) -> None:
    rules = Rules(scenario=scenario, responsible={"office": "12"}, fields={"verdict": "utmTerm"})

    done = await world.tell(replace(OWN, rules=rules))

    kinds = [ref.kind for ref, maker in done.entities if maker is Maker.US]
    assert kinds == list(SCENARIO_KINDS[scenario])
    made = {kind: world.all(TYPES[kind]) for kind in EntityKind}
    assert {kind: len(items) for kind, items in made.items()} == {kind: int(kind in kinds) for kind in EntityKind}
    for kind in kinds:
        item = made[kind][0]
        expected = {"originatorId": "ringtrace", "originId": "rt1-1.0", FIELD: CLIENT_ID, "assignedById": 12}
        assert expected.items() <= item.items()
        assert {"utmSource": "google", "utmMedium": "cpc", "utmTerm": "exact"}.items() <= item.items()
        if kind is not EntityKind.DEAL:
            assert item["fm"] == as_phone(ANNA)
    links = {
        "contactId": made[EntityKind.CONTACT] and made[EntityKind.CONTACT][0]["id"],
        "companyId": made[EntityKind.COMPANY] and made[EntityKind.COMPANY][0]["id"],
    }
    for deal in made[EntityKind.DEAL]:
        assert {name: deal.get(name, []) for name in links} == links


@pytest.mark.parametrize("trace", ["on", "off"])
@pytest.mark.parametrize("scenario", Scenario)
async def test_a_breakdown_after_any_request_leaves_one_of_each(world: World, scenario: Scenario, trace: str) -> None:
    account = replace(OWN, rules=Rules(scenario=scenario), options={"trace": trace})
    kinds = SCENARIO_KINDS[scenario]
    for requests_before in count(1):
        world.renew(breaks_after=requests_before)

        broke = await world.tell_until_done(account)

        for kind in EntityKind:
            items = world.all(TYPES[kind])
            assert [item[FIELD] for item in items] == [CLIENT_ID] * (kind in kinds), requests_before
        assert len(world.portal.traces) == (len(kinds) if trace == "on" else 0)
        assert not world.server.breaches
        if not broke:
            break
    assert requests_before > 2 + 2 * len(kinds)  # it did break at each


async def test_a_breakdown_after_any_request_leaves_one_comment(world: World) -> None:
    for requests_before in count(1):
        world.renew(breaks_after=requests_before)
        deal = world.portal.add(DEAL, {"title": "Boots", "contactId": world.person()})
        world.portal.comments.append({"kind": DEAL, "number": deal, "COMMENT": "Ringtrace rt1-1.01", "ID": "1"})

        broke = await world.tell_until_done()

        assert len(world.portal.comments) == 2
        assert len(world.all(DEAL)) == len(world.all(CONTACT)) == 1
        assert not world.server.breaches
        if not broke:
            break
    assert requests_before > 5


async def test_our_comment_is_found_behind_a_hundred_others(world: World) -> None:
    deal = world.portal.add(DEAL, {"title": "Boots", "contactId": world.person()})
    await world.tell()
    for number in range(100):
        world.portal.comments.append({"kind": DEAL, "number": deal, "COMMENT": "Hello", "ID": str(10_000 + number)})

    await world.tell()

    assert len(world.portal.comments) == 101


async def test_what_a_visitor_brought_along_is_no_link_in_a_comment(world: World) -> None:
    world.portal.add(DEAL, {"title": "Boots", "contactId": world.person()})
    facts = {**told().facts, "source": "[url=http://evil]prize[/url]"}

    await world.tell(call=told(facts=facts))

    assert "[" not in world.portal.comments[0]["COMMENT"]


@pytest.mark.parametrize("ten", ["9123456789", "8123456789", "8001234567"])
async def test_a_known_caller_is_found_in_any_spelling(world: World, ten: str) -> None:
    for shape in SHAPES:
        world.renew()
        contact = world.person(shape(ten))

        await world.tell(call=told(caller=f"+7{ten}"))

        assert len(world.all(CONTACT)) == 1, shape(ten)
        assert [deal["contactId"] for deal in world.all(DEAL)] == [contact]


async def test_what_the_index_of_doubles_confuses_is_told_apart_by_its_digits(world: World) -> None:
    world.server.nonsense["crm.duplicate.findbycomm"] = {"CONTACT": [world.person("+79123456780")]}

    await world.tell()

    assert len(world.all(CONTACT)) == 2


async def test_of_two_contacts_with_one_phone_the_older_gets_the_deal(world: World) -> None:
    older = world.person("89123456789", at=NOON - timedelta(days=9))
    world.person(at=NOON - timedelta(days=1))

    await world.tell()

    assert [deal["contactId"] for deal in world.all(DEAL)] == [older]


async def test_two_hidden_numbers_are_two_people(world: World) -> None:
    for id in ("a", "b"):  # noqa: A001
        await world.tell(call=told(id, caller=None))

    assert [item.get("fm") for item in world.all(CONTACT)] == [None, None]
    assert len(world.all(DEAL)) == 2


@pytest.mark.parametrize("ended", [{"closed": "Y"}, {"stageSemanticId": "F"}])
async def test_a_deal_that_is_closed_makes_room_for_a_new_one(world: World, ended: dict[str, str]) -> None:
    deal = world.portal.add(DEAL, {"title": "Boots", "contactId": world.person()})
    world.portal.get(DEAL, deal).update(ended)

    await world.tell()

    assert len(world.all(DEAL)) == 2


async def test_an_open_deal_is_found_behind_many_closed_ones(world: World) -> None:
    contact = world.person()
    world.portal.add(DEAL, {"title": "Boots", "contactId": contact})
    for _ in range(60):
        world.portal.get(DEAL, world.portal.add(DEAL, {"title": "Old", "contactId": contact}))["closed"] = "Y"

    await world.tell()

    assert len(world.portal.comments) == 1


async def test_an_open_lead_with_the_phone_gets_the_comment(world: World) -> None:
    lead = world.person(kind=LEAD)

    done = await world.tell(replace(OWN, rules=Rules(scenario=Scenario.LEAD)))

    assert done.entities == ((Ref(kind=EntityKind.LEAD, id=str(lead)), Maker.US),)
    assert len(world.all(LEAD)) == 1


async def test_a_field_that_is_not_there_is_noticed(world: World) -> None:
    world.portal.user_fields[DEAL].clear()

    with pytest.raises(Refused, match=FIELD):
        await world.tell()


async def test_a_responsible_who_is_no_number_is_said_so(world: World) -> None:
    with pytest.raises(Refused, match="responsible"):
        await world.tell(replace(OWN, rules=Rules(responsible={"office": "Anna"})))


async def test_the_visit_goes_into_bitrix24s_own_analytics(world: World) -> None:
    await world.tell(replace(OWN, options={"trace": "on"}))

    deal = world.all(DEAL)[0]["id"]
    told_of = next(one["trace"] for one in world.portal.traces if one["entities"] == [(DEAL, deal)])
    assert told_of["client"] == {"gaId": CLIENT_ID}
    assert told_of["tags"]["list"] == {"utm_source": "google", "utm_medium": "cpc"}


async def test_without_the_right_to_trace_the_deal_is_made_all_the_same(world: World) -> None:
    world.server.refused["crm.tracking.trace.add"] = Problem(403, "ACCESS_DENIED", "Access denied")

    await world.tell(replace(OWN, options={"trace": "on"}))

    assert len(world.all(DEAL)) == 1
    assert world.portal.traces == []


# Existing telephony


async def test_the_calls_record_names_the_lead(world: World) -> None:
    call = world.portal.register("89123456789", at=later(2))
    with pytest.raises(NotYet):
        await world.tell(TELEPHONY, after=75)  # leads are not the first wish
    world.portal.finish(call["CALL_ID"], 50)

    done = await world.tell(TELEPHONY, after=125, looks=4)

    lead = world.all(LEAD)[0]
    assert lead[FIELD] == CLIENT_ID
    assert done.entities == ((Ref(kind=EntityKind.LEAD, id=str(lead["id"])), Maker.TELEPHONY),)
    assert not world.all(DEAL)
    assert not world.all(CONTACT)


async def test_the_calls_record_decides_between_two_of_one_phone(world: World) -> None:
    """Two deals of the phone appeared in the call; the telephony's activity stands on one of them."""
    contact = world.person()
    right, wrong = (world.portal.add(DEAL, {"title": "Call", "contactId": contact}, at=later(5)) for _ in range(2))
    with pytest.raises(Undecided, match="equally likely"):
        await world.tell(TELEPHONY)

    world.portal.finish(world.portal.register(ANNA, at=later(1))["CALL_ID"], 50, deals=[right])
    await world.tell(TELEPHONY)

    assert world.portal.get(DEAL, right)[FIELD] == CLIENT_ID
    assert FIELD not in world.portal.get(DEAL, wrong)


async def test_a_robots_deal_for_the_calls_contact_is_the_calls(world: World) -> None:
    world.portal.with_leads = False
    call = world.portal.finish(world.portal.register(ANNA, at=later(1))["CALL_ID"], 50)
    contact = int(call["CRM_ENTITY_ID"])
    with pytest.raises(NotYet):
        await world.tell(TELEPHONY)

    deal = world.portal.add(DEAL, {"title": "By a robot", "contactId": contact}, at=later(80))
    await world.tell(TELEPHONY, after=90, looks=1)

    assert world.portal.get(DEAL, deal)[FIELD] == CLIENT_ID
    assert FIELD not in world.portal.get(CONTACT, contact)


async def test_a_lead_at_ring_and_the_deal_that_it_became(world: World) -> None:
    call = world.portal.finish(world.portal.register(ANNA, at=later(1))["CALL_ID"], 50)
    deal = world.portal.add(DEAL, {"title": "By a robot", "leadId": int(call["CRM_ENTITY_ID"])}, at=later(70))

    await world.tell(TELEPHONY)

    assert world.portal.get(DEAL, deal)[FIELD] == CLIENT_ID
    assert FIELD not in world.all(LEAD)[0]


async def test_without_the_right_to_statistics_phone_and_moment_decide(world: World) -> None:
    world.portal.finish(world.portal.register(ANNA)["CALL_ID"], 50)
    world.person("8 912 345 67 89", at=NOON - timedelta(days=2))

    for lack in ("right", "scope"):
        world.portal.sees_statistics = lack != "right"
        world.portal.scopes = {"crm"} if lack == "scope" else {"crm", "telephony"}
        world.all(LEAD)[0].pop(FIELD, None)

        await world.tell(TELEPHONY, after=125)

        assert world.all(LEAD)[0][FIELD] == CLIENT_ID


async def test_the_record_of_an_earlier_call_is_not_this_calls(world: World) -> None:
    lead = world.person(kind=LEAD, at=NOON - timedelta(hours=1))
    world.portal.finish(world.portal.register(ANNA, at=later(-50))["CALL_ID"], 20)

    with pytest.raises(Undecided) as raised:
        await world.tell(TELEPHONY, after=60 + 900)

    assert [(one.ref.id, one.exact) for one in raised.value.candidates] == [(str(lead), False)]


async def test_the_deal_of_somebody_whom_the_index_confuses_is_not_the_calls(world: World) -> None:
    other = world.person("+79123456780", at=later(5))
    world.portal.add(DEAL, {"title": "Another's", "contactId": other}, at=later(5))
    world.server.nonsense["crm.duplicate.findbycomm"] = {"CONTACT": [other]}

    with pytest.raises(Undecided, match="no entity appeared"):
        await world.tell(TELEPHONY, after=60 + 900)


async def test_a_telephony_that_is_late_is_waited_for(world: World) -> None:
    for looks, after in enumerate((75, 200, 700)):
        with pytest.raises(NotYet):
            await world.tell(TELEPHONY, after=after, looks=looks)
    deal = world.portal.add(DEAL, {"title": "Late", "contactId": world.person(at=later(800))}, at=later(800))

    await world.tell(TELEPHONY, after=810, looks=8)

    assert world.portal.get(DEAL, deal)[FIELD] == CLIENT_ID


async def test_a_telephony_that_registers_twice_has_one_call(world: World) -> None:
    first, second = world.portal.register(ANNA), world.portal.register(ANNA)
    world.portal.finish(first["CALL_ID"], 50)
    with pytest.raises(Problem):
        world.portal.finish(second["CALL_ID"], 50)

    await world.tell(TELEPHONY, after=125)

    assert [lead[FIELD] for lead in world.all(LEAD)] == [CLIENT_ID]


async def test_a_telephony_that_creates_twice_leaves_it_to_a_person(world: World) -> None:
    leads = [world.person(kind=LEAD, at=later(5)) for _ in range(2)]
    with pytest.raises(Undecided) as raised:
        await world.tell(TELEPHONY, after=125)
    assert {one.ref.id for one in raised.value.candidates} == {str(lead) for lead in leads}
    assert all(FIELD not in lead for lead in world.all(LEAD))

    chosen = Ref(kind=EntityKind.LEAD, id=str(leads[1]))
    await world.tell(TELEPHONY, chosen=chosen)

    assert [lead.get(FIELD) for lead in world.all(LEAD)] == [None, CLIENT_ID]


async def test_a_telephony_that_never_creates_is_listed(world: World) -> None:
    with pytest.raises(Undecided, match="no entity appeared"):
        await world.tell(TELEPHONY, after=60 + 900)


async def test_a_hidden_number_is_never_matched(world: World) -> None:
    world.portal.finish(world.portal.register("")["CALL_ID"], 50)

    with pytest.raises(Undecided, match="no entity appeared"):
        await world.tell(TELEPHONY, call=told(caller=None), after=60 + 900)


async def test_what_our_own_user_created_is_not_the_telephonys(world: World) -> None:
    await world.tell(OWN)
    world.person(kind=LEAD, by=world.portal.user, at=later(5))

    with pytest.raises(Undecided, match="no entity appeared"):
        await world.tell(TELEPHONY, after=60 + 900)


async def test_a_call_that_our_user_answered_is_still_the_telephonys(world: World) -> None:
    """The webhook is often the administrator's, who answers calls as well."""
    world.portal.finish(world.portal.register(ANNA, user=world.portal.user)["CALL_ID"], 50)

    await world.tell(TELEPHONY, after=125)

    assert world.all(LEAD)[0][FIELD] == CLIENT_ID


@pytest.mark.parametrize(("rule", "left"), [(Overwrite.NEVER, "999.111"), (Overwrite.ALWAYS, CLIENT_ID)])
async def test_what_another_wrote_stays_unless_the_rule_says_otherwise(
    world: World, rule: Overwrite, left: str
) -> None:
    world.person(kind=LEAD, at=later(5))
    world.all(LEAD)[0][FIELD] = "999.111"

    await world.tell(replace(TELEPHONY, rules=Rules(overwrite=rule)), after=125)

    assert world.all(LEAD)[0][FIELD] == left


async def test_a_breakdown_in_annotating_writes_once_and_creates_nothing(world: World) -> None:
    account = replace(TELEPHONY, options={"trace": "on"})
    for requests_before in count(1):
        world.renew(breaks_after=requests_before)
        world.portal.finish(world.portal.register(ANNA)["CALL_ID"], 50)

        broke = await world.tell_until_done(account, after=125)

        assert [lead[FIELD] for lead in world.all(LEAD)] == [CLIENT_ID]
        assert [one["trace"] for one in world.portal.traces] == [{"client": {"gaId": CLIENT_ID}}]
        assert not world.all(CONTACT) + world.all(DEAL) + world.all(COMPANY)
        assert not world.server.breaches
        if not broke:
            break
    assert requests_before > 4


# Troubles


@pytest.mark.parametrize(
    ("problem", "pause", "words"),
    [
        (Problem(403, "ACCESS_DENIED"), NO_RIGHT, "right"),
        (Problem(403, "insufficient_scope"), NO_RIGHT, "tick 'crm'"),
        (Problem(503, "OVERLOAD_LIMIT"), LONGEST_PATIENCE, "support"),
        (Problem(401, "expired_token"), NO_RIGHT, "new incoming webhook"),
        (Problem(401, "NO_AUTH_FOUND"), NO_RIGHT, "new incoming webhook"),
        (Problem(200, "INVALID_CREDENTIALS"), NO_RIGHT, "right"),
        (Problem(401, "SOMETHING_NEW"), NO_RIGHT, "SOMETHING_NEW"),
        (Problem(500, "INTERNAL_SERVER_ERROR"), timedelta(), "INTERNAL"),
        (Problem(503, "QUERY_LIMIT_EXCEEDED"), timedelta(seconds=10), "LIMIT"),
    ],
)
async def test_what_a_person_or_time_can_mend_is_tried_again(
    world: World, problem: Problem, pause: timedelta, words: str
) -> None:
    world.server.blocked = problem

    with pytest.raises(ReceiverUnavailable, match=words) as raised:
        await world.tell()

    assert raised.value.pause == pause


@pytest.mark.parametrize("status", [200, 400])
async def test_what_they_will_never_take_is_refused(world: World, status: int) -> None:
    world.server.refused["crm.item.add"] = Problem(status, "CRM_FIELD_ERROR_REQUIRED", "Field X is required")

    with pytest.raises(Refused, match="Field X is required"):
        await world.tell()


@pytest.mark.parametrize("method", ["crm.item.add", "crm.item.list"])  # alone, and in a batch
async def test_a_method_that_took_too_long_rests_until_it_says(world: World, method: str) -> None:
    world.server.spent[method] = 321

    with pytest.raises(ReceiverUnavailable, match="OPERATION_TIME_LIMIT") as raised:
        await world.tell()

    assert 319 <= raised.value.pause.total_seconds() <= 322


async def test_a_full_bucket_is_waited_for(world: World) -> None:
    world.server.capacity = 3

    with pytest.raises(ReceiverUnavailable, match="QUERY_LIMIT_EXCEEDED") as raised:
        await world.tell()

    assert raised.value.pause >= timedelta(seconds=1)


HOSTILE = [
    *(None, [], {}, "x", 7, [None], [[]], {"items": 5}, {"CONTACT": 5, "LEAD": [None, "x"]}),
    {"items": [{"id": None}]},
    {"items": [{"id": "1", "fm": [5, {}], "createdTime": [], "stageSemanticId": [], "title": {}, FIELD: []}]},
    {"item": {"id": 1, FIELD: {"a": 1}}},
    {"result": {"l0": 5}, "result_error": {"l0": 5}, "result_time": 5},
    [{"CRM_ENTITY_TYPE": [], "CALL_START_DATE": 5, "entityTypeId": {}, "entityId": None, "COMMENT": []}],
]
ASKED = (
    *("batch", "crm.item.list", "crm.item.get", "crm.item.add", "crm.item.update", "crm.duplicate.findbycomm"),
    *("voximplant.statistic.get", "crm.activity.binding.list", "crm.timeline.comment.list"),
)


@pytest.mark.parametrize("account", [OWN, TELEPHONY])
async def test_nonsense_is_an_error_in_our_words(world: World, account: Connection) -> None:
    for method, said in product(ASKED, HOSTILE):
        world.renew()
        world.portal.finish(world.portal.register(ANNA)["CALL_ID"], 50)
        world.server.nonsense = {method: said}
        with suppress(ReceiverUnavailable, Refused, Undecided, NotYet):
            await world.tell(account, after=125)
        assert world.server.methods


async def test_a_webhook_that_cannot_be_read_is_said_so(world: World) -> None:
    with pytest.raises(ReceiverUnavailable, match="USER/CODE"):
        world.crm(webhook="c0de")
    assert all(one.well for one in await world.crm(webhook="https://example.bitrix24.ru/rest/7/c0de/").check())


# Connecting


async def test_the_field_is_made_once_in_all_four(world: World) -> None:
    for fields in world.portal.user_fields.values():
        fields.clear()

    assert len(await world.crm().prepare()) == 4
    assert await world.crm().prepare() == []
    assert all(fields == {FIELD} for fields in world.portal.user_fields.values())


async def test_the_check_says_what_is_missing(world: World) -> None:
    assert all(one.well for one in await world.crm(TELEPHONY).check())

    world.portal.sees_statistics, world.portal.with_leads = False, False
    world.portal.user_fields[DEAL].clear()
    rules = Rules(scenario=Scenario.LEAD, fields={"channel": "UF_CRM_CHANNEL"})
    missing = [one for account in (TELEPHONY, replace(OWN, rules=rules)) for one in await world.crm(account).check()]

    assert [(one.what, one.mend.split(":")[0]) for one in missing if not one.well] == [
        (f"deal with {FIELD}", "no such field"),
        ("the statistics of calls", "tick 'telephony' for the webhook, and let its user see the statistics of calls"),
        (f"lead with {FIELD}", "no such field"),
        ("leads", "this CRM works without leads"),
    ]


async def test_the_check_says_that_the_webhook_is_gone(world: World) -> None:
    checks = await world.crm(webhook="7/another").check()

    assert [(one.what, one.well) for one in checks] == [("the webhook", False)]


# Somebody else's reading of the documents


@pytest.fixture
def sdk(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The official library; it knows https alone, so its last step is turned to our server."""
    post = requests.post
    monkeypatch.setattr(requests, "post", lambda url, **rest: post(url.replace("https:", "http:", 1), **rest))

    async def call(token: Any, method: str, *, batch: bool = False, **params: Any) -> Any:
        one = {"one": (method, params)}
        asked = (lambda: token.call_batch(one)) if batch else lambda: token.call_method(method, params)
        body = await asyncio.to_thread(asked)
        return body["result"]["result"]["one"] if batch else body["result"]

    return call


@pytest.mark.parametrize("batch", [False, True])
async def test_the_official_library_is_understood_and_understands(world: World, sdk: Any, batch: bool) -> None:
    webhook = BitrixWebhook(domain=world.address, webhook_token="7/c0de")
    original = {"useOriginalUfNames": "Y"}
    fields = {"name": "Anna", "fm": as_phone("89123456789"), FIELD: "1.2", "nonsense": "x"}
    made = await sdk(webhook, "crm.item.add", batch=batch, entityTypeId=3, fields=fields, **original)
    contact = made["item"]["id"]
    found = await sdk(webhook, "crm.duplicate.findbycomm", batch=batch, type="PHONE", values=[ANNA])
    assert found == {"CONTACT": [contact]}

    await world.tell()

    where = {"=originatorId": "ringtrace", "@contactId": [contact]}
    listed = await sdk(webhook, "crm.item.list", batch=batch, entityTypeId=2, filter=where, **original)
    assert [one[FIELD] for one in listed["items"]] == [CLIENT_ID]
    deal = {"ENTITY_TYPE": "deal", "ENTITY_ID": listed["items"][0]["id"]}
    await sdk(webhook, "crm.timeline.comment.add", batch=batch, fields={**deal, "COMMENT": "Ringtrace another"})
    await world.tell(call=told("another"))
    assert len(await sdk(webhook, "crm.timeline.comment.list", batch=batch, filter=deal)) == 1
    entities = [{"TYPE": "CONTACT", "ID": contact}]
    await sdk(webhook, "crm.tracking.trace.add", batch=batch, TRACE=json.dumps({"tags": {}}), ENTITIES=entities)
    with pytest.raises(b24pysdk.errors.BitrixAPIError):
        await sdk(webhook, "crm.item.get", entityTypeId=2, id=1)


async def test_a_telephony_built_on_the_official_library_is_annotated(world: World, sdk: Any) -> None:
    app = BitrixApp(client_id="local.1", client_secret="secret")
    application = BitrixToken(domain=world.address, auth_token="an access token", bitrix_app=app)
    rings = {"USER_ID": 1, "PHONE_NUMBER": "79123456789", "TYPE": 2, "CRM_CREATE": 1}
    call, again = [await sdk(application, "telephony.externalCall.register", **rings) for _ in range(2)]
    assert call["CALL_ID"] == again["CALL_ID"]
    await sdk(application, "telephony.externalCall.finish", CALL_ID=call["CALL_ID"], USER_ID=1, DURATION=50)
    with pytest.raises(b24pysdk.errors.BitrixAPIError, match="not found"):
        await sdk(application, "telephony.externalCall.finish", CALL_ID=call["CALL_ID"], USER_ID=1)

    await world.tell(TELEPHONY, after=125)

    webhook = BitrixWebhook(domain=world.address, webhook_token="7/c0de")
    asked = {"entityTypeId": 1, "id": call["CRM_ENTITY_ID"], "useOriginalUfNames": "Y"}
    assert (await sdk(webhook, "crm.item.get", **asked))["item"][FIELD] == CLIENT_ID
    seen = await sdk(webhook, "voximplant.statistic.get", FILTER={"PHONE_NUMBER": ["79123456789"]})
    assert [one["CRM_ENTITY_ID"] for one in seen] == [str(call["CRM_ENTITY_ID"])]
