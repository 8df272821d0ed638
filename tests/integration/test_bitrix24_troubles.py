"""What a Bitrix24 portal does to us: what passes, what a person has to fix, and how it is
connected.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from router.domain.delivery.connection import Connection, Rules, Scenario
from router.domain.delivery.outcome import sentence
from router.receivers.bitrix24.adapter import Bitrix24
from router.receivers.header_times import LONGEST_PATIENCE
from router.receivers.http import NO_RIGHT
from router.service.delivery.outcomes import NeedsReview, NotYet, ReceiverUnavailable, Refused
from tests.contracts.bitrix24_portal import DEAL, Problem
from tests.integration.bitrix24_world import FIELD, OWN, TELEPHONY, World
from tests.support.crm_calls import ANNA

pytest_plugins = ["tests.integration.bitrix24_world"]


@pytest.fixture
def world(bitrix24_world: World) -> World:
    return bitrix24_world


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
async def test_what_a_person_or_time_can_fix_is_tried_again(
    world: World, problem: Problem, pause: timedelta, words: str
) -> None:
    world.server.blocked = problem

    with pytest.raises(ReceiverUnavailable, match=words) as raised:
        await world.tell()

    assert raised.value.pause == pause


@pytest.mark.parametrize("status", [200, 400])
async def test_what_they_will_never_take_is_refused(world: World, status: int) -> None:
    world.server.refused["crm.item.add"] = Problem(
        status, "CRM_FIELD_ERROR_REQUIRED", "Field X is required"
    )

    with pytest.raises(Refused, match="Field X is required"):
        await world.tell()


@pytest.mark.parametrize("method", ["crm.item.add", "crm.item.list"])  # alone, and in a batch
async def test_a_method_that_took_too_long_rests_until_it_says(world: World, method: str) -> None:
    world.server.spent[method] = 321

    with pytest.raises(ReceiverUnavailable, match="OPERATION_TIME_LIMIT") as raised:
        await world.tell()

    assert 319 <= raised.value.pause.total_seconds() <= 322


async def test_a_full_bucket_is_waited_for(world: World) -> None:
    world.server.capacity, world.server.leak = 3, 0

    with pytest.raises(ReceiverUnavailable, match="QUERY_LIMIT_EXCEEDED") as raised:
        await world.tell()

    assert raised.value.pause >= timedelta(seconds=1)


HOSTILE = [
    *(None, [], {}, "x", 7, [None], [[]], {"items": 5}, {"CONTACT": 5, "LEAD": [None, "x"]}),
    {"items": [{"id": None}]},
    {
        "items": [
            {
                "id": "1",
                "fm": [5, {}],
                "createdTime": [],
                "stageSemanticId": [],
                "title": {},
                FIELD: [],
            }
        ]
    },
    {"item": {"id": 1, FIELD: {"a": 1}}},
    {"result": {"l0": 5}, "result_error": {"l0": 5}, "result_time": 5},
    [
        {
            "CRM_ENTITY_TYPE": [],
            "CALL_START_DATE": 5,
            "entityTypeId": {},
            "entityId": None,
            "COMMENT": [],
        }
    ],
]
ASKED = (
    *(
        "batch",
        "crm.item.list",
        "crm.item.get",
        "crm.item.add",
        "crm.item.update",
        "crm.duplicate.findbycomm",
    ),
    *("voximplant.statistic.get", "crm.activity.binding.list", "crm.timeline.comment.list"),
)


@pytest.mark.parametrize("account", [OWN, TELEPHONY])
async def test_nonsense_is_an_error_in_our_words(world: World, account: Connection) -> None:
    for method, said in product(ASKED, HOSTILE):
        world.renew()
        world.portal.finish(world.portal.register(ANNA)["CALL_ID"], 50)
        world.server.nonsense = {method: said}
        with suppress(ReceiverUnavailable, Refused, NeedsReview, NotYet):
            await world.tell(account, after=125)
        assert world.server.methods


async def test_a_webhook_that_cannot_be_read_is_said_so(world: World) -> None:
    with pytest.raises(ReceiverUnavailable, match="USER/CODE"):
        world.crm(webhook="c0de")
    assert all(
        check.well
        for check in await world.crm(webhook="https://example.bitrix24.ru/rest/7/c0de/").check()
    )


# Connecting


async def test_the_field_is_made_once_in_all_four(world: World) -> None:
    for fields in world.portal.user_fields.values():
        fields.clear()

    assert len(await world.crm().prepare()) == 4
    assert await world.crm().prepare() == []
    assert all(fields == {FIELD} for fields in world.portal.user_fields.values())


async def test_the_check_says_what_is_missing(world: World) -> None:
    assert all(check.well for check in await world.crm(TELEPHONY).check())

    world.portal.sees_statistics, world.portal.with_leads = False, False
    world.portal.user_fields[DEAL].clear()
    rules = Rules(scenario=Scenario.LEAD)
    missing = [
        check
        for account in (TELEPHONY, replace(OWN, rules=rules))
        for check in await world.crm(account).check()
    ]

    assert [
        (str(check.what), str(check.fix).split(":")[0]) for check in missing if not check.well
    ] == [
        (f"deal field {FIELD}", "no such field"),
        (
            "the statistics of calls",
            "tick 'telephony' among Ringtrace's rights in Bitrix24, and let its user see the "
            "statistics of calls",
        ),
        ("leads", "this CRM works without leads"),
    ]


async def test_what_is_said_of_an_app_names_no_webhook(world: World) -> None:
    app = {"client_id": "an-app", "client_secret": "a-secret", "user_id": "7"}
    checks = await Bitrix24(TELEPHONY, app, world.line).check()  # not signed: it has no access
    said = " ".join(sentence(outcome) for check in checks for outcome in (check.what, check.fix))
    assert not checks[0].well
    assert "`ringtrace crm connect --app`" in said
    assert "webhook" not in said


async def test_the_check_says_that_the_webhook_is_gone(world: World) -> None:
    checks = await world.crm(webhook="7/another").check()

    assert [(str(check.what), check.well) for check in checks] == [("access to Bitrix24", False)]
