"""Dry run: what would be written for a call, without writing. The CRM is queried, so the result
uses real entities; writes are recorded instead, and read back as if done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from router.domain.calls.call import Call, State
from router.domain.calls.call_filter import CallFilter
from router.domain.delivery.call_event import CallEvent, read_call
from router.domain.delivery.catalogue import Catalogue
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import DeliveryKind
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.delivery.receiver_kind import identifiers
from router.errors import NotFound
from router.service.delivery.analytics import AnalyticsEvent
from router.service.delivery.crm_ports import (
    HasCatalogue,
    HasClock,
    HasSuccessors,
    HasTasks,
    Task,
    TaskBook,
)
from router.service.delivery.crm_update import annotate
from router.service.delivery.languages import with_language
from router.service.delivery.outbox import call_bodies
from router.service.delivery.outcomes import NeedsReview, NotYet, ReceiverUnavailable, Refused
from router.service.delivery.ports import Check, Crm, Draft
from router.service.ports import Store

LOOK_BACK = 50  # number of calls searched for the last one that would be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that would be sent."""

    verb: str  # create · note · write, or the method of a request
    what: str  # the entity, or the path
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """The result of a dry run: message, steps, and candidates for a review."""

    call_id: str
    said: str
    steps: tuple[Step, ...] = ()
    candidates: tuple[Found, ...] = ()


class DryRunCrm:
    """A `Crm` that reads from another and writes nothing."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._written: dict[Ref, dict[str, str]] = {}
        self.steps: list[Step] = []

    async def made_for(self, call_id: str) -> Sequence[Ref]:
        return await self._crm.made_for(call_id)

    async def contacts(self, phone: str) -> Sequence[Found]:
        return await self._crm.contacts(phone)

    async def deals(self, contacts: Sequence[Ref], phone: str) -> Sequence[Found]:
        return await self._crm.deals(contacts, phone)

    async def appeared(self, call: CallEvent, since: datetime, until: datetime) -> Sequence[Found]:
        return await self._crm.appeared(call, since, until)

    def clock_ahead(self) -> timedelta:
        return self._crm.clock_ahead() if isinstance(self._crm, HasClock) else timedelta()

    async def became(self, ref: Ref) -> Sequence[Ref]:
        return await self._crm.became(ref) if isinstance(self._crm, HasSuccessors) else ()

    def client_id_field(self, kind: EntityKind) -> str:
        return self._crm.client_id_field(kind)

    async def catalogue(self, *, whole: bool = False) -> Catalogue:
        if not isinstance(self._crm, HasCatalogue):
            return Catalogue()
        return await self._crm.catalogue(whole=whole)

    @property
    def tasks(self) -> TaskBook | None:
        if not isinstance(self._crm, HasTasks) or not self._crm.tasks:
            return None
        return _TriedTasks(self._crm.tasks, self.steps)

    async def check(self) -> Sequence[Check]:
        return await self._crm.check()

    async def prepare(self) -> Sequence[str]:
        return []

    async def create(self, draft: Draft) -> Ref:
        linked = ", ".join(f"{ref.kind} {ref.id}" for ref in draft.links.values())
        event = {
            "title": draft.title,
            "text": draft.text,
            "responsible": draft.responsible,
            "linked to": linked,
        }
        values = {name: text for name, text in {**event, **draft.values}.items() if text}
        self.steps.append(Step(verb="create", what=draft.kind, values=values))
        ref = Ref(kind=draft.kind, id="(new)")
        self._written[ref] = dict(draft.values)
        return ref

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        self.steps.append(Step(verb="note", what=f"{ref.kind} {ref.id}", values={"text": text}))

    async def read(self, ref: Ref, fields: Sequence[str]) -> Mapping[str, str]:
        written = self._written.get(ref, {})
        before: Mapping[str, str] = {}
        if ref.id != "(new)":
            before = await self._crm.read(ref, fields)

        return {name: text for name, text in {**before, **written}.items() if name in fields}

    async def write(self, ref: Ref, values: Mapping[str, str]) -> None:
        self.steps.append(Step(verb="write", what=f"{ref.kind} {ref.id}", values=dict(values)))
        self._written[ref] = {**self._written.get(ref, {}), **values}


class _TriedTasks:
    """Tasks that are noted down instead of added."""

    def __init__(self, tasks: TaskBook, steps: list[Step]) -> None:
        self._tasks, self._steps = tasks, steps

    async def responsible(self, ref: Ref) -> str | None:
        if ref.id == "(new)":
            return None
        return await self._tasks.responsible(ref)

    async def add(self, task: Task) -> None:
        values = {"text": task.text, "responsible": task.responsible, "due": task.due_at}
        shown = {name: value for name, value in values.items() if value}
        self._steps.append(Step(verb="task", what=f"{task.ref.kind} {task.ref.id}", values=shown))


async def dry_run_call(
    store: Store,
    connection: Connection,
    account: Any,
    call_id: str | None,
    pages: str,
    now: datetime,
    unsent: Sequence[Step] = (),
) -> DryRun:
    """Dry run of `call_id`, or of the last call that would be sent. Raises `NotFound`.

    An analytics account must be opened with a client that records requests in `unsent`.
    """
    call = await call_to_try(store, connection, call_id, pages)
    if store.receiver_kinds.of(connection).analytics:
        said = await _noted(
            account, AnalyticsEvent(call=call, key=f"{DeliveryKind.CALL_ENDED}:{call.id}"), unsent
        )
        return DryRun(call_id=call.id, said=said, steps=tuple(unsent))
    connection = await with_language(store, connection, call)
    crm = DryRunCrm(account)
    said, candidates = await _outcome(crm, connection, call, now)
    return DryRun(call_id=call.id, said=said, steps=tuple(crm.steps), candidates=candidates)


async def _noted(account: Any, event: AnalyticsEvent, unsent: Sequence[Step]) -> str:
    try:
        sent = await account.send([event])
    except Refused as refused:
        return f"would fail: {refused}"
    except ReceiverUnavailable:
        if not unsent:
            raise
        return "would be sent"  # there is no answer in a dry run
    left_out = "; ".join(str(result.outcome) for result in sent.results.values())
    if unsent:
        return "would be sent"
    return left_out or str(sent.said)


async def _outcome(
    crm: DryRunCrm, connection: Connection, call: CallEvent, now: datetime
) -> tuple[str, tuple[Found, ...]]:
    try:
        done = await annotate(crm, connection, call, looks=0, now=now)
        return f"the receipt would be: {done.said}", ()
    except NotYet as waits:
        return f"would search again later: {waits}", ()
    except NeedsReview as needs_review:
        return f"would need review: {needs_review}", needs_review.candidates
    except Refused as refused:
        return f"would fail: {refused}", ()


async def call_to_try(
    store: Store, connection: Connection, call_id: str | None, pages: str
) -> CallEvent:
    """The given call, or the last one that would be sent. Raises `NotFound`."""
    async with store.read() as session:
        if call_id is not None:
            calls = [await session.get(Call, call_id)]
        else:
            calls = await session.calls.find(
                CallFilter(site_id=connection.site_id, state=State.ENDED), limit=LOOK_BACK
            )
        bodies = await call_bodies(session, calls)
    kind = store.receiver_kinds.of(connection)
    for call in calls:
        if call_id is not None or kind.can_use(connection, identifiers(bodies[call.id])):
            return read_call(bodies[call.id], pages)
    raise NotFound(
        f"None of the last {LOOK_BACK} calls is one that would be sent to '{connection.id}': "
        "name one."
    )
