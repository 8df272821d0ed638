"""Notes, tasks and calls in the timeline of an entity, each once a call.

Few CRMs keep a key of ours for them, so their text ends with a mark, which is looked for before
another is added.
"""

import html
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.entity import Ref
from router.receivers.crm_tools import html_lines, is_noted, mark
from router.service.delivery.crm_fill import PEOPLE
from router.service.delivery.crm_ports import CallRecord, Task


class Entry(StrEnum):
    """What is in a timeline; the value is in the mark."""

    NOTE = ""
    TASK = "/task"
    CALL = "/call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A task, or a call of ours if there is one."""

    subject: str
    text: str  # with the mark, and of a call with the link to its recording
    at: datetime  # when the task is due, or the call came
    refs: Sequence[Ref]  # of one kind one; a deal or lead first
    owner: str | None
    call: CallEvent | None = None


class Activities(ABC):
    """The notes of one account, its `TaskBook` and its `CallBook`."""

    html = False  # whether texts are HTML

    @abstractmethod
    async def responsible(self, ref: Ref) -> str | None:
        """The user who is responsible for this entity. Raises `EntityGone`."""

    @abstractmethod
    async def texts(self, entry: Entry, ref: Ref) -> Iterable[object]:
        """The texts of the newest notes, tasks or calls of an entity."""

    @abstractmethod
    async def add_note(self, ref: Ref, text: str) -> None:
        """Add a note."""

    @abstractmethod
    async def add_activity(self, activity: Activity) -> None:
        """Add a task or a call."""

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """A note on the entity, once per call."""
        if not await self.has(Entry.NOTE, ref, call_id):
            await self.add_note(ref, self._marked(Entry.NOTE, text, call_id))

    async def add(self, task: Task) -> None:
        """See `TaskBook`."""
        if not await self.has(Entry.TASK, task.ref, task.call_id):
            activity = Activity(
                subject=task.text.partition("\n")[0][:255],
                text=self._marked(Entry.TASK, task.text, task.call_id),
                at=task.due_at,
                refs=[task.ref],
                owner=task.responsible,
            )
            await self.add_activity(activity)

    async def record(self, record: CallRecord) -> None:
        """See `CallBook`. The deal or lead shows whether the call is there, else the contact."""
        refs, call = sorted(record.refs, key=_people_last), record.call
        if not await self.has(Entry.CALL, refs[0], call.id):
            kinds = {ref.kind: ref for ref in reversed(refs)}
            activity = Activity(
                subject=record.text[:255],
                text=self._marked(Entry.CALL, record.text, call.id, record.link),
                at=call.arrived_at,
                refs=sorted(kinds.values(), key=_people_last),
                owner=record.responsible,
                call=call,
            )
            await self.add_activity(activity)

    async def has(self, entry: Entry, ref: Ref, call_id: str) -> bool:
        """Whether the entity has this call's already."""
        return is_noted(await self.texts(entry, ref), f"{call_id}{entry}")

    def _marked(self, entry: Entry, text: str, call_id: str, link: str = "") -> str:
        end = mark(f"{call_id}{entry}")
        if not self.html:
            return "\n".join(filter(None, (text, link, end)))
        there = html.escape(link)
        anchor = f'<a href="{there}">{there}</a>' if link else ""
        return "<br>".join(filter(None, (html_lines(text), anchor, html.escape(end))))


def _people_last(ref: Ref) -> tuple[bool, str, str]:
    return ref.kind in PEOPLE, ref.kind, ref.id
