"""Which calls have the tag `missed`: those that tasks of missed callers count."""

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
    Ending.ABANDONED_EARLY,
    Ending.UNREACHABLE,
    Ending.LOST_IN_TRANSFER,
    Ending.CUT,  # before anyone answered
}


@pytest.mark.parametrize("ending", Ending)
def test_a_call_is_missed_when_a_task_counts_it(ending: Ending) -> None:
    call = Call(id="c", did="1", trunk="t", arrived_at=NOON, state=State.ENDED, ending=ending)
    expected = (Tag(call_id="c", name="missed", author="rule", at=NOON),)
    assert tags_by_rule(call, NOON) == (expected if ending in MISSED else ())


def test_a_call_that_goes_on_is_not_missed_yet() -> None:
    assert (
        tags_by_rule(Call(id="c", did="1", trunk="t", arrived_at=NOON, state=State.RINGING), NOON)
        == ()
    )
