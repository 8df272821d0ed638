"""A call as pages and commands show it whose course is long."""

from datetime import datetime, timedelta
from typing import Any

from router.domain.calls.call import (
    Ending,
    Period,
    PeriodKind,
    Transfer,
    TransferKind,
    TransferOutcome,
)


def lost_in_transfer(at: datetime) -> dict[str, Any]:
    """Fields of a call that a colleague took over, held, and transferred to a phone that was
    not answered.
    """
    taken = Transfer(
        kind=TransferKind.ATTENDED,
        at=at + timedelta(seconds=60),
        to="204",
        outcome=TransferOutcome.ANSWERED,
        answered_by="second",
    )
    lost = Transfer(
        kind=TransferKind.BLIND,
        at=at + timedelta(seconds=100),
        to="205",
        outcome=TransferOutcome.ABANDONED_RINGING,
        wait_seconds=31.0,
    )
    lengths = {
        PeriodKind.WAIT: 7,
        PeriodKind.TALK: 53,
        PeriodKind.HOLD: 22,
        PeriodKind.TRANSFER: 31,
    }
    periods, begun = list[Period](), at
    for kind, seconds in lengths.items():
        until = begun + timedelta(seconds=seconds)
        channels = ("PJSIP/company-00000001",) if kind is PeriodKind.TALK else ()
        periods.append(Period(kind=kind, started_at=begun, ended_at=until, channels=channels))
        begun = until

    return {
        "transfers": (taken, lost),
        "periods": tuple(periods),
        "ending": Ending.LOST_IN_TRANSFER,
        "talk_seconds": 53.0,
        "hold_seconds": 22.0,
        "transfer_seconds": 31.0,
        "last_answered_by": "second",
        "ended_at": begun,
    }
