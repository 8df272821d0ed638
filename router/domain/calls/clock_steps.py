"""The journal's times when the machine's clock is set while a call goes on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from router.domain.calls.ledger import Row

# rows of one moment may change places; a clock that was set back goes further
STEP = timedelta(seconds=1)


def without_clock_steps(rows: Sequence[Row]) -> tuple[list[Row], timedelta]:
    """The rows as if the clock had not been set back, and by how much the last ones were moved.

    The journal's order is true whatever the clock says: what is written later happened later.
    """
    steady, offset = list[Row](), timedelta(0)
    for row in rows:
        at = row.at + offset
        if steady and steady[-1].at - at > STEP:
            offset += steady[-1].at - at
            at = steady[-1].at
        steady.append(replace(row, at=at) if offset else row)
    return steady, offset
