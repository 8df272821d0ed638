"""Calls back: asked for by people, begun by the agent, followed by the CEL log.

The page names a call. Which number is called, which phone rings, and whether that is allowed, is
looked up here when it is asked for, and again when the call begins.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from router.domain.access import Person, Scope
from router.domain.calls.call import Call
from router.domain.calls.call_back import (
    CallBack,
    CallBackResult,
    CallBackRules,
    CallBackState,
    progress,
)
from router.domain.calls.ledger import Row
from router.domain.phone import masked
from router.domain.visitors.site import Step
from router.errors import Conflict, InvalidInput
from router.service.ports import Session, Store

log = structlog.get_logger()

MINUTE = timedelta(minutes=1)
START = timedelta(seconds=30)  # one that has not begun by then never will
SHOWN = timedelta(minutes=10)  # results are shown so long
LOST = timedelta(minutes=5)  # without a word of a phone that rings or a customer who is called


class Refusal(StrEnum):
    """Why a call back is refused."""

    RIGHT = "right"
    PHONE = "phone"
    NUMBER = "number"
    WITHHELD = "withheld"
    BUSY = "busy"
    OTHER = "other"
    OFTEN = "often"


_SENTENCES = {
    Refusal.RIGHT: "This user may not call back: `ringtrace user allow LOGIN calls:call`.",
    Refusal.PHONE: "This user has no phone that can ring: `ringtrace user phone LOGIN PJSIP/…`.",
    Refusal.NUMBER: "This number may not be called: see the setting call_back_prefixes.",
    Refusal.WITHHELD: "The caller's number is not known.",
    Refusal.BUSY: "A call back of this user is in progress.",
    Refusal.OTHER: "Another user is calling this number.",
    Refusal.OFTEN: "Too many calls back in a minute.",
}


class CallBackRefused(Conflict):
    """This call back is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(_SENTENCES[refusal])
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What Asterisk needs to know of a call back."""

    phone: str
    line: str
    number: str
    caller_id: str


async def ask(
    store: Store,
    rules: CallBackRules,
    person: Person,
    call_id: str,
    now: datetime,
    task_id: str | None = None,
) -> CallBack:
    """Ask for a call back to the caller of this call. Raises `NotFound` and `CallBackRefused`."""
    async with store.write() as session:
        call = await session.get(Call, call_id)
        order_of(rules, person, call)
        await _lock(session)
        made = CallBack(
            id=secrets.token_hex(16),
            call_id=call_id,
            task_id=task_id,
            site_id=call.site_id,
            number=call.caller or "",
            by=person.login,
            at=now,
        )
        _check_others(await session.call_backs.recent(now - MINUTE), made, rules)
        await session.add(made)
        await _show(session, made)
    log.info("call_back_asked", login=person.login, number=masked(made.number), call=call_id)
    return made


def order_of(rules: CallBackRules, person: Person, call: Call) -> Order:
    """What to dial, if that is allowed. Raises `CallBackRefused`."""
    if Scope.CALLS_CALL not in person.scopes:
        raise CallBackRefused(Refusal.RIGHT)
    if not person.phone:
        raise CallBackRefused(Refusal.PHONE)
    if call.caller is None:
        raise CallBackRefused(Refusal.WITHHELD)
    if not rules.allows(call.caller):
        raise CallBackRefused(Refusal.NUMBER)
    line = rules.line_to(call.caller, call.trunk)
    try:
        Step(dial=line)
    except InvalidInput as error:
        raise CallBackRefused(Refusal.NUMBER) from error
    shown = rules.caller_id or call.number or call.did
    return Order(phone=person.phone, line=line, number=call.caller, caller_id=shown)


def _check_others(recent: Sequence[CallBack], made: CallBack, rules: CallBackRules) -> None:
    going_on = [one for one in recent if one.state is not CallBackState.ENDED]
    going_on = [one for one in going_on if not is_stuck(one, made.at)]
    if any(one.by == made.by for one in going_on):
        raise CallBackRefused(Refusal.BUSY)
    if any(one.number == made.number for one in going_on):
        raise CallBackRefused(Refusal.OTHER)
    mine = [one for one in recent if one.by == made.by and one.at > made.at - MINUTE]
    if len(mine) >= rules.per_minute:
        raise CallBackRefused(Refusal.OFTEN)


def is_stuck(back: CallBack, now: datetime) -> bool:
    """Whether nothing more will be known of it."""
    if back.state is CallBackState.ASKED:
        return now - back.at > START
    return back.state is not CallBackState.TALKING and now - back.at > LOST


async def recent(store: Store, now: datetime) -> list[CallBack]:
    """The calls back that go on or ended a short time ago, the newest first."""
    async with store.read() as session:
        return [as_shown(one, now) for one in await session.call_backs.recent(now - SHOWN)]


async def show(store: Store, call_back_id: str, now: datetime) -> CallBack:
    """One call back. Raises `NotFound`."""
    async with store.read() as session:
        return as_shown(await session.get(CallBack, call_back_id), now)


async def backs_by_number(store: Store, now: datetime) -> dict[str, CallBack]:
    """The last call back to each number, of those that are shown."""
    return {back.number: back for back in reversed(await recent(store, now))}


def as_shown(back: CallBack, now: datetime) -> CallBack:
    """The call back as a reader should see it: one that is stuck has ended."""
    if back.state is CallBackState.ENDED or not is_stuck(back, now):
        return back
    result = CallBackResult.LOST
    if back.state is CallBackState.ASKED:
        result = CallBackResult.NOT_STARTED

    return replace(back, state=CallBackState.ENDED, result=result)


async def begin(store: Store, rules: CallBackRules, back: CallBack, now: datetime) -> Order | None:
    """Claim a call back for Asterisk, once; None if it is too late or not allowed any more."""
    async with store.write() as session:
        await _lock(session)
        known = await session.peek(CallBack, back.id)
        if known is None or known.state is not CallBackState.ASKED:
            return None
        if now - known.at > START:
            await _change(session, known, CallBackState.ENDED, CallBackResult.NOT_STARTED)
            return None
        person, call = await session.peek(Person, known.by), await session.peek(Call, known.call_id)
        order: Order | None = None
        if person is not None and call is not None and call.caller == known.number:
            try:
                order = order_of(rules, person, call)
            except CallBackRefused as refused:
                log.warning("call_back_refused", login=known.by, reason=refused.refusal)
        if order is None:
            await _change(session, known, CallBackState.ENDED, CallBackResult.NOT_ALLOWED)
        else:
            await _change(session, known, CallBackState.RINGING, None)
        return order


async def fail(store: Store, token: str) -> None:
    """Asterisk did not begin this call back."""
    async with store.write() as session:
        await _lock(session)
        known = await session.peek(CallBack, token)
        if known is not None:  # it may have been erased with its call
            await _change(session, known, CallBackState.ENDED, CallBackResult.NOT_STARTED)


async def follow(
    session: Session, rows: Sequence[Row], calls: Sequence[Call], *, over: bool
) -> None:
    """Note how far the calls back of a group of CEL rows are."""
    steps = list(progress(rows, calls, over=over))
    known = await session.get_many(CallBack, [step.token for step in steps])
    for step in steps:
        before = known.get(step.token)
        if before is None or before.state is CallBackState.ENDED:
            continue
        after = replace(
            before,
            state=step.state,
            result=step.result,
            reason=step.reason,
            made_call_id=step.made_call_id,
        )
        if after != before:
            await session.change(after)
            await _show(session, after)
            if after.result:
                log.info(
                    "call_back_ended",
                    login=after.by,
                    number=masked(after.number),
                    result=after.result,
                )


async def _change(
    session: Session, back: CallBack, state: CallBackState, result: CallBackResult | None
) -> None:
    after = replace(back, state=state, result=result)
    await session.change(after)
    await _show(session, after)


async def _show(session: Session, back: CallBack) -> None:
    """Let the pages that show it update: that of its call, and that of missed callers."""
    await session.calls.touch(back.call_id)
    await session.missed.save([])


async def _lock(session: Session) -> None:
    """In the order in which the ingest locks both."""
    await session.calls.lock()
    await session.missed.lock()
