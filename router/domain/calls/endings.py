"""Why a call ended: what Dial said last, the causes of the legs, and who hung up."""

from collections.abc import Iterable
from dataclasses import dataclass

from router.domain.calls.call import Disposition, Ending
from router.domain.calls.transfer_outcomes import REFUSED_CAUSE

_DISPOSITIONS = {
    Ending.ANSWERED: Disposition.ANSWERED,
    Ending.LOST_IN_TRANSFER: Disposition.ANSWERED,
    Ending.NO_ANSWER: Disposition.NO_ANSWER,
    Ending.BUSY: Disposition.BUSY,
    Ending.REFUSED: Disposition.BUSY,
    Ending.ABANDONED_RINGING: Disposition.NO_ANSWER,
    Ending.ABANDONED_EARLY: Disposition.NO_ANSWER,
    Ending.ABANDONED: Disposition.NO_ANSWER,
    Ending.UNREACHABLE: Disposition.CONGESTION,
    Ending.CUT: Disposition.FAILED,
    Ending.NOT_LOGGED: Disposition.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The facts about the end of a call in the CEL log."""

    cut: bool  # Asterisk died before it wrote the end
    answered: bool  # a person took the call
    lost: bool  # … transferred the caller, and no person took it then
    picked_up: bool  # something took it: a queue, a menu, an announcement
    by_caller: bool  # the caller hung up
    status: str  # what Dial said last
    rang: bool
    routed: bool  # there was a destination
    causes: Iterable[int | None]
    setup: bool = (
        False  # the company's telephone system refused the login (401, 403): no person declined
    )
    outgoing: bool = False


def refused_by_trunk(said: str) -> bool:
    """Whether a trunk refused a call back, by the SIP codes that the dialplan saw, as -403-100."""
    return bool({"401", "402", "403", "407"} & set(said.split("-")))


def ending(end: End) -> Ending:
    """The ending of a call."""
    if end.cut:
        return Ending.CUT
    if end.answered:
        if end.lost:
            return Ending.LOST_IN_TRANSFER
        return Ending.ANSWERED
    return _unanswered(end)


def disposition(end: End) -> Disposition:
    """The same in Asterisk's words."""
    if end.cut and end.answered:
        return Disposition.ANSWERED
    return _DISPOSITIONS[ending(end)]


def _unanswered(end: End) -> Ending:
    refused = REFUSED_CAUSE in set(end.causes) and not end.setup
    if end.outgoing and end.status in {"CANCEL", ""}:
        return Ending.NO_ANSWER  # the company hung up first
    if end.status in {"BUSY", "NOANSWER"}:
        if refused:
            return Ending.REFUSED
        if end.status == "BUSY":
            return Ending.BUSY
        return Ending.NO_ANSWER
    if end.status in {"CHANUNAVAIL", "CONGESTION", "INVALIDARGS"} or not end.routed:
        if refused:
            return Ending.REFUSED
        return Ending.UNREACHABLE
    return _waited(end)


def _waited(end: End) -> Ending:
    """The ending of a call that was not refused: the caller waited, and one side hung up."""
    if end.picked_up and end.status != "CANCEL":
        if end.by_caller:
            return Ending.ABANDONED
        return Ending.NO_ANSWER
    if end.rang:
        return Ending.ABANDONED_RINGING
    if end.picked_up:
        return Ending.ABANDONED
    return Ending.ABANDONED_EARLY
