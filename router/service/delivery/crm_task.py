"""Adds a task for a missed call: to the person who knows the caller, once a call."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import Rules
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.crm_plan import responsible_for
from router.domain.delivery.entity import CreatedBy, EntityKind, Ref
from router.domain.delivery.outcome import Outcome
from router.domain.delivery.templates import Part
from router.service.delivery.crm_fill import PEOPLE, Annotated
from router.service.delivery.crm_ports import HasTasks, Task, TaskBook
from router.service.delivery.field_writer import FieldWriter
from router.service.delivery.outcomes import Refused

DUE = timedelta(hours=1)  # after the call


async def add_task(writer: FieldWriter, call: CallEvent, done: Annotated) -> Annotated:
    """What was done, and the task. A task that the CRM refuses costs nothing else."""
    missed = call.lost or not call.answered
    if not (writer.rules.task and missed and done.entities):
        return done
    tasks = None
    if isinstance(writer.crm, HasTasks):
        tasks = writer.crm.tasks

    if tasks is None:
        return _said(done, Outcome.of(CrmCode.NO_TASK, reason=Outcome.of(CrmCode.NO_TASKS)))

    refs = sorted((ref for ref, _ in done.entities), key=lambda ref: ref.kind in PEOPLE)
    task = Task(
        ref=refs[0],
        call_id=call.id,
        text=writer.text(Part.TASK, call),
        due_at=call.ended_at + DUE,
    )
    refusal = Outcome.of(CrmCode.TASK_NEEDS_USER)
    for user in await _candidates(tasks, writer.rules, call, done):
        try:
            await tasks.add(replace(task, responsible=user))
        except Refused as error:  # the user may have left
            refusal = error.outcome
        else:
            return _said(done, _added(task.ref, user))
    return _said(done, Outcome.of(CrmCode.NO_TASK, reason=refusal))


async def _candidates(
    tasks: TaskBook, rules: Rules, call: CallEvent, done: Annotated
) -> Sequence[str | None]:
    """Who may get it, the first one first: whose contact it is, whose deal or lead, whose phone or
    destination, the connection's own; then as the CRM has it.
    """
    ours = {ref for ref, created_by in done.entities if created_by is CreatedBy.US}
    known = [ref for ref in (*done.links, *(ref for ref, _ in done.entities)) if ref not in ours]
    users = [await _responsible(tasks, ref) for ref in sorted(set(known), key=_contacts_first)]
    users += [responsible_for(call, rules), rules.task_user]
    return [*dict.fromkeys(user for user in users if user), None]


async def _responsible(tasks: TaskBook, ref: Ref) -> str | None:
    try:
        return await tasks.responsible(ref)
    except Refused:  # it is gone
        return None


def _contacts_first(ref: Ref) -> tuple[int, str]:
    order = (EntityKind.CONTACT, EntityKind.DEAL, EntityKind.LEAD, EntityKind.COMPANY)
    return order.index(ref.kind), ref.id


def _added(ref: Ref, user: str | None) -> Outcome:
    if user is None:
        return Outcome.of(CrmCode.TASK_ADDED, entity=ref)
    return Outcome.of(CrmCode.TASK_ADDED_FOR, entity=ref, user=user)


def _said(done: Annotated, more: Outcome) -> Annotated:
    return replace(done, said=done.said.with_([more]))
