"""An account at Tryton is connected: what is missing is said in words, and a stranger's answers
break nothing.
"""

from contextlib import suppress
from typing import Any

import pytest

from router.domain.delivery.connection import Mode, Rules
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.http import HttpClient
from router.service.delivery.outcomes import ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Draft
from tests.integration.tryton_world import World
from tests.support.crm_calls import CLIENT_ID
from tests.support.receiver import receiver
from tests.support.tryton_template import FIELD

pytest_plugins = ["tests.integration.tryton_world"]


@pytest.fixture
def world(tryton_world: World) -> World:
    return tryton_world


def _ill(checks: list[Check]) -> list[str]:
    return [str(check.what) for check in checks if not check.well]


@pytest.mark.parametrize("mode", Mode)
async def test_a_user_with_the_groups_of_sales_and_opportunities_is_all_we_need(
    world: World, mode: Mode
) -> None:
    assert _ill(await world.crm(world.connection(mode=mode)).check()) == []


@pytest.mark.parametrize(
    ("key", "options", "rules", "ill"),
    [
        ("a wrong key", {}, {}, ["access to Tryton"]),
        ("ringtrace", {"database": "other"}, {}, ["database"]),
        ("ringtrace", {"company": "99"}, {}, ["company 99"]),
        (
            "ringtrace",
            {"field": "ga_id"},
            {},
            ["party.party: field ga_id", "sale.opportunity: field ga_id"],
        ),
        (
            "ringtrace",
            {"field": "party"},
            {},
            ["party.party: field party", "sale.opportunity: field party"],
        ),
        ("reader", {}, {}, ["sale.opportunity: read, write, create"]),
        ("reader", {}, {"mode": Mode.TELEPHONY}, ["sale.opportunity: read, write"]),
    ],
)
async def test_connecting_says_what_is_missing_and_what_to_do(
    world: World, key: str, options: dict[str, str], rules: dict[str, Any], ill: list[str]
) -> None:
    mode = rules.get("mode", Mode.OWN)
    account = world.connection(mode=mode, rules=Rules(fields=rules.get("fields", {})), **options)

    checks = await world.crm(account, key=key).check()

    assert _ill(checks) == ill
    assert all(check.fix for check in checks if not check.well)
    assert world.held == (0, 0, 0)


async def test_a_wrong_key_is_tried_again_when_a_person_may_have_fixed_it(world: World) -> None:
    with pytest.raises(ReceiverUnavailable) as refused:
        await world.crm(key="a wrong key").contacts(world.caller)

    assert refused.value.pause.total_seconds() >= 60


@pytest.mark.parametrize("options", [{"company": "one"}, {"company": "²"}])
async def test_a_company_that_is_no_number_is_said_in_words(
    world: World, options: dict[str, str]
) -> None:
    with pytest.raises(Refused, match="company"):
        await world.crm(world.connection(**options)).contacts(world.caller)


@pytest.mark.parametrize("id", ["abc", "1/lost", "-1", ""])
async def test_an_entity_that_a_person_named_must_be_a_number(world: World, id: str) -> None:  # noqa: A002
    with pytest.raises(Refused, match="number"):
        await world.crm().write(Ref(kind=EntityKind.DEAL, id=id), {FIELD: CLIENT_ID})


async def test_an_entity_that_is_gone_is_refused(world: World) -> None:
    with pytest.raises(Refused):
        await world.crm().read(Ref(kind=EntityKind.DEAL, id="999999"), [FIELD])


ANSWERS = [
    *(b"null", b"7", b'"x"', b"{}", b"[]", b"[7]", b"[{}]", b'[{"id":"1"}]', b"<html>"),
    b'{"id":7,"applications":7,"ga_client_id":{}}',
    b'[{"id":1,"create_date":{"year":"x"},"party":7,"contact_mechanisms":{"id":1},"identifiers":[7],"state":[]}]',
    b'[{"id":1,"create_date":{"year":2026,"month":99,"day":1},"description":7,"reference":7,"party":{},"user":"x"}]',
]


@pytest.mark.parametrize("answer", ANSWERS)
async def test_an_answer_that_is_not_tryton_s_is_trouble_in_words_or_nothing_at_all(
    world: World, answer: bytes
) -> None:
    call, deal = world.call(), Ref(kind=EntityKind.DEAL, id="1")
    async with receiver() as stranger:
        stranger.says("200 OK", answer)
        crm = world.crm(http=HttpClient(f"http://127.0.0.1:{stranger.port}", {}))
        for ask in (
            lambda: crm.made_for(call.id),
            lambda: crm.contacts(world.caller),
            lambda: crm.deals([deal], world.caller),
            lambda: crm.appeared(call, call.arrived_at, call.ended_at),
            lambda: crm.create(Draft(kind=EntityKind.DEAL, call=call, title="Call", text="")),
            lambda: crm.note(deal, "Call", call.id),
            lambda: crm.read(deal, [FIELD]),
            lambda: crm.write(deal, {FIELD: CLIENT_ID}),
        ):
            with suppress(ReceiverUnavailable, Refused):
                await ask()
        with suppress(ReceiverUnavailable, Refused):
            assert _ill(await crm.check())
