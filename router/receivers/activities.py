"""Adds notes, tasks and calls to the timeline of an entity, each once per call.

Few CRMs store a key of ours with them. So their text ends with a mark, and the adapter looks for
the mark before it adds another.
"""

import html
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.entity import Ref
from router.domain.text import cut
from router.receivers.crm_tools import html_lines, is_noted, mark
from router.service.delivery.crm_fill import PEOPLE
from router.service.delivery.crm_ports import CallRecord, Task


class Entry(StrEnum):
    """A kind of timeline entry; the value is part of the mark."""

    NOTE = ""
    TASK = "/task"
    CALL = "/call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A task, or a call if `call` is set."""

    subject: str
    text: str  # ends with the mark; that of a call also has the link to its recording
    at: datetime  # when the task is due, or the call came
    refs: Sequence[Ref]  # at most one of each kind; a deal or lead first
    owner: str | None
    call: CallEvent | None = None


class Activities(ABC):
    """Timeline entries of one account: notes, `TaskBook` and `CallBook`."""

    html = False  # whether texts are HTML

    @abstractmethod
    async def responsible(self, ref: Ref) -> str | None:
        """The user who is responsible for this entity. Raises `EntityGone`."""

    @abstractmethod
    async def texts(self, entry: Entry, ref: Ref) -> Iterable[object]:
        """The texts of an entity's newest notes, tasks or calls."""

    @abstractmethod
    async def add_note(self, ref: Ref, text: str) -> None:
        """Add a note."""

    @abstractmethod
    async def add_activity(self, activity: Activity) -> None:
        """Add a task or a call."""

    async def note(self, ref: Ref, text: str, call_id: str) -> None:
        """Add a note to the entity, once per call."""
        if not await self.has(Entry.NOTE, ref, call_id):
            await self.add_note(ref, self._marked(Entry.NOTE, text, call_id))

    async def add(self, task: Task) -> None:
        """See `TaskBook`."""
        if not await self.has(Entry.TASK, task.ref, task.call_id):
            activity = Activity(
                subject=cut(task.text.partition("\n")[0], 255),
                text=self._marked(Entry.TASK, task.text, task.call_id),
                at=task.due_at,
                refs=[task.ref],
                owner=task.responsible,
            )
            await self.add_activity(activity)

    async def record(self, record: CallRecord) -> None:
        """See `CallBook`. Looks for an earlier attempt at the deal or lead, otherwise at the
        contact.
        """
        refs, call = sorted(record.refs, key=_people_last), record.call
        if not await self.has(Entry.CALL, refs[0], call.id):
            kinds = {ref.kind: ref for ref in reversed(refs)}
            activity = Activity(
                subject=cut(record.text, 255),
                text=self._marked(Entry.CALL, record.text, call.id, record.link),
                at=call.arrived_at,
                refs=sorted(kinds.values(), key=_people_last),
                owner=record.responsible,
                call=call,
            )
            await self.add_activity(activity)

    async def has(self, entry: Entry, ref: Ref, call_id: str) -> bool:
        """Whether the entity already has this entry of this call."""
        return is_noted(await self.texts(entry, ref), f"{call_id}{entry}")

    def _marked(self, entry: Entry, text: str, call_id: str, link: str = "") -> str:
        end = mark(f"{call_id}{entry}")
        if not self.html:
            return "\n".join(filter(None, (text, link, end)))
        anchor = ""
        if link:
            escaped = html.escape(link)
            anchor = f'<a href="{escaped}">{escaped}</a>'
        return "<br>".join(filter(None, (html_lines(text), anchor, html.escape(end))))


def _people_last(ref: Ref) -> tuple[bool, str, str]:
    return ref.kind in PEOPLE, ref.kind, ref.id
