"""Tags set by rules."""

from datetime import datetime

from router.domain.calls.call import Call, Ending, State, Tag

MISSED = "missed"
BY_RULE = "rule"

_MISSED = {
    Ending.NO_ANSWER,
    Ending.BUSY,
    Ending.REFUSED,
    Ending.ABANDONED_RINGING,
    Ending.ABANDONED,
    Ending.UNREACHABLE,
}


def tags_by_rule(call: Call, now: datetime) -> tuple[Tag, ...]:
    """The tags of an ended call: `missed` if the company could have answered and did not."""
    if call.state is State.ENDED and call.ending in _MISSED:
        return (Tag(call_id=call.id, name=MISSED, author=BY_RULE, at=now),)
    return ()
