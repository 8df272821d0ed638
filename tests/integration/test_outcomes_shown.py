"""What came of a delivery, as programs and readers in two languages see it."""

import pytest

from router.domain.access import Scope
from router.domain.calls.call import Call
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import DeliveryState
from router.domain.delivery.outcome import Outcome
from tests.integration.deliveries_world import page, section, write
from tests.support.web_calls import a_delivery
from tests.support.web_deliveries import DEAL
from tests.support.web_world import World

pytest_plugins = ["tests.integration.deliveries_world"]

HOSTILE = "<script>alert(1)</script>"
REFUSAL = Outcome.of(
    CrmCode.FIELD_LEFT_OUT,
    entity=DEAL,
    field="src",
    reason=Outcome.of(AnswerCode.REFUSED, status=400, detail=HOSTILE),
)


@pytest.fixture
def world(deliveries_world: World) -> World:
    return deliveries_world


async def test_an_outcome_is_a_code_for_programs_and_a_sentence_for_each_reader(
    world: World, told_calls: dict[str, Call]
) -> None:
    state = DeliveryState.FAILED
    failed = a_delivery(told_calls["missed"], "z1", key="z1", state=state, last_error=REFUSAL)
    await write(world, failed)
    program = world.program(Scope.CALLS_READ)
    told = (await program.get("/api/v1/deliveries/z1")).json()["last_error"]
    assert (told["code"], told["also"]) == ("field_left_out", [])
    assert told["params"]["entity"] == {"kind": "deal", "id": DEAL.id}
    assert told["params"]["reason"]["params"] == {"status": 400, "detail": HOSTILE}
    assert told["text"] == f"deal {DEAL.id} without src: 400 {HOSTILE}"
    whole = (await program.get(f"/api/v1/calls/{told_calls['missed'].id}")).json()
    assert told in [delivery["last_error"] for delivery in whole["deliveries"]]

    escaped = "400 &lt;script&gt;alert(1)&lt;/script&gt;"
    for language, sentence in {"en": f"deal {DEAL.id} without src", "ru": "без поля src"}.items():
        html = section(await page(world, language=language), "failed")
        assert f"{sentence}: {escaped}" in html
        assert HOSTILE not in html
