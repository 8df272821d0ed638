"""Writes calls with verdict, tags, recordings and deliveries in one transaction."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from router.domain.calls.call import Call, Direction, Hold, Recording, RecordingState, State
from router.domain.calls.keys import PressedKey, with_keys
from router.domain.calls.periods import with_holds
from router.domain.calls.routing import RoutingTable
from router.domain.calls.tagging import tags_by_rule
from router.domain.delivery.delivery import DeliveryKind
from router.domain.phone import caller_number
from router.domain.visitors.site import Site
from router.errors import Unavailable
from router.service.calls.attributed import IDENTITY
from router.service.calls.attribution import UNATTRIBUTED, Attributor
from router.service.calls.missed_follow import follow_calls
from router.service.calls.outgoing import identify_outgoing
from router.service.calls.qualification import qualify_calls
from router.service.calls.tag_decisions import tag_by_rule
from router.service.clock import Clock
from router.service.delivery.outbox import enqueue_calls, enqueue_unrecorded
from router.service.ids import ids_of
from router.service.ports import Session
from router.service.visitors.leasing import free_after_call

log = structlog.get_logger()

# wait after a call's end until its spool files are complete
FILES_REST = timedelta(seconds=0.6)


class CallWriter:
    """Caches the open calls in the database; `written` is valid only after a commit."""

    def __init__(self, table: Callable[[], RoutingTable], clock: Clock, region: str) -> None:
        self._table, self._clock, self._region = table, clock, region
        self._written: dict[str, Call] = {}
        self._ended: list[Call] = []

    def take_ended(self) -> list[Call]:
        """The calls that ended since the last commit."""
        ended, self._ended = self._ended, []
        return ended

    def forget(self, ids: Collection[str] | None = None) -> None:
        """Drop these calls, or all, from the cache."""
        if ids is None:
            self._ended.clear()
            self._written.clear()
            return
        self._ended = [call for call in self._ended if call.id not in ids]
        for call_id in ids:
            self._written.pop(call_id, None)

    def remember(self, calls: Iterable[Call]) -> None:
        """Cache these calls as stored."""
        self._written.update((call.id, call) for call in calls)

    async def write(self, session: Session, calls: Sequence[Call]) -> None:
        """Write calls. After an exception, `forget` them."""
        new = await self._new(session, calls)
        changed = [*new, *await self._known(session, calls)]
        changed = [call for call in changed if call != self._written.get(call.id)]
        if any(call.state is State.ENDED for call in changed):
            changed = await self._with_signals(session, changed)
        ended = [call for call in changed if call.state is State.ENDED]

        await session.calls.save(changed)
        await _count_unattributed(session, new, ended)
        now = self._clock()
        await tag_by_rule(session, [tag for call in ended for tag in tags_by_rule(call, now)])
        await follow_calls(session, changed)
        await _qualify(session, ended, now)
        await self._follow_ends(session, ended)

        self.remember(changed)
        self.forget(ids_of(ended))
        self._ended += ended

    async def _new(self, session: Session, calls: Sequence[Call]) -> list[Call]:
        """Attribute calls that are not in the database yet; re-read rows change nothing."""
        new = [call for call in calls if call.id not in self._written]
        if not new:
            return []
        ended = await session.calls.ended(ids_of(new))
        return await self._identify(session, [call for call in new if call.id not in ended])

    async def _known(self, session: Session, calls: Sequence[Call]) -> list[Call]:
        """Update open calls, keeping their identity."""
        mine = [call for call in calls if call.id in self._written]
        if not mine:
            return []
        await session.calls.lock()
        self._written |= await session.calls.reattributed([self._written[call.id] for call in mine])
        return [_as_known(call, self._written[call.id]) for call in mine]

    async def _follow_ends(self, session: Session, ended: Sequence[Call]) -> None:
        now = self._clock()
        await session.recordings.save([r for call in ended for r in _recordings(call, now)])
        await enqueue_calls(session, ended, DeliveryKind.CALL_ENDED, now)
        await enqueue_unrecorded(session, ended, now)
        await free_after_call(session, ended)

    async def _identify(self, session: Session, calls: Sequence[Call]) -> list[Call]:
        """Set number, site, caller and attribution."""
        table, attributor = self._table(), Attributor(session)
        made = []
        for call in calls:
            if call.direction is Direction.OUTGOING:
                made.append(await identify_outgoing(session, call, table, self._region))

        calls = [call for call in calls if call.direction is Direction.INCOMING]
        sites: dict[str, Site | None] = {}
        known: list[Call] = []
        # the first is evidence for those that follow
        for call in sorted(calls, key=lambda call: call.arrived_at):
            site, region = None, self._region
            # a number removed since is known from the dialplan's event, and its leases outlive it
            if number := table.number(call.did):
                site = table.sites.get(number.site_id)
                call = replace(call, number=number.e164)

            call = replace(call, site_id=None)
            if site:
                call, region = replace(call, site_id=site.id), site.region

            sites[call.id] = site
            known.append(replace(call, caller=caller_number(call.caller_raw, region)))
        await attributor.expect(known)
        return [*[await attributor.attribute(call, sites[call.id]) for call in known], *made]

    async def _with_signals(self, session: Session, calls: Sequence[Call]) -> list[Call]:
        holds: dict[str, list[Hold]] = {}
        for linkedid, hold in await session.holds.of(ids_of(calls)):
            holds.setdefault(linkedid, []).append(hold)
        keys: dict[str, list[PressedKey]] = {}
        for linkedid, key in await session.holds.keys(ids_of(calls)):
            keys.setdefault(linkedid, []).append(key)
        held = [with_holds(call, holds.get(call.id, ())) for call in calls]
        return [with_keys(call, keys.get(call.id, ())) for call in held]


async def _qualify(session: Session, ended: Sequence[Call], now: datetime) -> None:
    """Apply the rules. A fault in one must not keep calls out of the database: the worker looks at
    each call again.
    """
    try:
        async with session.savepoint():
            await qualify_calls(session, ids_of(ended), now)
    except Unavailable:
        raise
    except Exception:
        log.exception("rules_not_applied", calls=len(ended))


async def _count_unattributed(session: Session, new: Sequence[Call], ended: Sequence[Call]) -> None:
    """Count unattributed calls; numbers are locked in one order to avoid deadlocks."""
    unattributed_calls = sorted(
        call.number for call in new if call.number and call.verdict in UNATTRIBUTED
    )
    if unattributed_calls:
        await session.leases.lock_numbers(
            {*unattributed_calls, *(call.number for call in ended if call.number)}
        )
        await session.training.count_unattributed(unattributed_calls)


_IDENTITY = (
    *("number", "site_id", "caller", "caller_region", "caller_operator", "code"),
    *("answers_call_id", "started_by"),
    *IDENTITY,
)


def _as_known(call: Call, known: Call) -> Call:
    """The call with its stored identity."""
    return replace(call, **{name: getattr(known, name) for name in _IDENTITY})


def _recordings(call: Call, now: datetime) -> list[Recording]:
    """The recording jobs: store the call's spool files, or remove them."""
    if call.spool_name is None:
        return []
    due_at = now
    if call.ended_at and not call.clock_stepped:
        due_at = max(now, call.ended_at)

    recording = Recording(
        call_id=call.id,
        spool_name=call.spool_name,
        state=RecordingState.WAITING,
        expected_seconds=call.talk_seconds + call.hold_seconds + call.transfer_seconds,
        due_at=due_at + FILES_REST,
    )
    return [recording]
