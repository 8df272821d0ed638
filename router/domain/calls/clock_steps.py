"""Corrects times in the CEL log if the clock is changed during a call."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from router.domain.calls.ledger import Row

# concurrent rows may be swapped; a clock that was set back goes further
STEP = timedelta(seconds=1)


def without_clock_steps(rows: Sequence[Row]) -> tuple[list[Row], timedelta]:
    """The rows as if the clock had not been set back, and the final correction. The order of rows
    is right whatever the clock: rows written later happened later.
    """
    steady, offset = list[Row](), timedelta(0)
    for row in rows:
        at = row.at + offset
        if steady and steady[-1].at - at > STEP:
            offset += steady[-1].at - at
            at = steady[-1].at
        steady.append(replace(row, at=at) if offset else row)
    return steady, offset
