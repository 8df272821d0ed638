"""Calls back: the phone of a person of the company rings first, then the customer is called."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.calls.call import Call, Ending, State
from router.domain.calls.cel_facts import event_name, facts
from router.domain.calls.ledger import Row
from router.domain.phone import digits
from router.domain.phone_kind import is_ordinary

PREFIX = re.compile(r"\+[0-9]{0,15}")
_SIP_CODE = re.compile(r"-([3-6]\d\d)")


class CallBackState(StrEnum):
    """Where a call back is."""

    ASKED = "asked"  # Asterisk has not begun it
    RINGING = "ringing"  # the person's phone rings
    CALLING = "calling"  # the person has answered, the customer is called
    TALKING = "talking"
    ENDED = "ended"


class CallBackResult(StrEnum):
    """What came of a call back."""

    TALKED = "talked"
    NOT_ANSWERED = "not_answered"  # by the customer, as the next two
    BUSY = "busy"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"  # the trunk refused the call, or the number cannot be reached
    HUNG_UP = "hung_up"  # the person hung up before the customer answered
    PHONE_NOT_ANSWERED = "phone_not_answered"  # the person's phone, as the next three
    PHONE_BUSY = "phone_busy"
    PHONE_DECLINED = "phone_declined"
    PHONE_UNREACHABLE = "phone_unreachable"
    NOT_ALLOWED = "not_allowed"  # a right, a phone or a number was changed meanwhile
    NOT_STARTED = "not_started"  # Asterisk did not begin it in time
    LOST = "lost"  # Asterisk died, or its end is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBack:
    """A call back that a person asked for: it says who, when, and which number."""

    id: str  # the token that the dialplan is given
    call_id: str  # the call that it answers
    task_id: str | None = None  # the task of the missed caller, if it was begun there
    site_id: str | None = None
    number: str  # the customer's, E.164
    by: str  # login
    at: datetime
    state: CallBackState = CallBackState.ASKED
    result: CallBackResult | None = None
    reason: str = ""  # the SIP code of a phone or trunk that refused
    made_call_id: str | None = None  # the call to the customer


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackRules:
    """Which numbers may be called back, how, and how often."""

    region: str = "RU"
    prefixes: tuple[str, ...] = ()  # of numbers that may be called besides ordinary ones
    per_minute: int = 3  # calls back of one person
    line: str = "PJSIP/{number}@{trunk}"  # or {digits}
    caller_id: str = ""  # empty: the number that the customer called

    def allows(self, number: str) -> bool:
        """Whether this number may be called: an ordinary one of our country, or one of a prefix.
        A caller can send any number, also one that is dear to call.
        """
        return is_ordinary(number, self.region) or number.startswith(self.prefixes)

    def line_to(self, number: str, trunk: str) -> str:
        """What is dialled for a number; the customer called by this trunk."""
        return self.line.format(number=number, digits=digits(number), trunk=trunk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the CEL log says that a call back is."""

    token: str
    state: CallBackState
    result: CallBackResult | None = None
    reason: str = ""
    made_call_id: str | None = None


def progress(rows: Sequence[Row], calls: Iterable[Call], *, over: bool) -> Iterator[Progress]:
    """The calls back in a group of rows, whose calls these are; `over`: nothing follows."""
    said: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        if (name := event_name(row)) in {"BACK", "CALL", "END"}:
            values = facts(row)
            known = said.setdefault(values.get("token", ""), {})
            known[name] = known.get(name, {}) | values
    made = {call.call_back_id: call for call in calls if call.call_back_id}
    for token, events in said.items():
        if token:
            yield _progress(token, events, made.get(token), over)


def _progress(
    token: str, events: dict[str, dict[str, str]], call: Call | None, over: bool
) -> Progress:
    if call is not None:
        return _of_call(token, events.get("END", {}), call)
    phone = events.get("BACK", {})
    if status := phone.get("status"):
        result, reason = _of_phone(status, phone.get("said", ""), rang=bool(phone.get("ring")))
        return Progress(token=token, state=CallBackState.ENDED, result=result, reason=reason)
    if over:
        result = CallBackResult.HUNG_UP
        return Progress(token=token, state=CallBackState.ENDED, result=result)
    return Progress(token=token, state=CallBackState.RINGING)


def _of_phone(status: str, said: str, *, rang: bool) -> tuple[CallBackResult, str]:
    codes = _SIP_CODE.findall(said)
    reason = _reason(codes)
    if {"603", "607", "608"} & set(codes):
        return CallBackResult.PHONE_DECLINED, reason
    if status == "BUSY":
        return CallBackResult.PHONE_BUSY, reason
    if status == "NOANSWER" and rang:
        return CallBackResult.PHONE_NOT_ANSWERED, ""
    return CallBackResult.PHONE_UNREACHABLE, reason


def _reason(codes: list[str]) -> str:
    """The last of these SIP codes; empty without any."""
    if not codes:
        return ""
    return codes[-1]


_RESULTS = {
    Ending.ANSWERED: CallBackResult.TALKED,
    Ending.LOST_IN_TRANSFER: CallBackResult.TALKED,
    Ending.NO_ANSWER: CallBackResult.NOT_ANSWERED,
    Ending.BUSY: CallBackResult.BUSY,
    Ending.REFUSED: CallBackResult.DECLINED,
    Ending.UNREACHABLE: CallBackResult.UNREACHABLE,
}


def _of_call(token: str, end: dict[str, str], call: Call) -> Progress:
    if call.state is not State.ENDED:
        state = CallBackState.CALLING
        if call.answered_at:
            state = CallBackState.TALKING
        return Progress(token=token, state=state, made_call_id=call.id)
    result = CallBackResult.LOST
    if call.ending:
        result = _RESULTS.get(call.ending, CallBackResult.LOST)
    if end.get("status") == "CANCEL" and result is CallBackResult.NOT_ANSWERED:
        result = CallBackResult.HUNG_UP
    reason = ""
    if result is CallBackResult.UNREACHABLE:
        reason = _reason(_SIP_CODE.findall(end.get("said", "")))
    return Progress(
        token=token,
        state=CallBackState.ENDED,
        result=result,
        reason=reason,
        made_call_id=call.id,
    )
