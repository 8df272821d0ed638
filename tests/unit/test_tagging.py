"""The one rule that tags: a call that the company could have answered and did not is missed."""

import pytest

from router.domain.calls.call import Call, Ending, State, Tag
from router.domain.calls.tagging import tags_by_rule
from tests.support.builders import NOON

MISSED = {
    Ending.NO_ANSWER,
    Ending.BUSY,
    Ending.REFUSED,
    Ending.ABANDONED_RINGING,
    Ending.ABANDONED,
    Ending.UNREACHABLE,
}


@pytest.mark.parametrize("ending", Ending)
def test_a_call_is_missed_when_the_company_could_have_answered(ending: Ending) -> None:
    call = Call(id="c", did="1", trunk="t", arrived_at=NOON, state=State.ENDED, ending=ending)
    expected = (Tag(call_id="c", name="missed", author="rule", at=NOON),)
    assert tags_by_rule(call, NOON) == (expected if ending in MISSED else ())


def test_a_call_that_goes_on_is_not_missed_yet() -> None:
    assert (
        tags_by_rule(Call(id="c", did="1", trunk="t", arrived_at=NOON, state=State.RINGING), NOON)
        == ()
    )
